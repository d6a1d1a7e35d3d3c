"""The review card of a rationale that was edited: its answer and its verdict are those of the new text."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core.review import desk
from core.stages import training
from core.store import queries
from pages.components import review as ui
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
        review=ui.label(queries.run(filled.generation)),
    )  # fmt: skip
    assert learnt is not None and learnt.value == (other if anew else first.value)
    said = shown(page)
    answer = said[said.index("Answer found") :]
    assert learnt.value in answer[: answer.index("Gold answer")]
    assert (":green-badge" in said) is learnt.correct
