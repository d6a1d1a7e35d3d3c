"""What the students wrote on the test questions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from sqlalchemy import func, select

from core import records
from core.errors import LabError
from core.store import session
from core.store.models import Prediction
from core.store.queries._completions import verdict_columns

__all__ = [
    "save_predictions", "predictions", "verdicts", "prediction", "predictions_of", "count_predictions",
]  # fmt: skip


def save_predictions(run_id: int, scored: Iterable[tuple[records.Prediction, records.Score]]) -> None:
    """Store scored predictions; `(run, question)` is there exactly once."""
    with session() as db:
        for prediction, score in scored:
            db.merge(Prediction(run_id=run_id, **asdict(prediction), **verdict_columns(score)))


def predictions(
    run_id: int, *, correct: bool | None = None, offset: int = 0, limit: int | None = None
) -> list[Prediction]:
    """A run's predictions in question order."""
    query = select(Prediction).where(Prediction.run_id == run_id).order_by(Prediction.question_index)
    if correct is not None:
        query = query.where(Prediction.correct.is_(correct))
    with session() as db:
        return list(db.scalars(query.offset(offset).limit(limit)))


def verdicts(run_id: int) -> dict[int, bool]:
    """question index → right or wrong."""
    query = select(Prediction.question_index, Prediction.correct).where(Prediction.run_id == run_id)
    with session() as db:
        return {index: correct for index, correct in db.execute(query)}


def prediction(run_id: int, question_index: int) -> Prediction:
    """One student output."""
    with session() as db:
        if (found := db.get(Prediction, (run_id, question_index))) is None:
            raise LabError(f"Run {run_id} did not answer question {question_index}: choose one of its own.")
        return found


def predictions_of(run_id: int, indices: Iterable[int]) -> dict[int, Prediction]:
    """question index → prediction, for the few that a page shows."""
    query = select(Prediction).where(
        Prediction.run_id == run_id, Prediction.question_index.in_(list(indices))
    )
    with session() as db:
        return {row.question_index: row for row in db.scalars(query)}


def count_predictions(run_id: int, correct: bool | None = None) -> int:
    query = select(func.count()).where(Prediction.run_id == run_id)
    if correct is not None:
        query = query.where(Prediction.correct.is_(correct))
    with session() as db:
        return db.scalar(query) or 0
