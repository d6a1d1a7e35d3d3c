"""A run with rationales to review, in a fresh database."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.records import Completion, Question, Score
from core.store import queries


def new_run(n: int) -> int:
    """A finished generation of n questions, right where the index is even. Returns its id."""
    questions = [Question(i, f"Question {i}?", str(i)) for i in range(n)]
    study = queries.add_study("s", queries.add_dataset("multiarith", {}, questions), "fine-tune-cot", {})
    run = queries.open_run(study, "generate", "0" * 64, method="fine-tune-cot", config={})
    queries.save_completions(
        run.id,
        [
            (
                Completion(i, 0, "p", f" It is {i}.", answer_prompt="p2", answer_text=f" {i}."),
                Score(i % 2 == 0, str(i)),
            )
            for i in range(n)
        ],
    )
    return run.id


@pytest.fixture
def run_id(lab_home: Path) -> int:
    return new_run(20)
