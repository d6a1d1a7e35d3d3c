"""What the quality checks say about a run's rationales, read and written.

completion 812 · run 7 · question 12 · sample 0 · version 5f0c9d2ab1e47731 · " lucky arithmetic "

Only rows of the checks as they are now count: with other ones everything waits to be checked again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Select, delete, insert, select

from core.quality.version import version
from core.store import rows, scalars, session
from core.store.models import Checked, Completion

Key = tuple[int, int]  # (question index, sample index)


def save(found: Mapping[int, Collection[str]]) -> None:
    """completion id → the checks that flag it; what was there is replaced, what is gone is left out."""
    place = (Completion.id, Completion.run_id, Completion.question_index, Completion.sample_index)
    with session() as db:
        db.execute(delete(Checked).where(Checked.completion_id.in_(found)))
        places = db.execute(select(*place).where(Completion.id.in_(found))).all()
        made = [
            {"completion_id": i, "run_id": run_id, "question_index": question, "sample_index": sample}
            | {"version": version(), "flags": f" {' '.join(found[i])} "}
            for i, run_id, question, sample in places
        ]
        if made:
            db.execute(insert(Checked), made)


def missing(run_id: int) -> list[int]:
    """Ids of the run's finished completions that these checks have not seen, in order."""
    return scalars(_missing(run_id, Completion.id))


def waiting(run_id: int, first: int, last: int) -> list[Completion]:
    """Of the completions with an id from `first` to `last`, those that these checks have not seen."""
    return scalars(_missing(run_id, Completion).where(Completion.id.between(first, last)))


def _missing(run_id: int, *wanted: Any) -> Select[Any]:
    seen = select(Checked.completion_id).where(Checked.run_id == run_id, Checked.version == version())
    query = select(*wanted).where(Completion.run_id == run_id, Completion.error.is_(None))
    return query.where(Completion.id.not_in(seen)).order_by(Completion.id)


def flagged(run_id: int, check: str, *columns: Any) -> Select[Any]:
    """The query for these columns of the completions that a check flags."""
    return select(*columns).where(
        Checked.run_id == run_id, Checked.version == version(), Checked.flags.contains(f" {check} ")
    )


def keys(run_id: int, check: str) -> set[Key]:
    """(question, sample) of the completions that a check flags."""
    found = rows(flagged(run_id, check, Checked.question_index, Checked.sample_index))
    return {(question, sample) for question, sample in found}
