"""python -m core check FILE --dataset KEY --source …: what the quality checks say of recorded rationales."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from core.answers import KINDS, score_completion
from core.commands.common import Json, Recorded, RecordedOn, emit, one_of, step
from core.datasets import find_dataset, load
from core.quality.checks import CHECKS, Rationale, problems
from core.teachers.recorded import SOURCES, find_source, records

COUNTED = ("right", "right_flagged", "wrong", "wrong_flagged")


def rationales(path: Path, dataset: str, source: str) -> list[Rationale]:
    """The recorded rationales of the benchmark's questions, each with its verdict by the file's own rules."""
    row, layout = find_dataset(dataset), find_source(source)
    kind = "decimal" if layout.as_numbers and KINDS[row.kind].form == "number" else row.kind
    found = []
    for record in records(path, source, load(dataset, progress=step)):
        made = record.completion
        if record.question is None or made.error is not None:
            continue
        verdict = score_completion(made, record.gold, kind=kind, rules=layout.rules)
        # A trace's first call makes a plan; its rationale is the second call's.
        text = made.steps[-1].text if made.steps and made.steps[0].name == "steps" else made.rationale
        found.append(
            Rationale(
                record.question.text,
                text,
                verdict.value,
                record.gold,
                finish_reason=made.finish_reason,
                correct=verdict.correct,
            )
        )
    return found


def counts(items: Iterable[Rationale]) -> dict[str, dict[str, int]]:
    """Check → how many rationales with a right and with a wrong answer there are, and how many it flags."""
    table = {key: dict.fromkeys(COUNTED, 0) for key in CHECKS}
    for item in items:
        verdict, flagged = "right" if item.correct else "wrong", problems(item)
        for key, cells in table.items():
            cells[verdict] += 1
            cells[f"{verdict}_flagged"] += key in flagged
    return table


def check(
    file: Recorded,
    dataset: RecordedOn,
    source: Annotated[str, typer.Option(help=one_of("Layout", SOURCES))],
    as_json: Json = False,
) -> None:
    """Count what every check flags, among rationales with a right and with a wrong answer. Stores nothing."""
    items = rationales(file, dataset, source)
    result = {"n": len(items), "checks": counts(items)}
    emit(result, as_json, _table(result))


def _table(result: dict[str, Any]) -> str:
    lines = [f"{result['n']} rationales", f"{'flagged':12}{'right answers':>20}{'wrong answers':>20}"]
    for key, row in result["checks"].items():
        right, wrong = (f"{row[f'{v}_flagged']} of {row[v]}" for v in ("right", "wrong"))
        lines.append(f"{key:12}{right:>20}{wrong:>20}")
    return "\n".join(lines)
