"""What users bring themselves, through the frame: exemplars, benchmarks, recorded files, studies."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core import jobs, settings, studies
from core.datasets import load
from core.exemplars.own import whole
from core.records import Completion, Score, Step
from core.store import models, queries
from tests import runs
from tests.pages.conftest import Filled  # noqa: F401  the type of a fixture

Open = Callable[..., AppTest]
SHOT = {"question": "What is 2 + 3?", "rationale": "2 and 3 make 5. <b>", "answer": "5"}


def study(name: str = "Own") -> int:
    return studies.open_study(
        studies.Study(
            name=name, benchmark="coin_flip_generated", options={"size": 20}, methods=("few-shot-cot",)
        )
    )


def exemplars(study_id: int) -> list[dict[str, str]]:
    return list(studies.Study.read(queries.study(study_id).config).teaching.exemplars)


def asked_of(job: models.Job) -> studies.Study:
    return studies.Study.read(job.request["spec"])


def said(app: AppTest, kind: str) -> str:
    return " ".join(str(element.value) for element in app.get(kind))


def fields(app: AppTest, number: int) -> dict[str, object]:
    """The fields of a card by name."""
    widgets = [*app.text_area, *app.text_input]
    keys = {w.key: w for w in widgets if w.key and w.key.startswith("exemplar")}
    return {name: w for key, w in keys.items() for name in SHOT if key.endswith(f"_{number}_{name}")}


@pytest.mark.parametrize("page", ["generate", "train"])
def test_exemplars_are_kept_as_they_are_typed(app: Open, lab_home, queued, page: str):
    study_id = study()
    opened = app(page)
    if page == "generate":
        opened.selectbox(key=f"study{study_id}_prompts").set_value("few-shot-cot").run()
    assert opened.button(key="start").disabled
    opened.button(key=f"exemplar_add_{study_id}").click().run()
    for name, text in SHOT.items():
        fields(opened, 0)[name].set_value(text).run()
        assert exemplars(study_id)[0][name] == text, "kept at once, half-filled"
    assert not opened.warning and not opened.error
    assert not opened.button(key="start").disabled
    prompt = "".join(element.proto.body for element in opened.get("html"))
    assert "Q: What is 2 + 3?\nA: 2 and 3 make 5. &lt;b&gt; The answer is 5." in prompt, "shown as text"
    assert {metric.label for metric in opened.metric} & {"Tokens", "Tokens, estimated"}

    again = app(page)
    if page == "generate":
        again.selectbox(key=f"study{study_id}_prompts").set_value("few-shot-cot").run()
    assert {name: field.value for name, field in fields(again, 0).items()} == SHOT

    again.button(key=f"exemplar_add_{study_id}").click().run()
    assert "Exemplar 2 lacks its question and its rationale and its answer" in said(again, "warning")
    assert again.button(key="start").disabled
    next(b for b in again.button if b.key and b.key.endswith("_0_delete")).click().run()
    assert exemplars(study_id) == [dict.fromkeys(SHOT, "")]


def test_an_exemplar_that_is_tested_on_is_said(app: Open, lab_home, queued):
    study_id = study()
    asked = studies.questions(study_id, "test")[0]
    studies.keep_exemplars(study_id, [SHOT | {"question": f" {asked.text} "}])
    assert f"Question {asked.index} is an exemplar and a test question" in said(app("train"), "warning")


def test_reviewed_exemplars_are_taken_over(app: Open, lab_home, queued):
    study_id = study()
    asked = studies.questions(study_id, "train")[:2]
    generation = runs.generation(study_id)
    queries.save_completions(
        generation.id,
        [
            (Completion(q.index, 0, said, (Step("rationale", "p", said), Step("answer", "q", q.answer))),
             Score(True, q.answer, 0, len(q.answer), step=1))
            for q in asked for said in [f"We flip. {q.index}."]
        ],
    )  # fmt: skip
    chosen = runs.exemplars(study_id, (generation,))
    queries.save_points(
        chosen.id,
        [
            {"question_index": q.index, "cluster": i, "rank": 1, "distance": 0.0, "x": 0.0, "y": 0.0}
            | {"correct": True, "words": 5, "failures": [], "duplicate": None, "sample_index": 0}
            for i, q in enumerate(asked)
        ],
    )
    queries.set_run(chosen.id, status="done", summary={"k": 2})
    studies.keep_exemplars(study_id, [SHOT, dict.fromkeys(SHOT, "")])
    opened = app("train")
    opened.button(key=f"exemplar_take_{study_id}").click().run()
    kept = exemplars(study_id)
    assert [row["question"] for row in kept] == [SHOT["question"], *(q.text for q in asked)]
    assert len(whole(kept)) == 3
    assert not opened.button(key="start").disabled
    opened.button(key="start").click().run()
    assert queued and asked_of(jobs.jobs()[0]).teaching.exemplars == tuple(kept)


CSV = (
    "problem;target;part\n"
    + "".join(f"What is {i} + 1?;{i + 1};train\n" for i in range(6))
    + "2 + 9?;11;test\n"
)


def test_a_benchmark_of_ones_own_becomes_a_study(app: Open, lab_home, queued):
    opened = app("datasets")
    opened.file_uploader(key="own_file0").upload("My sums.csv", CSV.encode()).run()
    table = opened.dataframe[0].value
    assert list(table.columns)[:2] == ["Question", "Gold answer"] and len(table) == 5
    split = next(box for box in opened.selectbox if (box.key or "").startswith("own_split"))
    split.set_value("part").run()
    opened.button(key="own_add").click().run()
    assert not opened.error and not opened.exception
    assert opened.selectbox(key="benchmark").value == "my_sums"
    assert [q.split for q in load("my_sums")] == ["train"] * 6 + ["test"]
    code = "from core.datasets import load; print(len(load('my_sums')))"
    process = subprocess.run([sys.executable, "-c", code], cwd=settings.ROOT, capture_output=True, text=True)
    assert process.stdout.strip() == "7", "another process of this lab has it too"

    opened = app("generate")
    opened.selectbox(key="new_benchmark").set_value("my_sums").run()
    opened.button(key="create").click().run()
    assert not opened.error and not opened.exception
    (made,) = queries.studies()
    assert studies.Study.read(made.config).benchmark.key == "my_sums" and not queued
    assert opened.sidebar.selectbox(key="study").value == made.name


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.csv", b"question,answer\n\xff\xfe,1\n", "UTF-8"),
        ("a.json", b"{", "not JSON"),
        ("a.csv", b"question,answer\nHow many?,1\nHow  many?,2\n", "Questions 1 and 2"),
        ("a.csv", b"question,answer\nHow, many?,1\n", "more columns"),
        ("a.csv", b"question,answer,question\nHow?,1,2\n", "two columns"),
        ("a.csv", b"", "to go on"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence(app: Open, lab_home, name, content, sentence):
    opened = app("datasets")
    opened.file_uploader(key="own_file0").upload(name, content).run()
    adding = [b for b in opened.button if b.key == "own_add" and not b.disabled]
    if adding:
        adding[0].click().run()
    assert not opened.exception
    text = (said(opened, "error") or said(opened, "caption")).replace("\\", "")
    assert sentence in text
    assert "a" not in {d.key for d in queries.datasets()}


def test_recorded_completions_are_uploaded(app: Open, lab_home, queued):
    study_id = study()
    asked = studies.questions(study_id, "train")
    lines = [json.dumps({"index": q.index, "rationale": "Flip.", "answer": q.answer}) for q in asked]
    opened = app("generate")
    scope = f"study{study_id}"
    opened.selectbox(key=f"{scope}_teacher").set_value("recorded").run()
    assert opened.button(key="start").disabled
    upload = opened.file_uploader(key=f"{scope}_recorded_path_upload")
    upload.upload("../my run.jsonl", "\n".join(lines).encode()).run()
    path = opened.text_input(key=f"{scope}_recorded_path").value
    assert path.startswith("uploads/") and path.endswith("/my run.jsonl")
    assert (settings.home() / path).read_text(encoding="utf-8").splitlines() == lines
    opened.selectbox(key=f"{scope}_recorded_source").set_value("jsonl").run()
    opened.button(key="start").click().run()
    assert not opened.error and not opened.exception
    teacher = asked_of(jobs.jobs()[0]).teaching.teacher
    assert teacher == {"key": "recorded", "path": path, "source": "jsonl"}


def test_a_new_study_from_an_empty_lab_is_started(app: Open, lab_home, queued):
    opened = app("generate")
    opened.selectbox(key="new_benchmark").set_value("coin_flip_generated").run()
    opened.text_input(key="new_name_coin_flip_generated").set_value("Mine").run()
    opened.button(key="start").click().run()
    assert not opened.error and not opened.exception
    assert queued and asked_of(jobs.jobs()[0]).name == "Mine"
    assert opened.sidebar.selectbox(key="study").value == "Mine"
    assert opened.get("button_group") or opened.get("segmented_control")
    assert "Mine" in said(opened, "caption"), "the page goes on with the study it made"
