"""Two reviewers: how far they agree beyond chance, and what they disagree on."""

from __future__ import annotations

import streamlit as st

from core.review import agreement
from pages.components.review.queues import go
from pages.components.review.runs import Review
from pages.components.text import count, plain, visible


def shown_agreement(review: Review) -> None:
    """Two reviewers: how far they agree, and where they do not."""
    people = agreement.reviewers(review.board)
    if len(people) < 2:
        st.caption(
            "Agreement needs two reviewers. Give a colleague this page's address with their own name in "
            "“You review as”, and the queue “not yet by me”."
        )
        return
    left, right = st.columns(2)
    first = left.selectbox("Reviewer", people, 0, key="first", format_func=visible)
    second = right.selectbox("and", [p for p in people if p != first], 0, key="second", format_func=visible)
    made = agreement.agreement(review.board, first, second)
    left, right = st.columns(2)
    left.metric("Decided alike", f"{made.same:,} of {made.n:,}", border=True)
    kappa = made.kappa
    right.metric("Cohen's kappa", f"{kappa.value:.2f}" if kappa else "—", border=True,
                 help="Agreement beyond chance: 1 is perfect, 0 is what chance gives.")  # fmt: skip
    if kappa:
        st.caption(f"95 % interval {kappa.low:.2f} to {kappa.high:.2f}")
    elif made.n:
        st.caption("Kappa is undefined while both give every rationale the same verdict.")
    else:
        st.caption("No rationale was decided by both yet: the queue “not yet by me” shows what is left.")
    if made.disagreements:
        st.markdown(f"**{count(len(made.disagreements), 'disagreement')}**, {len(made.open)} not settled")
        for key in sorted(made.disagreements, key=lambda k: k not in made.open):
            verdicts = review.board.items[key].verdicts
            name = f"Question {key[0]}: {first} {verdicts[first]}s, {second} {verdicts[second]}s"
            icon = ":material/call_split:" if key in made.open else ":material/gavel:"
            st.button(plain(name), key=f"disagreement_{key[0]}_{key[1]}", type="tertiary", icon=icon,
                      on_click=go, args=(key,))  # fmt: skip
