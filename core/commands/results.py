"""`python -m core results --study NAME`: the table, its exports, and what changed between two runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from core.commands.common import Json, Study, emit, one_of, say, write
from core.errors import LabError, find
from core.results import export as exports
from core.results.statistics import ADJUSTMENTS
from core.results.table import Baseline, Cell, table
from core.results.table import flips as flipped
from core.results.teachers import to_text
from core.stages import finished
from core.stages.finished import teacher_table
from core.stages.scoring import rationale_step
from core.store import queries

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
    baseline_variant: Annotated[
        str | None, typer.Option(help="What sets the baseline apart, as the table says it: filters, epoch.")
    ] = None,
    adjust: Annotated[str, typer.Option(help=one_of("Adjust p-values over the arms", ADJUSTMENTS))] = "holm",
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
        _teachers(study, baseline_run, json)
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
        baseline, baseline_student, baseline_teacher, baseline_samples, baseline_variant
    )
    rows = table(cells, chosen or None, adjust)
    _write(export, rows)
    document = {
        "study": study,
        "baseline": baseline,
        "adjusted": adjust,
        "rows": list(map(exports.as_dict, rows)),
    }
    emit(document, json, exports.to_text(rows) if rows else "No evaluation has finished in this study yet.")


def _teachers(study: str, baseline: int | None, json: bool) -> None:
    rows = teacher_table(queries.study_named(study).id, baseline)
    document = {"study": study, "rows": [row.as_dict() for row in rows]}
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
