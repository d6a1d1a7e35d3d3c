"""What stands behind a row of the results, down to one prediction and one training row.

table row → run → predictions → one prediction with its question
                → training rows → one row with the completion it was made from
two runs  → the questions on which they disagree
run       → the same texts under other rules
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.answers import RULES
from core.methods import method_title
from core.results.table import Cell, flips
from core.stages import scoring
from core.store import queries
from core.store.models import Run, Study, TrainingRow
from pages.components.completion import card, right_or_wrong, texts
from pages.components.frame import errors, link
from pages.components.rationales import label as generation_label
from pages.components.tables import (
    choice,
    clickable,
    forget,
    metrics,
    paged,
    pick,
    row_number,
    search,
    titles,
    widths,
)  # fmt: skip
from pages.components.text import excerpt, labelled, plain, visible
from pages.components.training import run_label

VERDICTS = {"all": None, "correct": True, "wrong": False}


def choose_run(
    study: Study, title: str = "Run", key: str = "run", last: bool = False, place: Any = st
) -> Run:
    """One of the study's evaluations; the one in the URL or clicked in the table."""
    runs = {run_label(run): run for run in queries.runs(study.id, "evaluate", done=True)}
    if key == "run" and (clicked := st.session_state.pop("run_clicked", None)) in runs:
        st.session_state[key] = clicked
    labels = list(runs)
    chosen = place.selectbox(title, labels, len(labels) - 1 if last else 0, key=key, bind="query-params")
    return runs[chosen]


def show_predictions(study: Study, run: Run) -> None:
    """A run's predictions, right or wrong, and one of them with its question."""
    left, right = st.columns([1, 1], gap="medium")
    with left:
        correct = VERDICTS[choice("Predictions", list(VERDICTS), "shown", **forget("test_question"))]
        offset, limit = paged(queries.count_completions(run.id, correct=correct), "on")
        rows = queries.completions(run.id, correct=correct, offset=offset, limit=limit)
        questions = queries.questions_by_index(study.dataset_id, [row.question_index for row in rows])
        clickable(
            [
                {
                    "question": row.question_index,
                    "verdict": "correct" if row.correct else "wrong",
                    "found": visible(row.value or "—"),
                    "gold": visible(questions[row.question_index].answer),
                    "text": excerpt(row.rationale),
                }
                for row in rows
            ],
            "test_question",
            column_config=widths(question=70, verdict=70, found=70, gold=70),
        )
    with right, errors():
        if not rows:
            st.info("No prediction matches: choose another filter.", icon=":material/search_off:")
            return
        chosen = row_number("Question", "test_question")
        index = rows[0].question_index if chosen is None else chosen
        card(queries.completion_of(run.id, index), queries.question(study.dataset_id, index))


def show_training_rows(study: Study, run: Run) -> None:
    """The rows on which a run's student was trained; one of them with the rationale behind it."""
    digest = run.training_set
    if digest is None:
        st.info("This student was not trained: it answered as it is.", icon=":material/info:")
        return
    left, right = st.columns([1, 1], gap="medium")
    with left:
        text = search("row_text", "words of an input or a label")
        offset, limit = paged(queries.count_training_rows(digest, text), "rows")
        rows = queries.training_rows(digest, offset, limit, text)
        clickable(
            [{"row": r.position, "input": excerpt(r.input), "label": excerpt(r.label)} for r in rows],
            "row",
            column_config=widths(row=50),
        )
        st.caption(f"Training set {digest[:12]}: immutable, named by the hash of its rows.")
    with right:
        if not rows:
            st.info("No row matches: change the search.", icon=":material/search_off:")
            return
        chosen = row_number("Row", "row", "its number")
        found = rows[:1] if chosen is None else queries.training_rows(digest, chosen, 1)
        for row in found:
            training_card(study, row, run)
        if not found:
            st.info("There is no such row: type a smaller number.", icon=":material/search_off:")


def training_card(study: Study, row: TrainingRow, run: Run) -> None:
    """A training row in full, and the completion it was made from."""
    with st.container(border=True):
        with st.container(horizontal=True):
            st.badge(f"row {row.position}", color="gray")
            st.badge(f"question {row.question_index}", color="gray")
        labelled("The student reads", row.input)
        labelled("The student learns to write", row.label)
        if (generation := _generation(run)) is not None:
            written = queries.completion_of(generation.id, row.question_index, row.sample_index)
            place = {"generation": generation_label(generation), "completion": str(written.id)}
            link("rationales", "The rationale behind it", study=study.name, **place)


def _generation(run: Run) -> Run | None:
    """The generation that an evaluation's student learnt from; None without a teacher."""
    for parent in map(queries.run, run.parents):
        if parent.kind == "generate":
            return parent
        if (found := _generation(parent)) is not None:
            return found
    return None


def show_flips(study: Study, cells: Sequence[Cell]) -> None:
    """The test questions on which two runs disagree, side by side."""
    if len(cells) < 2:
        st.info("Two evaluations are needed: train or evaluate another arm.", icon=":material/info:")
        return
    left, right = st.columns(2)
    first = choose_run(study, "From", "from", place=left)
    second = choose_run(study, "To", "to", last=True, place=right)
    by_run = {cell.run_id: cell for cell in cells}
    changed = flips(by_run[first.id], by_run[second.id])
    both = {"gained": changed.gained, "lost": changed.lost}
    kinds = {f"{name} ({len(indices)})": indices for name, indices in both.items()}
    indices = kinds[choice("Questions", list(kinds), "flip_kind")]
    if not indices:
        st.caption("No question of this kind.")
        return
    offset, limit = paged(len(indices), "flip_page", 5)
    some = indices[offset : offset + limit]
    pair = [queries.completions_of(run.id, some) for run in (first, second)]
    questions = queries.questions_by_index(study.dataset_id, some)
    for index in some:
        with st.container(border=True):
            labelled(
                f"Question {index}, gold answer {visible(questions[index].answer)}", questions[index].text
            )
            for column, run, rows in zip(st.columns(2), (first, second), pair, strict=True):
                with column:
                    row = rows[index]
                    right_or_wrong(bool(row.correct))
                    st.caption(plain(method_title(run.method)))
                    texts(row)


def show_rescored(study: Study, run: Run) -> None:
    """The run's stored texts under another rule set: how many are right, and which ones flip."""
    others = {key: title for key, title in titles(RULES).items() if key != study.rules}
    rules = pick("Rules", others, key="rules", bind="query-params")
    result = scoring.rescore(run.id, rules)
    figures = {
        f"Right, {RULES[study.rules].title} rules": f"{result.before} of {result.n}",
        f"Right, {RULES[rules].title} rules": f"{result.after} of {result.n}",
        "Flipped": str(len(result.flips)),
    }
    metrics(figures, 3)
    st.caption(
        "No call is made, and the stored verdicts do not change. "
        f"Source of the rules: {plain(RULES[rules].source)}."
    )
    offset, limit = paged(len(result.flips), "rescored_page", 5)
    for flip in result.flips[offset : offset + limit]:
        with st.container(border=True):
            st.caption(f"Question {flip.completion.question_index}, gold answer {plain(flip.gold)}")
            for column, key, score in zip(
                st.columns(2), (study.rules, rules), (flip.before, flip.after), strict=True
            ):
                with column:
                    right_or_wrong(score.correct)
                    text = flip.completion.steps[score.step].text
                    labelled(f"{RULES[key].title} rules", text, (score.start, score.end), score.correct)
