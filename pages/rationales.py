"""Rationales: all completions of a generation, filtered; and one of them in full."""

import streamlit as st

from core.store import queries
from pages.components import frame
from pages.components import rationales as ui
from pages.components.generate import figures
from pages.components.tables import paged

frame.title("Rationales")
study = frame.current_study()
if study is None:
    frame.empty(
        "There is no study yet. Start the demo study, or make one of your own.", "overview", "Overview"
    )
    st.stop()
run = ui.choose_generation(study)
if run is None:
    frame.empty("This study has no rationales yet. Have a teacher write some.", "generate", "Generate")
    st.stop()

figures(run)
left, right = st.columns([1, 1], gap="medium")
with left:
    kept = ui.filters(run)
    total = queries.count_completions(run.id, **kept)
    offset, limit = paged(total, "at")
    rows = queries.completions(run.id, **kept, offset=offset, limit=limit)
    ui.completion_table(rows)
with right:
    if rows:
        completion = ui.choose_completion(rows)
        dataset_id = queries.study(queries.run(completion.run_id).study_id).dataset_id
        ui.completion_card(completion, queries.question(dataset_id, completion.question_index))
    else:
        st.info("No completion matches: change the filters.", icon=":material/search_off:")
frame.next_step("fine-tune a student on the correct ones.", "train", "Train")
