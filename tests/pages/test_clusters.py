"""The Clusters page through the frame: what to do first, the settings of a run, the map and its weight."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

import pytest
from streamlit.testing.v1 import AppTest

from core import jobs
from core.review.fold import Board
from core.store import queries
from core.store.models import Point
from pages.components import clusters as ui
from pages.components.review import Review, open_review
from tests.clustered import Clustered, clustered
from tests.pages.test_pages import shown

Open = Callable[..., AppTest]


@pytest.fixture
def made(lab_home: Path, recorded: Path) -> Clustered:
    return clustered(recorded, lab_home)


def test_without_rationales_it_says_what_to_do(app: Open):
    assert "no study yet" in shown(app("clusters"))


def test_a_run_is_shown_with_its_settings(app: Open, made: Clustered):
    page = app("clusters")
    figures = {metric.label: metric.value for metric in page.metric}
    assert figures["Questions"] == "60" and figures["Exemplars"] == "6 of 6"
    assert "MiniLM" in shown(page) and "seed 192" in shown(page)
    assert page.slider[0].value == 6
    assert len(queries.run(made.exemplars).summary["curves"]) == 16


def test_what_is_asked_reaches_the_job(app: Open, made: Clustered, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(jobs, "enqueue", lambda *_: None)
    monkeypatch.setattr(jobs, "ensure_worker", lambda: False)
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
    words = ui.first_words(queries.study(made.study_id).dataset_id)
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
