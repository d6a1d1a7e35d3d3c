"""The whole way from a recorded file to exemplars, and the command."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest
from typer.testing import CliRunner

from core import exemplars
from core.__main__ import app
from core.errors import LabError
from core.exemplars import choose
from core.exemplars.candidates import Candidate, read


def hashed(texts: list[str], *_, **__) -> np.ndarray:
    """An embedding without a model: a vector drawn by the text."""
    rows = [np.random.RandomState(sum(map(ord, t)) % 2**31).normal(size=12) for t in texts]
    return np.array(rows, np.float32)


@pytest.fixture
def addsub(small, monkeypatch) -> list[Candidate]:
    monkeypatch.setattr(exemplars, "encode", hashed)
    return read(small / "zero_shot_cot/log/addsub_zero_shot_cot.log", "addsub", "zero-shot-cot")


@pytest.mark.parametrize("rules", ["paper", "auto-cot", "no-correction"])
def test_any_order_gives_the_same_exemplars(addsub, rules):
    first = choose(addsub, rules=rules, dataset="addsub")
    for seed in range(3):
        rows = random.Random(seed).sample(addsub, len(addsub))
        again = choose(rows, rules=rules, dataset="addsub")
        assert again.selection == first.selection
    assert len(first.selection.picks) == 8 and not first.selection.gaps


def test_what_is_encoded_is_a_row(addsub, monkeypatch):
    seen: dict[str, list[str]] = {}
    for text in ("question", "auto-cot", "question-rationale"):
        keep = lambda texts, *_, text=text, **__: seen.setdefault(text, texts) and hashed(texts)  # noqa: E731
        monkeypatch.setattr(exemplars, "encode", keep)
        choose(addsub, rules="paper", dataset="addsub", text=text)
    assert seen["auto-cot"] == [f"Q: {q.strip()}\nA:" for q in seen["question"]]
    assert all(a.startswith(b) for a, b in zip(seen["question-rationale"], seen["auto-cot"], strict=True))


def test_bad_input(addsub):
    with pytest.raises(LabError, match="choose k between 1 and 3"):
        choose(addsub[:3], rules="paper", dataset="addsub", k=4)
    for seed in (-1, 2**32):
        with pytest.raises(LabError, match="between 0 and 4294967295"):
            choose(addsub[:3], rules="paper", dataset="addsub", k=2, seed=seed)
    with pytest.raises(LabError, match="no question"):
        choose([], rules="paper", dataset="addsub")
    with pytest.raises(LabError, match="selection rules “best”"):
        choose(addsub, rules="best", dataset="addsub")
    with pytest.raises(LabError, match="no text to encode “answer”"):
        choose(addsub, rules="paper", dataset="addsub", text="answer")


def test_only_duplicates(addsub):
    one = addsub[0]
    rows = [Candidate(i, one.question, "It is 3.", "3", "3", True) for i in range(6)]
    made = choose(rows, rules="paper", dataset="addsub", k=3).selection
    assert len(made.picks) == 1
    assert [gap.size for gap in made.gaps] == [0, 0]
    assert all("fewer distinct questions" in gap.sentence for gap in made.gaps)


def test_the_command_prints_one_document(minilm, recorded):
    path = recorded / "zero_shot_cot/log/addsub_zero_shot_cot.log"
    command = ["exemplars", "select", str(path), "--dataset", "addsub", "--source", "zero-shot-cot"]
    printed = {}
    for rules in ("paper", "auto-cot"):
        options = ["--rules", rules, "--k", "5", "--seed", "1", "--text", "question", "--json"]
        result = CliRunner().invoke(app, [*command, *options])
        assert result.exit_code == 0, result.output
        printed[rules] = json.loads(result.stdout)
    ours = printed["auto-cot"]
    assert (ours["records"], ours["eligible"]) == (395, 223)
    assert round(ours["correct_among_eligible"], 1) == 79.8
    assert [e["cluster"] for e in ours["exemplars"]] == [0, 1, 2, 3, 4]
    assert set(ours["exemplars"][0]) == {
        "index", "cluster", "rank", "distance", "correct", "question", "rationale", "answer",
    }  # fmt: skip
    assert printed["paper"]["eligible"] == 178
    assert all(e["correct"] for e in printed["paper"]["exemplars"])


def test_the_command_says_what_is_wrong(small):
    path = str(small / "zero_shot_cot/log/addsub_zero_shot_cot.log")
    command = ["exemplars", "select", path, "--dataset", "addsub", "--source", "zero-shot-cot"]
    result = CliRunner().invoke(app, [*command, "--k", "91"])
    assert isinstance(result.exception, LabError)
    assert "choose k between 1 and 90" in str(result.exception)
