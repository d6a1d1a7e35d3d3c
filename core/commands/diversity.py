"""`python -m core diversity --study NAME`: how much the rationales of a study's questions differ."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from core.commands.common import Json, Study, emit
from core.errors import LabError
from core.stages.diversity import measure
from core.stages.plans import plan_of
from core.store import queries

FIELDS = ("question_index", "n", "texts", "paths", "similarity", "effective")


def diversity(
    study: Study,
    run: Annotated[
        int | None, typer.Option(help="A generation. Default: the newest with several rationales.")
    ] = None,
    limit: Annotated[int, typer.Option(help="At most this many questions, the least diverse first.")] = 10,
    as_json: Json = False,
) -> None:
    """Distinct texts and paths, mean similarity and effective number of a generation's rationales."""
    chosen = _generation(queries.study_named(study).id, run)
    if "diversity" not in chosen.summary:
        queries.set_run(chosen.id, summary=chosen.summary | measure(chosen.id))
        chosen = queries.run(chosen.id)
    rows = [
        {name: getattr(row, name) for name in FIELDS} for row in queries.diversity_page(chosen.id, 0, limit)
    ]
    result = {"study": study, "run": chosen.id} | chosen.summary.get("diversity", {}) | {"least": rows}
    emit(result, as_json, _text(result))


def _generation(study_id: int, run_id: int | None) -> Any:
    runs = {run.id: run for run in queries.runs(study_id, "generate") if plan_of(run).teaching.samples > 1}
    if not runs:
        raise LabError("No generation of this study has several rationales per question: use --samples 8.")
    if run_id is not None and run_id not in runs:
        raise LabError(
            f"Generation {run_id} has one rationale per question: choose one of {', '.join(map(str, runs))}."
        )
    return runs[run_id if run_id is not None else max(runs)]


def _text(result: dict[str, Any]) -> str:
    if "effective" not in result:
        return f"Run {result['run']}: no question has several rationales."
    lines = [
        f"Run {result['run']}, {result['questions']:,} questions with {result['n']:.2f} rationales: "
        f"{result['texts']:.2f} distinct texts, {result['paths']:.2f} distinct paths, "
        f"mean similarity {result['similarity']:.2f}, effectively {result['effective']:.2f}.",
        "Least diverse:",
    ]
    lines += [
        f"  question {row['question_index']}: {row['texts']} texts, {row['paths']} paths, "
        f"similarity {row['similarity']:.2f}, effectively {row['effective']:.2f} of {row['n']}"
        for row in result["least"]
    ]
    return "\n".join(lines)
