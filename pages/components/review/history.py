"""What was decided, by whom and why: on this card, in the whole run, and as a file."""

from __future__ import annotations

import streamlit as st

from core.records import Decision
from core.review import history
from core.review.fold import KINDS
from core.store import decisions
from pages.components.jobs import local
from pages.components.review.cards import Card
from pages.components.review.marks import changes
from pages.components.review.queues import asked, go
from pages.components.review.runs import Review
from pages.components.tables import clickable, download, paged
from pages.components.text import labelled, passage, plain, visible

HISTORY_ROWS = 12


def shown_history(review: Review, card: Card | None) -> None:
    """Everything decided on this card, then the run's newest decisions, and all of them as a file."""
    if card is not None:
        own = decisions.of_item(review.run.id, *card.key)
        st.markdown(f"**Question {card.key[0]}**")
        if not own:
            st.caption("Nobody has decided on it yet.")
        for decision in reversed(own):
            _decision(decision)
    st.markdown("**The whole review**")
    if not decisions.count(review.run.id):
        st.caption("Nothing has been decided yet.")
        return
    part = decisions.page(review.run.id, *paged(decisions.count(review.run.id), "decisions", HISTORY_ROWS))
    clickable(
        [
            {
                "id": d.id,
                "question": d.question_index,
                "kind": d.kind,
                "author": visible(d.author),
                "reason": visible(d.reason),
                "when": local(d.created),
            }
            for d in part
        ],
        "from_history",
        [f"{d.question_index}.{d.sample_index}" for d in part],
    )
    if (picked := st.session_state.pop("from_history", None)) is not None:
        go(asked(picked))
        st.rerun()
    download(
        "History as JSON lines",
        lambda: "".join(history.lines(decisions.since(review.run.id))),
        f"review-{review.run.id}.jsonl",
        "application/x-ndjson",
        key="export",
    )


def _decision(decision: Decision) -> None:
    with st.container(border=True):
        did = f"**{plain(decision.author)}** {KINDS[decision.kind].past} it"
        st.caption(f"{decision.id} · {did} · {local(decision.created)}")
        if decision.reason:
            passage(decision.reason)
        before, after = decision.before, decision.after
        if before is not None and after is not None and before != after:
            changes(before, after)
        elif decision.kind == "draft" and after:
            labelled("Text that was too late", after)
