"""python -m core datasets."""

from __future__ import annotations

import csv
import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from core import settings
from core.commands.datasets import app
from core.datasets import DATASETS, load


def _run(*arguments):
    run = CliRunner().invoke(app, [str(a) for a in arguments])
    if run.exception and not isinstance(run.exception, SystemExit):
        raise run.exception
    return run


def test_list_shows_every_row(small):
    rows = json.loads(_run("list", "--json").stdout)
    assert [row["key"] for row in rows] == list(DATASETS)
    multiarith = next(row for row in rows if row["key"] == "multiarith")
    assert [multiarith[name] for name in ("n", "train", "test", "here")] == [40, 28, 12, True]
    assert multiarith["splits"] == ["default", "template", "all-test"]
    assert all(
        file["url"].startswith("https://") and len(file["sha256"]) == 64 for r in rows for file in r["files"]
    )
    assert "MultiArith" in _run("list").stdout or "multiarith" in _run("list").stdout


def test_show_is_one_question(small):
    row = json.loads(_run("show", "multiarith", "--index", 3, "--json").stdout)
    question = load("multiarith")[3]
    assert row["question"] == question.text and row["answer"] == question.answer and row["index"] == 3
    assert "gold" not in row
    run = _run("show", "coin_flip_generated", "--size", 5, "--seed", 9, "--set", "flips=2", "--json")
    assert (
        json.loads(run.stdout)["question"]
        == load("coin_flip_generated", size=5, seed=9, options={"flips": 2})[0].text
    )


@pytest.mark.parametrize("suffix", ["jsonl", "json", "csv"])
@pytest.mark.parametrize(("part", "n"), [("train", 63), ("test", 27), ("all", 90)])
def test_export_round_trips(suffix, part, n, small, tmp_path):
    out = tmp_path / f"out.{suffix}"
    result = json.loads(_run("export", "addsub", "--split", part, "--out", out, "--json").stdout)
    assert result["n"] == n
    text = out.read_text(encoding="utf-8")
    if suffix == "csv":
        rows = list(csv.DictReader(text.splitlines(keepends=True)))
    else:
        rows = json.loads(text) if suffix == "json" else [json.loads(line) for line in text.splitlines()]
    expected = [q for q in load("addsub") if part in ("all", q.split)]
    assert [(int(r["index"]), r["question"], r["answer"], r["split"]) for r in rows] == [
        (q.index, q.text, q.answer, q.split) for q in expected
    ]


def test_what_is_exported_can_be_added(small, tmp_path):
    out = tmp_path / "out.csv"
    _run("export", "date_understanding", "--out", out)
    result = json.loads(_run("add", out, "--key", "dates", "--json").stdout)
    assert result == {
        "key": "dates",
        "title": "dates",
        "kind": "choice-F",
        "n": 40,
        "train": 28,
        "test": 12,
    }
    assert [(q.text, q.answer, q.split) for q in load("dates")] == [
        (q.text, q.answer, q.split) for q in load("date_understanding")
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "nothing"),
        ("show", "coin_flip_generated", "--index", "500"),
        ("export", "coin_flip_generated", "--split", "dev", "--out", "x.jsonl"),
        ("export", "coin_flip_generated", "--out", "x.xlsx"),
        ("export", "coin_flip_generated", "--out", "no/such/folder/x.jsonl"),
        ("show", "coin_flip_generated", "--set", "flips"),
        ("show", "coin_flip_generated", "--set", "flips=99"),
    ],
)
def test_a_users_error_is_one_sentence_and_exit_2(arguments, lab_home, tmp_path):
    run = subprocess.run(
        [sys.executable, "-m", "core", "datasets", *arguments],
        capture_output=True,
        text=True,
        cwd=settings.ROOT,
    )
    assert run.returncode == 2 and run.stdout == ""
    assert (
        len(run.stderr.strip().splitlines()) == 1
        and "choose" in run.stderr
        or "give" in run.stderr
        or "write" in run.stderr
    )


def test_leaks_are_told_at_each_level(recorded, minilm):
    said = json.loads(_run("leaks", "addsub", "--json").stdout)
    assert (said["train"], said["test"], said["equal"], said["masked"]) == (276, 119, [], [285])
    assert set(said["masked"]) < set(said["near"])
    assert {row["test"] for row in said["leaks"]} == set(said["near"])
    assert "near" not in json.loads(_run("leaks", "addsub", "--no-near", "--json").stdout)
    assert "5 equal: word for word" in _run("leaks", "multiarith", "--no-near").stdout
