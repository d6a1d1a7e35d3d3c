"""The Rationales page by question, and how rationales are drawn on the Generate page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import jobs, studies
from core.quality import diversity
from core.stages import generation
from core.store import queries
from tests.pages.conftest import Filled

Open = Callable[..., AppTest]
SAME = "Ann has 2 + 3 = 5 apples."
TEXTS = {3: [SAME, "Five: three more than two.", "<b>Ann?</b>"], 7: [SAME, SAME]}


@pytest.fixture
def several(lab_home: Path, tmp_path: Path) -> int:
    spec = studies.Study(name="Several", benchmark="arithmetic_generated", options={"size": 20, "seed": 0})
    rows = [
        {"index": index, "sample": sample, "rationale": text, "answer": "5"}
        for index, texts in TEXTS.items()
        for sample, text in enumerate(texts)
    ]
    file = tmp_path / "several.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    return generation.import_file(studies.open_study(spec), file, "jsonl")["run"]


def html(app: AppTest) -> str:
    return "\n".join(element.proto.body for element in app.get("html"))


def test_questions_stand_from_the_least_diverse_on(app: Open, several: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(diversity, "similarity", None)  # nothing is computed on the page
    opened = app("rationales", view="by question")
    assert not opened.error
    table = opened.dataframe[0].value
    assert list(table["question"]) == [7, 3]
    assert list(table["effective"]) == sorted(table["effective"])
    assert {metric.label: metric.value for metric in opened.metric}["Distinct texts"] == "2.00 of 2.5"
    assert any("2 rationales: 1 distinct text, 1 distinct path" in c.value for c in opened.caption)
    assert html(opened).count("Ann has 2 + 3 = 5 apples.") == 2


def test_a_question_in_the_url_is_opened_with_its_rationales_side_by_side(app: Open, several: int):
    opened = app("rationales", view="by question", question="3")
    assert any("3 rationales: 3 distinct texts" in c.value for c in opened.caption)
    for text in ("Five: three more than two.", "&lt;b&gt;Ann?&lt;/b&gt;"):
        assert text in html(opened)


def test_a_card_says_how_its_question_stands(app: Open, several: int):
    opened = app("rationales")
    assert any("For this question: 3 rationales" in c.value for c in opened.caption)


def test_a_generation_of_one_rationale_each_has_no_such_view(app: Open, filled: Filled):
    opened = app("rationales", view="by question")
    assert "rationale" in opened.dataframe[0].value
    assert not any("effectively" in c.value for c in opened.caption)


def test_an_older_generation_is_measured_when_asked_for(app: Open, several: int, queued: list[str]):
    queries.set_run(several, summary={"n": 5})
    queries.save_diversity(several, [])
    opened = app("rationales", view="by question")
    opened.button(key="measure").click().run()
    job = jobs.jobs()[0]
    assert queued == [job.id]
    assert (job.kind, job.request["run"]) == ("diversity", several)
    assert not opened.exception and not opened.error


def test_how_rationales_are_drawn_is_set_for_a_run(app: Open, filled: Filled, queued: list[str]):
    opened = app("generate")
    scope = f"study{filled.study_id}"
    opened.number_input(key=f"{scope}_temperature").set_value(0.7).run()
    opened.number_input(key=f"{scope}_top_p").set_value(0.9).run()
    opened.number_input(key=f"{scope}_samples").set_value(8).run()
    opened.button(key="start").click().run()
    teaching = studies.Study.read(jobs.jobs()[0].request["spec"]).teaching
    assert teaching.samples == 8
    assert teaching.sampling == {"temperature": 0.7, "top_p": 0.9}


def test_several_at_temperature_0_are_one_sentence(app: Open, filled: Filled):
    opened = app("generate")
    opened.number_input(key=f"study{filled.study_id}_samples").set_value(8).run()
    assert "temperature" in opened.error[0].value
