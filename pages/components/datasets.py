"""Benchmarks on a page: choose one, read it, look through its questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.answers import KINDS
from core.datasets import Dataset as Benchmark
from core.datasets import all_datasets, cached, part
from core.records import Question
from core.store import queries
from core.store.models import Dataset
from pages.components import charts, frame
from pages.components.tables import (
    choice,
    clickable,
    metrics,
    pick,
    pick_row,
    search,
    titles,
    widths,
)  # fmt: skip
from pages.components.text import count, labelled, plain, visible
from pages.components.upload import newly_added

SPLIT_ORDER = ("train", "test", "unused")
EXCERPT = 300  # characters of a question in a table


def choose_benchmark() -> Benchmark:
    """The benchmark in the URL; the current study's to begin with."""
    table, study = all_datasets(), frame.current_study()
    own = queries.dataset(study.dataset_id).key if study else None
    if (added := newly_added()) is not None:
        st.session_state["benchmark"], own = added, None
    return table[pick("Benchmark", titles(table), own, key="benchmark", bind="query-params")]


def facts(benchmark: Benchmark) -> None:
    """Where a benchmark comes from, under which licence, and what its answers are."""
    size, where = count(benchmark.n, "question"), "in the cache"
    if benchmark.generated:
        size, where = "any size", "made on this machine, each question with a worked solution"
    elif not all(cached(file) for file in benchmark.files):
        megabytes = sum(file.bytes for file in benchmark.files) / 1e6
        where = f"downloaded on first use ({megabytes:.1f} MB, checksum pinned)"
    said = (benchmark.source, f"licence: {benchmark.licence}", f"answers: {KINDS[benchmark.kind].title}")
    st.caption(" · ".join([size, *map(plain, said), where]))


def options_form(benchmark: Benchmark, key: str) -> tuple[str, dict[str, int], Any]:
    """With which split and options a benchmark is read, and the row of fields for what else is asked."""
    fields = st.container(horizontal=True, vertical_alignment="bottom")
    splits = list(benchmark.splits)
    split = splits[0]
    if len(splits) > 1:
        split = fields.selectbox("Split", splits, key=f"{key}_split_{benchmark.key}", width=160)
    if not benchmark.generated:
        return split, {}, fields
    size = fields.number_input(
        "Questions", 2, 100_000, benchmark.n, key=f"{key}_size_{benchmark.key}", width=160
    )
    seed = fields.number_input("Seed", 0, 2**31, 0, key=f"{key}_seed_{benchmark.key}", width=130)
    own = {
        option.name: pick(
            option.title.capitalize(),
            {value: str(value) for value in option.allowed},
            option.default,
            fields,
            key=f"{key}_{option.name}_{benchmark.key}",
            width=200,
        )
        for option in benchmark.options
    }
    return split, {"size": int(size), "seed": int(seed), **own}, fields


def choose_version(benchmark: Benchmark) -> Dataset | None:
    """One of the ways in which this benchmark was read; None before the first."""
    rows = [row for row in queries.datasets() if row.key == benchmark.key]
    if len(rows) == 1:
        return rows[0]
    study = frame.current_study()
    return pick_row("Read as", rows, describe, "version", start=study.dataset_id if study else None)


def describe(row: Dataset) -> str:
    """How a benchmark was read: "334 questions, split default, seed 0, flips 4"."""
    options = [f"{name} {value}" for name, value in row.options.items() if name != "size"]
    return ", ".join([count(row.n, "question"), *options])


def read_button(benchmark: Benchmark) -> None:
    """Read a benchmark into the lab, with the download's progress."""
    split, options, _ = options_form(benchmark, "read")
    with frame.errors():
        if st.button("Read it", type="primary", icon=":material/download:", key="read"):
            with st.status(f"Reading {plain(benchmark.title)}…", expanded=True):
                questions = load_with_bar(benchmark, split, options)
                queries.add_dataset(benchmark.key, {"split": split, **options}, questions)
            st.rerun()


def load_with_bar(benchmark: Benchmark, split: str, options: dict[str, int]) -> list[Question]:
    """The benchmark's questions; a progress bar follows each file that has to be downloaded."""
    bars: dict[str, Any] = {}

    def progress(name: str, done: int, total: int) -> None:
        bar = bars.setdefault(name, st.empty())
        bar.progress(
            frame.fraction(done, total), text=plain(f"{name}: {done / 1e6:.1f} of {total / 1e6:.1f} MB")
        )

    return part.Benchmark(key=benchmark.key, split=split, options=options).load(progress)


def split_metrics(row: Dataset) -> list[str]:
    """How many questions each part has, as figures; returns the parts that are there."""
    counts = queries.split_counts(row.id)
    parts = [part for part in SPLIT_ORDER if part in counts]
    figures = {"Questions": row.n, **{part.capitalize(): counts[part] for part in parts}}
    metrics({label: f"{n:,}" for label, n in figures.items()}, len(figures))
    return parts


def filters(parts: Sequence[str]) -> tuple[str, str | None]:
    """(search text, split or None for all), both in the URL."""
    left, right = st.columns([3, 2])
    with left:
        text = search("find", "words of a question, or an answer")
    with right:
        part = choice("Split", ["all", *parts], "part")
    return text, None if part == "all" else part


def question_table(questions: Sequence[Question]) -> None:
    """A page of questions; a click chooses one for the card."""
    clickable(
        [
            {
                "index": q.index,
                "split": q.split,
                "answer": visible(q.answer),
                "question": visible(q.text[:EXCERPT]),
            }
            for q in questions
        ],
        "question",
        column_config=widths(index=60, split=60, answer=80),
    )


def question_card(question: Question) -> None:
    """One question as it is: text, gold answer, split, worked solution."""
    with st.container(border=True):
        with st.container(horizontal=True):
            st.badge(f"question {question.index}", color="gray")
            st.badge(question.split, color="blue")
            st.badge(count(len(question.text.split()), "word"), color="gray")
        labelled("Question", question.text)
        labelled("Gold answer", question.answer)
        if question.solution:
            labelled("Worked solution", question.solution)


def histograms(dataset: Dataset) -> None:
    """How long the questions are, and which gold answers are frequent."""
    import plotly.express as px

    left, right = st.columns(2)
    with left:
        lengths = sorted(queries.question_lengths(dataset.id), key=lambda row: SPLIT_ORDER.index(row[0]))
        split, words, n = zip(*lengths, strict=True)
        named = {"x": "words (bins of 5)", "y": "questions", "color": ""}
        figure = px.bar(x=words, y=n, color=split, labels=named, title="Length of a question")
        charts.show(figure, f"lengths_{dataset.id}")
    with right:
        answers, n = zip(*queries.answer_counts(dataset.id), strict=True)
        title = f"Gold answers (the {len(answers)} most frequent)"
        named = {"x": "", "y": "questions"}
        figure = px.bar(x=list(map(charts.literal, answers)), y=n, labels=named, title=title)
        figure.update_xaxes(type="category")
        charts.show(figure, f"answers_{dataset.id}")
