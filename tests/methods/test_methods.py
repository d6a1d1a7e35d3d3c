"""The table of methods, row by row, and what a generation and a training set are made of."""

from __future__ import annotations

import pytest

from core.errors import LabError, RefusedError
from core.methods import METHODS, Given, estimate, first_ask, options, training_set
from core.methods.base import Ask, Method, Program, Text, Vote, Written
from core.methods.driver import run, started
from core.records import Completion, Exemplar, Question, Reply, Request, Sampling, Score, Step
from core.students.formats import FORMATS
from core.teachers.base import Prices, count_tokens
from tests.asking import Answers

TWO_STEP = METHODS["fine-tune-cot"]
SHOWN = (Exemplar("2 + 1?", " 2 and 1 make 3. ", "3"), Exemplar("1 + 1?", "1 and 1 make 2.", "2"))
QUESTIONS = [Question(i, f"{i} + 1?", str(i + 1), "train" if i < 3 else "test") for i in range(5)]
ASKED = Question(0, "4 + 4?", "8")
CAUSAL, T5 = Given(form=FORMATS["causal"]), Given(form=FORMATS["t5"])


def completed(question: int, sample: int = 0, error: str | None = None) -> Completion:
    return Completion(question, sample, f" \n\nBecause {question}.{sample}. ", error=error)


def verdict(correct: bool) -> Score:
    return Score(correct, "1")


def echo(request: Request) -> str | Reply:
    """A teacher that answers with the request's own name."""
    if request.question_index == 13:
        return Reply(request, finish_reason="error", error="It refused.")
    name = f" <{request.question_index}.{request.sample_index}.{request.step}>"
    return Reply(request, name, cost=1.0)


def generated(questions: list[Question], method: Method, given: Given | None = None) -> list[Completion]:
    given = given or Given(options=method.options)
    pairs = [(question, 0) for question in questions]
    return list(run(started(pairs, method.teach, given, method.sampling), Answers(echo)))


@pytest.mark.parametrize("key", METHODS)
def test_every_row_is_complete(key: str) -> None:
    method = METHODS[key]
    assert method.key == key and method.title and method.paper and method.about
    assert method.teachers and method.students and method.exemplars in ("own", "chosen", None)
    for form in FORMATS.values():
        prompt, prefix = first_ask(method, ASKED, Given(form=form, exemplars=SHOWN, options=method.options))
        assert "4 + 4?" in prompt and (prefix is None or prefix.strip())
    assert not method.needs_teacher or (method.trains and method.teach is not None)


@pytest.mark.parametrize("key", [key for key, method in METHODS.items() if method.exemplars])
def test_a_method_that_needs_exemplars_says_so(key: str) -> None:
    method = METHODS[key]
    if not method.trains:
        with pytest.raises(LabError, match="exemplar"):
            first_ask(method, ASKED, CAUSAL)
    with pytest.raises(LabError, match="exemplar"):
        estimate(QUESTIONS, method, Prices())
    (made,) = generated(QUESTIONS[:1], method)
    assert "exemplar" in made.error


def test_few_shot_prompts_end_each_exemplar_with_its_answer() -> None:
    method = METHODS["few-shot-cot"]
    prompt = (
        "Q: 2 + 1?\nA: 2 and 1 make 3. The answer is 3.\n"
        "Q: 1 + 1?\nA: 1 and 1 make 2. The answer is 2.\n"
        "Q: 4 + 4?\nA:"
    )
    given = Given(form=FORMATS["t5"], exemplars=SHOWN)
    for program, role in ((method.teach, "teacher"), (method.solve, "student")):
        ask = next(program(ASKED, given))
        assert (ask.prompt, ask.role) == (prompt, role)
    assert first_ask(method, ASKED, given) == (prompt, "The answer is")


def test_zero_shot_inputs() -> None:
    assert first_ask(METHODS["zero-shot"], ASKED, T5) == ("question: 4 + 4?", None)
    assert first_ask(METHODS["zero-shot"], ASKED, CAUSAL) == ("Q: 4 + 4?\n\nA:", None)


def test_a_student_s_answer_stands_where_it_learns_to_write_it() -> None:
    assert first_ask(TWO_STEP, ASKED, CAUSAL) == ("4 + 4? ###", "-->")
    assert first_ask(METHODS["fine-tune"], ASKED, CAUSAL) == ("4 + 4? ###", None)


def test_of_a_vote_it_stands_where_each_has_it() -> None:
    def solve(question: Question, given: Given) -> Program:
        said = yield [Ask(given.form.input(question.text), "student")] * 3
        return Written(said[0].text, Vote(tuple(Text(one, prefix="-->") for one in said)))

    assert first_ask(Method("vote", "", "", "", solve), ASKED, CAUSAL) == ("4 + 4? ###", "-->")


def test_two_step_prompts_are_raw_concatenations() -> None:
    program = TWO_STEP.teach(Question(0, "How many?", "7"), Given(options=TWO_STEP.options))
    first = next(program)
    assert first.prompt == "Q: How many?\nA: Let's think step by step."
    second = program.send(Step("rationale", first.prompt, " \n\nSeven. "))
    assert second.prompt == (
        "Q: How many?\nA: Let's think step by step. \n\nSeven. \nTherefore, the answer is"
    )
    assert (second.name, second.sampling.temperature, second.sampling.max_tokens) == ("answer", 0.0, 128)


def test_one_call_methods_have_no_answer_step() -> None:
    (made,) = generated(QUESTIONS[:1], METHODS["few-shot-cot"], Given(exemplars=SHOWN))
    assert (made.rationale, [step.name for step in made.steps]) == (" <0.0.rationale>", ["rationale"])
    assert (made.calls, made.cost) == (1, 1.0)


def test_a_method_without_teacher_cannot_generate() -> None:
    with pytest.raises(LabError, match="asks no teacher"):
        estimate(QUESTIONS, METHODS["fine-tune"], Prices())


def test_unknown_options_are_refused() -> None:
    assert options(TWO_STEP, {"trigger": "So"}) == {"trigger": "So"}
    assert options(TWO_STEP, {"adaptive": False}) == dict(TWO_STEP.options), "of a study's other method"
    with pytest.raises(LabError, match="No method has an option tigger"):
        options(TWO_STEP, {"tigger": "x"})


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
    made = training_set(QUESTIONS, completions, scores, TWO_STEP, CAUSAL)
    assert [(row.input, row.label) for row in made.rows] == [
        ("0 + 1? ###", " Because 0.0. --> 1"),
        ("0 + 1? ###", " Because 0.1. --> 1"),
        ("2 + 1? ###", " Because 2.0. --> 3"),
    ]
    assert made.dropped == {"wrong answer": 1, "failed": 1, "other split": 1}
    fewer = training_set(QUESTIONS, completions, scores, TWO_STEP, CAUSAL, samples=1)
    assert len(fewer.rows) == 2 and fewer.dropped["further samples"] == 2


def test_truncated_rationales_stay() -> None:
    cut = Completion(0, 0, "Because", (Step("rationale", "p", "Because", finish_reason="length"),))
    assert cut.finish_reason == "length"
    assert len(training_set(QUESTIONS, [cut], [verdict(True)], TWO_STEP, T5).rows) == 1


def test_vanilla_fine_tuning_learns_every_train_answer() -> None:
    made = training_set(QUESTIONS[::-1], [], [], METHODS["fine-tune"], T5)
    assert [(row.input, row.label) for row in made.rows] == [
        ("0 + 1?", "1"),
        ("1 + 1?", "2"),
        ("2 + 1?", "3"),
    ]


def test_an_empty_training_set_is_refused() -> None:
    with pytest.raises(RefusedError, match="correct completions"):
        training_set(QUESTIONS, [completed(0)], [verdict(False)], TWO_STEP, T5)
    with pytest.raises(LabError, match="trains no student"):
        training_set(QUESTIONS, [], [], METHODS["zero-shot"], T5)


def test_the_estimate_is_above_what_a_generation_takes() -> None:
    bound = estimate(QUESTIONS, TWO_STEP, Prices(1.0, 1.0), samples=4)
    assert bound.calls == 2 * 4 * len(QUESTIONS)
    assert bound.completion_tokens == bound.calls * 128
    assert estimate(QUESTIONS, METHODS["few-shot-cot"], Prices(), given=Given(exemplars=SHOWN)).calls == 5


def three_steps(question: Question, given: Given) -> Program:
    """A plan, two tries of it at once, and a judge, who is asked only where they differ."""
    plan = yield Ask(f"Plan: {question.text}", "planner", "plan", Sampling(max_tokens=10))
    tries = yield [Ask(f"{plan.prompt}{plan.text}\nSolve", "solver", "try")] * 2
    if tries[0].text == "same":
        return Written(tries[0].text, Text(tries[0]))
    if plan.text == "no plan":
        raise LabError("There is no plan.")
    said = yield Ask(f"Judge: {tries[0].text} or {tries[1].text}", "judge", "verdict", Sampling(max_tokens=3))
    return Written(said.text, Text(said))


def test_a_dry_run_bounds_a_program_of_three_steps() -> None:
    """Four calls a question, each role at its price; what is read was written, at most so long."""
    method = Method("m", "", "", "", three_steps, three_steps, teachers=("planner", "solver", "judge"))
    prices = {"planner": Prices(1.0, 0.0), "solver": Prices(0.0, 1.0), "judge": Prices(5.0, 5.0)}
    bound = estimate([ASKED], method, prices, Sampling(max_tokens=100), samples=2)
    plan = count_tokens("Plan: 4 + 4?")
    tries = 2 * (count_tokens("Plan: 4 + 4?\nSolve") + 10)
    judged = count_tokens("Judge:  or ") + 2 * 100
    assert bound.calls == 2 * 4
    assert bound.prompt_tokens == 2 * (plan + tries + judged)
    assert bound.completion_tokens == 2 * (10 + 2 * 100 + 3)
    assert bound.cost == pytest.approx(2 * (plan + 2 * 100 + 5 * (judged + 3)) / 1e6)


def test_a_program_that_gives_up_on_what_it_reads_is_estimated_up_to_there() -> None:
    def teach(question: Question, given: Given) -> Program:
        plan = yield Ask(question.text)
        if "1." not in plan.text:
            raise LabError("The plan has no steps.")
        said = yield Ask(plan.text)
        return Written(said.text, Text(said))

    assert estimate([ASKED], Method("m", "", "", "", teach, teach), Prices()).calls == 1
