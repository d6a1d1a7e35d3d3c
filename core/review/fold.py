"""The state of a review: a fold over its decisions, in the order in which they were appended.

    #1 accept  ana      accepted
    #2 edit    ana      edited      text = what #2 wrote
    #3 undo    ana      accepted    text = what #1 accepted, byte for byte
    #4 redo    ana      edited
    #5 comment ben      edited      + a comment

An undo takes back the item's newest change that stands and a redo brings the newest undone one again,
until another change. Both are decisions themselves: nothing is ever removed from the list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from core.records import Decision

Key = tuple[int, int]  # (question index, sample index)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of decision. `queue` is where it puts its item ("" = decided by the text or the history)."""

    key: str
    past: str  # "ana accepted it"
    queue: str = ""
    verdict: str = ""  # what it says of the rationale, where two reviewers are compared
    note: bool = False  # changes nothing, so it conflicts with nothing


KINDS: dict[str, Kind] = {
    kind.key: kind
    for kind in (
        Kind("accept", "accepted", verdict="accept"),
        Kind("edit", "edited", verdict="accept"),
        Kind("reject", "rejected", "rejected", "reject"),
        Kind("skip", "skipped", "skipped"),
        Kind("flag", "flagged", "flagged", "flag"),
        Kind("adjudicate", "adjudicated"),
        Kind("undo", "undid a decision on"),
        Kind("redo", "redid a decision on"),
        Kind("comment", "commented on", note=True),
        # A text whose author had not seen the last decision.
        Kind("draft", "was too late to edit", note=True),
    )
}
QUEUES = ("pending", "accepted", "edited", "rejected", "flagged", "skipped")


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """One rationale under review.

    text      as it stands; None until something was decided: as the teacher wrote it
    original  as the teacher wrote it, once known
    last      id of the last decision that changed it: what the next one must have seen
    done      the changes that stand, oldest first; undone: those taken back, newest last
    """

    key: Key
    text: str | None = None
    original: str | None = None
    queue: str = "pending"
    last: int = 0
    done: tuple[Decision, ...] = ()
    undone: tuple[Decision, ...] = ()
    notes: tuple[Decision, ...] = ()

    @property
    def verdicts(self) -> dict[str, str]:
        """author → what they last said of it."""
        return _verdicts(self.done)

    @property
    def disputed(self) -> bool:
        """Whether reviewers differ and nobody has adjudicated since."""
        settled = max((i for i, d in enumerate(self.done, 1) if d.kind == "adjudicate"), default=0)
        return len(set(_verdicts(self.done[settled:]).values())) > 1


def _verdicts(decisions: Iterable[Decision]) -> dict[str, str]:
    return {d.author: KINDS[d.kind].verdict for d in decisions if KINDS[d.kind].verdict}


@dataclass(frozen=True, slots=True)
class Board:
    """A review as it stands: the items that anything was decided on, and the last decision folded in."""

    items: Mapping[Key, ReviewItem] = field(default_factory=lambda: MappingProxyType({}))
    last: int = 0

    def item(self, key: Key) -> ReviewItem:
        """The item with this key, pending where nothing was decided."""
        return self.items.get(key) or ReviewItem(key)

    def counts(self, total: int) -> dict[str, int]:
        """How many of `total` items are in each queue; what is left is "pending"."""
        found = Counter(item.queue for item in self.items.values())
        found["pending"] = total - sum(n for queue, n in found.items() if queue != "pending")
        return {queue: found[queue] for queue in QUEUES}


def fold(decisions: Iterable[Decision], board: Board | None = None) -> Board:
    """The board after these decisions; those that it knows already are passed over."""
    board = board or Board()
    items, last = dict(board.items), board.last
    for decision in decisions:
        if decision.id <= board.last:
            continue
        key = (decision.question_index, decision.sample_index)
        items[key] = step(items.get(key) or ReviewItem(key), decision)
        last = max(last, decision.id)
    return Board(MappingProxyType(items), last)


def step(item: ReviewItem, decision: Decision) -> ReviewItem:
    """An item after one more decision."""
    if KINDS[decision.kind].note:
        return replace(item, notes=(*item.notes, decision))
    done, undone = item.done, item.undone
    if decision.kind == "undo":
        done, undone = done[:-1], (*undone, *done[-1:])
    elif decision.kind == "redo":
        done, undone = (*done, *undone[-1:]), undone[:-1]
    else:
        done, undone = (*done, decision), ()
    original = decision.before if item.original is None else item.original
    text = _text(done, original)
    return replace(
        item, text=text, original=original, queue=_queue(done, text, original),
        last=decision.id, done=done, undone=undone,
    )  # fmt: skip


def _text(done: tuple[Decision, ...], original: str | None) -> str | None:
    """The text as it stands: what the newest change that stands left, or found where it left nothing."""
    if not done:
        return original
    return done[-1].before if done[-1].after is None else done[-1].after


def _queue(done: tuple[Decision, ...], text: str | None, original: str | None) -> str:
    if not done:
        return "pending"
    if done[-1].after is None:
        return "rejected"
    return KINDS[done[-1].kind].queue or ("accepted" if text == original else "edited")


def undoable(newest_first: Iterable[Decision]) -> Decision | None:
    """Of one author's decisions, the newest change (or redo) that stands: what undo takes back."""
    taken_back: Counter[Key] = Counter()
    for decision in newest_first:
        key = (decision.question_index, decision.sample_index)
        if KINDS[decision.kind].note:
            continue
        if decision.kind == "undo":
            taken_back[key] += 1
        elif taken_back[key]:
            taken_back[key] -= 1
        else:
            return decision
    return None


def redoable(newest_first: Iterable[Decision]) -> Decision | None:
    """Of one author's decisions, the newest undo that no redo or change of its item has followed."""
    redone: Counter[Key] = Counter()
    settled: set[Key] = set()
    for decision in newest_first:
        key = (decision.question_index, decision.sample_index)
        if key in settled or KINDS[decision.kind].note:
            continue
        if decision.kind == "redo":
            redone[key] += 1
        elif decision.kind != "undo":
            settled.add(key)
        elif redone[key]:
            redone[key] -= 1
        else:
            return decision
    return None
