"""python -m core score FILE --dataset KEY --source …: how many recorded answers are right. Stores nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from core.answers import KINDS, RULES, score_completion
from core.answers.tally import Verdict, tally
from core.commands.common import Json, Recorded, RecordedOn, emit, one_of, step
from core.datasets import find_dataset, load
from core.teachers.recorded import SOURCES, find_source, records


def score_file(
    path: Path, dataset: str, source: str, rules: str = "paper", split_by: str = "default"
) -> dict[str, Any]:
    """Counts for a file of recorded completions, see core.answers.tally; a record without answer is wrong.

    `rules` is "paper" for those of the file's authors, or a key of RULES.
    """

    row, layout = find_dataset(dataset), find_source(source)
    paper = rules == "paper"
    kind = "decimal" if paper and layout.as_numbers and KINDS[row.kind].form == "number" else row.kind
    verdicts = []
    for i, record in enumerate(records(path, source, load(dataset, split=split_by, progress=step))):
        verdict = (
            record.completion.error is None
            and score_completion(
                record.completion, record.gold, kind=kind, rules=layout.rules if paper else rules
            ).correct
        )
        question = record.question
        verdicts.append(
            Verdict(
                question=question.index if question else f"record {i}",
                sample=record.completion.sample_index,
                split=question.split if question else None,
                correct=verdict,
            )
        )
    unknown = sum(v.split is None for v in verdicts)
    return tally(verdicts) | ({"of_no_question_here": unknown} if unknown else {})


def score(
    file: Recorded,
    dataset: RecordedOn,
    source: Annotated[str, typer.Option(help=one_of("Layout", SOURCES))],
    rules: Annotated[
        str,
        typer.Option(help=one_of("How answers are read: paper (as the file's authors do), or one of", RULES)),
    ] = "paper",
    split_by: Annotated[str, typer.Option(help="Split to count by.")] = "default",
    as_json: Json = False,
) -> None:
    """Count the right answers in recorded completions. Nothing is stored; accuracy is in percent."""
    result = score_file(file, dataset, source, rules, split_by)
    emit(result, as_json, _table(result))


def _table(result: dict[str, Any]) -> str:
    lines = [f"{'':8}{'n':>8}{'correct':>9}{'accuracy':>10}   first completion of each question"]
    for name, part in {"all": result, **result["by_split"]}.items():
        first = part["greedy"]
        lines.append(f"{name:8}{_counts(part)}   {_counts(first)}")
    return "\n".join(lines)


def _counts(part: dict[str, Any]) -> str:
    accuracy = "–" if part["accuracy"] is None else f"{part['accuracy']:.2f} %"
    return f"{part['n']:>8}{part['correct']:>9}{accuracy:>10}"
