"""Test questions that stand among the training questions: at three levels, each holding the one before."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets import load
from core.datasets.leaks import LEVELS, by_level, leaks, verbatim
from core.records import Question

TRAIN = [
    Question(0, "Tom has 3 pens.  How many?", "3"),
    Question(1, "Ann has 9 marbles and finds 2. How many?", "11"),
    Question(2, "Ben walks home.", "0"),
]
TEST = [
    Question(10, "tom has 3 pens. How many?", "3"),
    Question(11, "Ann has 12 marbles and finds 1,024. How many?", "1036"),
    Question(12, "Bob walks home.", "0"),
    Question(13, "Nothing of the kind.", "0"),
]


def unit(*rows: tuple[float, float]) -> np.ndarray:
    values = np.array(rows, np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def test_each_question_leaks_at_its_first_level():
    near = unit((1, 0), (1, 1), (0, 1), (-1, 0)), unit((1, 0), (1, 1), (0.1, 1))
    found = leaks(TEST, TRAIN, near)
    assert [(one.index, one.level, one.of) for one in found] == [
        (10, "equal", 0),
        (11, "masked", 1),
        (12, "near", 2),
    ]
    assert by_level(found) == {"equal": [10], "masked": [10, 11], "near": [10, 11, 12]}
    assert by_level(leaks(TEST, TRAIN))["near"] == [10, 11], "what is not compared is not near"
    assert verbatim(TRAIN, TEST) == {0}


def test_nothing_leaks_out_of_nothing():
    assert leaks(TEST, []) == leaks([], TRAIN) == [] and verbatim([], TEST) == set()
    assert leaks(TEST, [], (unit((1, 0)), np.empty((0, 2), np.float32))) == []


@given(
    st.lists(st.text("ab 12.", max_size=6), max_size=8), st.lists(st.text("AB 12.", max_size=6), max_size=8)
)
def test_levels_hold_those_before_them(asked, shown):
    test = [Question(i, text, "") for i, text in enumerate(asked)]
    train = [Question(100 + i, text, "") for i, text in enumerate(shown)]
    held = [set(indices) for indices in by_level(leaks(test, train)).values()]
    assert len(held) == len(LEVELS) and held[0] <= held[1] <= held[2]
    assert held[0] == {q.index for q in test if " ".join(q.text.lower().split()) in
                       {" ".join(r.text.lower().split()) for r in train}}  # fmt: skip


@pytest.mark.parametrize(
    ("key", "n", "equal", "masked"),
    [("multiarith", 180, 5, 77), ("strategy_qa", 687, 1, 1), ("svamp", 300, 0, 0)],
)
def test_recorded_benchmarks(recorded, lab_home, key, n, equal, masked):
    questions = load(key)
    test, train = ([q for q in questions if q.split == split] for split in ("test", "train"))
    found = by_level(leaks(test, train))
    assert (len(test), len(found["equal"]), len(found["masked"])) == (n, equal, masked)


def test_multiariths_template_split_has_no_masked_twin(recorded, lab_home):
    questions = load("multiarith", split="template")
    test, train = ([q for q in questions if q.split == split] for split in ("test", "train"))
    assert leaks(test, train) == []
