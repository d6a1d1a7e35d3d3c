"""Datasets: choose a benchmark, read it, search its questions, look at one of them."""

import streamlit as st

from core.store import queries
from pages.components import datasets as ui
from pages.components import frame, upload
from pages.components.tables import paged, row_number

frame.title("Datasets")
benchmark = ui.choose_benchmark()
ui.facts(benchmark)
upload.add_form()

dataset = ui.choose_version(benchmark)
if dataset is None:
    with st.container(border=True):
        st.markdown("This benchmark has not been read yet. Read it to look at its questions.")
        ui.read_button(benchmark)
    frame.next_step("read a benchmark, or start the demo study, which makes its own questions.", "overview")
    st.stop()

parts = ui.split_metrics(dataset)
left, right = st.columns([3, 2], gap="medium")
with left:
    text, part = ui.filters(parts)
    total = queries.count_questions(dataset.id, part, text)
    offset, limit = paged(total, "page")
    shown = queries.question_page(dataset.id, part, text, offset, limit)
    ui.question_table(shown)
with right:
    if shown:
        index = row_number("Question", "question")
        ui.question_card(shown[0] if index is None else queries.question(dataset.id, index))
    else:
        st.info("No question matches: change the search or the split.", icon=":material/search_off:")

with st.expander("Histograms", icon=":material/bar_chart:", expanded=True):
    ui.histograms(dataset)
with st.expander("Read it with other options", icon=":material/tune:"):
    ui.read_button(benchmark)
frame.next_step("have a teacher write rationales.", "generate")
