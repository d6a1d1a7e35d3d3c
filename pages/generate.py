"""Generate: have a teacher write rationales for a study's questions, and watch them come in."""

import streamlit as st

from pages.components import frame
from pages.components import generate as ui

frame.title(
    "Generate",
    "A teacher writes a rationale for every question. Every reply is kept; nothing is paid for twice.",
)

study = frame.current_study()
with st.container(border=True), frame.errors():
    spec, scope = ui.choose_study()
    teachers = st.container()  # above the prompts, which say whom they ask
    spec, request = ui.choose_prompting(spec, scope)
    with teachers:
        spec = ui.choose_teachers(spec, request["method"], scope)
    ready = ui.show_exemplars(spec, request, scope)
    ui.show_estimate(spec, request, scope)
    ui.start(spec, request, scope, ready)

if study is not None:
    ui.watch(study)
    frame.next_step("read what the teacher wrote.", "rationales")
else:
    frame.next_step("start the demo study, which needs no settings.", "overview")
