"""Adaptive answers of a generation: calls made and spared, and on a sample whether a second call agrees."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.exemplars.adaptive import Ledger
from core.results.statistics import wilson
from core.stages import second_calls
from core.stages.scoring import answer_span
from core.store import queries
from core.store.models import Job, Run
from pages.components import frame
from pages.components.jobs import job_card, latest
from pages.components.tables import metrics, paged
from pages.components.text import count, labelled, plain

ITEMS_SHOWN = 3


def part(run: Run) -> None:
    """The ledger of a run whose answers were read from the rationale where it says them; else nothing."""
    if run.status != "done" or not second_calls.is_adaptive(run):
        return
    spared = _ledger(run, queries.second_calls(run.id)[0])
    title = f"Adaptive answers: {spared.saving.calls:,} calls instead of {2 * spared.saving.questions:,}"
    job = latest(second_calls.KIND, run.study_id, run=run.id)
    with st.expander(title, icon=":material/call_merge:", expanded=job is not None), frame.errors():
        _figures(spared)
        _check(run, job)


def _figures(spared: Ledger) -> None:
    saving = spared.saving
    tokens, cost = spared.tokens_saved, spared.cost_saved
    metrics(
        {
            "Calls, at two per question": f"{saving.calls:,} of {2 * saving.questions:,}",
            "Answers read in the rationale": f"{saving.extracted:,} of {saving.questions:,}",
            "Tokens saved, estimated": "—" if tokens is None else f"{tokens:,.0f}",
            "Cost saved, estimated": "—" if cost is None else f"${cost:,.4f}",
        }
    )
    share = f"{100 * spared.marker_share:.1f} % of the rationales contain a marker such as “The answer is”."
    if spared.second is None:
        basis = "This teacher has made no second call yet, so nothing can be estimated."
    else:
        second = spared.second
        basis = (
            f"The estimate is what {count(second.calls, 'second call')} of this teacher took on average: "
            f"{second.prompt_tokens:,.0f} tokens read, {second.completion_tokens:,.0f} written."
        )
    st.caption(f"{share} {basis}")


def _check(run: Run, job: Job | None) -> None:
    """The sample that was asked a second time; a button to ask it."""
    found: dict[str, Any] = run.summary.get("check", {})
    if found.get("compared"):
        n, differ = found["compared"], found["disagree"]
        rate = wilson(differ, n)
        st.markdown(
            f"**The second call gives another answer for {differ} of {n}**: {100 * rate.value:.1f} % "
            f"(95 % interval {100 * rate.low:.1f}–{100 * rate.high:.1f} %), "
            f"on a sample with seed {found['seed']}."
        )
    if found.get("failed"):
        st.caption(f"{count(found['failed'], 'second call')} failed: start the check again to ask for them.")
    _disagreements(run, [item for item in found.get("items", []) if item.get("agree") is False])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        size = st.number_input(
            "Questions to ask again", 1, None, second_calls.SIZE, key="check_size", width=200
        )
        seed = st.number_input("Seed", 0, None, 0, key="check_seed", width=120)
        if st.button("Ask a second time", key="check_answers", icon=":material/play_arrow:"):
            second_calls.submit(run.id, int(size), int(seed))
            st.rerun()
    st.caption("This changes no completion. Cached replies are not asked for again.")
    if job is not None:
        job_card(job.id, key="check_job")


def _disagreements(run: Run, items: list[dict[str, Any]]) -> None:
    """The answers that differ: as it stands in the rationale, and what the second call said."""
    offset, limit = paged(len(items), "differing", ITEMS_SHOWN)
    for item in items[offset : offset + limit]:
        row = queries.completion_of(run.id, item["question"], item["sample"])
        with st.container(border=True):
            sample = f", sample {item['sample']}" if item["sample"] else ""
            st.caption(f"Question {item['question']}{sample}")
            left, right = st.columns(2)
            with left:
                labelled("The rationale says", row.rationale, answer_span(row, 0), bool(item["correct"]))
            with right:
                labelled("The second call says", item["text"])
                read = item["second"] if item["second"] is not None else "no answer"
                first, second = ("right" if item[name] else "wrong" for name in ("correct", "second_correct"))
                st.caption(
                    f"Read as {plain(read)}, {second}; the rationale's {plain(item['first'])} is {first}."
                )


# Shared by all sessions and never changed: another number of second calls makes another estimate.
@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs=frame.BY_RUN)
def _ledger(run: Run, calls: int) -> Ledger:
    return second_calls.ledger(run)
