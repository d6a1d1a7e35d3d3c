"""The training set on the Train page: its filters, what each of them drops, and its rows.

Right answers of train questions (the method's own choice) → filters in their order → rows → hash.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from core import studies
from core.methods import METHODS
from core.methods.filters import FILTERS, Filter, chosen
from core.records import Dropped, TrainingRow, content_hash
from core.stages import training_sets
from core.stages.training_sets import Built
from core.store import queries
from core.store.models import Study
from core.students.formats import FORMATS
from core.students.part import Learning
from core.students.table import STUDENTS, resolve
from core.teachers.part import Teaching
from pages.components import frame
from pages.components.tables import clickable, download, paged, pick, widths
from pages.components.text import count, excerpt, labelled, plain
from pages.components.training import trained_arms

QUICK = 3000  # completions: a set of so many is built in a second or two, a larger one when asked for
OFF = "off"
KEPT = "kept rows"
COLUMNS = 4
SHORT_HASH = 12


def choose(study: Study, spec: studies.Study) -> studies.Study:
    """The study with the filters of the form; below it, what they leave of one arm's training set."""
    with st.container(border=True):
        st.markdown("**Training set**")
        spec = _filters(spec, f"set{study.id}")
        arms = dict(sorted(trained_arms(spec).items(), key=lambda item: _bare(item[1][0].method)))
        if not arms:
            st.caption("None of these methods trains a student: there is no training set.")
            return spec
        with frame.errors():
            _show(study, spec, arms)
    return spec


def _bare(method: str) -> bool:
    """Whether a method learns without rationales."""
    return not METHODS[method].needs_teacher


def _show(study: Study, spec: studies.Study, arms: dict[str, tuple[studies.StudyArm, studies.Study]]) -> None:
    """One arm's training set: a row a reason, its size and hash, and its rows."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        arm = st.selectbox("Training set of", list(arms), key=f"set{study.id}_arm", width=420)
        one, asked = arms[arm]
        found = _found(study, asked, one.method, one.student)
        if found is not None and found.made.rows:
            download(
                "JSONL",
                lambda: "".join(training_sets.lines(found.made)),
                f"{study.name} {found.hash[:SHORT_HASH]}.jsonl",
                "application/jsonl",
                help="The rows as the student learns them: input, label, question and sample.",
            )
    if found is not None:
        if _bare(one.method) and spec.learning.filters:
            st.caption("This method learns no rationales, so the filters do not change its set.")
        _steps(found)
        with st.expander("Rows, kept and dropped", icon=":material/table_rows:"):
            _rows(found, study)


# ── the form ────────────────────────────────────────────────────────────────────────────────────


def _filters(spec: studies.Study, scope: str) -> studies.Study:
    st.caption(
        "Students learn from rationales with the right answer. Filters drop some of these, one after the "
        "other; all are off at first."
    )
    # A row of columns at a time: a narrow window keeps the filters' order.
    places = [place for _ in range(0, len(FILTERS), COLUMNS) for place in st.columns(COLUMNS)]
    values = {
        key: _field(place, row, f"{scope}_{key}", spec.learning.filters.get(key))
        for place, (key, row) in zip(places, FILTERS.items(), strict=False)
    }
    return spec.but(learning=spec.learning.but(filters=chosen(values)))


def _field(place: Any, row: Filter, key: str, known: Any) -> Any:
    """The widget of a filter: a list of its choices, a number, or on and off. What is set stays set."""
    shared = {"key": key, "help": plain(row.about), "persist_state": "session"}
    if row.choices:
        options = [OFF, *row.choices]
        picked = place.selectbox(row.title, options, options.index(known) if known else 0, **shared)
        return None if picked == OFF else picked
    if row.least is None:
        options = [OFF, "on"]
        return place.selectbox(row.title, options, int(bool(known)), **shared) == "on"
    st.session_state.setdefault(key, known)  # a number that began empty can be emptied
    return place.number_input(row.title, row.least, None, None, 1, placeholder=OFF, **shared)


# ── what they leave ─────────────────────────────────────────────────────────────────────────────


def _found(study: Study, spec: studies.Study, method: str, student: str) -> Built | None:
    """The set as training would use it; None where there is none yet, or it was not asked for."""
    if not _bare(method) and not (n := training_sets.size(study.id, method, spec.teaching)):
        st.caption("The set is shown once there are rationales.", width="content")
        return None
    asked = (study.id, method, spec.teaching, spec.learning)
    signature = content_hash([*training_sets.signature(*asked), student])
    key = f"set_{signature}"
    slow = (not _bare(method) and n > QUICK) or student not in STUDENTS  # a hub id is looked up
    if slow and key not in st.session_state:
        if not st.button("Build", icon=":material/filter_alt:", key="build_set"):
            st.caption("This may take a minute.", width="content")
            return None
    found = _built(signature, asked, student)
    st.session_state[key] = True
    return found


@st.cache_resource(max_entries=4, show_spinner="Applying the filters…")
def _built(signature: str, _asked: tuple[int, str, Teaching, Learning], _student: str) -> Built:
    """`signature` stands for all that the set depends on."""
    return training_sets.built(*_asked, FORMATS[resolve(_student).format])


def _steps(found: Built) -> None:
    """What each reason dropped, in order; a click shows what it was."""
    if found.steps:
        clickable(
            [
                {"reason": one.reason, "before": one.before, "dropped": one.dropped, "after": one.after}
                for one in found.steps
            ],
            "set_shown",
        )
    if not found.made.rows:
        st.warning("The filters leave no training row: loosen one of them.", icon=":material/filter_alt_off:")
        return
    questions = len({row.question_index for row in found.made.rows})
    st.caption(
        f"**{count(len(found.made.rows), 'training row')}** of {count(questions, 'question')}; "
        f"hash `{found.hash[:SHORT_HASH]}`."
    )


# ── its rows ────────────────────────────────────────────────────────────────────────────────────


def _rows(found: Built, study: Study) -> None:
    """A page of the rows that are kept or of those that one reason dropped; one of them in full."""
    groups: dict[str, list[TrainingRow | Dropped]] = {KEPT: list(found.made.rows)}
    for one in found.made.removed:
        groups.setdefault(one.reason, []).append(one)
    if st.session_state.get("set_shown") not in groups:
        st.session_state["set_shown"] = KEPT
    names = {name: f"{name} ({len(rows):,})" for name, rows in groups.items()}
    shown = pick("Show", names, key="set_shown", width=420)
    group = groups[shown]
    if not group:
        st.caption("No row is kept.")
        return
    offset, limit = paged(len(group), "set_page")
    page = group[offset : offset + limit]
    ids = [(one.question_index, one.sample_index) for one in page]
    left, right = st.columns(2, gap="medium")
    with left:
        clickable(
            [_line(found, one) for one in page],
            "set_row",
            ids,
            column_config=widths(question=70, sample=60),
        )
    with right:
        picked = st.session_state.get("set_row")
        _card(found, study, page[ids.index(picked)] if picked in ids else page[0])


def _line(found: Built, one: TrainingRow | Dropped) -> dict[str, Any]:
    place = {"question": one.question_index, "sample": one.sample_index}
    if isinstance(one, TrainingRow):
        return place | {"label": excerpt(one.label)}
    return place | ({"why": one.why} if one.why else {}) | {"rationale": excerpt(_rationale(found, one))}


def _card(found: Built, study: Study, one: TrainingRow | Dropped) -> None:
    """One row in full: what the student reads and learns, or what was dropped and why."""
    question = queries.question(study.dataset_id, one.question_index)
    with st.container(border=True):
        if isinstance(one, TrainingRow):
            labelled("The student reads", one.input)
            labelled("The student learns to write", one.label)
        else:
            labelled("Left out", f"{one.reason}. {one.why}".strip())
            labelled("Question", question.text)
            labelled("Rationale", _rationale(found, one))
        labelled("Gold answer", question.answer)


def _rationale(found: Built, one: Dropped) -> str:
    return queries.completion_of(found.generation, one.question_index, one.sample_index).rationale
