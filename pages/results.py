"""Results: which method made the student better, by how much, how sure that is, and what is behind it."""

import streamlit as st

from pages.components import ablation, behind, frame, teachers
from pages.components import results as ui

frame.title("Results")
study = frame.current_study()
if study is None:
    frame.empty("There is no study yet. The demo study ends with a table here.", "overview", "Overview")
    st.stop()
cells = ui.cells_of(study)
if not cells:
    teachers.part(study)
    frame.empty("No student of this study has been evaluated yet. Train one.", "train", "Train")
    st.stop()

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
names = ["Predictions", "Training rows", "Flips between two runs", "Other rules"]
predictions, training, flips, rules = st.tabs(names, key="view", on_change="rerun", bind="query-params")
with frame.errors():
    if predictions.open:
        with predictions:
            behind.show_predictions(study, run)
    if training.open:
        with training:
            behind.show_training_rows(study, run)
    if flips.open:
        with flips:
            behind.show_flips(study, cells)
    if rules.open:
        with rules:
            behind.show_rescored(study, run)
ui.foot()
