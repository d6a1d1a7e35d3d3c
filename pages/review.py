"""Review: one rationale at a time, accepted, rejected or edited from the keyboard; nothing is overwritten."""

import streamlit as st

from pages.components import corrections, frame
from pages.components import review as ui

frame.title("Review")
study = frame.current_study()
if study is None:
    frame.empty(
        "There is no study yet. Start the demo study, or make one of your own.", "overview", "Overview"
    )
    st.stop()
left, right = st.columns([3, 2], gap="medium")
with left:
    run = ui.choose_run(study)
if run is None:
    frame.empty(
        "This study has nothing to review yet. Have a teacher write rationales.", "generate", "Generate"
    )
    st.stop()

with frame.errors():
    review = ui.open_review(run)
    author = ui.choose_author()
    with right:
        ui.progress(review)
    ui.gaps(review)
    shown = ui.filters(review, author)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        card = ui.choose_card(review, shown)
        ui.keys(review, card, shown, author)
        ui.conflict(review, author)
        if card is not None:
            ui.card(review, card, author)
    with right:
        ui.beside(review, card, shown, author)
    corrections.rerun(run, review.board)
frame.next_step("have the teacher answer again with the reviewed exemplars.", "generate", "Generate")
