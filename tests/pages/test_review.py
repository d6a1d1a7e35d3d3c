"""The Review page through the frame: empty and filled, its filters, decisions, and hostile text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.review import desk
from core.store import decisions
from pages.components import review as ui
from tests.clustered import Clustered, clustered
from tests.pages.test_pages import shown

Open = Callable[..., AppTest]


@pytest.fixture
def made(lab_home: Path, recorded: Path) -> Clustered:
    return clustered(recorded, lab_home)


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception, app.exception
    return app


def test_without_rationales_it_says_what_to_do(app: Open):
    assert "no study yet" in shown(app("review"))


def test_a_card_shows_everything_that_decides(app: Open, made: Clustered):
    page = app("review", reviewer="ana")
    key = desk_keys(made)[0]
    text = shown(page)
    assert f"question {key[0]}" in text and "Gold answer" in text and "the answer" in text
    assert "6 left" in text
    assert {m.label for m in page.metric} >= {"Tokens, estimated", "Left of 4,096"}


def desk_keys(made: Clustered) -> list[tuple[int, int]]:
    from core.stages.exemplars import standing

    slots = standing(made.exemplars, desk.board(made.exemplars))
    return [(s.point.question_index, s.point.sample_index) for s in slots]


def test_a_rejected_exemplar_makes_room_for_the_next_nearest(app: Open, made: Clustered):
    before = desk_keys(made)
    page = press(app("review", reviewer="ana"), "reject")
    after = desk_keys(made)
    assert after[1:] == before[1:] and after[0] != before[0]
    assert f"question {after[0][0]}" in shown(page)
    page = press(press(page, "Undo"), "Redo")
    assert [d.kind for d in decisions.since(made.exemplars)] == ["reject", "undo", "redo"]


def test_an_edit_that_removes_the_answer_is_refused_and_kept(app: Open, made: Clustered):
    page = press(app("review", reviewer="ana"), "edit")
    typed = "It cannot be known."
    page.text_area[0].set_value(typed)
    press(page, "save")
    assert "The answer is" in page.error[0].value
    assert page.text_area[0].value == typed
    assert not decisions.since(made.exemplars)
    page.text_area[0].set_value("It cannot be known. The answer is 99999.")
    press(page, "save")
    assert "right answers only" in page.error[0].value
    assert not decisions.since(made.exemplars)


def test_an_edit_is_stored_with_before_and_after(app: Open, made: Clustered):
    page = press(app("review", reviewer="ana"), "edit")
    before = page.text_area[0].value
    page.text_area[0].set_value(f"<b>First</b>. {before}")
    press(page, "save")
    (edit,) = decisions.since(made.exemplars)
    assert (edit.before, edit.after) == (before, f"<b>First</b>. {before}")
    assert "<b>First" not in "".join(e.proto.body for e in page.get("html") if "Rationale" in e.proto.body)


def test_a_decision_that_comes_too_late_shows_both(app: Open, made: Clustered):
    first, second = app("review", reviewer="ana"), app("review", reviewer="ben")
    press(first, "accept")
    press(second, "reject")
    assert any("changed before you could reject" in w.value for w in second.warning)
    assert [d.author for d in decisions.since(made.exemplars)] == ["ana"]
    press(second, "clash_theirs")
    assert not second.warning


def test_filters_are_in_the_url(app: Open, made: Clustered):
    press(app("review", reviewer="ana"), "flag")
    page = app("review", reviewer="ana", queue="flagged")
    flagged = decisions.since(made.exemplars)[0].question_index
    assert f"question {flagged}" in shown(page)
    assert "Nothing is left here" in shown(app("review", reviewer="ana", queue="edited"))


def test_markup_control_characters_and_latex_are_shown_as_text():
    hostile = "<img src=x onerror=alert(1)> $x$ **b** \x1b[31m ‮ 1 + 1 = 3."
    made = ui.steps_html(hostile, [], (0, 4))
    assert "<img" not in made and "\x1b" not in made and "‮" not in made
    assert "$x$ **b**" in made


def test_marks_may_overlap_and_lose_no_text():
    from core.quality.checks import Flag

    text = "3 + 4 = 8, so the answer is 8."
    flags = [Flag(0, 9, "wrong", "3 + 4 is 7"), Flag(8, 12, "doubtful", "8")]
    made = ui.steps_html(text, flags, (8, 9))
    import re

    plain = re.sub(r"<[^>]+>", "", made).replace("✗", "")
    assert plain.endswith(text)


@pytest.mark.parametrize(
    ("typed", "before", "kept"),
    [("a\nb", "a\r\nc", "a\r\nb"), ("a\nb", "a\nc", "a\nb"), ("a\r\nb", "x\r\n", "a\r\nb")],
)
def test_line_ends_are_those_of_the_text_before(typed: str, before: str, kept: str):
    assert ui.typed_text(typed, before) == kept
