"""The Review page through the frame: empty and filled, its filters, decisions, and hostile text."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core import jobs
from core.quality.checks import CHECKS
from core.review import desk, history
from core.review.agreement import agreement
from core.stages.reviewed import original
from core.store import checked, decisions, queries
from pages.components.review.editing import typed_text
from pages.components.review.marks import steps_html
from pages.components.review.runs import label as run_label
from tests.clustered import Clustered
from tests.pages.test_pages import shown
from tests.performing import done

Open = Callable[..., AppTest]


@pytest.fixture
def made(lab_home: Path, clustered: Callable[[Path], Clustered]) -> Clustered:
    return clustered(lab_home)


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


def test_what_was_taken_back_is_left_only_where_it_stands(app: Open, made: Clustered):
    page = app("review", reviewer="ana")
    for key in ("reject", "reject", "Undo", "Undo"):
        press(page, key)
    assert "6 left" in shown(page)


def test_any_question_of_the_map_can_be_opened(app: Open, made: Clustered):
    other = next(p for p in queries.points(made.exemplars) if (p.question_index, 0) not in desk_keys(made))
    page = press(app("review", reviewer="ana", item=f"{other.question_index}.0", queue="all"), "flag")
    (decision,) = decisions.since(made.exemplars)
    assert decision.question_index == other.question_index
    assert "6 left" in shown(page) and "1 flagged" in shown(page)


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


@pytest.mark.parametrize("key", ["queue", "answer", "check"])
def test_another_filter_leaves_the_card_that_was_open(app: Open, made: Clustered, key: str):
    second = desk_keys(made)[1]
    page = app("review", reviewer="ana", item=f"{second[0]}.{second[1]}")
    assert f"question {second[0]}" in shown(page)
    widget = page.selectbox(key=key) if key == "check" else page.segmented_control(key=key)
    widget.set_value(widget.options[1]).run()
    assert "item" not in page.query_params and not page.exception
    assert f"question {second[0]}" not in shown(page)


def test_markup_control_characters_and_latex_are_shown_as_text():
    hostile = "<img src=x onerror=alert(1)> $x$ **b** \x1b[31m ‮ 1 + 1 = 3."
    made = steps_html(hostile, [], (0, 4))
    assert "<img" not in made and "\x1b" not in made and "‮" not in made
    assert "$x$ **b**" in made


def test_marks_may_overlap_and_lose_no_text():
    from core.quality.checks import Flag

    text = "3 + 4 = 8, so the answer is 8."
    flags = [Flag(0, 9, "wrong", "3 + 4 is 7"), Flag(8, 12, "doubtful", "8")]
    made = steps_html(text, flags, (8, 9))
    import re

    plain = re.sub(r"<[^>]+>", "", made).replace("✗", "")
    assert plain.endswith(text)


@pytest.mark.parametrize(
    ("typed", "before", "kept"),
    [("a\nb", "a\r\nc", "a\r\nb"), ("a\nb", "a\nc", "a\nb"), ("a\r\nb", "x\r\n", "a\r\nb")],
)
def test_line_ends_are_those_of_the_text_before(typed: str, before: str, kept: str):
    assert typed_text(typed, before) == kept


# ── beside the card ─────────────────────────────────────────────────────────────────────────────


def beside(app: Open, tab: str, **query: str) -> AppTest:
    """The page with one of its tabs open."""
    page = app("review", **query)
    page.session_state["beside_exemplars"] = tab
    page.run()
    assert not page.exception, page.exception
    return page


def decide(made: Clustered, author: str, kinds: str) -> list[tuple[int, int]]:
    """The first exemplars decided by one author, a letter each; returns their keys."""
    names = {"a": "accept", "r": "reject", "f": "flag"}
    keys = desk_keys_of_all(made)[: len(kinds)]
    for key, letter in zip(keys, kinds, strict=True):
        item = desk.item(made.exemplars, key)
        text = item.text if item.text is not None else original(made.exemplars, key)
        desk.decide(made.exemplars, key, names[letter], author, seen=item.last, before=text)
    return keys


def desk_keys_of_all(made: Clustered) -> list[tuple[int, int]]:
    """The exemplars as they were before anybody decided."""
    from core.review.fold import Board
    from core.stages.exemplars import nearest

    return [(p.question_index, p.sample_index) for p in nearest(queries.points(made.exemplars), Board())]


def test_two_reviewers_their_kappa_and_what_they_disagree_on(app: Open, made: Clustered):
    keys = decide(made, "ana", "aaarrf")
    decide(made, "ben", "aararf")
    page = beside(app, "Reviewers", reviewer="ana")
    figures = {metric.label: metric.value for metric in page.metric}
    expected = agreement(desk.board(made.exemplars), "ana", "ben")
    assert figures["Decided alike"] == "4 of 6"
    assert figures["Cohen's kappa"] == f"{expected.kappa.value:.2f}"
    said = shown(page)
    assert f"95 % interval {expected.kappa.low:.2f} to {expected.kappa.high:.2f}" in said
    assert "2 disagreements" in said and "2 not settled" in said
    labels = {button.label for button in page.button}
    assert f"Question {keys[2][0]}\\: ana accepts\\, ben rejects" in labels
    press(page, f"disagreement_{keys[2][0]}_{keys[2][1]}")
    assert page.query_params["item"] == f"{keys[2][0]}.{keys[2][1]}"
    assert f"question {keys[2][0]}" in shown(page)


def test_one_reviewer_has_nobody_to_agree_with(app: Open, made: Clustered):
    decide(made, "ana", "aa")
    assert "Agreement needs two reviewers" in shown(beside(app, "Reviewers", reviewer="ana"))


def test_disagreements_come_first_and_are_settled_in_the_history(app: Open, made: Clustered):
    keys = decide(made, "ana", "aaa")
    decide(made, "ben", "aar")
    page = app("review", reviewer="cem", queue="all")
    assert f"question {keys[2][0]}" in shown(page) and "reviewers disagree" in shown(page)
    press(page, "settle_keep")
    settled = decisions.since(made.exemplars)[-1]
    assert (settled.kind, settled.author) == ("adjudicate", "cem")
    assert settled.after is not None and (settled.question_index, 0) == keys[2]
    assert len(decisions.since(made.exemplars)) == 7
    item = desk.item(made.exemplars, keys[2])
    assert not item.disputed and item.queue == "accepted" and len(item.done) == 3
    assert "Nothing is left here" in shown(app("review", reviewer="cem", queue="disagreements"))
    assert "adjudicated it" in shown(beside(app, "History", reviewer="cem", item=f"{keys[2][0]}.0"))


def test_the_history_is_on_the_page_and_in_its_file(app: Open, made: Clustered):
    (key,) = decide(made, "ana", "r")
    page = beside(app, "History", reviewer="ana", item=f"{key[0]}.{key[1]}")
    assert "ana" in shown(page) and "rejected it" in shown(page)
    (button,) = page.get("download_button")
    assert button.label == "History as JSON lines"
    lines = [json.loads(line) for line in history.lines(decisions.since(made.exemplars))]
    assert [(line["question"], line["kind"], line["author"]) for line in lines] == [(key[0], "reject", "ana")]


def test_a_history_without_decisions_says_so(app: Open, made: Clustered):
    page = beside(app, "History", reviewer="ana")
    assert "Nothing has been decided yet." in shown(page)
    assert not page.dataframe and not page.get("download_button")


def test_many_at_once_shows_first_what_it_would_do(app: Open, made: Clustered):
    page = beside(app, "Many at once", reviewer="ana")
    keys = set(desk_keys(made))
    page.text_input(key="many_reason").set_value("all read on paper")
    press(page, "many_preview")
    assert not decisions.since(made.exemplars)
    assert "6 pending" in shown(page) and "Accept 6 rationales" in shown(page)
    assert len(page.dataframe[-1].value) == 6
    press(page, "many_apply")
    kept = decisions.since(made.exemplars)
    assert {(d.question_index, d.sample_index) for d in kept} == keys
    assert {(d.kind, d.reason) for d in kept} == {("accept", "all read on paper")}
    press(page, "Undo")
    board = desk.board(made.exemplars)
    assert all(board.item(key).queue == "pending" for key in keys)


def test_many_at_once_leaves_what_changed_since_the_preview(app: Open, made: Clustered):
    page = beside(app, "Many at once", reviewer="ana")
    press(page, "many_preview")
    (key,) = decide(made, "ben", "r")
    page.run()
    press(page, "many_preview")
    press(page, "many_apply")
    by_ana = [d for d in decisions.since(made.exemplars) if d.author == "ana"]
    assert key not in {(d.question_index, d.sample_index) for d in by_ana}


def focused(page: AppTest) -> bool:
    """Whether the page puts the cursor into a field."""
    return any(".focus()" in element.proto.body for element in page.get("html"))


def test_a_comment_changes_nothing_but_the_history(app: Open, made: Clustered):
    page = app("review", reviewer="ana")
    page.text_input(key="reason").set_value("Is this <b>really</b> a question?")
    press(page, "comment")
    (comment,) = decisions.since(made.exemplars)
    assert (comment.kind, comment.reason) == ("comment", "Is this <b>really</b> a question?")
    assert "6 left" in shown(page) and page.text_input(key="reason").value == ""
    assert not focused(page), "the next key decides; in a field it would be typed"
    assert focused(press(page, "comment")), "nothing was written yet"
    said = shown(beside(app, "History", reviewer="ana"))
    assert "commented on" in said and "&lt;b&gt;really" in said


def test_a_skipped_one_waits_in_its_own_queue(app: Open, made: Clustered):
    first = desk_keys(made)[0]
    page = press(app("review", reviewer="ana"), "skip")
    assert "5 left" in shown(page) and "1 skipped" in shown(page)
    assert f"question {first[0]}" not in shown(page)
    assert f"question {first[0]}" in shown(app("review", reviewer="ana", queue="skipped"))


def test_what_one_has_not_read_yet(app: Open, made: Clustered):
    decide(made, "ana", "aaaaaa")
    assert "question" in shown(app("review", reviewer="ben", queue="not yet by me"))
    assert "Nothing is left here" in shown(app("review", reviewer="ana", queue="not yet by me"))


def test_a_filter_by_a_check_reads_what_is_kept(app: Open, made: Clustered, queued: list[str]):
    check = CHECKS["unused"].title
    page = app("review", reviewer="ana", queue="all", check=check)
    assert "have not seen these rationales" in shown(page)
    press(page, "check_start")
    assert "The checks are running" in shown(page)
    (job,) = jobs.jobs()
    assert (job.kind, job.request["run_id"]) == ("check", made.generation)
    done(job.id)
    for run in (made.exemplars, made.generation):
        label = run_label(queries.run(run))
        page = app("review", reviewer="ana", queue="all", check=check, review=label)
        assert "have not seen" not in shown(page)
    flagged = checked.keys(made.generation, "unused")
    assert 0 < len(flagged) < queries.completion_counts(made.generation)["n"]
    page.button(key="Next").click().run()
    walked = {page.query_params["item"]}
    while not page.button(key="Next").disabled and len(walked) < 5:
        page.button(key="Next").click().run()
        walked.add(page.query_params["item"])
    assert walked <= {f"{question}.{sample}" for question, sample in flagged}
    assert len(walked) == 5


# ── whose decisions these are ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ({"name": "Ana Ruiz", "email": "ana@example.org"}, "Ana Ruiz"),
        ({"email": "ana@example.org"}, "ana@example.org"),
        ({"name": "", "sub": "248289761001"}, "248289761001"),
        ({"name": "x" * 500}, "x" * desk.AUTHOR_CHARACTERS),
    ],
)
def test_who_is_logged_in_decides_under_their_name(app, made, monkeypatch, told, name):
    monkeypatch.setattr(st, "user", {"is_logged_in": True} | told)  # no provider runs here
    page = app("review", reviewer="somebody else")
    assert not [field for field in page.sidebar.text_input if field.label == "You review as"]
    press(page, "accept")
    assert decisions.since(made.exemplars)[0].author == name


def test_where_a_log_in_is_asked_for_nobody_decides_before(app, made, monkeypatch):
    monkeypatch.setattr(st, "user", {"is_logged_in": False})
    monkeypatch.setattr(st, "secrets", {"auth": {"client_id": "lab", "cookie_secret": "x"}})
    page = app("review", reviewer="somebody else")
    assert page.button(key="accept").disabled
    assert page.button(key="log_in_None").label == "Log in"
    page.button(key="log_in_None").click().run()
    assert not page.exception and "as the README shows it" in page.error[0].value
    assert not decisions.since(made.exemplars)


def test_each_provider_that_is_configured_has_a_button(app, made, monkeypatch):
    monkeypatch.setattr(st, "user", {"is_logged_in": False})
    auth = {"cookie_secret": "x", "here": {"client_id": "1"}, "there": {"client_id": "2"}}
    monkeypatch.setattr(st, "secrets", {"auth": auth})
    labels = {button.label for button in app("clusters").sidebar.button}
    assert labels >= {"Log in with here", "Log in with there"}


def test_the_name_in_the_settings_comes_first(app, made, monkeypatch):
    monkeypatch.setenv("LAB_AUTHOR", "Ana of the lab")
    press(app("review"), "accept")
    assert decisions.since(made.exemplars)[0].author == "Ana of the lab"


def test_without_a_name_nothing_can_be_decided(app: Open, made: Clustered):
    page = app("review", reviewer="ana")
    page.sidebar.text_input(key="reviewer").set_value("   ").run()
    assert page.button(key="accept").disabled and not page.exception
