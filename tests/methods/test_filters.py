"""The filters of a training set: row by row, in order, and on recorded rationales."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import studies
from core.answers import score_completion
from core.datasets import DATASETS, load
from core.errors import LabError, RefusedError
from core.methods import METHODS, Given, filters, training_set
from core.methods.base import Lesson
from core.methods.filters import FILTERS, Candidate, apply
from core.records import Completion, Question, Score, Step
from core.students.formats import FORMATS
from core.teachers.recorded import read
from tests.recordings import DAVINCI

RIGHT = "She has 32 + 42 = 74 pieces. They ate 35, so 74 - 35 = 39 are left."
WRONG = "She has 32 + 42 = 76 pieces. They ate 35, so 39 are left."
OTHER = "First they eat 35 of them. What is left in the end is 32 + 42 - 35 = 39."
METHOD = METHODS["fine-tune-cot"]


def of(*texts: str, question: int = 0) -> list[Candidate]:
    return [Candidate(question, sample, text) for sample, text in enumerate(texts)]


# filter key → (its value, examples, the sample indices that stay)
CASES = {
    "complete": (True, [Candidate(0, 0, RIGHT), Candidate(0, 1, RIGHT, truncated=True)], [0]),
    "steps": (True, of(RIGHT, WRONG, "There are no equations here."), [0, 2]),
    "min_words": (4, of("one two three", "one two three four"), [1]),
    "max_words": (3, of("one two three", "one two three four"), [0]),
    "exemplars": ("exclude", [Candidate(0, 0, RIGHT, shown=True), Candidate(1, 1, RIGHT)], [1]),
    "duplicates": ("exact", of(RIGHT, RIGHT.upper() + " ", OTHER), [0, 2]),
    "first": (2, of(OTHER, RIGHT, WRONG), [0, 1]),
    "diverse": (2, of(RIGHT, RIGHT + " So 39.", OTHER), [0, 2]),
}


@pytest.mark.parametrize("key", FILTERS)
def test_every_filter_keeps_one_and_drops_one(key: str) -> None:
    row = FILTERS[key]
    value, examples, stay = CASES[key]
    left, dropped = apply(examples, {key: value})
    assert [e.sample_index for e in left] == stay
    gone = dropped[row.reason]
    assert sorted([*stay, *(d.sample_index for d in gone)]) == list(range(len(examples)))
    assert all(d.reason == row.reason and d.why.endswith(".") for d in gone)
    assert row.key == key and row.title and row.about.endswith(".") and row.value(value) == value


def test_reasons_are_distinct() -> None:
    reasons = [row.reason for row in FILTERS.values()]
    assert len(set(reasons)) == len(reasons)


def test_each_kind_of_likeness() -> None:
    nearly = RIGHT.replace("pieces.", "pieces!")
    examples = of(RIGHT, nearly, "74 = 42 + 32.", OTHER)
    kept = {m: [e.sample_index for e in apply(examples, {"duplicates": m})[0]] for m in filters.LIKENESS}
    assert kept == {"exact": [0, 1, 2, 3], "near": [0, 2, 3], "path": [0, 2, 3]}
    same_path = of(RIGHT, "32 + 42 = 74 of them, then 74 - 35 = 39 in all other words.")
    assert len(apply(same_path, {"duplicates": "near"})[0]) == 2
    assert len(apply(same_path, {"duplicates": "path"})[0]) == 1


def test_only_the_exemplars() -> None:
    value, examples, _ = CASES["exemplars"]
    assert [e.shown for e in apply(examples, {"exemplars": "only"})[0]] == [True]


def test_questions_are_filtered_each_for_itself() -> None:
    examples = of(RIGHT, OTHER) + of(RIGHT, OTHER, question=1)
    assert len(apply(examples, {"duplicates": "near"})[0]) == 4
    assert [e.question_index for e in apply(examples, {"first": 1})[0]] == [0, 1]


def test_filters_work_in_table_order_whatever_order_they_are_given_in() -> None:
    """Of two samples the first has a wrong step: verified first, one is left to be the first."""
    examples = of(WRONG, RIGHT)
    for given_order in ({"first": 1, "steps": True}, {"steps": True, "first": 1}):
        left, dropped = apply(examples, given_order)
        assert [e.sample_index for e in left] == [1]
        assert {reason: len(gone) for reason, gone in dropped.items()} == {
            "wrong step": 1,
            "beyond the first": 0,
        }


texts = st.sampled_from([RIGHT, WRONG, OTHER, RIGHT + " So 39.", "39", "", "5 + 5 = 10."])
candidates = st.lists(st.tuples(st.integers(0, 3), texts, st.booleans(), st.booleans()), max_size=14).map(
    lambda drawn: [Candidate(q, s, text, cut, shown) for s, (q, text, cut, shown) in enumerate(drawn)]
)
some = st.fixed_dictionaries(
    {},
    optional={
        key: st.sampled_from(row.choices) if row.choices else st.just(True) if row.least is None
        else st.integers(row.least, 12)
        for key, row in FILTERS.items()
    },
)  # fmt: skip


@settings(deadline=None, max_examples=80)
@given(candidates, some)
def test_what_stays_is_a_part_in_order_and_the_rest_is_accounted_for(examples, chosen) -> None:
    left, dropped = apply(examples, chosen)
    gone = {(d.question_index, d.sample_index) for group in dropped.values() for d in group}
    assert left == [e for e in examples if (e.question_index, e.sample_index) not in gone]
    assert len(left) + sum(map(len, dropped.values())) == len(examples)
    assert list(dropped) == [FILTERS[key].reason for key in FILTERS if key in chosen]


@settings(deadline=None, max_examples=60)
@given(candidates, some)
def test_each_filter_again_drops_nothing_more(examples, chosen) -> None:
    for key, value in chosen.items():
        left, _ = apply(examples, {key: value})
        assert apply(left, {key: value})[0] == left


@pytest.mark.parametrize(
    ("given_filters", "sentence"),
    [
        ({"steps": 3}, "`steps` cannot be 3: give it true or false"),
        ({"min_words": 0}, "`min_words` cannot be 0: give it a whole number from 1 on"),
        ({"first": True}, "`first` cannot be True"),
        ({"max_words": "many"}, "`max_words` cannot be 'many'"),
        ({"duplicates": "all"}, "exact or near or path"),
        ({"duplicates": ["exact"]}, "exact or near or path"),
        ({"correctness": True}, "no filter correctness: choose from complete, steps"),
        (["steps"], "`filters` is a list: it must be"),
    ],
)
def test_what_cannot_be_used_is_named(given_filters, sentence) -> None:
    with pytest.raises(LabError, match=sentence):
        studies.Study.read({"name": "x", "benchmark": "addsub", "filters": given_filters})


def test_off_is_the_same_as_absent() -> None:
    assert filters.chosen({"steps": False, "first": None}) == {}
    assert filters.chosen({"diverse": 2, "steps": True}) == {"steps": True, "diverse": 2}
    assert list(filters.chosen({"diverse": 2, "steps": True})) == ["steps", "diverse"]


def test_a_command_line_says_the_same() -> None:
    asked = filters.parsed(["max_words=40", "steps", "duplicates = near", "complete=false"])
    assert asked == {"steps": True, "max_words": 40, "duplicates": "near"}
    assert filters.label(asked) == "steps, max_words=40, duplicates=near"
    assert filters.parsed(filters.label(asked).split(", ")) == asked
    with pytest.raises(LabError, match="min_words"):
        filters.parsed(["min_words=few"])


# ── in a training set ───────────────────────────────────────────────────────────────────────────

QUESTIONS = [Question(i, f"Question {i}?", "39") for i in range(3)]
GIVEN = Given(form=FORMATS["t5"])


def completed(question: int, text: str, sample: int = 0, finish: str = "stop") -> Completion:
    return Completion(question, sample, text, (Step("rationale", "p", text, finish_reason=finish),))


def build(completions: list[Completion], method: str = "fine-tune-cot", **more):
    scores = [Score(True, "39")] * len(completions)
    return training_set(QUESTIONS, completions, scores, METHODS[method], GIVEN, **more)


def test_a_set_says_what_each_filter_dropped_and_which() -> None:
    completions = [completed(0, RIGHT), completed(1, WRONG), completed(2, OTHER, finish="length")]
    made = build(completions, filters={"steps": True, "complete": True})
    assert made.dropped == {"truncated": 1, "wrong step": 1}
    assert [(d.question_index, d.reason, d.why) for d in made.removed] == [
        (2, "truncated", "It ends at the token limit."),
        (1, "wrong step", "32 + 42 = 76 does not hold."),
    ]
    assert [row.question_index for row in made.rows] == [0]
    assert made.hash == build(completions[:1]).hash, "the hash is of the rows"


def test_exemplars_are_known_by_their_question() -> None:
    completions = [completed(i, RIGHT) for i in range(3)]
    made = build(completions, filters={"exemplars": "exclude"}, shown={"Question 1? "})
    assert [row.question_index for row in made.rows] == [0, 2]
    assert made.dropped == {"exemplar": 1}


def test_what_a_student_learns_of_a_rationale_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """A method whose student learns the first sentence only."""

    def first(question: Question, written: Completion, given: Given) -> Iterator[Lesson]:
        text = written.rationale.split(". ")[0]
        yield Lesson(question.text, text, text)

    monkeypatch.setitem(METHODS, "first", replace(METHODS["fine-tune-cot"], key="first", lessons=first))
    completions = [completed(0, "It is 39 now. The answer is 39."), completed(1, RIGHT)]
    made = build(completions, "first", filters={"max_words": 4})
    assert [row.label for row in made.rows] == ["It is 39 now"]


def test_filters_are_of_rationales() -> None:
    assert len(build([], "fine-tune", filters={"min_words": 99, "first": 1}).rows) == 3


def test_filters_that_leave_nothing_are_named() -> None:
    with pytest.raises(RefusedError, match=r"filters \(min_words=99\) leave no training row"):
        build([completed(0, RIGHT)], filters={"min_words": 99})
    empty = build([completed(0, RIGHT)], filters={"min_words": 99}, may_be_empty=True)
    assert empty.rows == () and empty.dropped == {"too short": 1}


def test_recorded_sets_before_and_after(recorded: Path, lab_home: Path) -> None:
    """209 right rationales of AddSub's train questions; what filters leave, recounted from the rows."""
    path = recorded / DAVINCI / "D_addsub.json"
    questions, kind = load("addsub"), DATASETS["addsub"].kind
    completions = read(path, "fine-tune-cot", questions, kind)
    golds = {q.index: q.answer for q in questions}
    scores = [score_completion(c, golds[c.question_index], kind=kind) for c in completions]

    def made(chosen):
        return training_set(questions, completions, scores, METHOD, GIVEN, samples=1, filters=chosen)

    plain = made({})
    assert len(plain.rows) == 209
    assert made(None).hash == made({"steps": False}).hash == plain.hash
    strict = made({"steps": True, "max_words": 40, "complete": True})
    words = [len(row.label.rpartition(" --> ")[0].split()) for row in plain.rows]
    assert 0 < strict.dropped["too long"] <= sum(n > 40 for n in words)
    assert all(len(row.label.rpartition(" --> ")[0].split()) <= 40 for row in strict.rows)
    assert set(strict.rows) < set(plain.rows)
    assert len(strict.rows) + sum(strict.dropped.values()) == len(completions)
    wrong = [row for row in plain.rows if filters.wrong_step(row.label)]
    assert made({"steps": True}).dropped["wrong step"] == len(wrong) < 20
    assert json.loads(json.dumps(strict.dropped)) == strict.dropped
