"""The few-shot prompt as the teacher will get it, and whether it fits the teacher's window."""

from __future__ import annotations

import streamlit as st

from core import studies
from core.exemplars.prompt import few_shot_prompt
from core.methods import METHODS
from core.stages import exemplars as stage
from pages.components import prompt
from pages.components.review.cards import Card
from pages.components.review.runs import Review
from pages.components.text import count

WINDOW = 4096  # tokens, where the teacher says nothing


def shown_prompt(review: Review, card: Card | None) -> None:
    """The few-shot prompt as the teacher will get it, with the decisions as they stand."""
    slots = [
        stage.slot(review.run.id, point, review.board)
        for point in stage.nearest(review.points.values(), review.board)
    ]
    if not slots:
        st.info("There is no exemplar: bring a rejected one back.", icon=":material/info:")
        return
    kept = sum(one.item.queue in ("accepted", "edited") for one in slots)
    st.caption(
        f"{count(len(slots), 'exemplar')}, {kept} of them accepted or edited; then the first test question."
    )
    teaching = studies.Study.read(review.study.config).teaching
    model, window, reserved = prompt.teachers_window(teaching, METHODS["new-fine-tune-cot"])
    question = prompt.first_question(review.study).text
    text = few_shot_prompt(question, [one.exemplar() for one in slots])
    start = text.find(card.text) if card is not None else -1
    span = (start, start + len(card.text)) if card is not None and start >= 0 else None
    prompt.show(text, model, window or WINDOW, reserved, span)
