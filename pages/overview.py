"""Overview: what the lab is, the demo study, the state of the lab, the next step."""

import streamlit as st

from pages.components import frame, overview
from pages.components.jobs import job_card, latest
from pages.components.results import latest_table

frame.title("CoT Distillation Lab")
st.markdown(
    "A large teacher model writes rationales for a benchmark; a small student is fine-tuned on them.  \n"
    "The lab runs both, keeps every step, and shows which method made the student better."
)
overview.state()
overview.demo_card()
if job := latest():
    st.subheader("Running" if job.status in ("queued", "running") else "Last job")
    job_card(job.id)
if study := frame.current_study():
    st.subheader("Latest results")
    latest_table(study)
overview.next_step()
