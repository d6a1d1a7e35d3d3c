"""What a press does: a decision on what the card showed, or what to show where it came too late.

Whoever decides names the last decision they saw on the item; core.review.desk refuses it where another came
in between, and both sides are kept for the page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from core.review import desk
from core.review.fold import Key, ReviewItem
from core.stages import exemplars as stage
from pages.components import frame
from pages.components.review.cards import Card
from pages.components.review.queues import go
from pages.components.review.runs import Review, board, key_of
from pages.components.text import count


@dataclass(frozen=True, slots=True)
class Clash:
    """A decision that came too late: how the item stands now, and what its author had before them."""

    run_id: int
    kind: str
    item: ReviewItem
    before: str
    typed: str | None
    reason: str


def decide(
    review: Review, card: Card, kind: str, author: str, following: Key | None, after: str | None = None
) -> None:
    """Append the decision on what the card showed, and go on."""
    with frame.errors():
        made = attempt(review.run.id, card.key, kind, author, card.item.last, card.text, after)
        if made is not None:
            if made.queue == "rejected" and card.point is not None:
                following = _next_of_cluster(review, card.point.cluster) or following
            go(following)


def attempt(
    run_id: int,
    key: Key,
    kind: str,
    author: str,
    seen: int,
    before: str,
    after: str | None,
) -> ReviewItem | None:
    """Decide, for the reason in its field, which is then empty.

    Where the item changed underneath, keep both sides for the page and return None.
    """
    reason = st.session_state.get("reason", "")
    try:
        made = desk.decide(run_id, key, kind, author, seen=seen, before=before, after=after, reason=reason)
    except desk.Conflict as clash:
        st.session_state["clash"] = Clash(run_id, kind, clash.item, before, clash.text, reason)
        return None
    st.session_state["reason"] = ""
    return made


def _next_of_cluster(review: Review, cluster: int) -> Key | None:
    """The exemplar that has taken the place of a rejected one in a cluster."""
    standing = stage.nearest(review.points.values(), board(review.run.id))
    return next((key_of(point) for point in standing if point.cluster == cluster), None)


def turn(review: Review, way: Callable[[int, str], list[ReviewItem]], author: str) -> None:
    """Undo or redo (desk.undo, desk.redo), and show what was turned."""
    with frame.errors():
        turned = way(review.run.id, author)
        go(turned[0].key)
        done = "Undone" if way is desk.undo else "Redone"
        what = f"question {turned[0].key[0]}" if len(turned) == 1 else count(len(turned), "rationale")
        st.toast(f"{done}: {what}")


def comment(review: Review, card: Card, author: str) -> None:
    """What stands in the field for reasons, as a comment on the card; an empty field is to be filled."""
    text = st.session_state.get("reason", "")
    if not text.strip():
        st.session_state["nothing_to_say"] = True
        return
    with frame.errors():
        desk.decide(review.run.id, card.key, "comment", author, seen=0, before="", reason=text)
        st.session_state["reason"] = ""
        st.toast(f"Commented on question {card.key[0]}")
