"""The few-shot prompt as the teacher will get it, and whether it fits the teacher's window."""

from __future__ import annotations

import streamlit as st

from core import studies
from core.exemplars.prompt import preview
from core.methods import METHODS
from core.stages import exemplars as stage
from core.store import queries
from core.teachers import TEACHERS, token_counter
from pages.components.review.cards import Card
from pages.components.review.runs import Review
from pages.components.text import count, passage

WINDOW = 4096  # tokens, where the teacher says nothing
PROMPT_HEIGHT = 420  # pixels


def shown_prompt(review: Review, card: Card | None) -> None:
    """The few-shot prompt as the teacher will get it, with the decisions as they stand."""
    slots = [
        stage.slot(review.run.id, point, review.board)
        for point in stage.nearest(review.points.values(), review.board)
    ]
    if not slots:
        st.info("There is no exemplar: bring a rejected one back.", icon=":material/info:")
        return
    asked = queries.question_page(review.study.dataset_id, "test", limit=1)
    asked = asked or queries.question_page(review.study.dataset_id, limit=1)
    teaching = studies.Study.read(review.study.config).teaching
    options = TEACHERS[teaching.teacher["key"]].defaults | teaching.teacher
    new_tokens = teaching.sampled(METHODS["new-fine-tune-cot"].sampling).max_tokens
    counter = token_counter(str(options["model"])) if options.get("model") else None
    made = preview(
        asked[0].text,
        [one.exemplar() for one in slots],
        options.get("context") or WINDOW,
        new_tokens,
        counter,
    )
    left, right = st.columns(2)
    left.metric("Tokens" if made.counted else "Tokens, estimated", f"{made.tokens:,}", border=True)
    right.metric(f"Left of {made.window:,}", f"{made.room:,}", border=True,
                 help=f"After {made.new_tokens:,} tokens reserved for the reply.")  # fmt: skip
    if not made.fits:
        st.error("The prompt does not fit the teacher's window: choose fewer clusters or shorter exemplars.",
                 icon=":material/error:")  # fmt: skip
    kept = sum(one.item.queue in ("accepted", "edited") for one in slots)
    st.caption(
        f"{count(len(slots), 'exemplar')}, {kept} of them accepted or edited; then the first test question."
    )
    start = made.prompt.find(card.text) if card is not None else -1
    with st.container(height=PROMPT_HEIGHT, key="prompt"):
        passage(made.prompt, (start, start + len(card.text)) if card is not None and start >= 0 else None)
