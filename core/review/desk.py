"""Where decisions are made: checked, appended, and refused when their author had not seen the last one.

    shown = item(run_id, (12, 0))
    decide(run_id, (12, 0), "accept", "ana", seen=shown.last, before=text)
    undo(run_id, "ana")

Whoever decides names the last decision they saw on the item. If another came in between (a second tab,
a second reviewer) that is a Conflict: what they typed is appended as a draft, so that it is in the
history whatever happens to their browser, and they are shown both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from core.errors import LabError, RefusedError
from core.records import Decision, storable
from core.review.fold import KINDS, Board, Key, ReviewItem, fold, redoable, step, undoable
from core.store import decisions
from core.store.models import now

AUTHOR_CHARACTERS = 120
MANY = 50  # above so many items, one read of the whole run is quicker than one of each item


class Conflict(RefusedError):
    """The item changed underneath. `item` is how it stands now; `text` and `reason`, what was typed."""

    def __init__(self, item: ReviewItem, text: str | None, reason: str) -> None:
        self.item, self.text, self.reason = item, text, reason
        latest = max((*item.done, *item.undone), key=lambda d: d.id)
        kept = " Your text is kept in its history." if text is not None or reason else ""
        super().__init__(
            f"Question {item.key[0]} has changed since you saw it: {latest.author} {KINDS[latest.kind].past} "
            f"it.{kept} Look at it again and decide."
        )


def board(run_id: int, known: Board | None = None) -> Board:
    """The review of a run as it stands; `known`, an earlier board, leaves only what is new to be read."""
    return fold(decisions.since(run_id, known.last if known else 0), known)


def item(run_id: int, key: Key) -> ReviewItem:
    """One item as it stands."""
    return fold(decisions.of_item(run_id, *key)).item(key)


def decide(
    run_id: int,
    key: Key,
    kind: str,
    author: str,
    *,
    seen: int,
    before: str,
    after: str | None = None,
    reason: str = "",
) -> ReviewItem:
    """Append a decision and return the item with it.

    `kind` is a key of KINDS but undo and redo; `before` is the text that was on the card. `after` is what
    an edit or an adjudication leaves: for an adjudication None means rejected.
    Raises Conflict if `seen` is not the item's last decision; sent twice, it is kept once.
    """
    row = _row(run_id, key, kind, author, seen, before, after, reason, now())
    current = item(run_id, key)
    if KINDS[kind].note:
        return _written(current, row)
    if current.last != seen or (current.text is not None and current.text != before):
        return _late(current, row)
    try:
        return _written(current, row)
    except decisions.Taken:
        return _late(item(run_id, key), row)


def undo(run_id: int, author: str) -> list[ReviewItem]:
    """Take back the author's newest decision that stands, or all of their newest bulk action."""
    target = undoable(decisions.newest(run_id, author))
    return _turn(
        run_id, "undo", target, "There is nothing to undo: you have no decision here that is in force."
    )


def redo(run_id: int, author: str) -> list[ReviewItem]:
    """Bring back what the author's newest undo took back."""
    target = redoable(decisions.newest(run_id, author))
    nothing = "There is nothing to redo: you have undone nothing since your last decision."
    return _turn(run_id, "redo", target, nothing)


@dataclass(frozen=True, slots=True)
class Bulk:
    """What a bulk action does: the items it decides, and those that it leaves as they are."""

    items: tuple[Key, ...]
    conflicts: tuple[Key, ...]


def bulk(
    run_id: int,
    kind: str,
    author: str,
    shown: Sequence[tuple[Key, int, str]],
    *,
    reason: str = "",
    preview: bool = False,
) -> Bulk:
    """One decision (accept, reject, skip or flag) on many items at once, in one transaction.

    `shown` is (key, last decision seen, text) of each. Items that changed since are left and named;
    `preview` writes nothing. One undo takes all of it back.
    """
    if kind not in ("accept", "reject", "skip", "flag"):
        raise LabError(f"{kind} cannot be done to many items at once: choose accept, reject, skip or flag.")
    created = now()
    for _attempt in range(3):
        last = decisions.last_of_items(run_id)
        fresh = [entry for entry in shown if last.get(entry[0], 0) == entry[1]]
        stale = tuple(key for key, seen, _ in shown if last.get(key, 0) != seen)
        made = Bulk(tuple(key for key, _, _ in fresh), stale)
        if preview or not fresh:
            return made
        rows = [_row(run_id, k, kind, author, seen, text, None, reason, created) for k, seen, text in fresh]
        try:
            decisions.append(rows)
        except decisions.Taken:
            continue
        return made
    raise RefusedError("Others are deciding on these items right now: look at them again, then try again.")


def _row(
    run_id: int,
    key: Key,
    kind: str,
    author: str,
    seen: int,
    before: str | None,
    after: str | None,
    reason: str,
    created: datetime,
) -> dict[str, Any]:
    """A decision's fields, checked."""
    if kind not in KINDS or kind in ("undo", "redo", "draft"):
        raise LabError(f"There is no decision {kind!r}: choose accept, edit, reject, skip, flag or comment.")
    author = author.strip()
    if not 1 <= len(author) <= AUTHOR_CHARACTERS:
        raise LabError(f"A decision needs its author's name, of at most {AUTHOR_CHARACTERS} characters.")
    if kind == "comment" and not reason.strip():
        raise LabError("The comment is empty: write something, or leave it.")
    if kind == "edit" and after is None:
        raise LabError("An edit needs its new text: give it.")
    if kind == "edit" and after == before:
        raise LabError("The text is unchanged: accept it, or change it first.")
    if kind in ("accept", "skip", "flag"):
        after = before
    elif kind not in ("edit", "adjudicate"):
        after = None
    # PostgreSQL stores no NUL, and no database half a surrogate pair.
    if any(text != storable(text) for text in (after or "", reason, author)):
        raise LabError(
            "The text holds a NUL character or half of a surrogate pair, which cannot be stored: remove it."
        )
    note = KINDS[kind].note
    return _plain(
        Decision(
            0, run_id, *key, kind, author, reason,
            None if note else before, after, None if note else seen, created,
        )
    )  # fmt: skip


def _plain(decision: Decision) -> dict[str, Any]:
    """A decision that has no id yet, as the store takes it."""
    return {name: value for name, value in asdict(decision).items() if name != "id"}


def _written(current: ReviewItem, row: dict[str, Any]) -> ReviewItem:
    (decision,) = decisions.append([row])
    return step(current, decision)


def _late(current: ReviewItem, row: dict[str, Any]) -> ReviewItem:
    """The item if this decision is already its last one, sent twice; else Conflict, the text kept."""
    same = ("kind", "author", "before", "after", "reason", "seen")
    if current.done and current.done[-1].id == current.last:
        if all(getattr(current.done[-1], name) == row[name] for name in same):
            return current
    typed = row["after"] if row["kind"] in ("edit", "adjudicate") else None
    if typed is not None or row["reason"]:
        decisions.append([row | {"kind": "draft", "after": typed, "seen": None}])
    raise Conflict(current, typed, row["reason"])


def _turn(run_id: int, kind: str, target: Decision | None, nothing: str) -> list[ReviewItem]:
    """Undo or redo the target and what was decided with it in one moment."""
    if target is None:
        raise LabError(nothing)
    author = target.author
    targets = [d for d in decisions.together(run_id, author, target.created) if d.kind == target.kind]
    keys = [(d.question_index, d.sample_index) for d in targets]
    whole = board(run_id) if len(keys) > MANY else None
    current = {key: whole.item(key) if whole else item(run_id, key) for key in keys}
    created, rows, left = now(), [], []
    for key, decision in zip(keys, targets, strict=True):
        one = current[key]
        if not _is_next(one, kind, decision):
            left.append(one)
            continue
        turned = (one.done if kind == "undo" else one.undone)[-1]
        blank = Decision(0, run_id, *key, kind, author, turned.kind, one.text, None, one.last, created)
        rows.append(_plain(replace(blank, after=step(one, blank).text)))
    if not rows:
        raise Conflict(left[0], None, "")
    try:
        written = decisions.append(rows)
    except decisions.Taken:
        raise Conflict(item(run_id, keys[0]), None, "") from None
    return [step(current[d.question_index, d.sample_index], d) for d in written]


def _is_next(one: ReviewItem, kind: str, decision: Decision) -> bool:
    """Whether undo (redo) of the item would turn what this decision of the author did, and no other's."""
    stack = one.done if kind == "undo" else one.undone
    if not stack:
        return False
    return stack[-1].author == decision.author and (decision.kind != "edit" or stack[-1].id == decision.id)
