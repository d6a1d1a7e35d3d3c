"""Teachers that make no call."""

from __future__ import annotations

import pytest

from core.answers import score_completion
from core.errors import LabError
from core.records import Question, Request, Score
from core.teachers import open_teacher
from core.teachers.recorded.source import recorded
from core.teachers.stored import Stored
from tests.asking import served

RECORDED = recorded(
    3, 1, "Q: asked then", " \n\nA rationale.", "Q: asked then… so", " 7.", finish_reason="length"
)


def test_a_recorded_completion_is_given_as_it_was_recorded() -> None:
    found = Stored("recorded", [RECORDED]).completion(3, 1)
    first, second = found.steps
    assert (first.prompt, first.text, first.finish_reason) == ("Q: asked then", " \n\nA rationale.", "length")
    assert (second.prompt, second.text) == ("Q: asked then… so", " 7.")
    assert (found.rationale, found.finish_reason) == (first.text, "length")
    assert score_completion(found, "7", kind="integer") == Score(True, "7", 1, 2, True, True, step=1)
    assert found.cost == 0.0 and found.calls == 0


def test_what_is_not_recorded_is_an_error_of_that_item() -> None:
    teacher = Stored("recorded", [RECORDED])
    missing = teacher.completion(4, 0)
    assert teacher.completion(3, 1).error is None
    assert "question 4, sample 0" in missing.error and missing.finish_reason == "error"


def test_no_prompt_is_answered() -> None:
    with pytest.raises(LabError, match="choose a teacher that writes"):
        served(Stored("recorded", [RECORDED]), [Request("ours", 3, 1)])


def test_worked_solutions_are_rationales_with_the_gold_answer() -> None:
    questions = [Question(5, "2 + 2?", "4", solution="2 and 2 are 4.")]
    with open_teacher("worked", questions=questions) as teacher:
        found = teacher.completion(5, 0)
    assert found.rationale == "2 and 2 are 4." and score_completion(found, "4", kind="integer").correct
    assert [step.prompt for step in found.steps] == ["", ""], "nobody was asked"


def test_a_benchmark_without_solutions_is_refused() -> None:
    with pytest.raises(LabError, match="Question 1 has no worked solution"):
        open_teacher("worked", questions=[Question(0, "a", "1", solution="s"), Question(1, "b", "2")])
