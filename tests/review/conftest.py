"""A run with rationales to review, in a fresh database."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.records import AnswerPlace, Completion, Question, Score, Step
from core.store import queries
from tests import runs


def new_run(n: int) -> int:
    """A finished generation of n questions, right where the index is even. Returns its id."""
    questions = [Question(i, f"Question {i}?", str(i)) for i in range(n)]
    study = queries.add_study("s", queries.add_dataset("multiarith", {}, questions), "fine-tune-cot", {})
    run = runs.generation(study)
    queries.save_completions(
        run.id, [(_asked_twice(i, f" It is {i}.", f" {i}."), Score(i % 2 == 0, str(i))) for i in range(n)]
    )
    return run.id


def _asked_twice(question: int, rationale: str, answer: str) -> Completion:
    steps = (Step("rationale", "p", rationale), Step("answer", "p2", answer))
    return Completion(question, 0, rationale, steps, AnswerPlace(step=1))


@pytest.fixture
def run_id(lab_home: Path) -> int:
    return new_run(20)
