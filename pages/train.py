"""Train: fine-tune students on a study's rationales, see it coming before, watch it while it runs."""

import streamlit as st

from pages.components import ablation, frame, results, training_set
from pages.components import training as ui

frame.title("Train", "A student is fine-tuned by each method and then answers the study's test questions.")
study = frame.needed_study()

with st.container(border=True), frame.errors():
    spec = ui.choose_arms(study)
    ready = ui.show_exemplars(study, spec)
    spec = training_set.choose(study, spec)
    ui.show_preview(study, spec)
    results.before(study, spec)
    ui.start(spec, ready)
    ablation.offer(study, spec)

ui.watch(study)
frame.next_step("compare the students.", "results")
