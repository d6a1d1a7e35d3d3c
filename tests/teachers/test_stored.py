"""Teachers that make no call."""

from __future__ import annotations

import pytest

from core.errors import LabError
from core.records import Completion, Question, Request, Sampling
from core.teachers import open_teacher
from core.teachers.stored import Stored

RECORDED = Completion(3, 1, "Q: asked then", " \n\nA rationale.", "length", "Q: asked then… so", " 7.")


def test_a_recorded_reply_carries_the_prompt_it_was_recorded_with() -> None:
    teacher = Stored("recorded", [RECORDED])
    first, second = teacher.complete([Request("ours", 3, 1), Request("ours", 3, 1, "answer")], Sampling())
    assert (first.request.prompt, first.text, first.finish_reason) == (
        "Q: asked then",
        " \n\nA rationale.",
        "length",
    )
    assert (second.request.prompt, second.text) == ("Q: asked then… so", " 7.")
    assert first.cached and first.cost == 0.0


def test_what_is_not_recorded_is_an_error_of_that_item() -> None:
    found, missing = Stored("recorded", [RECORDED]).complete(
        [Request("x", 3, 1), Request("x", 4)], Sampling()
    )
    assert found.error is None
    assert "question 4, sample 0" in missing.error and missing.finish_reason == "error"


def test_worked_solutions_are_rationales_with_the_gold_answer() -> None:
    questions = [Question(5, "2 + 2?", "4", solution="2 and 2 are 4.")]
    with open_teacher("worked", questions=questions) as teacher:
        first, second = teacher.complete([Request("x", 5), Request("x", 5, 0, "answer")], Sampling())
    assert (first.text, second.text.strip()) == ("2 and 2 are 4.", "4")


def test_a_benchmark_without_solutions_is_refused() -> None:
    with pytest.raises(LabError, match="Question 1 has no worked solution"):
        open_teacher("worked", questions=[Question(0, "a", "1", solution="s"), Question(1, "b", "2")])
