"""What stands around every page: errors as one sentence, the study picker, the worker, next steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from core import jobs, settings
from core.errors import LabError
from core.store import queries
from core.store.models import Job, Run, Study
from pages.components.text import passage, plain

PAGES = {
    "overview": ("Overview", "home"),
    "datasets": ("Datasets", "database"),
    "generate": ("Generate", "bolt"),
    "rationales": ("Rationales", "article"),
    "clusters": ("Clusters", "bubble_chart"),
    "review": ("Review", "rate_review"),
    "train": ("Train", "model_training"),
    "results": ("Results", "leaderboard"),
    "jobs": ("Jobs", "list_alt"),
}
HOME = "home"  # the first page is at "/"; this is its name where it needs one
# How st.cache_… tells runs apart: one that went on has another finish.
BY_RUN = {Run: lambda run: (settings.database_url(), run.id, str(run.finished))}
PERIOD_SECONDS = 1.5  # how often a live part looks at the store


@contextmanager
def errors() -> Iterator[None]:
    """Show a LabError as its sentence; the rest of the page stays."""
    try:
        yield
    except LabError as error:
        st.error(plain(error), icon=":material/error:")


def pages() -> list[st.Page]:
    """One entry of the navigation per file in pages/, in the order of the work."""
    return [
        st.Page(
            f"pages/{name}.py",
            title=title,
            icon=f":material/{icon}:",
            default=name == "overview",
            url_path=HOME if name == "overview" else name,
        )
        for name, (title, icon) in PAGES.items()
    ]


def title(text: str, about: str = "") -> None:
    """The heading of a page, and one line on what it is for.

    Until the frame has called st.navigation, Streamlit takes the files of pages/ for apps of their own:
    the first visit after a start may open one of them alone. It begins again, inside the frame.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()
    st.title(text)
    if about:
        st.caption(about)


def link(name: str, label: str = "", **query: str) -> None:
    """A link to another page of the lab, by its own title unless another label is given."""
    title, icon = PAGES[name]
    st.page_link(
        f"pages/{name}.py", label=label or title, icon=f":material/{icon}:", query_params=query or None
    )


def empty(sentence: str, page: str) -> NoReturn:
    """What a page without data says: what to do, and where. The page ends there."""
    with st.container(border=True):
        st.markdown(sentence)
        link(page)
    st.stop()


def next_step(sentence: str, page: str) -> None:
    """The foot of a page: what a newcomer does next."""
    st.divider()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Next step: {sentence}", width="content")
        link(page)


def tabs(parts: Mapping[str, Callable[[], None]], key: str, **more: Any) -> None:
    """Tabs by their names; only the one that is open is drawn."""
    names = st.tabs(list(parts), key=key, on_change="rerun", **more)
    for tab, draw in zip(names, parts.values(), strict=True):
        if tab.open:
            with tab, errors():
                draw()


def study_picker() -> None:
    """The study every page is about; it lives in the frame and in the URL, so that it stays."""
    names = [study.name for study in queries.studies()]
    if (chosen := st.session_state.pop("study_next", None)) in names:
        st.session_state["study"] = chosen
    if names:
        st.selectbox("Study", names, key="study", bind="query-params", help="Newest first.")
    else:
        st.caption("No study yet.")


def current_study() -> Study | None:
    """The study chosen in the sidebar; None in an empty lab."""
    name = st.session_state.get("study")
    return queries.study_by_name(name) if name else None


def needed_study(
    lacking: str = "There is no study yet. Start the demo study, or make one of your own.",
) -> Study:
    """The current study; in an empty lab the page ends with what is lacking."""
    return current_study() or empty(lacking, "overview")


def choose_study(name: str) -> None:
    """Make this the current study, and draw the page again."""
    st.session_state["study_next"] = name
    st.rerun()


def worker_state() -> None:
    """Whether a worker is alive, and how far the running job is; redrawn while a job is active."""
    while_active(any_active(), _worker)


def _worker() -> bool:
    alive = jobs.workers()
    active = active_jobs()
    if alive:
        st.badge("Worker alive", icon=":material/check:", color="green")
        st.caption(plain(", ".join(worker.device for worker in alive)))
    elif active:
        st.badge("Worker starting", icon=":material/hourglass_top:", color="orange")
    else:
        st.badge("No worker", icon=":material/bedtime:", color="gray")
        st.caption("It starts with the next job.")
    for job in active[:1]:
        st.progress(fraction(job.done, job.total), text=plain(f"{job.title}: {job.stage or job.status}", 60))
    if len(active) > 1:
        st.caption(f"{len(active) - 1} more waiting")
    return bool(active)


def fraction(done: int, total: int) -> float:
    """done of total, between 0 and 1."""
    return min(1.0, done / total) if total else 0.0


def active_jobs() -> list[Job]:
    """Jobs that wait or run, the running one first."""
    active = [job for job in jobs.jobs() if job.status in jobs.ACTIVE]
    return sorted(active, key=lambda job: (job.status != "running", job.created))


def any_active() -> bool:
    """Whether a job waits or runs."""
    return bool(active_jobs())


def storage() -> None:
    """Where the lab keeps what it made."""
    from sqlalchemy import make_url

    database = make_url(settings.database_url()).render_as_string(hide_password=True)
    with st.expander("Where data is stored", icon=":material/folder:"):
        for label, place in (
            ("Studies, students, caches", settings.home()),
            ("Benchmark files", settings.data_dir()),
            ("Database", database),
        ):
            st.caption(label)
            passage(str(place))


def while_active(active: bool, draw: Callable[[], bool]) -> None:
    """Draw a part of the page, repeatedly while something is active, and the page when it ended.

    `draw` returns whether something still is.
    """

    def part() -> None:
        with errors():
            if draw() != active and active:
                st.rerun()

    st.fragment(part, run_every=PERIOD_SECONDS if active else None)()
