"""What teachers and students wrote: completions and their verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import groupby
from typing import Any

from sqlalchemy import Select, delete, func, insert, or_, select

from core import records
from core.errors import LabError
from core.store import checked, count, figures, get, rows, scalars, session
from core.store.models import Checked, Completion, Question, Run, Study

__all__ = [
    "save_completions", "finished_samples", "completions", "count_completions", "latest_completions",
    "completion", "completion_of", "samples_of", "rationales", "completion_counts", "sample_verdicts",
    "teacher_verdicts", "verdicts", "completions_of", "answer_counts_of", "spared_samples", "record",
]  # fmt: skip

# Columns that a record has under the same name.
SAME = (
    *("question_index", "sample_index", "rationale", "finish_reason"),
    *("prompt_tokens", "completion_tokens", "cost", "calls", "error"),
)
KEY = (Completion.question_index, Completion.sample_index)  # of a run's completions


def save_completions(run_id: int, scored: Iterable[tuple[records.Completion, records.Score | None]]) -> None:
    """Store scored completions; one that failed before is replaced, one that is there stays."""
    with session() as db:
        for made, score in scored:
            old = _of(run_id, made.question_index, made.sample_index).with_only_columns(
                Completion.id, Completion.error
            )
            if (before := db.execute(old).first()) is not None:
                if before.error is None:
                    continue
                db.execute(delete(Completion).where(Completion.id == before.id))
            db.execute(insert(Completion).values(run_id=run_id, **_columns(made, score)))


def _columns(made: records.Completion, score: records.Score | None) -> dict[str, Any]:
    """A completion and its verdict as columns."""
    return {name: getattr(made, name) for name in SAME} | {
        "steps": [_storable(asdict(step)) for step in made.steps],
        "answer": asdict(made.answer),
        "asked": len(made.steps),
        "correct": score.correct if score else None,
        "value": score.value if score else None,
        "answer_step": score.step if score else None,
        "span_start": score.start if score else None,
        "span_end": score.end if score else None,
        "note": score.note if score else "",
    }


def _storable(values: dict[str, Any]) -> dict[str, Any]:
    return {name: records.storable(v) if isinstance(v, str) else v for name, v in values.items()}


def record(row: Completion) -> records.Completion:
    """The completion as it was written, without its verdict."""
    return records.Completion(
        row.question_index,
        row.sample_index,
        row.rationale,
        tuple(records.Step(**step) for step in row.steps),
        records.AnswerPlace.from_dict(row.answer),
        row.error,
    )


def _of(run_id: int, question_index: int, sample_index: int) -> Select[Completion]:
    return select(Completion).where(
        Completion.run_id == run_id,
        Completion.question_index == question_index,
        Completion.sample_index == sample_index,
    )


def _written(run_id: int, *columns: Any) -> Select[Any]:
    """These columns of a run's completions that are there without an error, in question order."""
    query = select(*columns).where(Completion.run_id == run_id, Completion.error.is_(None))
    return query.order_by(*KEY)


def finished_samples(run_id: int) -> set[tuple[int, int]]:
    """(question, sample) of every completion that is there without an error."""
    return {(question, sample) for question, sample in rows(_written(run_id, *KEY))}


def completions(
    run_id: int, *, offset: int = 0, limit: int | None = None, **filters: Any
) -> list[Completion]:
    """A run's completions in question order, filtered as `_completions` says."""
    return scalars(_completions(run_id, **filters).order_by(*KEY).offset(offset).limit(limit))


def count_completions(run_id: int, **filters: Any) -> int:
    """How many completions there are with these filters of `completions`."""
    return count(_completions(run_id, **filters))


def _completions(
    run_id: int,
    correct: bool | None = None,
    truncated: bool | None = None,
    failed: bool | None = None,
    split: str | None = None,
    search: str = "",
    check: str | None = None,
) -> Select[Completion]:
    """`search`: in question or rationale; `check`: those that this check flags."""
    query = select(Completion).where(Completion.run_id == run_id)
    if correct is not None:
        query = query.where(Completion.correct.is_(correct))
    if truncated is not None:
        is_cut = Completion.finish_reason == "length"
        query = query.where(is_cut if truncated else ~is_cut)
    if failed is not None:
        query = query.where(Completion.error.isnot(None) if failed else Completion.error.is_(None))
    if check:
        query = query.where(Completion.id.in_(checked.flagged(run_id, check, Checked.completion_id)))
    # Questions are searched once each, not once for every completion of theirs.
    dataset_id = select(Study.dataset_id).join(Run, Run.study_id == Study.id).where(Run.id == run_id)
    asked = select(Question.index).where(Question.dataset_id == dataset_id.scalar_subquery())
    if split:
        query = query.where(Completion.question_index.in_(asked.where(Question.split == split)))
    if search:
        found = asked.where(Question.text.icontains(search, autoescape=True))
        query = query.where(
            or_(
                Completion.question_index.in_(found),
                Completion.rationale.icontains(search, autoescape=True),
            )
        )
    return query


def latest_completions(run_id: int, limit: int = 5) -> list[Completion]:
    """The last ones written, newest first: the live stream."""
    query = select(Completion).where(Completion.run_id == run_id)
    return scalars(query.order_by(Completion.id.desc()).limit(limit))


def completion(completion_id: int) -> Completion:
    missing = f"There is no completion {completion_id}: go back to the list of rationales."
    return get(Completion, completion_id, missing)


def completion_of(run_id: int, question_index: int, sample_index: int = 0) -> Completion:
    if not (found := scalars(_of(run_id, question_index, sample_index))):
        raise LabError(
            f"Run {run_id} has no sample {sample_index} of question {question_index}: check the numbers."
        )
    return found[0]


def samples_of(run_id: int, question_index: int) -> list[Completion]:
    """A question's completions in a run, in sample order."""
    query = select(Completion).where(Completion.run_id == run_id, Completion.question_index == question_index)
    return scalars(query.order_by(Completion.sample_index))


def rationales(run_id: int) -> Iterator[tuple[int, list[str]]]:
    """(question, its rationales in sample order) of everything that was written, in question order."""
    found = rows(_written(run_id, Completion.question_index, Completion.rationale))
    for question, members in groupby(found, key=lambda row: row[0]):
        yield question, [text for _, text in members]


def completion_counts(run_id: int) -> dict[str, int]:
    """n, correct, truncated, failed of a run's completions."""
    query = select(
        func.count().label("n"),
        func.count().filter(Completion.correct.is_(True)).label("correct"),
        func.count().filter(Completion.finish_reason == "length").label("truncated"),
        func.count().filter(Completion.error.isnot(None)).label("failed"),
    )
    return figures(query.where(Completion.run_id == run_id))


def sample_verdicts(run_id: int) -> list[tuple[int, int, bool]]:
    """(question, sample, correct) of every completion that is there, in question order; no texts."""
    found = rows(_written(run_id, *KEY, Completion.correct))
    return [(question, sample, bool(correct)) for question, sample, correct in found]


def teacher_verdicts(run_id: int) -> dict[int, tuple[bool | None, ...]]:
    """question → the verdicts of its samples in order, None where the teacher failed."""
    query = select(Completion.question_index, Completion.correct, Completion.error.is_(None))
    found: dict[int, list[bool | None]] = {}
    for question, correct, there in rows(query.where(Completion.run_id == run_id).order_by(*KEY)):
        found.setdefault(question, []).append(bool(correct) if there else None)
    return {question: tuple(verdicts) for question, verdicts in found.items()}


def verdicts(run_id: int) -> dict[int, bool]:
    """question index → whether its first sample is right."""
    query = select(Completion.question_index, Completion.correct).where(
        Completion.run_id == run_id, Completion.sample_index == 0
    )
    return {index: bool(correct) for index, correct in rows(query)}


def completions_of(run_id: int, indices: Iterable[int]) -> dict[int, Completion]:
    """question index → first sample, for the few that a page shows."""
    query = select(Completion).where(Completion.run_id == run_id, Completion.sample_index == 0)
    found = scalars(query.where(Completion.question_index.in_(list(indices))))
    return {row.question_index: row for row in found}


def answer_counts_of(run_id: int) -> dict[str, int]:
    """Of a run's completions without an error: n, `marked` (an explicit marker is in the rationale) and
    `spared` (one call was enough)."""
    marked = or_(Completion.rationale.icontains("answer is"), Completion.rationale.icontains("answer:"))
    query = select(
        func.count().label("n"),
        func.count().filter(marked).label("marked"),
        func.count().filter(Completion.asked == 1).label("spared"),
    )
    return figures(query.where(Completion.run_id == run_id, Completion.error.is_(None)))


def spared_samples(run_id: int) -> list[tuple[int, int]]:
    """(question, sample) of every completion that took one call, in order."""
    found = rows(_written(run_id, *KEY).where(Completion.asked == 1))
    return [(question, sample) for question, sample in found]
