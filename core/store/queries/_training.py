"""Training sets, their rows, and the curves of a training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Select, insert, or_, select

from core import records
from core.store import count, scalars, session
from core.store.models import Metric, TrainingRow, TrainingSet

__all__ = ["save_training_set", "training_rows", "count_training_rows", "save_metrics", "metrics"]


def save_training_set(study_id: int, method: str, made: records.TrainingSet) -> str:
    """Store an immutable training set under its hash; the same rows are stored once."""
    with session() as db:
        if db.get(TrainingSet, made.hash) is None:
            db.add(TrainingSet(hash=made.hash, study_id=study_id, method=method, n=len(made.rows)))
            db.flush()
            rows = [
                asdict(row) | {"training_set": made.hash, "position": position}
                for position, row in enumerate(made.rows)
            ]
            db.execute(insert(TrainingRow), rows)
        return made.hash


def training_rows(
    digest: str, offset: int = 0, limit: int | None = None, search: str = ""
) -> list[TrainingRow]:
    """Rows of a training set in order, whose input or label contains `search`."""
    return scalars(_rows(digest, search).offset(offset).limit(limit))


def count_training_rows(digest: str, search: str = "") -> int:
    """Rows of a training set whose input or label contains `search`."""
    return count(_rows(digest, search))


def _rows(digest: str, search: str) -> Select[TrainingRow]:
    query = select(TrainingRow).where(TrainingRow.training_set == digest).order_by(TrainingRow.position)
    if search:
        found = (c.icontains(search, autoescape=True) for c in (TrainingRow.input, TrainingRow.label))
        query = query.where(or_(*found))
    return query


def save_metrics(run_id: int, rows: Sequence[dict[str, Any]]) -> None:
    """Points of the live curves, {name, step, epoch, value}; a point that is there is kept once."""
    with session() as db:
        for row in rows:
            db.merge(Metric(run_id=run_id, **{k: row[k] for k in ("name", "step", "epoch", "value")}))


def metrics(run_id: int) -> list[Metric]:
    return scalars(select(Metric).where(Metric.run_id == run_id).order_by(Metric.name, Metric.step))
