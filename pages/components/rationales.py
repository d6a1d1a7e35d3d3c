"""The Rationales page's parts: which generation, which of its completions, and one of them in full."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.methods import method_title
from core.store import queries
from core.store.models import Completion, Run, Study
from pages.components import diversity, frame
from pages.components.checks import choose_check, ready
from pages.components.completion import card
from pages.components.tables import (
    choice,
    clickable,
    forget,
    paged,
    pick_row,
    row_number,
    search,
    widths,
)  # fmt: skip
from pages.components.text import excerpt

VERDICTS: dict[str, dict[str, bool]] = {
    "all": {},
    "correct": {"correct": True},
    "wrong": {"correct": False},
    "failed": {"failed": True},
}
LENGTHS: dict[str, dict[str, bool]] = {
    "any": {},
    "truncated": {"truncated": True},
    "complete": {"truncated": False},
}
SPLITS: dict[str, dict[str, str]] = {"all": {}, "train": {"split": "train"}, "test": {"split": "test"}}


def label(run: Run) -> str:
    """How a generation is called in the picker and the URL; it never changes."""
    return f"{run.id}: {method_title(run.method)}, {run.teacher}"


def choose_generation(study: Study) -> Run | None:
    """The generation in the URL, the newest to begin with; None before the first."""
    runs = reversed(queries.runs(study.id, "generate"))
    return pick_row("Generation", runs, label, "generation", **forget("completion"))


def browse(run: Run) -> None:
    """A generation's completions, filtered, and one of them in full."""
    left, right = st.columns([1, 1], gap="medium")
    with left:
        kept = filters(run)
        offset, limit = paged(queries.count_completions(run.id, **kept), "at")
        rows = queries.completions(run.id, **kept, offset=offset, limit=limit)
        completion_table(rows)
    with right, frame.errors():
        if not rows:
            st.info("No completion matches: change the filters.", icon=":material/search_off:")
            return
        chosen = row_number("Completion", "completion", "an id", least=1)
        completion = queries.completion(chosen) if chosen is not None else rows[0]
        dataset_id = queries.study(queries.run(completion.run_id).study_id).dataset_id
        card(completion, queries.question(dataset_id, completion.question_index))
        diversity.caption(completion.run_id, completion.question_index)


def filters(run: Run) -> dict[str, Any]:
    """What `queries.completions` shall keep; every filter is in the URL."""
    again = forget("completion")
    text = search("text", "words of a question or a rationale", **again)
    with st.container(horizontal=True):
        kept = VERDICTS[choice("Verdict", list(VERDICTS), "verdict", width="content", **again)]
        kept = kept | LENGTHS[choice("Length", list(LENGTHS), "length", width="content", **again)]
        kept = kept | SPLITS[choice("Split", list(SPLITS), "of", width="content", **again)]
        check = choose_check(**again)
    if check is not None and not ready(run):
        check = None
    return kept | {"search": text, "check": check}


def completion_table(rows: Sequence[Completion]) -> None:
    """A page of completions; a click chooses one for the card."""
    clickable(
        [
            {
                "question": row.question_index,
                "sample": row.sample_index,
                "verdict": "failed" if row.error else "correct" if row.correct else "wrong",
                "cut": row.finish_reason == "length",
                "rationale": excerpt(row.rationale),
            }
            for row in rows
        ],
        "completion",
        [row.id for row in rows],
        column_config=widths(question=70, sample=60, verdict=70)
        | {"cut": st.column_config.Column(width=50, help="Truncated: it ended at the token limit.")},
    )
