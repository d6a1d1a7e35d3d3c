"""python -m core results: the table, its exports and what it refuses, over a real database."""

from __future__ import annotations

import csv
import json

import pytest

from core.__main__ import app
from core.errors import LabError, RefusedError
from core.records import Score
from core.store import models, queries, session
from tests import runs


@pytest.fixture
def study(lab_home):
    """Ten AddSub questions; runs 1 and 2 answered all of them, run 3 only eight other ones."""
    with session() as db:
        data = models.Dataset(key="addsub", options={}, hash="h", n=10)
        db.add(data)
        db.flush()
        db.add_all(
            models.Question(dataset_id=data.id, index=i, text=f"Q{i}", answer="1", split="test")
            for i in range(10)
        )
        row = models.Study(name="S", dataset_id=data.id, config={})
        db.add(row)
    _evaluation(row.id, "fine-tune", "T5 small", {0, 1}, 10)
    _evaluation(row.id, "fine-tune-cot", "T5 small", {1, 2, 3, 4, 5, 6, 7}, 10)
    _evaluation(row.id, "fine-tune-cot", "GPT-2 small", {1}, 8)
    _evaluation(row.id, "fine-tune", "GPT-2 small", {1}, 10)
    return "S"


def _evaluation(study_id, method, student, right, n, **changes):
    """An evaluation of n questions, with these right."""
    run = runs.evaluation(study_id, method, student, teacher="worked", question_set=f"set of {n}", **changes)
    queries.save_completions(
        run.id, [(runs.written(i, f"text {i}", prompt=f"Q{i}"), Score(i in right, str(i))) for i in range(n)]
    )
    queries.set_run(run.id, status="done")
    return run.id


def run(capsys, *arguments: str):
    app(["results", "--study", "S", *arguments], standalone_mode=False)
    return capsys.readouterr().out


def test_the_table(study, capsys):
    document = json.loads(run(capsys, "--json"))
    rows = {(r["method"], r["student"]): r for r in document["rows"]}
    assert rows["fine-tune-cot", "T5 small"]["accuracy"] == 70
    assert rows["fine-tune-cot", "T5 small"]["n"] == 10
    assert rows["fine-tune-cot", "T5 small"]["published"][0]["accuracy"] == 5.04
    assert rows["fine-tune", "T5 small"]["difference"] is None
    text = run(capsys)
    assert "70.0 (39.7–89.2)" in text and "5.04†" in text


def test_different_questions_are_refused_and_flips_are_listed(study, capsys):
    with pytest.raises(RefusedError, match="asked different questions"):
        run(capsys, "--baseline", "fine-tune")
    flips = json.loads(run(capsys, "--flips", "1", "2", "--json"))
    assert flips == {"runs": [1, 2], "gained": [2, 3, 4, 5, 6, 7], "lost": [0]}
    with pytest.raises(LabError, match="its evaluations are 1, 2, 3, 4"):
        run(capsys, "--flips", "1", "9")


def test_exports(study, capsys, tmp_path):
    path = tmp_path / "table.csv"
    run(capsys, "--export", str(path))
    assert [float(r["accuracy"]) for r in csv.DictReader(path.read_text().splitlines())] == [20, 70, 12.5, 10]
    run(capsys, "--export", str(tmp_path / "table.tex"))
    assert r"\toprule" in (tmp_path / "table.tex").read_text()
    run(capsys, "--predictions", "2", "--export", str(tmp_path / "p.jsonl"))
    lines = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text().splitlines()]
    assert [line["correct"] for line in lines] == [False] + [True] * 7 + [False] * 2
    assert lines[3] == {
        "run_id": 2, "question_index": 3, "prompt": "Q3", "text": "text 3", "finish_reason": "stop",
        "tokens": 0, "correct": True, "value": "3",
    }  # fmt: skip
    with pytest.raises(LabError, match=".csv, .tex, .jsonl"):
        run(capsys, "--export", "table.xlsx")
    with pytest.raises(LabError, match="choose another place"):
        run(capsys, "--export", str(tmp_path / "no" / "table.csv"))
    with pytest.raises(LabError, match="no adjustment"):
        run(capsys, "--adjust", "none")


def test_an_empty_study(study, capsys):
    with pytest.raises(LabError, match="There is no study"):
        app(["results", "--study", "other"], standalone_mode=False)


def test_other_filters_are_another_arm(study, capsys):
    filters = {"steps": True, "max_words": 40}
    second = _evaluation(1, "fine-tune-cot", "T5 small", {1}, 10, filters=filters, students={"student": "2"})
    rows = json.loads(run(capsys, "--json"))["rows"]
    variants = {
        r["variant"]: r["runs"] for r in rows if (r["method"], r["student"]) == ("fine-tune-cot", "T5 small")
    }
    assert variants == {"": [2], "steps, max_words=40": [second]}
