"""Runs the programs of a method: many questions at once, each step asked as soon as the one before is there.

    desk = Desk({"teacher": teacher}, …)
    for completion in run(started(asked, method.teach, given, sampling), desk): …

A program whose call fails ends as a completion with that error; the others go on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol

from core.errors import LabError
from core.methods.base import Ask, Given, Program, Written
from core.records import Completion, Question, Reply, Request, Sampling, Step

AGAIN = 10**6  # between the draws of a prompt that a program asks once more: it wants another reply
AT_ONCE = 500  # programs started together: their first prompts are looked up in one query


class Asked(Protocol):
    """Where requests go and replies come from: core.teachers.desk.Desk."""

    def ask(self, requests: Sequence[Request]) -> None: ...

    def replies(self) -> list[Reply]: ...


class Running:
    """One program for one sample of a question; `known` steps are given to it without asking again."""

    def __init__(
        self,
        question_index: int,
        sample_index: int,
        program: Program,
        sampling: Sampling,
        known: Sequence[Step] = (),
    ) -> None:
        self.key = question_index, sample_index
        self.program, self.sampling, self.known = program, sampling, list(known)
        self.steps: list[Step] = []
        self.asks: list[Ask] = []
        self.alone = True
        self.back: dict[int, Step] = {}
        self.result: Completion | None = None

    def start(self) -> list[Request]:
        return self._go_on(lambda: next(self.program))

    def take(self, reply: Reply) -> list[Request]:
        """Hand a reply to the program; returns the requests that follow, none where it waits or has ended."""
        if self.result is not None:
            return []
        request = reply.request
        step = Step(
            request.step,
            request.prompt,
            reply.text,
            request.role,
            reply.finish_reason,
            reply.prompt_tokens,
            reply.completion_tokens,
            reply.cost,
            reply.cached,
        )
        self.back[request.place] = step
        if reply.error is not None:
            self._end_with(reply.error)
            return []
        return self._go_on(self._send) if len(self.back) == len(self.asks) else []

    def _send(self) -> Ask | list[Ask]:
        found = [self.back[i] for i in range(len(self.asks))]
        self.steps += found
        self.back = {}
        return self.program.send(found[0] if self.alone else found)

    def _go_on(self, resume: Callable[[], Ask | list[Ask]]) -> list[Request]:
        try:
            while True:
                asked = resume()
                self.alone = isinstance(asked, Ask)
                self.asks = [asked] if isinstance(asked, Ask) else list(asked)
                if len(self.known) < len(self.asks):
                    self.known.clear()
                    return self._requests()
                self.back = dict(enumerate(self.known[: len(self.asks)]))
                del self.known[: len(self.asks)]
                resume = self._send
        except StopIteration as end:
            self._end(end.value)
        except LabError as problem:  # of what was written to this question
            self._end_with(str(problem))
        return []

    def _requests(self) -> list[Request]:
        before = Counter(step.prompt for step in self.steps)
        return [
            Request(
                ask.prompt,
                *self.key,
                ask.name,
                ask.role,
                ask.sampled(self.sampling),
                draw=self.key[1] * len(self.asks) + place + AGAIN * before[ask.prompt],
                place=place,
                depth=len(self.steps),
            )
            for place, ask in enumerate(self.asks)
        ]

    def _end(self, written: Written) -> None:
        place = written.answer.place(self.steps)
        self.result = Completion(*self.key, written.rationale, tuple(self.steps), place)

    def _end_with(self, error: str) -> None:
        self.program.close()
        steps = [*self.steps, *(self.back[place] for place in sorted(self.back))]
        self.result = Completion(*self.key, steps[0].text if steps else "", tuple(steps), error=error)


def started(
    asked: Iterable[tuple[Question, int]],
    make: Callable[[Question, Given], Program],
    given: Given,
    sampling: Sampling,
) -> Iterator[Running]:
    """A program for each (question, sample index)."""
    for question, sample in asked:
        yield Running(question.index, sample, make(question, given), sampling)


def run(programs: Iterable[Running], desk: Asked) -> Iterator[Completion]:
    """One completion for each program, as they finish."""
    waiting: dict[tuple[int, int], Running] = {}
    todo = iter(programs)
    while some := list(islice(todo, AT_ONCE)):
        waiting |= {program.key: program for program in some}
        desk.ask([request for program in some for request in program.start()])
        yield from _ended(some, waiting)
    while waiting:
        requests: list[Request] = []
        moved: list[Running] = []
        for reply in desk.replies():
            # None: an error has ended the program before all that it asked at once was answered.
            program = waiting.get((reply.request.question_index, reply.request.sample_index))
            if program is not None:
                requests += program.take(reply)
                moved.append(program)
        desk.ask(requests)
        yield from _ended(moved, waiting)


def _ended(moved: Iterable[Running], waiting: dict[tuple[int, int], Running]) -> Iterator[Completion]:
    """The results of programs that have ended, which are waited for no more."""
    for program in moved:
        if program.result is not None and waiting.pop(program.key, None) is not None:
            yield program.result
