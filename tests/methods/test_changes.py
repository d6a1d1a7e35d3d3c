"""Each arm of an ablation differs by the one change it is named for: in its parts, and in what it does."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from core.methods import METHODS, Given, Method
from core.methods.changes import changes, titles
from core.methods.driver import Running
from core.records import AnswerPlace, Completion, Exemplar, Question, Reply, Request, Step
from core.results.ablation import ARMS

QUESTION = Question(3, "Tom has 3 pens and buys 4. How many?", "7")
SHOWN = (Exemplar("What is 1 + 1?", "Let's think step by step. 1 + 1 = 2.", "2"),)
PLAIN = "Q: Tom has 3 pens and buys 4. How many?\nA: Let's think step by step."
REASONED = " He has 3 + 4 = 7 pens. The answer is 7."
WRITTEN = (
    REASONED,
    " The answer is 3 + 4 = 7.",
    " 3 + 4 = 7.\nTherefore, the answer is 7.",
    "\n\nHe has 7 (3 + 4)",
    " So the final answer: 7 pens.",
)


def neighbours() -> list[tuple[str, Method, Method]]:
    return [(after, METHODS[before], METHODS[after]) for before, after in pairwise(ARMS)]


def asked(method: Method, replies: list[str]) -> tuple[list[Request], Completion]:
    """What a method asks a teacher that replies so, and what comes of it."""
    given = Given("integer", exemplars=SHOWN if method.exemplars else (), options=method.options)
    running = Running(3, 0, method.asking()(QUESTION, given), method.sampling)
    made, waiting = [], running.start()
    while waiting:
        (request,) = waiting
        made.append(request)
        waiting = running.take(Reply(request, replies[len(made) - 1]))
    assert running.result is not None
    return made, running.result


@pytest.mark.parametrize(
    ("arm", "told"),
    [
        ("cluster-exemplars", "+ exemplars of 8 clusters"),
        ("heuristic-correction", "+ exemplars left out: wrong answer"),
        ("new-fine-tune-cot", "+ adaptive answers"),
    ],
)
def test_each_arm_is_named_for_its_one_change(arm, told):
    ((_, before, after),) = [row for row in neighbours() if row[0] == arm]
    assert changes(before, after, {"k": 8}) == (told,)


def test_the_arms_are_titled_by_what_they_change():
    assert titles([METHODS[key] for key in ARMS], {"k": 4}) == [
        "Fine-tune-CoT",
        "+ exemplars of 4 clusters",
        "+ exemplars left out: wrong answer",
        "+ adaptive answers",
    ]
    assert titles([]) == []


def test_the_rules_of_a_study_can_be_a_second_change():
    before, after = METHODS["heuristic-correction"], METHODS["new-fine-tune-cot"]
    told = changes(before, after, {"rules": "auto-cot"})
    assert told == (
        "− exemplars left out: wrong answer",
        "exemplars chosen by another text",
        "+ adaptive answers",
    )


def test_every_part_that_differs_is_told():
    method = METHODS["fine-tune-cot"]
    assert changes(method, method) == ()
    longer = replace(method, sampling=replace(method.sampling, max_tokens=256), lessons=lambda *_: iter(()))
    assert changes(method, longer) == ("max_tokens: 256", "other labels")
    assert changes(METHODS["cluster-exemplars"], method) == ("− exemplars",)
    assert changes(method, METHODS["zero-shot"])[-1] == "the student is asked in another way"
    other = replace(method, options={"trigger": "\nSo the answer is"})
    assert changes(method, other) == ("trigger: \nSo the answer is",)


@pytest.mark.parametrize(("arm", "before", "after"), neighbours(), ids=list(ARMS)[1:])
def test_equal_completions_make_equal_training_rows_in_neighbouring_arms(arm, before, after):
    for text in WRITTEN:
        written = Completion(3, 0, text, (Step("rationale", PLAIN, text),), AnswerPlace())
        rows = [
            list(method.lessons(QUESTION, written, Given(options=method.options)))
            for method in (before, after)
        ]
        assert rows[0] == rows[1] and text.strip() in rows[0][0].label


@pytest.mark.parametrize(("arm", "before", "after"), neighbours(), ids=list(ARMS)[1:])
def test_neighbouring_arms_ask_alike_but_for_their_change(arm, before, after):
    (was, _), (now, said) = (asked(method, [REASONED, " 7."]) for method in (before, after))
    if arm == "new-fine-tune-cot":  # the second call is spared, and nothing else is another
        assert now == was[:1] and said.rationale == REASONED
        return
    exemplars = "" if before.exemplars else now[0].prompt.removesuffix(PLAIN)
    assert exemplars == "" or "1 + 1 = 2. The answer is 2." in exemplars
    for one, other in zip(was, now, strict=True):
        assert other.prompt == exemplars + one.prompt
        # Where exemplars stand before the question, a reply ends where the next one would begin.
        end = () if before.exemplars else ("\nQ:",)
        assert other.sampling == replace(one.sampling, stop=(*one.sampling.stop, *end))
