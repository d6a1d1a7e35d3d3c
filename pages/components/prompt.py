"""A few-shot prompt as it will be read, its size beside the window that it must fit into."""

from __future__ import annotations

import streamlit as st

from core.methods import Method
from core.records import Question
from core.store import queries
from core.store.models import Study
from core.teachers import TEACHERS, token_counter
from core.teachers.base import count_tokens
from core.teachers.part import Teaching
from pages.components.text import Span, passage

PROMPT_HEIGHT = 420  # pixels
CUT = "The student does not read the beginning of a longer prompt."


def first_question(study: Study) -> Question:
    """The study's first test question; without one the first of all."""
    test = queries.question_page(study.dataset_id, "test", limit=1)
    return (test or queries.question_page(study.dataset_id, limit=1))[0]


def teachers_window(teaching: Teaching, method: Method) -> tuple[str, int | None, int]:
    """(the model, the tokens of its window where they are known, those that are kept for the reply)."""
    options = TEACHERS[teaching.teacher["key"]].defaults | teaching.teacher
    kept = teaching.sampled(method.sampling).max_tokens
    return str(options.get("model") or ""), options.get("context"), kept


def show(prompt: str, model: str, window: int | None, kept: int, span: Span | None = None) -> None:
    """The prompt, `span` of it marked, its tokens as the model counts them, and what they leave."""
    counter = token_counter(model)
    tokens = counter(prompt)
    left, right = st.columns(2)
    name = "Tokens, estimated" if counter is count_tokens else "Tokens"
    left.metric(name, f"{tokens:,}", border=True)
    if window:
        room = window - tokens - kept
        reserved = f"After {kept:,} tokens reserved for the reply." if kept else CUT
        right.metric(f"Left of {window:,}", f"{room:,}", border=True, help=reserved)
        if room < 0:
            st.error(
                f"The prompt is {-room:,} tokens too long for the window: use fewer or shorter exemplars.",
                icon=":material/error:",
            )
    with st.container(height=PROMPT_HEIGHT, key="prompt"):
        passage(prompt, span)
