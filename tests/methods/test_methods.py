"""The table of methods, row by row, and what a generation and a training set are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import LabError, RefusedError
from core.methods import METHODS, estimate, generate, requests, training_set
from core.records import Completion, Exemplar, Question, Reply, Request, Score
from core.students.formats import FORMATS
from core.teachers.base import Prices, Then

TWO_STEP = METHODS["fine-tune-cot"]
SHOWN = (Exemplar("2 + 1?", " 2 and 1 make 3. ", "3"), Exemplar("1 + 1?", "1 and 1 make 2.", "2"))
QUESTIONS = [Question(i, f"{i} + 1?", str(i + 1), "train" if i < 3 else "test") for i in range(5)]


def completed(question: int, sample: int = 0, error: str | None = None) -> Completion:
    return Completion(question, sample, "p", f" \n\nBecause {question}.{sample}. ", error=error)


def verdict(correct: bool) -> Score:
    return Score(correct, "1")


def echo(asked: Iterable[Request], then: Then) -> Iterator[Reply]:
    """A teacher that answers with the request's own name, the newest request first."""
    todo = list(asked)
    while todo:
        request = todo.pop()
        reply = Reply(request, f" <{request.question_index}.{request.sample_index}.{request.step}>", cost=1.0)
        if request.question_index == 13:
            reply = Reply(request, finish_reason="error", error="It refused.")
        todo += then(reply)
        yield reply


@pytest.mark.parametrize("key", METHODS)
def test_every_row_is_complete(key: str) -> None:
    method = METHODS[key]
    assert method.key == key and method.title and method.paper and method.about
    for form in FORMATS.values():
        assert "2 + 2?" in method.input("2 + 2?", form, SHOWN)
        form.prefix(method.template)
    assert method.trains == (method.choose is not None)
    assert not method.needs_teacher or method.prompt is not None


@pytest.mark.parametrize("key", [key for key, method in METHODS.items() if method.needs_exemplars])
def test_a_method_that_needs_exemplars_says_so(key: str) -> None:
    if not METHODS[key].trains:
        with pytest.raises(LabError, match="exemplar"):
            METHODS[key].input("2 + 2?", FORMATS["causal"], ())
    with pytest.raises(LabError, match="exemplar"):
        list(requests([(QUESTIONS[0], 0)], METHODS[key]))


def test_few_shot_prompts_end_each_exemplar_with_its_answer() -> None:
    prompt = METHODS["few-shot-cot"].prompt("4 + 4?", {"exemplars": SHOWN})
    assert prompt == (
        "Q: 2 + 1?\nA: 2 and 1 make 3. The answer is 3.\n\n"
        "Q: 1 + 1?\nA: 1 and 1 make 2. The answer is 2.\n\n"
        "Q: 4 + 4?\nA:"
    )
    assert METHODS["few-shot-cot"].input("4 + 4?", FORMATS["t5"], SHOWN) == prompt


def test_zero_shot_inputs() -> None:
    method = METHODS["zero-shot"]
    assert method.input("4 + 4?", FORMATS["t5"], ()) == "question: 4 + 4?"
    assert method.input("4 + 4?", FORMATS["causal"], ()) == "Q: 4 + 4?\n\nA:"


def test_two_step_prompts_are_raw_concatenations() -> None:
    first = TWO_STEP.prompt("How many?", TWO_STEP.options)
    assert first == "Q: How many?\nA: Let's think step by step."
    assert TWO_STEP.answer_prompt(first, " \n\nSeven. ", TWO_STEP.options) == (
        "Q: How many?\nA: Let's think step by step. \n\nSeven. \nTherefore, the answer is"
    )


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 7)), unique=True))
def test_each_question_and_sample_is_completed_once(pairs: list[tuple[int, int]]) -> None:
    made = list(generate([(Question(i, f"q{i}", "1"), s) for i, s in pairs], TWO_STEP, echo))
    assert sorted((c.question_index, c.sample_index) for c in made) == sorted(pairs)
    for one in made:
        name = f"{one.question_index}.{one.sample_index}"
        assert one.rationale == f" <{name}.rationale>" and one.answer_text == f" <{name}.answer>"
        assert one.answer_prompt == f"{one.prompt}{one.rationale}\nTherefore, the answer is"
        assert (one.calls, one.cost) == (2, 2.0)


def test_one_call_methods_have_no_answer_step() -> None:
    (made,) = generate([(QUESTIONS[0], 0)], METHODS["few-shot-cot"], echo, {"exemplars": SHOWN})
    assert (made.rationale, made.answer_prompt, made.calls) == (" <0.0.rationale>", "", 1)


def test_a_failed_call_is_a_completion_with_an_error() -> None:
    made = list(generate([(Question(i, "q", "1"), 0) for i in (12, 13)], TWO_STEP, echo))
    assert {c.question_index: c.error for c in made} == {12: None, 13: "It refused."}


def test_a_method_without_teacher_cannot_generate() -> None:
    with pytest.raises(LabError, match="asks no teacher"):
        list(generate([(QUESTIONS[0], 0)], METHODS["fine-tune"], echo))


def test_unknown_options_are_refused() -> None:
    with pytest.raises(LabError, match="no option tigger"):
        list(generate([(QUESTIONS[0], 0)], TWO_STEP, echo, {"tigger": "x"}))


def test_fine_tune_cot_learns_right_rationales_and_the_gold_answer() -> None:
    completions = [
        completed(2),
        completed(0, 1),
        completed(0),
        completed(1),
        completed(4),
        completed(1, 1, "lost"),
    ]
    scores = [verdict(True), verdict(True), verdict(True), verdict(False), verdict(True), None]
    made = training_set(QUESTIONS, completions, scores, TWO_STEP, FORMATS["causal"])
    assert [(row.input, row.label) for row in made.rows] == [
        ("0 + 1? ###", " Because 0.0. --> 1"),
        ("0 + 1? ###", " Because 0.1. --> 1"),
        ("2 + 1? ###", " Because 2.0. --> 3"),
    ]
    assert made.dropped == {"wrong answer": 1, "failed": 1, "other split": 1}
    fewer = training_set(QUESTIONS, completions, scores, TWO_STEP, FORMATS["causal"], samples=1)
    assert len(fewer.rows) == 2 and fewer.dropped["further samples"] == 2


def test_truncated_rationales_stay() -> None:
    cut = Completion(0, 0, "p", "Because", "length")
    assert len(training_set(QUESTIONS, [cut], [verdict(True)], TWO_STEP, FORMATS["t5"]).rows) == 1


def test_vanilla_fine_tuning_learns_every_train_answer() -> None:
    made = training_set(QUESTIONS[::-1], [], [], METHODS["fine-tune"], FORMATS["t5"])
    assert [(row.input, row.label) for row in made.rows] == [
        ("0 + 1?", "1"),
        ("1 + 1?", "2"),
        ("2 + 1?", "3"),
    ]


def test_an_empty_training_set_is_refused() -> None:
    with pytest.raises(RefusedError, match="correct completions"):
        training_set(QUESTIONS, [completed(0)], [verdict(False)], TWO_STEP, FORMATS["t5"])
    with pytest.raises(LabError, match="trains no student"):
        training_set(QUESTIONS, [], [], METHODS["zero-shot"], FORMATS["t5"])


def test_the_estimate_is_above_what_a_generation_takes() -> None:
    bound = estimate(QUESTIONS, TWO_STEP, Prices(1.0, 1.0), samples=4)
    assert bound.calls == 2 * 4 * len(QUESTIONS)
    assert bound.completion_tokens == bound.calls * 128
    assert estimate(QUESTIONS, METHODS["few-shot-cot"], Prices(), options={"exemplars": SHOWN}).calls == 5
