"""Verdicts counted: overall, for each part of the split, and for the first completion of each question.

    {"records": 792, "n": 792, "correct": 624, "accuracy": 78.787…, "greedy": {"n": 600, "correct": 465, …},
     "by_split": {"train": {…}, "test": {…}}}

Accuracy is a percentage, correct / n × 100, as the papers print it; None where there is nothing to count.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

PARTS = ("train", "test")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one completion is right; `question` is any key, `split` None where it is not known."""

    question: Hashable
    sample: int
    split: str | None
    correct: bool


def count(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """n, correct and accuracy in percent."""
    n, correct = len(verdicts), sum(v.correct for v in verdicts)
    return {"n": n, "correct": correct, "accuracy": (correct * 1.0 / n) * 100 if n else None}


def first_of_each(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """The completion with the lowest sample index of each question, in order of appearance."""
    first: dict[Hashable, Verdict] = {}
    for verdict in verdicts:
        if verdict.question not in first or verdict.sample < first[verdict.question].sample:
            first[verdict.question] = verdict
    return list(first.values())


def tally(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """The counts of all verdicts and of each part."""

    def part(some: Sequence[Verdict]) -> dict[str, Any]:
        return count(some) | {"greedy": count(first_of_each(some))}

    by_split = {name: part([v for v in verdicts if v.split == name]) for name in PARTS}
    return {"records": len(verdicts)} | part(verdicts) | {"by_split": by_split}
