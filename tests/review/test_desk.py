"""Decisions in the store: appended once, in order, and never on an unseen change."""

from __future__ import annotations

import multiprocessing
import random
import signal
import subprocess
import sys
import textwrap
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import LabError, RefusedError
from core.review import desk
from core.review.desk import Conflict, board, bulk, decide, item, redo, undo
from core.stages.reviewed import original
from core.store import decisions
from tests.review.conftest import new_run


def accept(
    run_id: int, question: int, author: str = "ana", kind: str = "accept", after: str | None = None, **more
):
    key = (question, 0)
    current = item(run_id, key)
    shown = original(run_id, key) if current.text is None else current.text
    return decide(run_id, key, kind, author, seen=current.last, before=shown, after=after, **more)


def test_a_decision_is_kept_with_all_that_belongs_to_it(run_id):
    accept(run_id, 3, kind="edit", after="It is 4.", reason="wrong step")
    (row,) = decisions.since(run_id)
    assert (row.kind, row.author, row.reason) == ("edit", "ana", "wrong step")
    assert (row.before, row.after, row.seen) == (" It is 3.", "It is 4.", 0)
    assert board(run_id).counts(20) == {
        "pending": 19, "accepted": 0, "edited": 1, "rejected": 0, "flagged": 0, "skipped": 0,
    }  # fmt: skip


def test_two_tabs_on_one_item_conflict_and_nothing_is_lost(run_id):
    shown = original(run_id, (3, 0))
    decide(run_id, (3, 0), "edit", "ana", seen=0, before=shown, after="first tab")
    with pytest.raises(Conflict, match="ana edited it. Your text is kept") as caught:
        decide(run_id, (3, 0), "edit", "ana", seen=0, before=shown, after="second tab", reason="why")
    assert caught.value.text == "second tab" and caught.value.item.text == "first tab"
    current = item(run_id, (3, 0))
    assert current.text == "first tab"
    assert [(d.kind, d.after, d.reason) for d in current.notes] == [("draft", "second tab", "why")]
    assert isinstance(caught.value, RefusedError)
    # Having looked again, the second tab may decide.
    decide(run_id, (3, 0), "edit", "ana", seen=current.last, before="first tab", after="second tab")
    assert item(run_id, (3, 0)).text == "second tab"


def test_sent_twice_it_is_kept_once(run_id):
    shown = original(run_id, (3, 0))
    for _ in range(2):
        decide(run_id, (3, 0), "edit", "ana", seen=0, before=shown, after="new", reason="r")
    assert len(decisions.since(run_id)) == 1


def test_comments_conflict_with_nothing(run_id):
    accept(run_id, 3)
    decide(run_id, (3, 0), "comment", "ben", seen=0, before="whatever", reason="nice")
    current = accept(run_id, 3, kind="reject")
    assert current.queue == "rejected" and current.notes[0].reason == "nice"


def test_undo_goes_back_over_items_and_redo_forward(run_id):
    accept(run_id, 1)
    accept(run_id, 2, kind="edit", after="B")
    accept(run_id, 2, kind="edit", after="C")
    accept(run_id, 9, "ben")
    assert [(i.key, i.text) for i in undo(run_id, "ana")] == [((2, 0), "B")]
    assert [(i.key, i.text) for i in undo(run_id, "ana")] == [((2, 0), " It is 2.")]
    assert [(i.key, i.queue) for i in undo(run_id, "ana")] == [((1, 0), "pending")]
    with pytest.raises(LabError, match="nothing to undo"):
        undo(run_id, "ana")
    assert [redo(run_id, "ana")[0].text for _ in range(3)] == [" It is 1.", "B", "C"]
    with pytest.raises(LabError, match="nothing to redo"):
        redo(run_id, "ana")
    assert item(run_id, (9, 0)).queue == "accepted"
    row = decisions.since(run_id)[4]
    assert (row.kind, row.before, row.after) == ("undo", "C", "B")


def test_undo_never_takes_back_what_another_decided_since(run_id):
    accept(run_id, 1)
    accept(run_id, 1, "ben", kind="reject")
    with pytest.raises(Conflict, match="ben rejected it"):
        undo(run_id, "ana")


def test_bulk_with_preview_and_one_undo(run_id):
    accept(run_id, 0, kind="flag")
    shown = [((i, 0), 0, original(run_id, (i, 0))) for i in range(20)]
    seen = bulk(run_id, "accept", "ana", shown, preview=True)
    assert len(seen.items) == 19 and seen.conflicts == ((0, 0),)
    assert len(decisions.since(run_id)) == 1
    assert bulk(run_id, "accept", "ana", shown) == seen
    assert board(run_id).counts(20)["accepted"] == 19
    assert len(undo(run_id, "ana")) == 19
    assert board(run_id).counts(20) | {"flagged": 0, "pending": 20} == dict.fromkeys(
        board(run_id).counts(20), 0
    ) | {"pending": 20}
    assert len(redo(run_id, "ana")) == 19
    assert board(run_id).counts(20)["accepted"] == 19
    with pytest.raises(LabError, match="many items at once"):
        bulk(run_id, "edit", "ana", shown)


def test_a_large_bulk_is_undone_by_one_read(lab_home):
    run_id = new_run(desk.MANY + 5)
    shown = [((i, 0), 0, original(run_id, (i, 0))) for i in range(desk.MANY + 5)]
    bulk(run_id, "reject", "ana", shown)
    assert len(undo(run_id, "ana")) == desk.MANY + 5
    assert board(run_id).counts(desk.MANY + 5)["pending"] == desk.MANY + 5


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "like"}, "no decision 'like'"),
        ({"kind": "undo"}, "no decision 'undo'"),
        ({"author": " "}, "author's name"),
        ({"kind": "comment"}, "comment is empty"),
        ({"kind": "edit", "after": " It is 3."}, "unchanged"),
        ({"kind": "edit"}, "new text"),
        ({"kind": "edit", "after": "a\0b"}, "NUL"),
        ({"kind": "edit", "after": "\ud83d"}, "surrogate"),
    ],
)
def test_bad_decisions_are_refused_in_one_sentence(run_id, values, message):
    base = {"kind": "accept", "author": "ana"}
    with pytest.raises(LabError, match=message):
        accept(run_id, 3, **(base | values))
    assert decisions.since(run_id) == []


@pytest.mark.parametrize(
    "text", ["<b>4</b>", "**4** $x$ \\frac{1}{2}", "\x07\x1b[31m4\r\n", "слово 数", "w " * 10_000]
)
def test_any_other_text_comes_back_as_it_was(run_id, text):
    accept(run_id, 3, kind="edit", after=text)
    assert item(run_id, (3, 0)).text == text
    assert decisions.since(run_id)[0].after.encode() == text.encode()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_random_sequences_through_the_store(run_id, seed):
    """Two authors, three items: what the store folds to is what was returned at each step."""
    rng = random.Random(seed)
    known: dict = {}
    for _ in range(15):
        author, question = rng.choice(["ana", "ben"]), rng.randrange(3)
        try:
            kind = rng.choice(["accept", "reject", "edit", "undo", "redo"])
            if kind in ("undo", "redo"):
                changed = (undo if kind == "undo" else redo)(run_id, author)
            else:
                changed = [
                    accept(run_id, question, author, kind, f"{rng.random()}" if kind == "edit" else None)
                ]
        except LabError:
            continue
        known |= {one.key: one for one in changed}
    folded = board(run_id)
    for key, one in known.items():
        assert (folded.item(key).text, folded.item(key).queue, folded.item(key).last) == (
            one.text, one.queue, one.last,
        )  # fmt: skip


def _race(run_id: int, name: str, barrier, results) -> None:
    barrier.wait()
    won = 0
    for question in range(20):
        try:
            decide(run_id, (question, 0), "edit", name, seen=0, before=f" It is {question}.", after=name)
            won += 1
        except Conflict:
            pass
    results.put(won)


def test_of_racing_processes_one_wins_each_item(run_id):
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(3), context.Queue()
    racers = [context.Process(target=_race, args=(run_id, f"p{i}", barrier, results)) for i in range(3)]
    for racer in racers:
        racer.start()
    won = sum(results.get(timeout=60) for _ in racers)
    for racer in racers:
        racer.join(30)
    assert won == 20
    folded = board(run_id)
    assert folded.counts(20)["edited"] == 20
    assert sum(len(one.notes) for one in folded.items.values()) == 40  # the losers' texts


def test_killed_at_any_moment_every_acknowledged_decision_is_there(run_id, tmp_path):
    script = textwrap.dedent(f"""
        from core.review.desk import decide
        for i in range(20):
            decide({run_id}, (i, 0), "accept", "ana", seen=0, before="t")
            print(i, flush=True)
    """)
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        for _ in range(7):
            child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        child.wait(10)
    finally:
        child.kill()
        child.stdout.close()
    kept = [d.question_index for d in decisions.since(run_id)]
    assert kept == list(range(len(kept))) and len(kept) >= 7
    time.sleep(0)
    for i in range(20):  # going on from the start repeats nothing
        decide(run_id, (i, 0), "accept", "ana", seen=0, before="t")
    assert [d.question_index for d in decisions.since(run_id)] == list(range(20))
