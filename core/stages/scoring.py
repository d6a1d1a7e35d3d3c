"""Scores over stored texts: what is read for the answer, and the same texts under other rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from core import answers
from core.answers import ANSWER_PREFIXES, Rescored, StoredText
from core.datasets import find_dataset
from core.exemplars.adaptive import extract
from core.records import Completion, Question, Score
from core.store import models, queries
from core.store.models import Run


@dataclass(frozen=True)
class Scorer:
    """A study's way of scoring: its benchmark's kind of answer, its rules, its gold answers."""

    kind: str
    rules: str
    golds: dict[int, str]

    def completion(self, completion: Completion) -> Score | None:
        """The verdict on a teacher's completion; None while it failed."""
        if completion.error is not None:
            return None
        return self._score(
            answers.scored_text(completion), completion.question_index, completion_prefix(completion)
        )

    def reviewed(self, completion: Completion, text: str) -> tuple[Completion, Score | None]:
        """The completion with a reviewer's text for its rationale, and the verdict on it.

        An answer that the text says behind an explicit marker is read there; where it says none, what
        the second call answered stands.
        """
        found = extract(text, self.kind, self.rules)
        edited = replace(completion, rationale=text)
        if found is not None:
            edited = replace(edited, answer_prompt="", answer_text=text[found.after :])
        return edited, self.completion(edited)

    def prediction(self, question_index: int, text: str, prefix: str | None) -> Score:
        """The verdict on a student's output; `prefix` is what it was taught to write before the answer."""
        return self._score(text, question_index, prefix)

    def _score(self, text: str, question_index: int, prefix: str | None) -> Score:
        return answers.score(
            text, self.golds[question_index], kind=self.kind, rules=self.rules, prefix=prefix
        )


def scorer(study_id: int) -> Scorer:
    """The scorer of a study."""
    study = queries.study(study_id)
    dataset = queries.dataset(study.dataset_id)
    return Scorer(find_dataset(dataset.key).kind, study.rules, _golds(queries.questions(dataset.id)))


def _golds(questions: list[Question]) -> dict[int, str]:
    return {question.index: question.answer for question in questions}


def completion_prefix(completion: Any) -> str | None:
    """Two-call completions are read in their answer text, one-call ones after `The answer is`."""
    two_call = completion.answer_prompt or completion.answer_text
    return ANSWER_PREFIXES["two-call" if two_call else "few-shot-cot"]


def record(row: models.Completion) -> Completion:
    """The completion as the teacher gave it, without its verdict."""
    return Completion(**{name: getattr(row, name) for name in Completion.__dataclass_fields__})


def answer_place(completion: models.Completion) -> tuple[tuple[int, int] | None, str]:
    """Where the answer stands in the rationale, and what a second call said; None and "" where neither."""
    return place(completion, completion.span_start, completion.span_end)


def place(
    completion: Completion | models.Completion, start: int | None, end: int | None
) -> tuple[tuple[int, int] | None, str]:
    """`answer_place` of a completion whose answer was found at `start:end` of its scored text.

    An adaptive answer's text is the rationale's own end, so it is marked there and not shown twice.
    """
    said = completion.answer_text
    within = bool(said) and not completion.answer_prompt and completion.rationale.endswith(said)
    if not within and (said or completion.answer_prompt):
        return None, said
    offset = len(completion.rationale) - len(said) if within else 0
    return (None if start is None or end is None else (offset + start, offset + end)), ""


def rescore(run_id: int, rules: str) -> Rescored:
    """A run's stored texts under another rule set: counts before and after, and what flips. No call."""
    run = queries.run(run_id)
    own = scorer(run.study_id)
    items = _items(run, own.golds)
    return answers.rescore(items, kind=own.kind, before=own.rules, after=rules)


def _items(run: Run, golds: dict[int, str]) -> list[StoredText]:
    if run.kind == "generate":
        return [
            StoredText(
                (c.question_index, c.sample_index),
                answers.scored_text(c),
                golds[c.question_index],
                completion_prefix(c),
            )
            for c in queries.completions(run.id, failed=False)
        ]
    prefix = run.config.get("prefix")
    return [
        StoredText((p.question_index, 0), p.text, golds[p.question_index], prefix)
        for p in queries.predictions(run.id)
    ]


def rescore_study(study_id: int, rules: str) -> list[dict[str, Any]]:
    """Every finished run of a study under another rule set."""
    table = []
    for run in queries.runs(study_id):
        if run.kind not in ("generate", "evaluate") or run.status != "done":
            continue
        result = rescore(run.id, rules)
        flips = [
            {
                "question": f.item.key[0],
                "sample": f.item.key[1],
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
