"""The filter by quality check, and what a page says while the checks have not seen a generation."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core import jobs
from core.quality.checks import CHECKS
from core.stages import checking
from core.store.models import Run
from pages.components import frame
from pages.components.jobs import job_card, latest

ANY = "any or none"
TITLES = {row.title: row.key for row in CHECKS.values()}


def choose_check(**more: Any) -> str | None:
    """The key of the check in the URL; None where none is asked for."""
    chosen = st.selectbox(
        "Flagged by a check", [ANY, *TITLES], key="check", bind="query-params", width=270,
        help="What the checks say of the rationales as the teacher wrote them.", **more,
    )  # fmt: skip
    return TITLES.get(chosen)


def ready(generation: Run) -> bool:
    """Whether the checks have seen a generation; where not, how far they are and what starts them."""
    if checking.seen(generation):
        return True
    job = latest("check", generation.study_id, run_id=generation.id)
    if job is not None and job.status != "done":
        if job.status in jobs.ACTIVE:
            _say("The checks are running: this filter works when they have finished.")
        job_card(job.id, lines=0, key="check_job")
    elif generation.status != "done":
        _say("The rationales are checked when the teacher has finished: until then this filter is off.")
    else:
        _say("The current checks have not seen these rationales: until then this filter is off.")
        if st.button("Check every rationale", key="check_start", icon=":material/play_arrow:"):
            with frame.errors():
                request = {"study_id": generation.study_id, "run_id": generation.id}
                title = f"Checks of the rationales by {generation.teacher}"
                # They need no device, so they wait for none.
                jobs.submit("check", title, request, generation.study_id, queue="endpoint")
                st.rerun()
    return False


def _say(sentence: str) -> None:
    st.info(sentence, icon=":material/rule:")
