"""Scores over stored texts: what is read for the answer, and the same texts under other rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from core import answers
from core.answers import Rescored
from core.answers.asserted import asserted
from core.datasets import find_dataset
from core.records import AnswerPlace, Completion, Score, Step
from core.store import models, queries


@dataclass(frozen=True)
class Scorer:
    """A study's way of scoring: its benchmark's kind of answer, its rules, its gold answers."""

    kind: str
    rules: str
    golds: dict[int, str]

    def completion(self, completion: Completion) -> Score | None:
        """The verdict on a completion; None while it failed."""
        if completion.error is not None:
            return None
        gold = self.golds[completion.question_index]
        return answers.score_completion(completion, gold, kind=self.kind, rules=self.rules)

    def reviewed(self, completion: Completion, text: str) -> tuple[Completion, Score | None]:
        """The completion with a reviewer's text for its rationale, and the verdict on it.

        An answer that the text asserts behind an explicit marker is read there; where it asserts none, the
        answer of a later step stands.
        """
        edited = edit(completion, text)
        if asserted(text, self.kind, self.rules) is not None:
            edited = replace(edited, answer=AnswerPlace("asserted", rationale_step(edited)))
        return edited, self.completion(edited)


def edit(completion: Completion, text: str) -> Completion:
    """The completion with another rationale, in the step that wrote it too."""
    steps = completion.steps or (Step("rationale", "", completion.rationale),)
    written = rationale_step(completion)
    changed = tuple(
        replace(step, text=text, finish_reason="stop") if i == written else step
        for i, step in enumerate(steps)
    )
    return replace(completion, rationale=text, steps=changed)


def rationale_step(completion: Completion) -> int:
    """The step that wrote the rationale; the first where none did alone."""
    return next((i for i, step in enumerate(completion.steps) if step.text == completion.rationale), 0)


def scorer(study_id: int) -> Scorer:
    """The scorer of a study."""
    study = queries.study(study_id)
    dataset = queries.dataset(study.dataset_id)
    golds = {question.index: question.answer for question in queries.questions(dataset.id)}
    return Scorer(find_dataset(dataset.key).kind, study.rules, golds)


def answer_span(row: models.Completion, step: int) -> tuple[int, int] | None:
    """Where the answer stands in the text of a step; None where it is in another one, or nowhere."""
    if row.answer_step != step or row.span_start is None or row.span_end is None:
        return None
    return row.span_start, row.span_end


def rescore(run_id: int, rules: str) -> Rescored:
    """A run's stored texts under another rule set: counts before and after, and what flips. No call."""
    run = queries.run(run_id)
    own = scorer(run.study_id)
    rows = map(queries.record, queries.completions(run_id, failed=False))
    pairs = ((one, own.golds[one.question_index]) for one in rows)
    return answers.rescore(pairs, kind=own.kind, before=own.rules, after=rules)


def rescore_study(study_id: int, rules: str) -> list[dict[str, Any]]:
    """Every finished run of a study under another rule set."""
    table = []
    for run in queries.runs(study_id):
        if run.status != "done" or not (result := rescore(run.id, rules)).n:
            continue
        flips = [
            {
                "question": f.completion.question_index,
                "sample": f.completion.sample_index,
                "before": f.before.correct,
                "after": f.after.correct,
            }
            for f in result.flips
        ]
        table.append(
            {"run": run.id, "kind": run.kind, "method": run.method, "student": run.student, "n": result.n,
             "correct_before": result.before, "correct_after": result.after, "flips": flips}
        )  # fmt: skip
    return table
