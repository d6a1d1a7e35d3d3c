"""Teachers that make no call: completions recorded by others, and worked solutions.

They answer by question, not by prompt. A reply carries the prompt it was recorded with, so that a
completion made of it says what the large model was really asked; nobody was asked for a worked
solution, so its prompt is empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from core.errors import LabError
from core.records import Completion, Question, Reply, Request, Sampling
from core.teachers.base import Teacher, Then


class Stored(Teacher):
    """Serves completions by (question, sample): the rationale at the first step, then the answer text."""

    def __init__(self, name: str, completions: Iterable[Completion]) -> None:
        self.name = name
        self.completions = {(c.question_index, c.sample_index): c for c in completions}

    def complete(
        self, requests: Iterable[Request], sampling: Sampling, then: Then | None = None
    ) -> Iterator[Reply]:
        for request in requests:
            todo = [request]
            while todo:
                reply = self._reply(todo.pop())
                if then is not None:
                    todo += then(reply)
                yield reply

    def _reply(self, request: Request) -> Reply:
        found = self.completions.get((request.question_index, request.sample_index))
        if found is None:
            sentence = (
                f"{self.name} holds no completion for question {request.question_index}, "
                f"sample {request.sample_index}: ask for fewer samples or leave the question out."
            )
            return Reply(request, finish_reason="error", cached=True, error=sentence)
        if request.step != "rationale":
            return Reply(replace(request, prompt=found.answer_prompt), found.answer_text, cached=True)
        return Reply(replace(request, prompt=found.prompt), found.rationale, found.finish_reason, cached=True)


def open_recorded(*, path: str, source: str, questions: Sequence[Question], kind: str) -> Stored:
    """Completions recorded in a file; `source` names its layout, `kind` the benchmark's kind of answer.

    A path that is not there is looked for in the data folder and in LAB_HOME, so that a study file holds on
    any machine.
    """
    from core import uploads
    from core.teachers import recorded

    return Stored(f"recorded: {path}", recorded.read(uploads.find(path), source, questions, kind))


def open_worked(*, questions: Sequence[Question]) -> Stored:
    """The worked solutions of a generated benchmark, each with the gold answer."""
    missing = next((q.index for q in questions if not q.solution), None)
    if missing is not None:
        raise LabError(
            f"Question {missing} has no worked solution: only generated benchmarks and GSM8K have them, "
            f"so choose one of those or another teacher."
        )
    return Stored(
        "worked solutions",
        (Completion(q.index, 0, "", q.solution or "", answer_text=f" {q.answer}") for q in questions),
    )
