"""Which rationales the filters keep, and which of them comes before and after; all of it in the URL."""

from __future__ import annotations

from collections.abc import Sequence, Set

import streamlit as st

from core.review import agreement
from core.review.fold import QUEUES, Key
from core.store import checked, queries
from core.store.models import Run
from pages.components import frame
from pages.components.checks import choose_check, ready
from pages.components.review.runs import Review
from pages.components.tables import choice

DISPUTED, MINE, ALL = "disagreements", "not yet by me", "all"
SHOWN = (*QUEUES, DISPUTED, MINE, ALL)
VERDICTS: dict[str, bool | None] = {"any": None, "correct": True, "wrong": False}


def filters(review: Review, author: str) -> tuple[Key, ...]:
    """The rationales that the filters keep; all filters are in the URL.

    Another filter begins at the first that it keeps, whatever card was open.
    """
    again = {"on_change": go, "args": (None,)}
    queue = choice("Queue", SHOWN, "queue", width="content", wrap=True, **again)
    with st.container(horizontal=True):
        verdict = choice("Answer", list(VERDICTS), "answer", width="content", **again)
        check = choose_check(**again)
    keys = [key for key in review.keys if _in_queue(review, key, queue, author)]
    if VERDICTS[verdict] is not None:
        keys = [key for key in keys if review.correct[key] is VERDICTS[verdict]]
    if check is not None:
        generation = queries.run(review.generation)
        if ready(generation):
            flagged = _flagged(generation, check)
            keys = [key for key in keys if key in flagged]
    return tuple(agreement.disagreements_first(review.board, keys) if queue != "pending" else keys)


def _in_queue(review: Review, key: Key, queue: str, author: str) -> bool:
    item = review.board.item(key)
    if queue == DISPUTED:
        return item.disputed
    if queue == MINE:
        return author not in item.verdicts
    return queue in (ALL, item.queue)


# Shared by all sessions and never changed.
@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs=frame.BY_RUN)
def _flagged(generation: Run, check: str) -> Set[Key]:
    """The rationales, as the teacher wrote them, that a check flags."""
    return checked.keys(generation.id, check)


def asked(text: str) -> Key | None:
    """ "12.0" → (12, 0); None where it is nothing of the kind."""
    question, _, sample = text.partition(".")
    if not (question.isdecimal() and (sample or "0").isdecimal() and len(text) < 20):
        return None
    return int(question), int(sample or 0)


def go(key: Key | None) -> None:
    """Show this card next; None: the first that the filters keep."""
    if key is None:
        st.query_params.pop("item", None)
    else:
        st.query_params["item"] = f"{key[0]}.{key[1]}"


def neighbour(review: Review, shown: Sequence[Key], key: Key | None, step: int) -> Key | None:
    """The card before (-1) or after (1) among those shown, also where this one has left their queue."""
    if key in shown:
        place = shown.index(key) + step
        return shown[place] if 0 <= place < len(shown) else None
    order = {other: i for i, other in enumerate(review.points or review.correct)}
    here = order.get(key, -1)
    ahead = [other for other in shown if (order[other] - here) * step > 0]
    return (ahead[0] if step > 0 else ahead[-1]) if ahead else None
