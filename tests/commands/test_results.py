"""python -m core results: the table, its exports and what it refuses, over a real database."""

from __future__ import annotations

import csv
import json

import pytest

from core.__main__ import app
from core.errors import LabError, RefusedError
from core.records import Score
from core.results import export
from core.store import models, queries, session
from tests import runs


def _study(name: str, benchmark: str, n: int) -> int:
    with session() as db:
        data = models.Dataset(key=benchmark, options={}, hash=name, n=n)
        db.add(data)
        db.flush()
        db.add_all(
            models.Question(dataset_id=data.id, index=i, text=f"Q{i}", answer="1", split="test")
            for i in range(n)
        )
        row = models.Study(name=name, dataset_id=data.id, config={})
        db.add(row)
    return row.id


@pytest.fixture
def study(lab_home):
    """Ten AddSub questions; runs 1 and 2 answered all of them, run 3 only eight other ones."""
    row = models.Study(id=_study("S", "addsub", 10))
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
    assert rows["fine-tune-cot", "T5 small"]["published"] == [], "119 questions were printed of, not 10"
    printed = [one for one in document["published"] if one["accuracy"] == 5.04]
    assert [(one["n"], one["split"], one["samples"], one["selection"]) for one in printed] == [
        (119, "default", 1, "test")
    ] * 2
    assert rows["fine-tune-cot", "T5 small"]["split"] == "default"
    assert document["power"]["n"] == 10 and document["power"]["difference"] > 10
    assert rows["fine-tune", "T5 small"]["difference"] is None
    text = run(capsys)
    assert "70.0 (39.7–89.2)" in text and "5.04 †‡" in text.split(export.OTHERS)[1]
    assert "10 test questions show a difference of 68.6 points or more" in text


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
    read = list(csv.DictReader(path.read_text().splitlines()))
    assert [float(r["accuracy"]) for r in read if r["source"] == export.OURS] == [20, 70, 12.5, 10]
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


def test_pooling_two_benchmarks(study, capsys):
    """Of 10 and 9 questions the second arm gains 6 and 5, and loses 1 and 0."""
    other = _study("T", "svamp", 9)
    _evaluation(other, "fine-tune", "T5 small", {0}, 9)
    _evaluation(other, "fine-tune-cot", "T5 small", set(range(6)), 9)
    asked = ["pool", "--study", "S", "--study", "T", "--baseline", "fine-tune"]
    app([*asked, "--json"], standalone_mode=False)
    rows = json.loads(capsys.readouterr().out)["rows"]
    (row,) = [row for row in rows if row["arm"]["student"] == "T5 small"]
    assert [(one["benchmark"], one["n"], one["seeds"]) for one in row["strata"]] == [
        ("addsub", 10, [1, 1]), ("svamp", 9, [1, 1]),
    ]  # fmt: skip
    assert (row["n"], row["pairs"]) == (19, 2)
    assert row["p"] == pytest.approx(2 * 13 / 2**12) and row["p"] < min(one["p"] for one in row["strata"])
    assert row["difference"] == pytest.approx(100 * 10 / 19)
    app(asked, standalone_mode=False)
    text = capsys.readouterr().out
    assert "svamp, default split" in text and "together" in text and "six pairs are the fewest" in text


def test_pooling_refuses_two_splits_of_a_benchmark(study, capsys):
    """They share questions, so that they are no strata."""
    other = _study("T", "addsub", 9)
    for method in ("fine-tune", "fine-tune-cot"):
        _evaluation(other, method, "T5 small", {0}, 9)
    with pytest.raises(RefusedError, match="addsub was asked with different questions"):
        app(["pool", "--study", "S", "--study", "T", "--baseline", "fine-tune"], standalone_mode=False)


def test_what_so_many_questions_can_see(capsys):
    app(["power", "--n", "119", "--json"], standalone_mode=False)
    document = json.loads(capsys.readouterr().out)
    assert 10 < document["difference"] < 13 and document["assumed"]
    app(["power", "--n", "119", "--discordance", "0.2", "--difference", "5"], standalone_mode=False)
    assert "A difference of 5 points takes 658 test questions" in capsys.readouterr().out
