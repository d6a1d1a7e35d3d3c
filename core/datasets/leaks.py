"""Leaks: test questions whose like a student learns from, or a teacher is shown as an exemplar.

    leaks(test, train)                      by their words
    leaks(test, train, vectors)             and by the cosine of their embeddings

    equal     word for word, case and white space apart
    masked    but for its numbers: "… has 9 marbles …" and "… has 12 marbles …"
    near      with an embedding at least NEAR alike

Each level holds those before it. MultiArith, in Fine-tune-CoT's split: 5 equal, 77 masked of 180.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.datasets.duplicates import same_template, same_text
from core.records import Question

if TYPE_CHECKING:
    import numpy as np

LEVELS = {"equal": "word for word", "masked": "but for the numbers", "near": "nearly, by their embeddings"}
# With all-MiniLM-L6-v2, half of MultiArith's questions with a masked twin reach 0.957, and of those without
# one 4 of 77: "… bought 4 new chairs …" of Emily and of Maria. Benchmarks written from templates have many.
NEAR = 0.95
ROWS = 1024  # compared at once


@dataclass(frozen=True, slots=True)
class Leak:
    """A test question, the first level at which it has its like, and that question's index."""

    index: int
    level: str
    of: int


def leaks(
    test: Sequence[Question],
    shown: Sequence[Question],
    vectors: tuple[np.ndarray, np.ndarray] | None = None,
) -> list[Leak]:
    """The test questions with their like among those shown, in order, each at its first level.

    `vectors`: unit vectors of the test questions and of those shown, shapes (n, d) and (m, d).
    """
    found: dict[int, Leak] = {}
    for level, same in (("equal", same_text), ("masked", same_template)):
        first = {same(q.text): q.index for q in reversed(shown)}
        for q in test:
            if (of := first.get(same(q.text))) is not None:
                found.setdefault(q.index, Leak(q.index, level, of))
    if vectors is not None and shown:
        for i, nearest, cosine in _nearest(*vectors):
            if cosine >= NEAR:
                index = test[i].index
                found.setdefault(index, Leak(index, "near", shown[nearest].index))
    return [found[q.index] for q in test if q.index in found]


def by_level(found: Iterable[Leak], levels: Iterable[str] = LEVELS) -> dict[str, list[int]]:
    """Indices of the test questions that leak at a level or at one before it."""
    order, listed = list(LEVELS), list(found)
    return {
        level: [leak.index for leak in listed if order.index(leak.level) <= order.index(level)]
        for level in levels
    }


def verbatim(questions: Iterable[Question], test: Iterable[Question]) -> set[int]:
    """Indices of the questions that are test questions word for word."""
    asked = {same_text(q.text) for q in test}
    return {q.index for q in questions if same_text(q.text) in asked}


def _nearest(test: np.ndarray, shown: np.ndarray) -> Iterable[tuple[int, int, float]]:
    """(row, nearest of those shown, cosine) of each row."""
    for start in range(0, len(test), ROWS):
        cosines = test[start : start + ROWS] @ shown.T
        best = cosines.argmax(1)
        for i, nearest in enumerate(best.tolist()):
            yield start + i, nearest, float(cosines[i, nearest])
