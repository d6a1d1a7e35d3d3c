"""Results, the teachers' part: what each generation got right, beside one of them as baseline."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core import settings
from core.methods import method_title
from core.results import teachers
from core.results.export import p_text
from core.stages import finished
from core.store import decisions, queries
from core.store.models import Run, Study
from pages.components import frame
from pages.components.corrections import what_they_did
from pages.components.rationales import label
from pages.components.tables import listed, pick
from pages.components.text import plain, visible

NONE = 0  # no baseline
COLUMNS = {
    "exemplars": st.column_config.TextColumn(help="In the prompt, and how many of them reviewers edited."),
    "n": st.column_config.NumberColumn(help="Questions that the teacher answered."),
    "failed": st.column_config.NumberColumn(help="Questions without an answer: neither right nor wrong."),
    "accuracy %": st.column_config.TextColumn(help="With its 95 % interval (Wilson)."),
    "difference": st.column_config.TextColumn(
        help="From the baseline run, in points, with its 95 % interval; over the questions both answered."
    ),
    "gained / lost": st.column_config.TextColumn(help="Right only here / right only in the baseline."),
    "p": st.column_config.TextColumn(
        help="Exact McNemar test; of several rationales per question, a sign-flip test."
    ),
    "p adjusted": st.column_config.TextColumn(help="By Holm's method, over all generations compared."),
    "calls": st.column_config.NumberColumn(help="New calls; cached replies were paid for before."),
}


def part(study: Study) -> None:
    """The teachers' table and what corrections did: there before any student is."""
    runs = queries.runs(study.id, "generate", done=True)
    if not runs:
        return
    st.subheader("The teacher")
    views = {
        "Teachers": lambda: teacher_table(study, runs),
        "What corrections did": lambda: what_they_did(study),
    }
    frame.tabs(views, "teacher_view", bind="query-params")


def teacher_table(study: Study, runs: Sequence[Run]) -> None:
    """Accuracy per generation with n and interval, the paired difference, calls, tokens and cost."""
    names = {NONE: "none"} | {run.id: label(run) for run in runs}
    chosen = pick(
        "Compare with", names, finished.usual_baseline(runs), key="teacher_baseline", bind="query-params",
        help="A generation over the same questions; every other one is compared with it, paired by question.",
    )  # fmt: skip
    rows = _table(settings.database_url(), study.id, _state(runs), chosen)
    listed(_lines(rows), "teachers", column_config=COLUMNS)
    for row in rows:
        if row.refused:
            st.caption(plain(row.refused))
    if any(row.unseen for row in rows):
        st.caption(
            "Without those shown: over the questions that were no exemplar in either prompt; the answers of "
            "those that were stood there to be copied."
        )
    if any(row.failed for row in rows):
        st.caption("A failed item counts as neither right nor wrong: resume its job to ask again.")


def _lines(rows: Sequence[teachers.TeacherRow]) -> list[dict[str, object]]:
    lines = [
        {
            "run": row.run.run_id,
            "method": method_title(row.run.method),
            "teacher": visible(row.run.teacher),
            "exemplars": _exemplars(row.run),
            "questions": row.run.split,
            "n": row.n,
            "failed": row.failed,
            "D": row.samples,
            "accuracy %": teachers.accuracy_text(row),
            "difference": teachers.difference_text(row),
            "without those shown": _unseen(row),
            "gained / lost": "" if row.gained is None else f"{row.gained} / {row.lost}",
            "p": p_text(row.p),
            "p adjusted": p_text(row.p_adjusted),
            "calls": row.run.calls,
            "tokens": row.run.prompt_tokens + row.run.completion_tokens,
            "cost": f"${row.run.cost:,.4f}",
        }
        for row in rows
    ]
    several = {name for name in ("teacher", "D", "questions") if len({line[name] for line in lines}) > 1}
    said = {name for name in lines[0] if any(line[name] not in ("", "none") for line in lines)}
    kept = [n for n in lines[0] if n in said and (n not in ("teacher", "D", "questions") or n in several)]
    return [{name: line[name] for name in kept} for line in lines]


def _unseen(row: teachers.TeacherRow) -> str:
    """Accuracy and difference over the questions whose answers stood in no prompt of the two."""
    if row.unseen is None:
        return ""
    told = f"{teachers.accuracy_text(row.unseen)} of {row.unseen.n}"
    difference = teachers.difference_text(row.unseen)
    return f"{told}; {difference}, p {p_text(row.unseen.p)}" if difference else told


def _exemplars(run: teachers.Generation) -> str:
    if not run.shown:
        return "none"
    return f"{run.shown}, {run.edited} edited" if run.edited else str(run.shown)


def _state(runs: Sequence[Run]) -> tuple[object, ...]:
    """What a table of these generations is made of: another finish or decision makes another table."""
    reviewed = {parent for run in runs for parent in run.parents}
    return (
        *((run.id, str(run.finished)) for run in runs),
        *(len(decisions.last_of_items(run_id)) for run_id in sorted(reviewed)),
    )


# Shared by all sessions and never changed: the key says what it was made of.
@st.cache_resource(max_entries=16, show_spinner=False)
def _table(
    database: str, study_id: int, state: tuple[object, ...], baseline: int
) -> tuple[teachers.TeacherRow, ...]:
    return teachers.table(finished.generations(study_id), baseline)
