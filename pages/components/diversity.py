"""How much the rationales of a question differ, on the Rationales page: of the run, and question by question.

The measures were taken when the generation closed (core.stages.diversity); nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core import studies
from core.stages import plans
from core.store import queries
from core.store.models import Completion, Diversity, Run, Study
from pages.components.jobs import job_card, latest
from pages.components.tables import choice, clickable, metrics, paged, row_number
from pages.components.text import count, excerpt, labelled, passage

ONE_BY_ONE, BY_QUESTION = "one by one", "by question"
SIDE_BY_SIDE = 4
TOP = 8  # questions on a page of the table, so that the rationales below it are in sight
COLUMNS = {
    "rationales": st.column_config.NumberColumn(help="How many the teacher wrote for it (D)."),
    "texts": st.column_config.NumberColumn(help="Distinct texts; spaces and case do not count."),
    "paths": st.column_config.NumberColumn(help="Distinct lists of equations (Yuan et al. 2023)."),
    "similarity": st.column_config.NumberColumn(
        format="%.2f",
        help="Mean over all pairs, words weighted by TF-IDF: 0 if no word is shared, 1 if all is the same.",
    ),
    "effective": st.column_config.NumberColumn(
        format="%.2f",
        help="Effective number of rationales (Vendi score, Friedman and Dieng 2023): "
        "1 if all are the same, their full number if no two are alike.",
    ),
}


def by_question(run: Run) -> bool:
    """Whether the URL asks for the questions of a run that has several rationales each."""
    if plans.plan_of(run).teaching.samples < 2:
        return False
    return choice("Show", [ONE_BY_ONE, BY_QUESTION], "view") == BY_QUESTION


def show(study: Study, run: Run) -> None:
    """The run's figures, its questions from the least diverse on, and one question's rationales."""
    measured = run.summary.get("diversity")
    if not measured:
        _measure(study, run)
        return
    if not measured["questions"]:
        st.caption("No question of this generation has several rationales.")
        return
    _figures(measured)
    offset, limit = paged(queries.count_diversity(run.id), "questions_at", TOP)
    page = queries.diversity_page(run.id, offset, limit)
    chosen = _table(study, page)
    st.subheader(f"Question {chosen}")
    if one := queries.diversity_of(run.id, chosen):
        st.caption(words(one))
    labelled("Question", queries.question(study.dataset_id, chosen).text)
    _side_by_side(queries.samples_of(run.id, chosen))


def words(one: Diversity) -> str:
    """A question's measures in a sentence."""
    alike = "" if one.similarity is None else f", mean similarity {one.similarity:.2f}"
    return (
        f"{count(one.n, 'rationale')}: {count(one.texts, 'distinct text')}, "
        f"{count(one.paths, 'distinct path')}{alike}, effectively {one.effective:.2f} of {one.n}."
    )


def caption(run_id: int, question_index: int) -> None:
    """The measures of a question that has several rationales, on a card."""
    if one := queries.diversity_of(run_id, question_index):
        st.caption(f"For this question: {words(one)}")


def _measure(study: Study, run: Run) -> None:
    """A run from before it was measured: the button, or the job that is at it."""
    job = latest("diversity", study.id, run=run.id)
    if job is not None:
        job_card(job.id, key="diversity_job")
        return
    st.info("How similar these rationales are has not been measured yet.", icon=":material/info:")
    if st.button("Measure", icon=":material/straighten:", key="measure"):
        spec = studies.Study.read(study.config)
        studies.submit("diversity", f"Diversity of generation {run.id}", spec, {"run": run.id})
        st.rerun()


def _figures(measured: dict[str, Any]) -> None:
    n, similarity = measured["n"], measured["similarity"]
    metrics(
        {
            "Distinct texts": f"{measured['texts']:.2f} of {n:.2g}",
            "Distinct paths": f"{measured['paths']:.2f} of {n:.2g}",
            "Mean similarity": "—" if similarity is None else f"{similarity:.2f}",
            "Effective number": f"{measured['effective']:.2f} of {n:.2g}",
        }
    )
    st.caption(f"Averages over {count(measured['questions'], 'question')} with several rationales.")


def _table(study: Study, page: Sequence[Diversity]) -> int:
    """The questions of a page; the one in the URL, else the first, is the one chosen."""
    asked = queries.questions_by_index(study.dataset_id, [one.question_index for one in page])
    clickable(
        [
            {
                "question": one.question_index,
                "rationales": one.n,
                "texts": one.texts,
                "paths": one.paths,
                "similarity": one.similarity,
                "effective": one.effective,
                "text": excerpt(asked[one.question_index].text),
            }
            for one in page
        ],
        "question",
        column_config=COLUMNS,
    )
    chosen = row_number("Question", "question", width=260)
    return chosen if chosen is not None else page[0].question_index


def _side_by_side(samples: Sequence[Completion]) -> None:
    for first in range(0, len(samples), SIDE_BY_SIDE):
        row = samples[first : first + SIDE_BY_SIDE]
        for column, completion in zip(st.columns(SIDE_BY_SIDE), row, strict=False):
            with column.container(border=True):
                good = bool(completion.correct)
                word = "failed" if completion.error else "correct" if good else "wrong"
                st.badge(
                    f"sample {completion.sample_index}, {word}",
                    icon=":material/check:" if good else ":material/close:",
                    color="green" if good else "red",
                )
                passage(completion.rationale.strip() or "—")
