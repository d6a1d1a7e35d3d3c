"""Vanilla fine-tuning: the student learns question → answer, with no rationale.

The honest baseline of Fine-tune-CoT (Ho et al. 2023): below a billion parameters it is often ahead.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.methods.base import Examples, Kept, Method, Removed, read_plain
from core.records import Question


def choose(questions: Sequence[Question], _completions: Kept) -> tuple[Examples, Removed]:
    """Every question once, with its gold answer."""
    return [(question, 0, None) for question in questions], {}


FINE_TUNE = Method(
    key="fine-tune",
    title="Fine-tune",
    paper="Ho et al. 2023 (baseline)",
    about="The student learns to write the answer alone.",
    input=read_plain,
    template="answer",
    trains=True,
    choose=choose,
)
