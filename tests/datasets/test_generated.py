"""Generated families: seeded, of any size, and every worked solution is right."""

from __future__ import annotations

import re

import pytest

from core.answers import RULES, score
from core.datasets import DATASETS, load

FAMILIES = [key for key, row in DATASETS.items() if row.generated]
CHOICES = [
    (key, option.name, value)
    for key in FAMILIES
    for option in DATASETS[key].options
    for value in option.allowed
]


@pytest.mark.parametrize("key", FAMILIES)
def test_the_same_seed_gives_the_same_questions(key):
    assert load(key, size=50, seed=3) == load(key, size=50, seed=3)
    assert [q.text for q in load(key, size=50, seed=3)] != [q.text for q in load(key, size=50, seed=4)]


@pytest.mark.parametrize("key", FAMILIES)
def test_a_larger_benchmark_begins_with_the_smaller(key):
    small, large = load(key, size=20), load(key, size=60)
    assert [q.text for q in small] == [q.text for q in large[:20]]


@pytest.mark.parametrize("key", FAMILIES)
def test_no_question_comes_twice(key):
    texts = [q.text for q in load(key, size=3000)]
    assert len(set(texts)) == len(texts)


def test_an_exhausted_family_still_has_any_size():
    questions = load("coin_flip_generated", size=600, options={"flips": 1})
    assert len(questions) == 600
    assert len({q.text for q in questions}) == len({q.text for q in questions[:500]})


@pytest.mark.parametrize(("key", "name", "value"), CHOICES)
@pytest.mark.parametrize("rules", RULES)
def test_every_solution_ends_in_the_answer(key, name, value, rules):
    for q in load(key, size=40, options={name: value}):
        assert q.solution and q.solution.endswith(f"The answer is {q.answer}.")
        verdict = score(q.solution, q.answer, kind=DATASETS[key].kind, rules=rules, prefix="The answer is")
        assert verdict.correct, (q, verdict)


def test_coin_flips_are_counted():
    answers = []
    for q in load("coin_flip_generated", size=400):
        flips = len(re.findall(r"\w+ flips the coin", q.text))
        assert q.answer == ("no" if flips % 2 else "yes")
        answers.append(q.answer)
    assert 150 < answers.count("yes") < 250


def test_last_letters_are_taken():
    for q in load("last_letters_generated", size=200, options={"words": 5}):
        words = q.text.split('"')[1].split()
        assert len(words) == 5 and q.answer == "".join(word[-1] for word in words)


@pytest.mark.parametrize("objects", [3, 5, 7])
def test_objects_are_tracked(objects):
    """Play the story again, from its text alone."""
    for q in load("shuffled_objects_generated", size=120, options={"objects": objects}):
        start = q.text.split(": ", 1)[1].split(".\n\n")[0]
        held = dict(re.match(r"(\w+) \w+ the (.+)", part).groups() for part in start.split(", "))
        assert len(held) == objects
        swaps = re.findall(r"(?:First|Then|Finally), (\w+) and (\w+) ", q.text)
        assert len(swaps) == objects
        for a, b in swaps:
            held[a], held[b] = held[b], held[a]
        asked = re.search(r"(\w+) \w+ the \nWhich choice is true", q.text)[1]
        choices = dict(re.findall(r"\(([A-G])\) ([^,.]+)", q.text))
        assert choices[q.answer] == held[asked]


@pytest.mark.parametrize("steps", [1, 3, 8])
def test_arithmetic_adds_up(steps):
    templates = set()
    for q in load("arithmetic_generated", size=300, options={"steps": steps}):
        sums = re.findall(r"(\d+) ([-+*/]) (\d+) = (\d+)\.", q.solution)
        assert len(sums) == steps
        count = re.search(r"The start is (\d+)\.", q.solution)[1]
        for a, sign, b, result in sums:
            assert a == count and re.search(rf"\b{b}\b", q.text)
            whole = {"+": int(a) + int(b), "-": int(a) - int(b), "*": int(a) * int(b), "/": int(a) / int(b)}
            assert whole[sign] == int(result) > 0
            count = result
        assert count == q.answer
        templates.add(re.sub(r"\d+|\b[A-Z]\w+\b", "#", q.text))
    assert len(templates) >= 20
