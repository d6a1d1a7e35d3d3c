"""The Clusters page through the frame: what to do first, the settings of a run, the map and its weight."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from urllib.parse import parse_qs

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core import jobs, records, studies
from core.review.fold import Board
from core.stages.exemplars import compared
from core.stages.generation import as_method_asks
from core.store import queries
from core.store.models import Point, now
from pages.components import clusters as ui
from pages.components.review.runs import Review, label, open_review
from pages.components.text import visible
from tests import runs
from tests.clustered import Clustered
from tests.pages.test_pages import shown

Open = Callable[..., AppTest]


@pytest.fixture
def made(lab_home: Path, clustered: Callable[[Path], Clustered]) -> Clustered:
    return clustered(lab_home)


def test_without_rationales_it_says_what_to_do(app: Open):
    assert "no study yet" in shown(app("clusters"))


def test_a_run_is_shown_with_its_settings(app: Open, made: Clustered):
    page = app("clusters")
    figures = {metric.label: metric.value for metric in page.metric}
    assert figures["Questions"] == "60" and figures["Exemplars"] == "6 of 6"
    assert "MiniLM" in shown(page) and "seed 192" in shown(page)
    assert page.slider[0].value == 6
    assert len(queries.run(made.exemplars).summary["curves"]) == 16


def test_the_curves_are_drawn_where_the_settings_are_open(app: Open, made: Clustered):
    page = app("clusters")
    drawn = len(page.get("plotly_chart"))
    page.session_state[f"clusters{made.study_id}_{made.exemplars}_settings"] = True
    page.run()
    assert not page.exception
    assert len(page.get("plotly_chart")) == drawn + len(ui.CURVES)


def test_what_is_asked_reaches_the_job(app: Open, made: Clustered, queued: list[str]):
    page = app("clusters")
    page.slider[0].set_value(9)
    next(n for n in page.number_input if n.label == "Seed").set_value(7)
    page.button(key="start").click().run()
    assert not page.exception
    job = jobs.jobs()[0]
    asked = {name: job.request[name] for name in ("rules", "k", "seed", "n_init", "text", "encoder")}
    assert asked == {
        "rules": "paper", "k": 9, "seed": 7, "n_init": 10, "text": "question", "encoder": "all-MiniLM-L6-v2"
    }  # fmt: skip


@pytest.mark.parametrize("colour", ui.COLOURINGS)
def test_every_colouring_shows_every_question_once(made: Clustered, colour: str):
    review = open_review(queries.run(made.exemplars))
    words = ui.first_words(review.run)
    *groups, stars = ui.figure(review, colour, words).data
    assert sorted(int(i) for trace in groups for i in trace.customdata) == sorted(k[0] for k in review.points)
    assert len(stars.customdata) == 6
    assert all(len(text.split()) <= ui.WORDS for trace in groups for text in trace.hovertext)


def test_ten_thousand_points_weigh_less_than_a_megabyte(made: Clustered):
    review = open_review(queries.run(made.exemplars))
    few = list(review.points.values())
    columns = [c.name for c in Point.__table__.columns]
    points = {}
    for i in range(10_000):
        values = {name: getattr(few[i % 60], name) for name in columns}
        points[i, 0] = Point(**values | {"question_index": i, "x": i / 3, "y": i / 7})
    many = Review(review.run, review.study, Board(), tuple(points), {}, MappingProxyType(points))
    words = {i: "There are a hundred extraordinarily" for i in range(10_000)}
    assert len(ui.figure(many, "cluster", words).to_json()) < 1_000_000


def test_a_selection_is_read_by_its_ids(made: Clustered):
    review = open_review(queries.run(made.exemplars))
    one, two = list(review.points)[:2]
    points = [{"customdata": [two[0]], "point_index": 0}, {"customdata": one[0]}, {"customdata": one[0]}, {}]
    assert ui.selected(points, review) == [one, two]


# ── questions of every kind ─────────────────────────────────────────────────────────────────────

ODD = {
    "one word": "Why?",
    "ten thousand words": "word " * 10_000,
    "Chinese": "小明有三个苹果,又买了五个,他现在一共有几个苹果?",
    "right to left": "لدى أحمد ٣ تفاحات واشترى ٥ أخرى. كم تفاحة لديه الآن؟",
    "markup": "<img src=x onerror=alert(1)> $x$ **b** \x1b[31m \u202e",
}


def cut(name: str, questions: list[str], clusters: list[int], k: int) -> int:
    """A study with these questions and a finished exemplars run of k clusters. Returns the run's id."""
    made = [records.Question(i, text, "8") for i, text in enumerate(questions)]
    dataset = queries.add_dataset("arithmetic_generated", {"name": name}, made)
    spec = studies.Study(name=name, benchmark="arithmetic_generated")
    study = queries.add_study(name, dataset, "robust", spec.dump())
    generation = runs.generation(
        study, split="all", rules="robust", teaching=as_method_asks(spec.teaching, "fine-tune-cot")
    )
    text = "3 + 5 = 8. So it is 8."
    steps = (records.Step("rationale", "Q", text), records.Step("answer", "Q", " 8."))
    queries.save_completions(
        generation.id,
        [
            (records.Completion(q.index, 0, text, steps, records.AnswerPlace(step=1)),
             records.Score(True, "8", 1, 2, step=1))
            for q in made
        ],
    )  # fmt: skip
    queries.set_run(generation.id, status="done", finished=now())
    config = {"rules": "paper", "k": k}
    run = runs.exemplars(study, (generation,), **config)
    queries.save_points(
        run.id,
        [
            {"question_index": q.index, "sample_index": 0, "cluster": clusters[q.index], "rank": q.index + 1,
             "distance": 0.1 * q.index, "x": float(q.index), "y": 0.0, "correct": True, "failures": [],
             "words": len(q.text.split()), "duplicate": 0 if len(set(questions)) == 1 else None}
            for q in made
        ],
    )  # fmt: skip
    gaps = [f"Cluster {c} is empty." for c in range(k) if c not in clusters]
    summary = config | {"seed": 0, "n_init": 10, "encoder": "all-MiniLM-L6-v2", "text": "question",
                        "map": "PCA", "records": len(made), "eligible": len(made), "note": "", "curves": [],
                        "correct_among_eligible": 100.0, "picks": k - len(gaps), "gaps": gaps}  # fmt: skip
    queries.set_run(run.id, status="done", summary=summary, finished=now())
    return run.id


@pytest.mark.parametrize("n", [1, 3])
def test_what_was_chosen_is_reviewed_in_the_run_of_its_map(app: Open, made: Clustered, monkeypatch, n: int):
    points = [{"customdata": key[0]} for key in list(open_review(queries.run(made.exemplars)).points)[:n]]
    monkeypatch.setattr(st, "plotly_chart", lambda *_, **__: {"selection": {"points": points}})
    queries_of = [parse_qs(link.proto.query_string) for link in app("clusters").get("page_link")]
    assert [q["review"] for q in queries_of if "queue" in q] == [[label(queries.run(made.exemplars))]]


def test_questions_of_every_kind_are_shown(app: Open, lab_home: Path):
    run = cut("odd", list(ODD.values()), [0, 1, 2, 3, 4], 5)
    page = app("clusters")
    assert not page.error and not page.warning
    assert "Why?" in page.dataframe[-1].value["first words"].tolist()
    review = open_review(queries.run(run))
    figure = ui.figure(review, "cluster", ui.first_words(review.run)).to_json()
    assert "<img" not in figure and "\\u001b" not in figure and len(figure) < 20_000
    for index, text in enumerate(ODD.values()):
        card = app("review", reviewer="ana", item=f"{index}.0")
        said = shown(card)
        assert f"question {index}" in said
        assert all("too long for the window" in error.value for error in card.error)
        assert html.escape(visible(text.strip())) in said
        assert "<img" not in said and "\x1b" not in said


def test_duplicates_only_leave_clusters_empty_and_say_so(app: Open, lab_home: Path):
    cut("alike", ["What is 3 + 5?"] * 4, [0, 0, 0, 0], 3)
    page = app("clusters")
    assert [w.value for w in page.warning] == ["Cluster 1 is empty\\.", "Cluster 2 is empty\\."]
    table = page.dataframe[-1].value
    assert table["questions"].tolist() == [4, 0, 0]
    assert table["review"].tolist() == ["pending", "no exemplar", "no exemplar"]
    assert page.slider[0].max == 4  # k is never above the number of questions
    review = app("review", reviewer="ana")
    assert "2 clusters without an exemplar (1, 2)" in review.warning[0].value
    for _ in range(4):
        review.button(key="reject").click().run()
    assert not review.exception
    assert "3 clusters without an exemplar" in review.warning[0].value


def test_the_curves_reach_further_for_more_questions():
    assert compared(60, 6) == list(range(1, 17))
    assert compared(5, 3) == [1, 2, 3, 4, 5]
    assert compared(600, 8) == [*range(1, 17), 20, 24]
    assert compared(10_000, 30) == [*range(1, 17), 20, 24, *range(26, 35), 40, 48, 64]
