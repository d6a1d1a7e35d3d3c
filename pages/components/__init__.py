"""What the pages are made of: functions that draw a part and return the user's choice.

No page computes: a component reads rows (core.store.queries, core.jobs) or writes a request.
"""

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

# Until st.navigation was called once, Streamlit takes the files of pages/ for apps of their own. The
# first visit after a start may be a link to one of them: it begins again, inside the frame.
if PagesManager.uses_pages_directory:
    PagesManager.uses_pages_directory = False
    st.rerun()
