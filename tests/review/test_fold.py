"""The fold: queues, undo and redo byte for byte, disputes; on random sequences."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from core.records import Decision
from core.review.fold import Board, ReviewItem, fold, redoable, step, undoable

ORIGINAL = "It is 3.\r\n\tSo\u200b 3 … é"
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)


def decision(
    number: int, kind: str, item: ReviewItem, author: str = "ana", after: str | None = None
) -> Decision:
    """The decision that the desk would append to an item."""
    shown = ORIGINAL if item.text is None else item.text
    left = {"accept": shown, "skip": shown, "flag": shown, "edit": after, "adjudicate": after}.get(kind)
    return Decision(number, 1, *item.key, kind, author, "", shown, left, item.last, datetime(2025, 1, 1))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(
    ["accept", "reject", "edit", "skip", "flag", "comment", "adjudicate", "undo", "undo", "redo", "redo"]
), texts), max_size=60))  # fmt: skip
def test_undo_and_redo_restore_the_text_byte_for_byte(actions):
    item = ReviewItem((5, 0))
    # An editor's own two stacks of (text, queue), kept beside the fold.
    past, future = [(ORIGINAL, "pending")], []
    for number, (kind, text) in enumerate(actions, 1):
        if (kind == "undo" and not item.done) or (kind == "redo" and not item.undone):
            assert (len(past) == 1) if kind == "undo" else (not future)
            continue
        item = step(item, decision(number, kind, item, after=text))
        if kind == "undo":
            future.append(past.pop())
        elif kind == "redo":
            past.append(future.pop())
        elif kind != "comment":
            shown = text if kind in ("edit", "adjudicate") else past[-1][0]
            queue = {"reject": "rejected", "skip": "skipped", "flag": "flagged"}.get(
                kind, "accepted" if shown == ORIGINAL else "edited"
            )
            past, future = [*past, (shown, queue)], []
        text_now = ORIGINAL if item.text is None else item.text
        assert (text_now.encode(), item.queue) == (past[-1][0].encode(), past[-1][1])
    board = fold([decision(n, "comment", ReviewItem((1, 0))) for n in range(1, 3)])
    assert board.item((1, 0)).queue == "pending"


@settings(max_examples=100, deadline=None)
@given(
    st.data(),
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(["accept", "reject", "undo", "redo"])), max_size=40
    ),
)
def test_folding_in_parts_is_folding_at_once(data, actions):
    board, decisions = Board(), []
    for number, (question, kind) in enumerate(actions, 1):
        item = board.item((question, 0))
        if (kind == "undo" and not item.done) or (kind == "redo" and not item.undone):
            continue
        decisions.append(decision(number, kind, item))
        board = fold(decisions[-1:], board)
    cut = data.draw(st.integers(0, len(decisions)))
    assert fold(decisions[:cut]).items == {} or cut
    again = fold(decisions, fold(decisions[:cut]))  # what is known already is passed over
    assert dict(again.items) == dict(fold(decisions).items) == dict(board.items)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["accept", "undo", "redo"])), max_size=40))
def test_undo_finds_the_newest_change_that_stands(actions):
    """Against one list of changes over all items, as an editor keeps it."""
    board, log, past, future = Board(), [], [], []
    for question, kind in actions:
        found = (
            undoable(reversed(log)) if kind == "undo" else redoable(reversed(log)) if kind == "redo" else None
        )
        if kind == "undo":
            assert (found is None) == (not past)
            if found is None:
                continue
            key = past.pop()
            future.append(key)
        elif kind == "redo":
            if found is None:
                continue
            assert (found.question_index, found.sample_index) in future
            key = (found.question_index, found.sample_index)
            future.remove(key)
            past.append(key)
        else:
            key = (question, 0)
            past.append(key)
            future = [other for other in future if other != key]
        if found:
            assert (found.question_index, found.sample_index) == key
        log.append(decision(len(log) + 1, kind, board.item(key)))
        board = fold(log[-1:], board)
    standing = sorted(key for key in board.items for _ in board.items[key].done)
    assert standing == sorted(past)


def test_queues_and_counts():
    board = Board()
    for number, (question, kind, after) in enumerate(
        [(0, "accept", None), (1, "reject", None), (2, "edit", "new"), (3, "flag", None), (4, "skip", None),
         (5, "edit", "new"), (5, "edit", ORIGINAL), (6, "comment", None),
         (7, "accept", None), (7, "undo", None)], 1
    ):  # fmt: skip
        board = fold([decision(number, kind, board.item((question, 0)), after=after)], board)
    assert board.counts(100) == {
        "pending": 94, "accepted": 2, "edited": 1, "rejected": 1, "flagged": 1, "skipped": 1,
    }  # fmt: skip


def test_a_dispute_lasts_until_it_is_adjudicated():
    item = ReviewItem((0, 0))
    states = []
    for number, (author, kind) in enumerate(
        [("ana", "accept"), ("ben", "reject"), ("eva", "adjudicate"), ("ben", "accept"), ("ana", "reject")], 1
    ):
        item = step(item, decision(number, kind, item, author))
        states.append((item.disputed, item.queue))
    assert states == [
        (False, "accepted"), (True, "rejected"), (False, "rejected"), (False, "accepted"), (True, "rejected"),
    ]  # fmt: skip
