"""One decision on many rationales: first what it would do, then do it, and one undo takes it back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from core.review import desk
from core.review.fold import Key
from core.stages import reviewed
from pages.components import frame
from pages.components.review.queues import go
from pages.components.review.runs import Review
from pages.components.tables import choice, listed
from pages.components.text import count, visible

ACTIONS = {"accept": "Accept", "reject": "Reject", "skip": "Skip", "flag": "Flag"}


def many(
    review: Review, keys: Sequence[Key], author: str, only: str | None = None, scope: str = "many"
) -> None:
    """One decision on all that the filters keep (`only` fixes which): first what it would do, then do it."""
    if not keys:
        st.caption("No rationale matches the filters.")
        return
    kind = only or choice("Decision", list(ACTIONS), f"{scope}_kind", width="content")
    reason = st.text_input("Reason", key=f"{scope}_reason", placeholder="why, for the history")
    asked = (tuple(keys), kind, review.run.id)
    if st.button(f"Preview: {ACTIONS[kind].lower()} {count(len(keys), 'rationale')}", key=f"{scope}_preview",
                 icon=":material/visibility:"):  # fmt: skip
        st.session_state[f"{scope}_shown"] = asked, _as_shown(review, keys)
    found = st.session_state.get(f"{scope}_shown")
    if not found or found[0] != asked:
        st.caption("Nothing is saved until you have seen the preview.")
        return
    made = desk.bulk(review.run.id, kind, author, found[1], reason=reason, preview=True)
    before = Counter(review.queue(key) for key in made.items)
    st.markdown(f"**{ACTIONS[kind]} {count(len(made.items), 'rationale')}**")
    st.caption(
        "Now " + ", ".join(f"{n:,} {queue}" for queue, n in before.items()) + ". One undo reverts all of it."
    )
    if made.conflicts:
        st.warning(f"{count(len(made.conflicts), 'rationale')} changed since the preview and will stay.",
                   icon=":material/group:")  # fmt: skip
    listed(
        [
            {"question": key[0], "queue": review.queue(key), "text": visible(" ".join(text[:160].split()))}
            for key, _, text in found[1][:8]
        ],
        f"{scope}_rows",
    )
    st.button(f"{ACTIONS[kind]} them", key=f"{scope}_apply", type="primary", disabled=not author,
              on_click=_apply, args=(review.run.id, kind, author, found[1], reason, scope))  # fmt: skip


def _as_shown(review: Review, keys: Sequence[Key]) -> list[tuple[Key, int, str]]:
    """(key, last decision seen, text) of each, as bulk decisions take them."""
    items = {key: review.board.item(key) for key in keys}
    unread = [key for key, item in items.items() if item.text is None]
    originals = reviewed.originals(review.run.id, unread)
    return [
        (key, item.last, originals[key] if item.text is None else item.text)
        for key, item in items.items()
        if item.text is not None or key in originals
    ]


def _apply(
    run_id: int, kind: str, author: str, shown: list[tuple[Key, int, str]], reason: str, scope: str
) -> None:
    with frame.errors():
        made = desk.bulk(run_id, kind, author, shown, reason=reason)
        st.session_state.pop(f"{scope}_shown", None)
        st.toast(f"{ACTIONS[kind]}: {count(len(made.items), 'rationale')}")
        go(None)
