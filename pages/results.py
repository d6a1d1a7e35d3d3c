"""Results: which method made the student better, by how much, how sure that is, and what is behind it."""

import streamlit as st

from pages.components import ablation, behind, frame, teachers
from pages.components import results as ui

frame.title("Results")
study = frame.needed_study("There is no study yet. The demo study ends with a table here.")
cells = ui.cells_of(study)
if not cells:
    teachers.part(study)
    frame.empty("No student of this study has been evaluated yet. Train one.", "train")

ui.summary(cells)
with frame.errors():
    rows = ablation.show(cells) if ablation.chosen(cells) else ui.show_table(cells)
    ui.paid(study, rows)
    ui.downloads(study, rows)
    ui.chart(rows)
    ui.printed(cells[0].benchmark)
ui.pool(study, cells)
teachers.part(study)

st.subheader("Behind a row")
run = behind.choose_run(study)
views = {
    "Predictions": lambda: behind.show_predictions(study, run),
    "Training rows": lambda: behind.show_training_rows(study, run),
    "Flips between two runs": lambda: behind.show_flips(study, cells),
    "Other rules": lambda: behind.show_rescored(study, run),
}
frame.tabs(views, "view", bind="query-params")
frame.next_step("read the rationales behind a surprising row, or train another arm.", "train")
