"""Decisions in the store: appended, and read back by item, by author or since a moment.

run 7 · question 12 · sample 0 · reject · ana · "the second step is wrong" · seen 0 · 2025-03-01 10:22:31

Reads go through an index each: all of an item, all of a run after an id, an author's newest first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, insert, select
from sqlalchemy.exc import IntegrityError

from core import records, store
from core.store import models

TABLE = models.Decision.__table__
FIELDS = [TABLE.c[name] for name in records.Decision.__dataclass_fields__]
CHUNK = 200  # rows read at a time where most often the first few are enough


class Taken(Exception):
    """Somebody else's decision has the place of one of these; none was written."""


def append(rows: Sequence[dict[str, Any]]) -> list[records.Decision]:
    """Write decisions (fields of records.Decision but `id`), all or none. Raises Taken."""
    try:
        with store.session() as db:
            kept = insert(models.Decision).returning(TABLE.c.id, sort_by_parameter_order=True)
            ids = list(db.scalars(kept, rows))
    except IntegrityError:
        raise Taken from None
    return [records.Decision(id=id_, **row) for id_, row in zip(ids, rows, strict=True)]


def of_item(run_id: int, question_index: int, sample_index: int) -> list[records.Decision]:
    """Everything decided on one rationale, oldest first."""
    return _read(_of(run_id, TABLE.c.question_index == question_index, TABLE.c.sample_index == sample_index))


def since(run_id: int, after: int = 0) -> list[records.Decision]:
    """A run's decisions whose id is above `after`, oldest first."""
    return _read(_of(run_id, TABLE.c.id > after))


def count(run_id: int) -> int:
    """How many decisions a run has."""
    return store.count(_of(run_id))


def page(run_id: int, offset: int, limit: int) -> list[records.Decision]:
    """Some of a run's decisions, newest first."""
    return _read(_of(run_id, newest_first=True).offset(offset).limit(limit))


def newest(run_id: int, author: str) -> Iterator[records.Decision]:
    """An author's decisions in a run, newest first, read as far as the caller goes."""
    query = theirs = _of(run_id, TABLE.c.author == author, newest_first=True).limit(CHUNK)
    while rows := _read(query):
        yield from rows
        query = theirs.where(TABLE.c.id < rows[-1].id)


def together(run_id: int, author: str, created: datetime) -> list[records.Decision]:
    """What an author decided in one moment: one decision, or all of a bulk action."""
    return _read(_of(run_id, TABLE.c.author == author, TABLE.c.created == created))


def last_of_items(run_id: int) -> dict[tuple[int, int], int]:
    """(question, sample) → id of the last decision that changed it."""
    query = (
        select(TABLE.c.question_index, TABLE.c.sample_index, func.max(TABLE.c.id))
        .where(TABLE.c.run_id == run_id, TABLE.c.seen.is_not(None))
        .group_by(TABLE.c.question_index, TABLE.c.sample_index)
    )
    return {(question, sample): last for question, sample, last in store.rows(query)}


def last() -> int:
    """The id of the newest decision of all; 0 before the first."""
    return store.scalars(select(func.max(TABLE.c.id)))[0] or 0


def _of(run_id: int, *conditions: ColumnElement[bool], newest_first: bool = False) -> Select[Any]:
    """The query for a run's decisions."""
    order = TABLE.c.id.desc() if newest_first else TABLE.c.id
    return select(*FIELDS).where(TABLE.c.run_id == run_id, *conditions).order_by(order)


def _read(query: Select[Any]) -> list[records.Decision]:
    return [records.Decision(*row) for row in store.rows(query)]
