"""The frame: page configuration, navigation, study picker and worker state.

`make run` sets everything up and serves it; `streamlit run app.py` serves it too.
"""

import streamlit as st

from core import jobs
from pages.components import frame

# An emoji is drawn by the browser itself; it would ask Google's fonts for a :material/…: icon of the page.
st.set_page_config(page_title="CoT Distillation Lab", page_icon="🧪", layout="wide")
page = st.navigation(frame.pages())

with frame.errors():
    jobs.wake()  # unfinished jobs go on after a crash
    with st.sidebar:
        frame.study_picker()
        frame.worker_state()
        frame.storage()
with frame.errors():
    page.run()
