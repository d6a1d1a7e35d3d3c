"""The card: question, rationale in steps with everything marked in place, answers, place in its cluster."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.quality.checks import CHECKS, Flag
from core.review.fold import Key
from pages.components.completion import note, right_or_wrong, texts, which
from pages.components.review.cards import Card, find_flags, open_card
from pages.components.review.editing import form, under_way
from pages.components.review.marks import changes, marked_html, steps_html
from pages.components.review.queues import asked
from pages.components.review.runs import COLOURS, Review
from pages.components.text import count, labelled_pair, plain


def choose_card(review: Review, shown: Sequence[Key]) -> Card | None:
    """The rationale in the URL, else the first that the filters keep."""
    key = asked(st.query_params.get("item", ""))
    if key not in review.correct:
        key = shown[0] if shown else None
    if key is None:
        st.info("Nothing is left here: choose another queue.", icon=":material/done_all:")
        return None
    return open_card(review, key)


def card(review: Review, shown: Card, author: str) -> None:
    """Question, rationale in steps with everything marked in place, answers, place in its cluster."""
    flags = find_flags(review, shown)
    with st.container(border=True, key="card"):
        badges(shown, flags)
        st.html(
            marked_html(shown.question.text, [f for f in flags if f.where == "question"], None, "Question")
        )
        if (under := under_way(review, shown)) is not None:
            form(review, shown, under, author)
        else:
            st.html(steps_html(shown.text, [f for f in flags if f.where == "rationale"], shown.found.span))
            if shown.text == shown.original and shown.point is None:
                texts(shown.completion, besides=shown.text)
        labelled_pair(("Answer found", shown.found.answer or ""), ("Gold answer", shown.question.answer))
        if shown.text != shown.original and under_way(review, shown) is None:
            with st.expander("Changed by review", icon=":material/edit_note:", expanded=True):
                changes(shown.original, shown.text)
        for flag in flags:
            if flag.verdict != "right":
                colour = "red" if flag.verdict == "wrong" else "orange"
                st.markdown(f":{colour}-badge[{plain(CHECKS[flag.check].title)}] {plain(flag.message)}")


def badges(shown: Card, flags: Sequence[Flag] = ()) -> None:
    with st.container(horizontal=True):
        which(*shown.key)
        queue = shown.item.queue
        st.badge(queue, color=COLOURS[queue])
        if shown.item.disputed:
            st.badge("reviewers disagree", icon=":material/call_split:", color="orange")
        right_or_wrong(shown.found.correct)
        if shown.text == shown.original:
            note(shown.completion)
        if shown.point is not None:
            st.badge(f"cluster {shown.point.cluster}, rank {shown.point.rank}", color="blue",
                     help=f"Distance to the centre: {shown.point.distance:.3f}")  # fmt: skip
            for failure in shown.point.failures:
                st.badge(plain(failure), color="orange", help="Why it does not qualify as an exemplar.")
        judged = [flag for flag in flags if flag.check == "arithmetic"]
        if judged:
            good = sum(flag.verdict == "right" for flag in judged)
            st.badge(f"{good} of {count(len(judged), 'equation')} right",
                     color="green" if good == len(judged) else "red")  # fmt: skip
