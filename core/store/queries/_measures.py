"""What was measured of a run's questions: their diversity, their place on the cluster map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, insert, select

from core.store import count, scalars, session
from core.store.models import Diversity, Point

__all__ = ["save_diversity", "diversity_page", "count_diversity", "diversity_of", "save_points", "points"]


def save_diversity(run_id: int, measured: Sequence[dict[str, Any]]) -> None:
    """Store the measures of a run's questions; saved again, they are replaced whole."""
    _replace(Diversity, run_id, measured)


def diversity_page(run_id: int, offset: int = 0, limit: int | None = None) -> list[Diversity]:
    """The measures of a run's questions, the least diverse first."""
    least_first = (Diversity.effective, Diversity.texts, Diversity.question_index)
    query = select(Diversity).where(Diversity.run_id == run_id).order_by(*least_first)
    return scalars(query.offset(offset).limit(limit))


def count_diversity(run_id: int) -> int:
    return count(select(Diversity.run_id).where(Diversity.run_id == run_id))


def diversity_of(run_id: int, question_index: int) -> Diversity | None:
    """The measures of one question; None where they were not taken."""
    with session() as db:
        return db.get(Diversity, (run_id, question_index))


def save_points(run_id: int, points: Sequence[dict[str, Any]]) -> None:
    """Store the map of an exemplars run; saved again, it is replaced whole."""
    _replace(Point, run_id, points)


def _replace(table: type[Diversity] | type[Point], run_id: int, found: Sequence[dict[str, Any]]) -> None:
    with session() as db:
        db.execute(delete(table).where(table.run_id == run_id))
        if found:
            db.execute(insert(table), [row | {"run_id": run_id} for row in found])


def points(run_id: int) -> list[Point]:
    """The questions of a map by cluster, nearest to its centre first."""
    query = select(Point).where(Point.run_id == run_id).order_by(Point.cluster, Point.rank)
    return scalars(query)
