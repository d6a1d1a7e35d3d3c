"""Whether correcting pays: what depends on a review and is re-run by a button; what the edits changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core import settings
from core.methods import method_title
from core.results import corrections as told
from core.results import export
from core.results.corrections import Change
from core.results.table import ArmRow
from core.results.teachers import TeacherRow, accuracy_text, difference_text
from core.review.fold import Board
from core.stages import corrections as stage
from core.store import queries
from core.store.models import Run, Study
from pages.components import frame
from pages.components.jobs import job_card, latest
from pages.components.review.marks import changes as word_diff
from pages.components.tables import listed, paged, pick
from pages.components.text import count, plain, visible

CHANGES_SHOWN = 5


# ── run again ───────────────────────────────────────────────────────────────────────────────────


def rerun(run: Run, board: Board) -> None:
    """Beside a review: what depends on it, seen before it is started. Nothing where nothing was changed."""
    changed = stage.reviewed(board)
    job = latest(stage.KIND, run.study_id, run=run.id)
    if not changed and job is None:
        return
    with st.expander(
        f"Re-run what depends on it ({changed} changed)", icon=":material/published_with_changes:"
    ):
        st.caption(
            "An edited or rejected exemplar changes what the teacher is shown; an edited or rejected "
            "rationale changes what students learn. Only what was made from it is run again; earlier results "
            "are kept."
        )
        with frame.errors():
            _preview(run)
        if job is not None:
            job_card(job.id, key="rerun_job")


def _preview(run: Run) -> None:
    place = f"rerun_{settings.database_url()}_{run.id}"
    if st.button("Show what would run", key="rerun_preview", icon=":material/visibility:"):
        with st.spinner("Looking for what was made from it…"):
            st.session_state[place] = stage.plan(run.id)
    made = st.session_state.get(place)
    if made is None:
        return
    if made.empty:
        st.info("Nothing has to run: every result was made from the current texts.", icon=":material/check:")
        return
    st.markdown(f"**{plain(stage.said(made))}**")
    listed([_planned(asked) for asked in (*made.generations, *made.arms)], "rerun_rows")
    st.caption(f"Unchanged: {count(made.unchanged, 'other arm')} of the study. Cached replies cost nothing.")
    if st.button("Re-run it", key="rerun_start", type="primary", icon=":material/play_arrow:"):
        stage.submit(run.id)
        st.session_state.pop(place, None)
        st.rerun()


# ── what they did ───────────────────────────────────────────────────────────────────────────────


def what_they_did(study: Study) -> None:
    """Before and after the edits: the teacher, the students, and every text that changed."""
    pairs = {pair.key: pair for pair in stage.pairs(study.id)}
    if not pairs:
        st.info(
            "Nothing has been re-run after a correction yet: edit or reject an exemplar on the Review page, "
            "then re-run what depends on it there.",
            icon=":material/info:",
        )
        frame.link("review")
        return
    names = {key: _label(pair) for key, pair in pairs.items()}
    chosen = pick("Corrections", names, key="corrections", bind="query-params")
    found = stage.effect(study.id, pairs[chosen])
    st.markdown(f"**{plain(told.summary(found.changes)).capitalize()}**")
    lines = [_teacher(found.teacher)] if found.teacher else []
    lines += [_student(row) for row in found.students if row.difference is not None]
    if lines:
        listed(
            lines,
            "corrections_rows",
            column_config={
                "difference": st.column_config.TextColumn(
                    help="After minus before, in points, with its 95 % interval; paired by question."
                ),
                "p": st.column_config.TextColumn(
                    help="Exact McNemar test, where one run is compared with one."
                ),
            },
        )
    if found.teacher and found.teacher.refused:
        st.caption(plain(found.teacher.refused))
    if not found.students:
        st.caption("No student was trained both before and after these corrections.")
    _changes(found.changes)


def _planned(asked: Mapping[str, Any]) -> dict[str, str]:
    """One line of the plan: a generation in the place of another, or an arm."""
    return {
        "what": "training and evaluation" if "student" in asked else "generation",
        "method": method_title(asked["method"]),
        "student": visible(asked.get("student", "")),
        "seed": str(asked.get("seed", "")),
        "instead of": f"run {asked['replaces']}" if "replaces" in asked else "",
    }


def _label(pair: stage.Pair) -> str:
    run = queries.run(pair.after)
    if pair.before == pair.after:
        return f"Rationales of run {run.id}, {method_title(run.method)}"
    return f"Exemplars: run {pair.before} → run {pair.after}, {method_title(run.method)}"


def _teacher(row: TeacherRow) -> dict[str, object]:
    before = queries.run(row.baseline or row.run.run_id).summary
    return {
        "who": f"teacher: {visible(row.run.teacher)}",
        "seed": "",
        "n": row.pairs or row.n,
        "before": f"{before.get('correct', '—')} of {before.get('n', '—')}",
        "after %": accuracy_text(row),
        "difference": difference_text(row),
        **_compared(row),
    }


def _student(row: ArmRow) -> dict[str, object]:
    return {
        "who": f"{method_title(row.arm.method)}: {visible(row.arm.student)}",
        "seed": export.seed_text(row),
        "n": row.n,
        "before": f"{row.accuracy - (row.difference or 0):.1f} %",
        "after %": f"{row.accuracy:.1f} ({row.low:.1f}–{row.high:.1f})",
        "difference": export.difference_text(row),
        **_compared(row),
    }


def _compared(row: ArmRow | TeacherRow) -> dict[str, str]:
    gained = "" if row.gained is None else f"{row.gained} / {row.lost}"
    return {"gained / lost": gained, "p": export.p_text(row.p)}


def _changes(changes: Sequence[Change]) -> None:
    """Every text that changed, word by word."""
    offset, limit = paged(len(changes), "changed", CHANGES_SHOWN)
    for change in changes[offset : offset + limit]:
        with st.container(border=True):
            named = isinstance(change.name, str)
            name = change.name if named else "question {}, sample {}".format(*change.name)
            st.caption(f"**{change.kind}** · {plain(name, 300)}")
            word_diff(change.before, change.after)
