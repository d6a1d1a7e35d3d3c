"""Clusters: every question as a point, one exemplar chosen a cluster, the settings behind both."""

import streamlit as st

from pages.components import clusters as ui
from pages.components import frame
from pages.components.review import choose_author

frame.title("Clusters", "Questions that are alike form a cluster; one of each becomes an exemplar.")
study = frame.current_study()
if study is None:
    frame.empty(
        "There is no study yet. Start the demo study, or make one of your own.", "overview", "Overview"
    )
    st.stop()
rationales = ui.rationales(study)
if rationales is None:
    frame.empty(
        "Clusters are made of the teacher's zero-shot rationales, and this study has none yet: "
        "have a teacher write them.",
        "generate",
        "Generate",
    )
    st.stop()

run = ui.choose_run(study)
with frame.errors():
    ui.ask(study, rationales, run)
    ui.watch(study)
    if run is not None:
        author = choose_author()
        ui.facts(run)
        ui.map_part(run, author)
frame.next_step("go through the exemplars one by one.", "review", "Review")
