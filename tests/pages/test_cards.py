"""Cards: the steps of what was written, and what a rationale that was edited says by its new text."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core.records import AnswerPlace, Completion, Score, Step
from core.review import desk
from core.stages import training
from core.store import queries
from pages.components.completion import name
from pages.components.review.runs import label as run_label
from tests.pages.conftest import Filled
from tests.pages.test_pages import shown

Open = Callable[..., AppTest]


@pytest.mark.parametrize("anew", [True, False])
def test_an_edited_rationale_shows_the_answer_that_is_learnt(app: Open, filled: Filled, anew: bool):
    first = queries.completions(filled.generation, correct=True)[0]
    key = (first.question_index, first.sample_index)
    other = {"yes": "no", "no": "yes"}.get(first.value, "7654321")
    text = f"Think again. The answer is {other}." if anew else f"{first.rationale} It is so."
    desk.decide(filled.generation, key, "edit", "ana", seen=0, before=first.rationale, after=text)
    kept = training.as_reviewed(filled.generation, queries.completions(filled.generation))
    (learnt,) = (v for one, v in kept if (one.question_index, one.sample_index) == key)
    page = app(
        "review", reviewer="ana", queue="all", item=f"{key[0]}.{key[1]}",
        review=run_label(queries.run(filled.generation)),
    )  # fmt: skip
    assert learnt is not None and learnt.value == (other if anew else first.value)
    said = shown(page)
    answer = said[said.index("Answer found") :]
    assert learnt.value in answer[: answer.index("Gold answer")]
    assert (":green-badge" in said) is learnt.correct


def test_steps_are_told_apart_by_number_or_role():
    solved = (Step("steps", "", "", "delegate"), Step("rationale", "", "", "solver"))
    assert [name(solved, i) for i in (0, 1)] == ["Steps (delegate)", "Rationale (solver)"]
    asked_twice = (Step("rationale", "", ""), Step("answer", "", ""))
    assert [name(asked_twice, i) for i in (0, 1)] == ["Rationale", "Answer"]
    assert name((Step("rationale", "", ""),) * 3, 1) == "Rationale (step 2)"


def test_a_vote_shows_every_text_and_how_many_agree(app: Open, filled: Filled):
    steps = tuple(Step("rationale", "p", text) for text in ("So 7.", "So 8.", "So 7."))
    place = AnswerPlace("vote", of=tuple(AnswerPlace(step=i) for i in range(3)))
    made = Completion(0, 99, "So 7.", steps, place)
    queries.save_completions(filled.generation, [(made, Score(True, "7", 3, 4, note="2 of 3 agree"))])
    row = queries.latest_completions(filled.generation, 1)[0]
    label = run_label(queries.run(filled.generation))
    for page in (
        app("rationales", completion=str(row.id)),
        app("review", reviewer="ana", queue="all", item="0.99", review=label),
    ):
        said = shown(page)
        assert "2 of 3 agree" in said and "So 8." in said
        assert said.count("Rationale") >= 3, "each of them, the two that are alike as well"
