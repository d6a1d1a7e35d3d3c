"""Programs run to their end: one ask after another, several at once, errors, steps that are known."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from core.errors import LabError
from core.methods import METHODS
from core.methods.base import Ask, Given, Program, Text, Vote, Written
from core.methods.driver import AT_ONCE, Running, run, started
from core.records import AnswerPlace, Completion, Question, Reply, Request, Sampling, Step
from tests.asking import Answers

TWO_STEP = METHODS["fine-tune-cot"]
GIVEN = Given(options=TWO_STEP.options)
SHORT = Sampling(max_tokens=9)


def one(question: Question, given: Given) -> Program:
    said = yield Ask(question.text)
    return Written(said.text, Text(said))


def vote(question: Question, given: Given) -> Program:
    """A plan, three tries at once, a vote."""
    plan = yield Ask(f"Plan {question.text}", "planner", "plan")
    tries = yield [Ask(f"{plan.text} {i}?", "solver", f"try {i}", SHORT) for i in range(3)]
    return Written(tries[0].text, Vote(tuple(Text(step) for step in tries)))


def patient(question: Question, given: Given) -> Program:
    """Asks until it is told enough; an empty list of asks is answered by none."""
    none = yield []
    assert none == []
    said = yield Ask("enough?")
    while said.text != "enough":
        said = yield Ask(said.text)
    return Written(said.text, Text(said))


def surely(question: Question, given: Given) -> Program:
    said = yield Ask(question.text)
    if not said.text:
        raise LabError("It said nothing.")
    return Written(said.text, Text(said))


def echo(request: Request) -> str:
    return f"<{request.prompt}>"


def completed(program, answers, questions=1, samples=1) -> list[Completion]:
    pairs = [(Question(i, f"q{i}", "1"), s) for i in range(questions) for s in range(samples)]
    return list(run(started(pairs, program, GIVEN, Sampling()), answers))


def test_one_ask() -> None:
    (made,) = completed(one, Answers(lambda r: Reply(r, "a", "length", 5, 7, 0.5)))
    step = Step("rationale", "q0", "a", "teacher", "length", 5, 7, 0.5)
    assert made == Completion(0, 0, "a", (step,), AnswerPlace())
    assert (made.finish_reason, made.calls, made.cost) == ("length", 1, 0.5)


def test_two_asks_one_after_the_other() -> None:
    answers = Answers(lambda r: Reply(r, f" <{r.step}>", cost=1.0))
    (made,) = completed(TWO_STEP.teach, answers)
    first, second = answers.asked
    assert (first.step, first.depth, second.step, second.depth) == ("rationale", 0, "answer", 1)
    assert second.prompt == f"{first.prompt} <rationale>\nTherefore, the answer is"
    assert [step.text for step in made.steps] == [" <rationale>", " <answer>"]
    assert made.answer == AnswerPlace(step=1) and (made.calls, made.cost) == (2, 2.0)


def test_several_asks_at_once_come_back_in_their_order() -> None:
    """The newest is answered first here; each request says whose it is, and how it is drawn apart."""
    answers = Answers(echo)
    first, second = sorted(completed(vote, answers, samples=2), key=lambda c: c.sample_index)
    assert [step.name for step in first.steps] == ["plan", "try 0", "try 1", "try 2"]
    assert [step.text for step in first.steps[1:]] == [f"<<Plan q0> {i}?>" for i in range(3)]
    assert [step.role for step in first.steps] == ["planner", "solver", "solver", "solver"]
    assert first.answer == AnswerPlace("vote", of=tuple(AnswerPlace(step=i) for i in (1, 2, 3)))
    tries = sorted((r for r in answers.asked if r.depth), key=lambda r: r.draw)
    assert [(r.sample_index, r.place, r.draw) for r in tries] == [
        (s, i, 3 * s + i) for s in (0, 1) for i in range(3)
    ]
    assert {r.sampling for r in tries} == {SHORT}
    assert len(first.steps) == len(second.steps) == 4


def test_as_many_asks_as_a_program_likes() -> None:
    answers = Answers(lambda r: "enough" if len(answers.asked) == 50 else f"{len(answers.asked)}")
    (made,) = completed(patient, answers)
    assert len(made.steps) == 50 and made.rationale == "enough"


def test_a_prompt_that_is_asked_once_more_is_drawn_once_more() -> None:
    """Or a kept reply would be served for ever to a program that asks until it can read the answer."""

    def twice(question: Question, given: Given) -> Program:
        yield Ask("q")
        said = yield Ask("q")
        return Written(said.text, Text(said))

    answers = Answers(echo)
    completed(twice, answers, samples=2)
    assert len({request.draw for request in answers.asked}) == 4


def test_a_failed_call_is_a_completion_with_an_error_and_the_others_go_on() -> None:
    def answer(request: Request) -> str | Reply:
        failed = request.question_index == 13 and request.step == "answer"
        return Reply(request, finish_reason="error", error="It refused.") if failed else "said"

    made = {c.question_index: c for c in completed(TWO_STEP.teach, Answers(answer), 15)}
    assert {i for i, c in made.items() if c.error} == {13}
    assert (made[13].error, made[13].finish_reason) == ("It refused.", "error")
    assert [step.text for step in made[13].steps] == ["said", ""] and made[13].rationale == "said"
    assert len(made) == 15


def test_an_error_in_one_of_several_ends_the_program_once() -> None:
    """What the others still bring is not waited for."""

    def answer(request: Request) -> str | Reply:
        failed = request.step == "try 1" and request.question_index == 0
        return Reply(request, finish_reason="error", error="Too long.") if failed else "said"

    made = {c.question_index: c for c in completed(vote, Answers(answer), 3)}
    assert [made[i].error for i in range(3)] == ["Too long.", None, None]
    assert [step.name for step in made[0].steps] == ["plan", "try 1", "try 2"]
    assert made[0].rationale == "said"


def test_a_program_may_refuse_what_was_written() -> None:
    answers = Answers(lambda r: "" if r.question_index == 1 else "7")
    made = {c.question_index: c for c in completed(surely, answers, 3)}
    assert [made[i].error for i in range(3)] == [None, "It said nothing.", None]
    assert [step.text for step in made[1].steps] == [""], "what was paid for can be read"


def test_a_program_s_own_mistake_is_not_hidden() -> None:
    def wrong(question: Question, given: Given) -> Program:
        said = yield Ask(question.text)
        return Written(said.text[999], Text(said))

    with pytest.raises(IndexError):
        completed(wrong, Answers(echo))


def again(program, known) -> tuple[Running, list[Request]]:
    running = Running(0, 0, program(Question(0, "q0", "1"), GIVEN), Sampling(), known)
    return running, running.start()


def test_with_all_steps_known_nothing_is_asked() -> None:
    (made,) = completed(vote, Answers(echo))
    running, requests = again(vote, made.steps)
    assert requests == [] and running.result == made


def test_after_an_edited_step_only_what_follows_is_asked() -> None:
    (made,) = completed(vote, Answers(echo))
    edited = Step("plan", made.steps[0].prompt, "Count.", "planner")
    running, requests = again(vote, [edited])
    assert [r.prompt for r in requests] == ["Count. 0?", "Count. 1?", "Count. 2?"]
    assert [r.depth for r in requests] == [1, 1, 1]
    for request in requests[::-1]:
        assert running.take(Reply(request, "7")) == []
    assert running.result.steps[0] == edited and running.result.rationale == "7"


def test_of_several_asks_of_which_not_all_are_known_all_are_asked() -> None:
    (made,) = completed(vote, Answers(echo))
    _, requests = again(vote, made.steps[:3])
    assert [r.place for r in requests] == [0, 1, 2]


def test_thousands_of_programs() -> None:
    n = 4 * AT_ONCE + 7
    answers = Answers(lambda r: f"{r.question_index}")
    made = completed(TWO_STEP.teach, answers, n)
    assert sorted(c.question_index for c in made) == list(range(n))
    assert len(answers.asked) == 2 * n
    assert all(c.rationale == f"{c.question_index}" for c in made)


def test_what_nobody_asks_for_runs_nothing() -> None:
    assert completed(one, Answers(echo), 0) == []


class Shuffled(Answers):
    """Several replies at a time, in any order, some of them failures."""

    def __init__(self, random: Random, failing: float) -> None:
        super().__init__(echo)
        self.random, self.failing = random, failing

    def replies(self) -> list[Reply]:
        self.random.shuffle(self.waiting)
        some = self.random.randint(1, len(self.waiting))
        now, self.waiting = self.waiting[:some], self.waiting[some:]
        return [self.reply(request) for request in now]

    def reply(self, request: Request) -> Reply:
        if self.random.random() < self.failing:
            return Reply(request, finish_reason="error", error="Lost.")
        return Reply(request, echo(request), cost=1.0)


@drawn(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 7)), unique=True),
    st.sampled_from([one, TWO_STEP.teach, vote]),
    st.randoms(use_true_random=False),
    st.sampled_from([0.0, 0.3]),
)
def test_each_question_s_sample_comes_back_once_whatever_the_order_of_replies(
    pairs, program, random, failing
) -> None:
    asked = [(Question(i, f"q{i}", "1"), sample) for i, sample in pairs]
    made = list(run(started(asked, program, GIVEN, Sampling()), Shuffled(random, failing)))
    assert sorted((c.question_index, c.sample_index) for c in made) == sorted(pairs)
    for completion in made:
        question = f"q{completion.question_index}"
        assert all(question in step.prompt for step in completion.steps)
        assert all(step.text in ("", echo(Request(step.prompt, 0))) for step in completion.steps)
        if completion.error is None:
            assert completion.calls == completion.cost == len(completion.steps)
