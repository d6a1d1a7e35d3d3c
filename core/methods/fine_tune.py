"""Vanilla fine-tuning: the student learns question → answer, with no rationale.

The honest baseline of Fine-tune-CoT (Ho et al. 2023): below a billion parameters it is often ahead.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.methods.base import Ask, Given, Lesson, Method, Program, Text, Written
from core.records import Completion, Question


def lessons(question: Question, _written: Completion, given: Given) -> Iterator[Lesson]:
    """Every question once, with its gold answer."""
    yield Lesson(given.form.input(question.text), given.form.label(None, question.answer))


def solve(question: Question, given: Given) -> Program:
    said = yield Ask(given.form.input(question.text), "student", "answer")
    return Written(said.text, Text(said))


METHOD = Method(
    key="fine-tune",
    order=30,
    title="Fine-tune",
    paper="Ho et al. 2023 (baseline)",
    about="The student learns to write the answer alone.",
    lessons=lessons,
    solve=solve,
)
