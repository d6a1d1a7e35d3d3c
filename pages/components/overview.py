"""The first page's parts: the state of the lab in figures, the demo study, what to do next."""

from __future__ import annotations

import streamlit as st

from core import studies
from core.store import queries
from pages.components import frame
from pages.components.tables import metrics
from pages.components.text import count


def state() -> None:
    """How much the lab holds; live while a job is active."""
    frame.while_active(frame.any_active(), _figures)


def _figures() -> bool:
    metrics({name.capitalize(): f"{n:,}" for name, n in queries.counts().items()})
    return frame.any_active()


def demo_card() -> None:
    """The study that needs no key and no model hub, and the button that starts it."""
    with st.container(border=True):
        st.markdown("#### The demo study")
        about = st.empty()
        with st.container(horizontal=True):
            button = st.empty()
            with st.popover("Size", icon=":material/tune:"):
                train = st.number_input("Training questions", 8, 2000, 200, key="demo_train")
                test = st.number_input("Test questions", 4, 1000, 100, key="demo_test")
        spec = studies.demo(train, test)
        about.markdown(
            f"{count(train + test, 'coin-flip question')}, rationales from a teacher that needs no key, "
            f"{len(spec.methods)} methods, one real student ({', '.join(spec.students)}), "
            "fine-tuned and evaluated on this machine in a few minutes."
        )
        started = queries.study_by_name(spec.name)
        running = any(job.title == spec.name for job in frame.active_jobs())
        label = "Run the demo study again" if started else "Start the demo study"
        label = "The demo study is running" if running else label
        kind = "secondary" if started else "primary"
        with frame.errors(), button:
            if st.button(label, type=kind, icon=":material/play_arrow:", disabled=running, key="demo"):
                studies.submit("study", spec.name, spec)
                frame.choose_study(spec.name)


def next_step() -> None:
    """Where a newcomer goes from here."""
    study = frame.current_study()
    if study is None:
        frame.next_step("start the demo study, or look at the benchmarks first.", "datasets")
    elif not queries.runs(study.id):
        frame.next_step("have a teacher write rationales for this study.", "generate")
    elif not queries.runs(study.id, "evaluate"):
        frame.next_step("read what the teacher wrote.", "rationales")
    else:
        frame.next_step("read the table, and open what is behind it.", "results")
