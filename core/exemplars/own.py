"""Exemplars of the user's own: rows of three texts, kept in the study as they were typed.

    {"question": "Roger has 5 tennis balls. …", "rationale": "Roger started with 5 balls. …", "answer": "11"}

A half-filled row is kept too, so that nothing typed is lost; the rows are used once they are whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from core.errors import LabError
from core.records import Exemplar
from core.students.formats import FEW_SHOT_MARK

EditedRow = dict[str, str]
FIELDS = ("question", "rationale", "answer")
_PARTING = re.compile(r"^\s*[QA]:", re.MULTILINE)


def tidy(rows: Iterable[Mapping[str, Any]]) -> tuple[EditedRow, ...]:
    """Rows with all three fields as texts, as typed. LabError for anything else."""
    made = []
    for number, row in enumerate(rows, 1):
        if not isinstance(row, Mapping) or set(row) - set(FIELDS):
            raise LabError(f"Exemplar {number} cannot be read: give it {', '.join(FIELDS)} and nothing else.")
        made.append({name: "" if row.get(name) is None else str(row[name]) for name in FIELDS})
    return tuple(made)


def problems(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Why the rows cannot be used, one sentence per problem; empty where they are complete."""
    found = []
    first: dict[str, int] = {}
    for number, row in enumerate(rows, 1):
        if lacking := [name for name in FIELDS if not row[name].strip()]:
            found.append(
                f"Exemplar {number} lacks its {' and its '.join(lacking)}: "
                "fill it in, or delete the exemplar."
            )
        if any(_PARTING.search(row[name]) for name in FIELDS):
            found.append(
                f"Exemplar {number} has a line that begins with “Q:” or “A:”, where the prompt begins its "
                "next part: write that line another way."
            )
        if FEW_SHOT_MARK in row["rationale"]:
            found.append(
                f"Exemplar {number} says “{FEW_SHOT_MARK}” in its rationale, and the prompt says it before "
                "the answer: leave it out there."
            )
        question = " ".join(row["question"].split())
        if question and first.setdefault(question, number) != number:
            found.append(f"Exemplars {first[question]} and {number} ask the same question: delete one.")
    return found


def whole(rows: Sequence[Mapping[str, Any]]) -> tuple[Exemplar, ...]:
    """The rows as exemplars. LabError where there are none, or where one cannot be used."""
    if not rows:
        raise LabError(
            "Few-shot-CoT needs exemplars: give the study at least one (question, rationale, answer)."
        )
    if found := problems(rows):
        raise LabError(found[0])
    return tuple(Exemplar(**{name: row[name].strip() for name in FIELDS}) for row in rows)


def joined(rows: Sequence[EditedRow], more: Iterable[Exemplar]) -> tuple[EditedRow, ...]:
    """The rows, and those exemplars whose question is not among them. Blank rows make room."""
    kept = [row for row in rows if any(row[name].strip() for name in FIELDS)]
    there = {" ".join(row["question"].split()) for row in kept}
    fresh = [asdict(one) for one in more if " ".join(one.question.split()) not in there]
    return (*kept, *fresh)
