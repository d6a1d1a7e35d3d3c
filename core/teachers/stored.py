"""Teachers that make no call: completions recorded by others, and worked solutions.

They answer by question, not by prompt: a study that names one takes its completions as they are, with the
prompts that the large model was really asked. Nobody was asked for a worked solution, so its prompt is empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.errors import LabError
from core.records import AnswerPlace, Completion, Question, Step
from core.teachers.base import Inbox, Out, Teacher


class Stored(Teacher):
    """Completions by (question, sample)."""

    def __init__(self, name: str, completions: Iterable[Completion]) -> None:
        self.name = name
        self.completions = {(c.question_index, c.sample_index): c for c in completions}

    def completion(self, question_index: int, sample_index: int) -> Completion:
        """The one of a question's sample; with an error where there is none."""
        if (found := self.completions.get((question_index, sample_index))) is not None:
            return found
        sentence = (
            f"{self.name} holds no completion for question {question_index}, "
            f"sample {sample_index}: ask for fewer samples or leave the question out."
        )
        return Completion(question_index, sample_index, "", error=sentence)

    def serve(self, inbox: Inbox, out: Out) -> None:
        raise LabError(f"{self.name} answers no prompt: choose a teacher that writes.")


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
    return Stored("worked solutions", (_worked(q.index, q.solution or "", q.answer) for q in questions))


def _worked(index: int, solution: str, answer: str) -> Completion:
    steps = (
        Step("rationale", "", solution, cached=True),
        Step("answer", "", f" {answer}", cached=True),
    )
    return Completion(index, 0, solution, steps, AnswerPlace(step=1))
