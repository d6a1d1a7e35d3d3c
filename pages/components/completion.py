"""What a model wrote for a question, in full: the same card for teachers and students, step by step."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.records import Question, Step
from core.stages.scoring import answer_span
from core.store import queries
from core.store.models import Completion
from pages.components.text import count, labelled, labelled_pair, plain, visible

USUAL_ROLES = ("teacher", "student")


def verdict(completion: Completion) -> None:
    """Badges of one completion: its question, right or wrong, truncated, failed."""
    with st.container(horizontal=True):
        which(completion.question_index, completion.sample_index)
        if completion.error:
            st.badge("failed", icon=":material/error:", color="red")
        else:
            right_or_wrong(bool(completion.correct))
        if completion.finish_reason == "length":
            st.badge("truncated", icon=":material/content_cut:", color="orange")
        note(completion)


def which(question_index: int, sample_index: int) -> None:
    """The badges that say which question it is, and which of several rationales."""
    st.badge(f"question {question_index}", color="gray")
    if sample_index:
        st.badge(f"sample {sample_index}", color="gray")


def note(completion: Completion) -> None:
    """How the answer was found, where it was not simply read: "2 of 3 agree"."""
    if completion.note:
        st.badge(plain(completion.note), icon=":material/how_to_vote:", color="blue")


def right_or_wrong(correct: bool) -> None:
    """The badge of an answer."""
    word, icon, colour = ("correct", "check", "green") if correct else ("wrong", "close", "red")
    st.badge(word, icon=f":material/{icon}:", color=colour)


def card(completion: Completion, question: Question) -> None:
    """Question, every step with the matched answer marked in its place, the answers, prompts and cost."""
    with st.container(border=True):
        verdict(completion)
        labelled("Question", question.text)
        texts(completion)
        labelled_pair(("Answer found", completion.value or ""), ("Gold answer", question.answer))
        if completion.error:
            labelled("Error", completion.error)
        prompts(completion)


def texts(completion: Completion, besides: str | None = None) -> None:
    """What was written, step by step, with the answer marked; a step with the text `besides` is left out."""
    steps = queries.record(completion).steps
    left_out = next((number for number, step in enumerate(steps) if step.text == besides), None)
    for number, step in enumerate(steps):
        if number != left_out:
            span = answer_span(completion, number)
            labelled(name(steps, number), step.text, span, bool(completion.correct))


def prompts(completion: Completion) -> None:
    """What was asked at each step, and what it cost."""
    steps = queries.record(completion).steps
    with st.expander("Prompts and cost", icon=":material/receipt_long:"):
        for number, step in enumerate(steps):
            labelled(f"Prompt: {name(steps, number)}", step.prompt)
        if not completion.calls and not completion.completion_tokens:
            st.caption("No call was made.")
            return
        kept = len(steps) - completion.calls
        st.caption(
            f"{count(completion.calls, 'call')}{f', {kept} from the cache' if kept else ''}, "
            f"{completion.prompt_tokens:,} tokens read, {completion.completion_tokens:,} written, "
            f"\\${completion.cost:.5f}"
        )


def name(steps: Sequence[Step], number: int) -> str:
    """ "Rationale", "Steps (delegate)"; where several steps have one name, "Rationale (step 2)"."""
    step = steps[number]
    said = [f"step {number + 1}"] if sum(one.name == step.name for one in steps) > 1 else []
    if step.role not in USUAL_ROLES:
        said.append(visible(step.role))
    return visible(step.name).capitalize() + (f" ({', '.join(said)})" if said else "")
