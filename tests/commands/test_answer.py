"""python -m core answer: one JSON document with the value, its span and whether a second call is spared."""

from __future__ import annotations

import io
import json

import pytest

from core.__main__ import app
from core.errors import LabError


def answered(capsys, *arguments: str) -> dict:
    app(["answer", *arguments, "--json"], standalone_mode=False)
    return json.loads(capsys.readouterr().out)


def test_a_reply_is_read_by_the_rules(capsys):
    assert answered(capsys, " $29.00.", "--dataset", "gsm8k") == {"value": "29.00", "span": [2, 7]}
    robust = answered(capsys, " $29.00.", "--dataset", "gsm8k", "--rules", "robust")
    assert robust == {"value": "29", "span": [1, 7]}
    assert (
        answered(capsys, "D--exhaustion", "--dataset", "commonsense_qa", "--rules", "robust")["value"] == "D"
    )


def test_a_whole_rationale_is_read_behind_its_prefix(capsys):
    assert answered(capsys, "3 + 4 --> 7", "--dataset", "multiarith", "--prefix", "-->")["value"] == "7"


def test_adaptively_only_what_is_asserted_counts(capsys):
    said = answered(capsys, "So the answer is 8 + 9 = 17.", "--dataset", "addsub", "--adaptive")
    assert said == {"value": "17", "span": [25, 27], "spared": True}
    asked = answered(capsys, "There are 17.", "--dataset", "addsub", "--adaptive")
    assert asked == {"value": None, "span": None, "spared": False}


def test_a_text_from_standard_input(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("The answer is yajo. I hope this helps!"))
    assert answered(capsys, "-", "--dataset", "last_letter_concatenation", "--adaptive")["value"] == "yajo"


def test_odd_words_are_one_sentence():
    with pytest.raises(LabError, match="choose one of"):
        app(["answer", "7", "--dataset", "gsm8k", "--rules", "nothing"], standalone_mode=False)
