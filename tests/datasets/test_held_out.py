"""The questions on which an epoch is chosen: whole groups of twins, the same for all arms of a study."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from core.datasets import load
from core.datasets.duplicates import same_template
from core.datasets.splits import held_out
from core.records import Question


def asked(*texts: str) -> list[Question]:
    return [Question(10 * i, text, "") for i, text in enumerate(texts)]


@given(
    st.lists(st.sampled_from("abcdefgh"), max_size=30), st.integers(1, 9), st.integers(1, 10), st.randoms()
)
def test_twins_stay_together_whatever_the_order(words, tenths, limit, rng):
    questions = asked(*(f"{word} has {i} pens" for i, word in enumerate(words)))
    held = held_out(questions, tenths / 10, limit)
    mixed = questions[:]
    rng.shuffle(mixed)
    assert held == held_out(mixed, tenths / 10, limit) == sorted(set(held))
    text = {q.index: same_template(q.text) for q in questions}
    sides = {text[i] for i in held} & {text[i] for i in text if i not in held}
    assert not sides
    smallest = min((words.count(word) for word in words), default=0)
    assert len(held) <= max(smallest, min(limit, max(1, round(tenths / 10 * len(words)))))
    assert bool(held) == (len(set(words)) > 1), "where there are two groups, one can be held out"


def test_a_tenth_of_questions_without_twins():
    words = [f"{a}{b}" for a in "abcdefghij" for b in "klmnopqrst"]
    random.Random(0).shuffle(words)
    assert len(held_out(asked(*words), 0.1, 200)) == 10 and len(held_out(asked(*words), 0.5, 7)) == 7


def test_multiariths_dev_questions_have_no_twin_in_the_rest(recorded, lab_home):
    train = [q for q in load("multiarith") if q.split == "train"]
    held = set(held_out(train, 0.1, 200))
    rest = {same_template(q.text) for q in train if q.index not in held}
    assert len(held) == 42 and not rest & {same_template(q.text) for q in train if q.index in held}
