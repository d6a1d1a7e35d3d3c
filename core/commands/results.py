"""`python -m core results --study NAME`: the table, its exports, and what changed between two runs; `pool`:
one comparison over several studies; `power`: what a comparison can see before it is run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from core.commands.common import Json, Study, emit, one_of, say, write
from core.errors import LabError, find
from core.results import export as exports
from core.results import pooled as pools
from core.results import power as powers
from core.results.statistics import ADJUSTMENTS
from core.results.table import CHOSEN, Baseline, Cell, table
from core.results.table import flips as flipped
from core.results.teachers import to_text
from core.stages import finished
from core.stages.finished import teacher_table
from core.stages.scoring import rationale_step
from core.store import queries

BaselineVariant = Annotated[
    str | None, typer.Option(help="What sets the baseline apart, as the table says it: recipe, filters.")
]
BaselineEpoch = Annotated[
    str | None, typer.Option(help=one_of("What the baseline's epoch was chosen by", filter(None, CHOSEN)))
]
Adjust = Annotated[str, typer.Option(help=one_of("Adjust p-values over the arms", ADJUSTMENTS))]

WRITERS: dict[str, Callable[[Sequence[Any]], str]] = {
    ".csv": exports.to_csv,
    ".tex": exports.to_latex,
    ".jsonl": exports.to_jsonl,
}


def results(
    study: Study,
    baseline: Annotated[
        str | None, typer.Option(help="Compare each arm with this method, the same student and teacher.")
    ] = None,
    baseline_student: Annotated[
        str | None, typer.Option(help="The baseline's student, where it is not the arm's own.")
    ] = None,
    baseline_teacher: Annotated[
        str | None, typer.Option(help="The baseline's teacher, where it is not the arm's own.")
    ] = None,
    baseline_samples: Annotated[
        int | None, typer.Option(help="The baseline's rationales per question (D).")
    ] = None,
    baseline_variant: BaselineVariant = None,
    baseline_epoch: BaselineEpoch = None,
    adjust: Adjust = "holm",
    flips: Annotated[
        tuple[int, int] | None, typer.Option(help="Two runs: the questions right in one, wrong in the other.")
    ] = None,
    predictions: Annotated[
        int | None, typer.Option(help="A run: its predictions instead of the table.")
    ] = None,
    teachers: Annotated[
        bool, typer.Option("--teachers", help="What the teachers got right, instead of the students.")
    ] = False,
    baseline_run: Annotated[
        int | None, typer.Option(help="With --teachers: the generation that others are compared with.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option(help="Also write a file; its ending says how: .csv, .tex or .jsonl.")
    ] = None,
    json: Json = False,
) -> None:
    """Accuracy per method, student and benchmark, with intervals and paired tests."""
    find(ADJUSTMENTS, adjust, "adjustment")
    if export is not None:
        find(WRITERS, export.suffix, "export")
    if teachers:
        _teachers(study, baseline_run, adjust, json)
        return
    cells = finished.evaluations(study)
    if flips is not None:
        emit(_flips(cells, *flips), json)
        return
    if predictions is not None:
        items = _predictions(cells, predictions)
        _write(export, items)
        emit(items, json, exports.to_jsonl(items).rstrip("\n"))
        return
    chosen = baseline and Baseline(
        baseline, baseline_student, baseline_teacher, baseline_samples, baseline_variant, baseline_epoch
    )
    rows = table(cells, chosen or None, adjust)
    _write(export, rows)
    document = {
        "study": study,
        "baseline": baseline,
        "adjusted": adjust,
        "rows": list(map(exports.as_dict, rows)),
        "published": list(map(exports.published_dict, exports.figures(rows))),
        "power": None,
    }
    if not rows:
        emit(document, json, "No evaluation has finished in this study yet.")
        return
    shown = powers.of(cells)
    emit(document | {"power": _sight(shown)}, json, f"{exports.to_text(rows)}\n{powers.sentence(shown)}")


def _teachers(study: str, baseline: int | None, adjust: str, json: bool) -> None:
    rows = teacher_table(queries.study_named(study).id, baseline, adjust)
    document = {"study": study, "adjusted": adjust, "rows": [row.as_dict() for row in rows]}
    emit(document, json, to_text(rows) or "No generation has finished in this study yet.")


def _flips(cells: Sequence[Cell], first: int, second: int) -> dict[str, Any]:
    changed = flipped(_run(cells, first), _run(cells, second))
    return {"runs": [first, second], "gained": changed.gained, "lost": changed.lost}


def _predictions(cells: Sequence[Cell], run_id: int) -> list[dict[str, Any]]:
    _run(cells, run_id)
    rows = [(row, queries.record(row)) for row in queries.completions(run_id)]
    return [
        {
            "run_id": run_id,
            "question_index": row.question_index,
            "prompt": written.steps[rationale_step(written)].prompt if written.steps else "",
            "text": written.rationale,
            "finish_reason": row.finish_reason,
            "tokens": row.completion_tokens,
            "correct": row.correct,
            "value": row.value,
        }
        for row, written in rows
    ]


def _run(cells: Sequence[Cell], run_id: int) -> Cell:
    for cell in cells:
        if cell.run_id == run_id:
            return cell
    known = ", ".join(str(cell.run_id) for cell in cells) or "none yet"
    raise LabError(f"Run {run_id} is no evaluation of this study: its evaluations are {known}.")


def _write(path: Path | None, items: Sequence[Any]) -> None:
    if path is None:
        return
    if path.suffix == ".tex" and items and isinstance(items[0], dict):
        raise LabError("Predictions export as .csv or .jsonl: choose one of those endings.")
    write(path, WRITERS[path.suffix](items))
    say(f"Wrote {path}.")


def pool(
    study: Annotated[list[str], typer.Option(help="A study; name as many as are to be pooled.")],
    baseline: Annotated[str, typer.Option(help="Compare each arm with this method.")],
    baseline_variant: BaselineVariant = None,
    baseline_epoch: BaselineEpoch = None,
    adjust: Adjust = "holm",
    json: Json = False,
) -> None:
    """One comparison over several benchmarks and seeds: every set of questions, and all together."""
    find(ADJUSTMENTS, adjust, "adjustment")
    cells = [cell for name in dict.fromkeys(study) for cell in finished.evaluations(name)]
    against = Baseline(baseline, variant=baseline_variant, selection=baseline_epoch)
    rows = pools.pooled(cells, against, adjust)
    document = {"studies": study, "baseline": baseline, "adjusted": adjust, "rows": list(map(asdict, rows))}
    emit(document, json, "\n\n".join(map(pools.to_text, rows)))


def power(
    n: Annotated[int, typer.Option(min=1, help="Test questions.")],
    discordance: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help=f"Share of questions that two arms answer differently; {powers.USUAL} unless given.",
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds of each arm.")] = 1,
    noise: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share that two seeds of one arm answer differently.")
    ] = None,
    difference: Annotated[
        float | None, typer.Option(min=0.1, max=100, help="Points wanted: the questions and seeds they take.")
    ] = None,
    json: Json = False,
) -> None:
    """The smallest difference, in points, that exact McNemar shows with 80 % power."""
    shown = powers.sight(n, discordance, noise, seeds)
    document, text = _sight(shown), powers.sentence(shown)
    if difference is not None:
        wanted = powers.takes(shown, difference)
        document, text = document | {"wanted": asdict(wanted)}, f"{text}\n{powers.wish(wanted)}"
    emit(document, json, text)


def _sight(shown: powers.Sight) -> dict[str, Any]:
    rest = {"power": powers.POWER, "alpha": powers.ALPHA, "sentence": powers.sentence(shown)}
    return asdict(shown) | rest
