"""Review: one rationale at a time, accepted, rejected or edited from the keyboard; nothing is overwritten."""

import streamlit as st

from pages.components import corrections, frame
from pages.components.review import author as authors
from pages.components.review import clashes, face, queues, runs, shortcuts, tabs

frame.title("Review")
study = frame.needed_study()
left, right = st.columns([3, 2], gap="medium")
with left:
    run = runs.choose_run(study)
if run is None:
    frame.empty("This study has nothing to review yet. Have a teacher write rationales.", "generate")

with frame.errors():
    review = runs.open_review(run)
    author = authors.choose_author()
    with right:
        runs.progress(review)
    runs.gaps(review)
    shown = queues.filters(review, author)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        card = face.choose_card(review, shown)
        shortcuts.keys(review, card, shown, author)
        clashes.conflict(review)
        if card is not None:
            face.card(review, card, author)
    with right:
        tabs.beside(review, card, shown, author)
    corrections.rerun(run, review.board)
frame.next_step("have the teacher answer again with the reviewed exemplars.", "generate")
