"""The user's own exemplars for few-shot-CoT: written, taken over from a review, and seen as a prompt.

Each field is kept in the study the moment it is left, half-filled rows too: a reload loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core import studies
from core.errors import LabError
from core.exemplars.own import FIELDS, joined, problems, whole
from core.methods import METHODS, Given, dry_run, first_ask
from core.records import Question
from core.stages.exemplars import as_reviewed
from core.store import queries
from core.store.models import Study
from core.students.formats import FORMATS
from core.students.table import STUDENTS
from pages.components import frame, prompt
from pages.components.tables import pick
from pages.components.text import count, plain

HINTS = {
    "question": "Roger has 5 tennis balls. He buys 2 more cans of 3. How many does he have now?",
    "rationale": "Roger started with 5 balls. 2 cans of 3 balls are 6 balls. 5 + 6 = 11.",
    "answer": "11",
}


def own(methods: list[str]) -> list[str]:
    """Those of the methods whose exemplars are the user's."""
    return [key for key in methods if METHODS[key].exemplars == "own"]


def form(study: Study, rows: tuple[dict[str, str], ...]) -> bool:
    """Cards to write exemplars in. Returns whether they can be used as they are."""
    version = st.session_state.setdefault(_version(study), 0)
    st.markdown(f"**Exemplars of your own**: {count(len(rows), 'exemplar')}")
    st.caption(
        "Shown before every question, in this order; after each rationale the prompt says “The answer is …”. "
        "Saved with the study as you type."
    )
    for number, row in enumerate(rows):
        _card(study.id, f"exemplar{study.id}_{version}_{number}", number, row)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if st.button("Add an exemplar", icon=":material/add:", key=f"exemplar_add_{study.id}"):
            _store(study, (*rows, dict.fromkeys(FIELDS, "")))
        _take_over(study, rows)
    found = problems(rows)
    for sentence in found:
        st.warning(plain(sentence), icon=":material/edit_note:")
    texts = [row["question"].strip() for row in rows]
    for index in queries.test_questions_asking(study.dataset_id, [text for text in texts if text]):
        st.warning(
            f"Question {index} is an exemplar and a test question of this study: choose another "
            "exemplar, or the student is shown what it is tested on.",
            icon=":material/warning:",
        )
    if not rows:
        st.caption("Few-shot-CoT needs at least one; eight are usual (Wei et al. 2022).")
    return bool(rows) and not found


def _card(study_id: int, key: str, number: int, row: dict[str, str]) -> None:
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Exemplar {number + 1}", width="stretch")
            if st.button("Delete", icon=":material/delete:", key=f"{key}_delete", type="tertiary"):
                _delete(study_id, number)
        given = {"on_change": _keep, "args": (study_id, key, number)}
        left, right = st.columns([2, 3])
        fields = {"question": left.text_area, "rationale": right.text_area, "answer": right.text_input}
        for name, field in fields.items():
            field(name.capitalize(), row[name], key=f"{key}_{name}", placeholder=HINTS[name], **given)


def _take_over(study: Study, rows: tuple[dict[str, str], ...]) -> None:
    """The exemplars that stand in a review, added to the user's own."""
    runs = reversed(queries.runs(study.id, "exemplars", done=True))
    names = {run.id: f"run {run.id}: {count(run.summary.get('k', 0), 'cluster')}" for run in runs}
    if not names:
        return
    chosen = pick("Reviewed exemplars from", names, key=f"exemplar_run_{study.id}", width=240)
    if st.button("Copy them here", icon=":material/move_down:", key=f"exemplar_take_{study.id}"):
        with frame.errors():
            _store(study, joined(rows, as_reviewed(chosen)))


def _version(study: Study) -> str:
    """Part of the fields' keys: other rows begin with other fields."""
    return f"exemplars{study.id}_version"


def _store(study: Study, rows: tuple[dict[str, str], ...]) -> None:
    """Keep these rows, and show the page again with them."""
    studies.keep_exemplars(study.id, rows)
    st.session_state[_version(study)] += 1
    st.rerun()


def _delete(study_id: int, number: int) -> None:
    study = queries.study(study_id)
    rows = studies.Study.read(study.config).teaching.exemplars
    _store(study, (*rows[:number], *rows[number + 1 :]))


def _keep(study_id: int, key: str, number: int) -> None:
    """What stands in the fields of one card, into the study."""
    with frame.errors():
        rows = list(studies.Study.read(queries.study(study_id).config).teaching.exemplars)
        if number < len(rows):
            rows[number] = {name: st.session_state[f"{key}_{name}"] for name in FIELDS}
            studies.keep_exemplars(study_id, rows)


# ── as a prompt ─────────────────────────────────────────────────────────────────────────────────


def teacher_prompt(study: Study, spec: studies.Study, method: str) -> None:
    """The few-shot prompt as the teacher gets it, beside its context window."""
    row, teaching = METHODS[method], spec.teaching

    def asked(question: Question) -> str:
        given = Given(exemplars=whole(teaching.exemplars), options=row.options)
        return dry_run(row.teach(question, given), row.sampling)[0][0][0].prompt

    _prompt(study, asked, *prompt.teachers_window(teaching, row))


def student_prompt(study: Study, spec: studies.Study, method: str) -> None:
    """The few-shot prompt as the first student reads it, beside what it reads at most."""
    student = STUDENTS.get(spec.students[0]) if spec.students else None
    row, form = METHODS[method], FORMATS[student.format if student else "causal"]

    def asked(question: Question) -> str:
        given = Given(exemplars=whole(spec.teaching.exemplars), form=form, options=row.options)
        return first_ask(row, question, given)[0]

    model = student.source if student else "".join(spec.students[:1])
    _prompt(study, asked, model, row.max_input_tokens, 0)


def _prompt(
    study: Study, asked: Callable[[Question], str], model: str, window: int | None, kept: int
) -> None:
    try:
        text = asked(prompt.first_question(study))
    except LabError:
        return  # what is lacking is said beside the cards
    title = "The prompt, with the study's first test question"
    with st.expander(title, icon=":material/visibility:", expanded=True):
        prompt.show(text, model, window, kept)
