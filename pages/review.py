"""Review: one rationale at a time, accepted, rejected or edited from the keyboard; nothing is overwritten."""

import streamlit as st

from pages.components import corrections, frame
from pages.components.review import author as authors
from pages.components.review import clashes, face, queues, runs, shortcuts
from pages.components.review.bulk import many
from pages.components.review.history import shown_history
from pages.components.review.prompt import shown_prompt
from pages.components.review.reviewers import shown_agreement

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
        beside = {
            "History": lambda: shown_history(review, card),
            "Reviewers": lambda: shown_agreement(review),
            "Many at once": lambda: many(review, shown, author),
        }
        if review.points:
            beside = {"Prompt": lambda: shown_prompt(review, card)} | beside
        frame.tabs(beside, f"beside_{run.kind}")
    corrections.rerun(run, review.board)
frame.next_step("have the teacher answer again with the reviewed exemplars.", "generate")
