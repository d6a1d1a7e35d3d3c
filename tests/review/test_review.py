"""Word diffs, agreement, exports, slots of exemplars, and the commands."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from core.__main__ import app
from core.errors import LabError, RefusedError
from core.exemplars.prompt import few_shot_prompt, parse, revised
from core.records import Exemplar, Question
from core.review import desk
from core.review.agreement import agreement, disagreements_first, reviewers
from core.review.diff import words
from core.review.history import lines
from core.stages.reviewed import original
from core.store import decisions, queries
from core.students.formats import spoken
from tests import runs


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=20))
def test_a_diff_holds_both_texts_whole(a, b, shared):
    old, new = shared + a + shared, shared + b + shared
    changes = words(old, new)
    assert "".join(c.text for c in changes if c.kind != "added") == old
    assert "".join(c.text for c in changes if c.kind != "removed") == new
    assert all(c.text for c in changes)
    assert (old == new) == (all(c.kind == "same" for c in changes))


def test_a_diff_is_of_words():
    assert [(c.kind, c.text) for c in words("So 3 + 4 = 8 left.", "So 3 + 4 = 7 left.")] == [
        ("same", "So 3 + 4 = "), ("removed", "8 "), ("added", "7 "), ("same", "left."),
    ]  # fmt: skip


def test_a_diff_of_ten_thousand_words():
    old = " ".join(f"This is sentence {i}." for i in range(2500))
    new = old.replace("sentence 13.", "sentence 31.").replace("is sentence 2400.", "was one.")
    changes = words(old, new)
    assert "".join(c.text for c in changes if c.kind != "removed") == new
    added = [c.text for c in changes if c.kind == "added"]
    assert len(added) == 2 and "31" in added[0] and "was one" in added[1]
    assert sum(map(len, added)) < 60


def test_a_diff_of_a_long_text_without_sentences():
    old = " ".join(f"word{i % 97}" for i in range(10_000))
    new = old.replace("word13", "other")
    changes = words(old, new)
    assert "".join(c.text for c in changes if c.kind != "added") == old


def decide(run_id: int, question: int, kind: str, author: str, after: str | None = None):
    key = (question, 0)
    current = desk.item(run_id, key)
    shown = original(run_id, key) if current.text is None else current.text
    return desk.decide(run_id, key, kind, author, seen=current.last, before=shown, after=after)


def test_two_reviewers(run_id):
    for i in range(10):
        decide(run_id, i, "reject" if i < 4 else "accept", "ana")
        decide(run_id, i, "reject" if i in (0, 1, 2, 9) else "accept", "ben")
    decide(run_id, 15, "accept", "ana")
    board = desk.board(run_id)
    assert reviewers(board) == ["ana", "ben"]
    made = agreement(board, "ana", "ben")
    assert (made.n, made.same) == (10, 8)
    assert made.disagreements == made.open == ((3, 0), (9, 0))
    assert made.kappa.value == pytest.approx((0.8 - 0.52) / 0.48)
    assert made.kappa.low < made.kappa.value < made.kappa.high
    keys = [(i, 0) for i in range(20)]
    assert disagreements_first(board, keys)[:3] == [(3, 0), (9, 0), (0, 0)]
    decide(run_id, 3, "adjudicate", "eva")
    settled = agreement(desk.board(run_id), "ana", "ben")
    assert settled.disagreements == ((3, 0), (9, 0)) and settled.open == ((9, 0),)
    assert desk.item(run_id, (3, 0)).queue == "rejected"


def test_agreement_of_nothing_is_undefined(run_id):
    decide(run_id, 1, "accept", "ana")
    made = agreement(desk.board(run_id), "ana", "ben")
    assert (made.n, made.kappa) == (0, None)


def test_history_lines(run_id):
    decide(run_id, 1, "edit", "ana", "новый\ntext")
    desk.undo(run_id, "ana")
    rows = [json.loads(line) for line in lines(decisions.since(run_id))]
    assert [(r["kind"], r["before"], r["after"]) for r in rows] == [
        ("edit", " It is 1.", "новый\ntext"), ("undo", "новый\ntext", " It is 1."),
    ]  # fmt: skip
    assert rows[0]["created"].endswith("Z")


def test_the_text_of_an_exemplar_is_what_is_shown(run_id):
    run = queries.run(run_id)
    made = runs.exemplars(run.study_id, parents=(run,))
    text = original(made.id, (4, 0))
    assert text == "Let's think step by step. It is 4. The answer is 4."
    assert parse("Question 4?", text) == Exemplar("Question 4?", "Let's think step by step. It is 4.", "4")
    with pytest.raises(LabError, match="no sample 3 of question 4"):
        original(made.id, (4, 3))


exemplars = st.builds(
    Exemplar,
    st.just("q"),
    st.text(min_size=1, max_size=40).map(str.strip).filter(bool),
    st.from_regex(r"-?[0-9]{1,4}(\.[0-9]{1,2})?|yes|\(B\)|05/01/2021", fullmatch=True),
)


@settings(max_examples=200, deadline=None)
@given(exemplars)
def test_an_exemplar_survives_its_own_text(exemplar):
    assert parse("q", spoken(exemplar)) == exemplar


def test_an_edit_that_removes_the_answer_is_refused():
    with pytest.raises(LabError, match="ends with"):
        parse("q", "Let's think step by step. It is 4.")
    with pytest.raises(LabError, match="ends with"):
        parse("q", "The answer is 4.")
    assert revised("q", "It is. The answer is 4.", "4", kind="integer", rules="fine-tune-cot").answer == "4"
    with pytest.raises(RefusedError, match="answers '5' and the benchmark says '4'"):
        revised("q", "It is. The answer is 5.", "4", kind="integer", rules="fine-tune-cot")
    free = revised(
        "q", "It is. The answer is 5.", "4", kind="integer", rules="fine-tune-cot", correct_only=False
    )
    assert free.answer == "5"


def test_the_prompt_is_the_one_that_the_method_sends():
    from core.methods import METHODS, Given

    method, shown = METHODS["new-fine-tune-cot"], [Exemplar("1 + 1?", "One and one.", "2")]
    given = Given(exemplars=tuple(shown), options=method.options)
    sent = next(method.teach(Question(0, "2 + 2?", "4"), given)).prompt
    assert few_shot_prompt("2 + 2?", shown) == sent
    with pytest.raises(LabError, match="no exemplar"):
        few_shot_prompt("2 + 2?", [])


def command(*words: str):
    return CliRunner().invoke(app, ["review", *words], catch_exceptions=True)


def test_the_commands(run_id, tmp_path):
    run = str(run_id)
    made = json.loads(
        command("decide", run, "3", "edit", "--text", "New.", "--author", "ana", "--json").stdout
    )
    assert made == [{"question": 3, "sample": 0, "queue": "edited", "text": "New.", "last": 1}]
    late = command("decide", run, "3", "reject", "--seen", "0", "--author", "ben")
    assert isinstance(late.exception, desk.Conflict)
    assert json.loads(command("queues", run, "--json").stdout)["edited"] == 1
    assert json.loads(command("undo", run, "--author", "ana", "--json").stdout)[0]["queue"] == "pending"
    assert json.loads(command("redo", run, "--author", "ana", "--json").stdout)[0]["text"] == "New."
    command("decide", run, "3", "reject", "--author", "ben")
    found = json.loads(command("agreement", run, "--json").stdout)
    assert (found["n"], found["same"], found["disagreements"]) == (1, 0, [[3, 0]])
    assert [json.loads(line)["kind"] for line in command("history", run).stdout.splitlines()] == [
        "edit", "undo", "redo", "reject",
    ]  # fmt: skip
    command("history", run, "--out", str(tmp_path / "h.jsonl"))
    assert len((tmp_path / "h.jsonl").read_text().splitlines()) == 4
    assert isinstance(command("agreement", run, "ana").exception, type(None))
    assert isinstance(command("queues", "99").exception, LabError)
