"""Jobs on a page: one job with progress, log and buttons; the table of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from core import jobs
from core.store.models import Job, now
from pages.components.frame import errors, fraction, while_active
from pages.components.tables import clickable
from pages.components.text import plain, seconds, visible

STATUS = {  # status: (colour, icon, what it means)
    "queued": ("gray", "schedule", "waits for its turn"),
    "running": ("blue", "play_arrow", "is starting"),
    "done": ("green", "check", "finished"),
    "failed": ("red", "error", "stopped by an error"),
    "cancelled": ("orange", "block", "cancelled"),
    "interrupted": ("orange", "pause", "left unfinished by an older lab"),
}
LOG_LINES = 200
LOG_HEIGHT, TALL = 360, 14  # pixels; lines from which the log scrolls
TAIL_LINES = 6


def local(moment: datetime | None) -> str:
    """A stored moment (UTC) on this machine's clock."""
    return moment.replace(tzinfo=UTC).astimezone().strftime("%d %b, %H:%M:%S") if moment else "—"


def duration(job: Job) -> str:
    """How long the job's last attempt has taken."""
    return seconds(((job.finished or now()) - job.started).total_seconds() if job.started else None)


def status_badge(job: Job) -> None:
    """The job's status as a word with a colour."""
    colour, icon, meaning = STATUS[job.status]
    st.badge(job.status, color=colour, icon=f":material/{icon}:", help=meaning)


def job_card(job_id: str, lines: int = TAIL_LINES, key: str = "job") -> None:
    """One job: what it does, how far it is, its last words, cancel and resume; live while it runs."""
    while_active(jobs.job(job_id).status in jobs.ACTIVE, lambda: _card(job_id, lines, key))


def _card(job_id: str, lines: int, key: str) -> bool:
    job = jobs.job(job_id)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(job.title)}**", width="content")
            status_badge(job)
            st.caption(f"{job.id} · {duration(job)}", width="content")
        if job.status in jobs.ACTIVE:
            stage = job.stage or STATUS[job.status][2]
            counted = f" · {job.done:,} of {job.total:,}" if job.total else ""
            st.progress(fraction(job.done, job.total), text=plain(stage + counted))
        if job.error:
            st.error(plain(job.error), icon=":material/error:")
        if logged := [f"{local(line.created)[-8:]}  {line.text}" for line in jobs.log(job_id, limit=lines)]:
            text = visible("\n".join(logged))
            height = LOG_HEIGHT if text.count("\n") > TALL else None
            st.code(text, language=None, wrap_lines=True, height=height)
        _buttons(job, key)
    return job.status in jobs.ACTIVE


def _buttons(job: Job, key: str) -> None:
    with st.container(horizontal=True), errors():
        if job.status in jobs.ACTIVE:
            if st.button("Stop", icon=":material/stop:", key=f"{key}_stop"):
                jobs.cancel(job.id)
                st.rerun()
            st.caption("Finished work is kept. Closing this tab does not stop the job.", width="content")
        elif job.status != "done":
            if st.button("Resume", icon=":material/play_arrow:", key=f"{key}_resume", type="primary"):
                jobs.resume(job.id)
                st.rerun()
            st.caption("Only missing and failed items are run.", width="content")


def latest(kind: str | None = None, study_id: int | None = None, **asked: Any) -> Job | None:
    """The newest job, of a kind, in a study, asked for with these values; an active one first."""
    ours = [job for job in jobs.jobs(study_id) if kind in (None, job.kind)]
    found = [job for job in ours if asked.items() <= job.request.items()]
    return next((job for job in found if job.status in jobs.ACTIVE), found[0] if found else None)


def job_table(rows: Sequence[Job]) -> None:
    """All jobs, newest first; a click on a row chooses it."""
    clickable(
        [
            {
                "status": job.status,
                "job": visible(job.title),
                "progress": fraction(job.done, job.total) if job.status != "done" else 1.0,
                "started": local(job.started),
                "took": duration(job),
                "id": job.id,
            }
            for job in rows
        ],
        "job",
        [job.id for job in rows],
        height="auto",
        column_config={"progress": st.column_config.ProgressColumn(format="percent", width="small")},
    )
