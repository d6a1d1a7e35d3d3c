"""Both versions of an item on which a decision came too late."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.review.fold import KINDS
from pages.components.review.cards import open_card
from pages.components.review.deciding import Clash
from pages.components.review.editing import begin
from pages.components.review.marks import changes
from pages.components.review.queues import go
from pages.components.review.runs import Review, board
from pages.components.text import labelled_pair, plain


def conflict(review: Review) -> None:
    """Both versions of an item on which a decision came too late. Nothing is lost either way."""
    clash = st.session_state.get("clash")
    if not isinstance(clash, Clash) or clash.run_id != review.run.id:
        return
    item = board(review.run.id).item(clash.item.key)
    last = max((*item.done, *item.undone), key=lambda d: d.id)
    with st.container(border=True, key="clash"):
        st.warning(
            f"Question {item.key[0]} changed before you could {plain(clash.kind)} it: "
            f"{plain(last.author)} {KINDS[last.kind].past} it. Your decision was not made"
            + (", and your text is kept in the history." if clash.typed is not None or clash.reason else "."),
            icon=":material/call_split:",
        )
        now_text = item.text if item.text is not None else clash.before
        ours = "Your text" if clash.typed is not None else "What you saw", clash.typed or clash.before
        labelled_pair((f"The current text: {item.queue}", now_text), ours)
        st.caption("Changes from the current text to yours")
        changes(now_text, ours[1])
        with st.container(horizontal=True):
            st.button(
                "Keep the current text", key="clash_theirs", on_click=st.session_state.pop, args=("clash",)
            )
            if clash.typed is not None:
                st.button("Edit again, from your text", key="clash_mine", type="primary",
                          on_click=_edit_again, args=(review, clash))  # fmt: skip
            else:
                st.caption("Or look at it again below, and decide.", width="content")
    if st.query_params.get("item") != f"{item.key[0]}.{item.key[1]}":
        st.button(f"Show question {item.key[0]}", key="clash_show", on_click=go, args=(item.key,))


def _edit_again(review: Review, clash: Clash) -> None:
    st.session_state.pop("clash", None)
    fresh = replace(review, board=board(review.run.id))
    begin(fresh, open_card(fresh, clash.item.key), clash.typed)
