"""Claims: one work, once. Two jobs that want the same run or the same reply do not both do it.

with claims.held(f"run:{run.hash}", holder, waiting):     the second waits until the first has finished
    …
mine = claims.take(keys, holder)                          of many keys, those that this execution may do

A claim is a row with a unique key, held by one execution of a job; `holder` None (a test, a command that is
no job) claims nothing and may do all. It ends when it is given back, or with its worker: a worker that is
declared dead takes its claims with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import cast

from sqlalchemy import ColumnElement, Table, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.store import chunks, session
from core.store.models import Claim

CLAIM = cast(Table, Claim.__table__)  # rather than a mapped object: a quarter of the time, at every call
PERIOD_SECONDS = 0.5  # how often one that waits tries again


@dataclass(frozen=True, slots=True)
class Holder:
    """One execution of a job by one worker. `owner` is the queue's token of it among the job's executions."""

    job_id: str
    owner: str
    worker_id: str


def take(keys: Iterable[str], holder: Holder | None) -> set[str]:
    """Of these keys those that the holder now has, or had before; the others are another's."""
    wanted = sorted(set(keys))  # in one order, or two that take the same would wait for each other
    if holder is None:
        return set(wanted)
    mine: set[str] = set()
    for chunk in chunks(wanted):
        try:
            with session() as db:
                upsert = postgresql if db.get_bind().dialect.name == "postgresql" else sqlite
                new = upsert.insert(CLAIM).on_conflict_do_nothing(index_elements=["key"])
                db.execute(new, [asdict(holder) | {"key": key} for key in chunk])
                mine.update(db.scalars(select(CLAIM.c.key).where(CLAIM.c.key.in_(chunk), *_of(holder))))
        except IntegrityError:  # the worker has been declared dead: it may do nothing more
            return set()
    return mine


def release(keys: Iterable[str], holder: Holder | None, db: Session | None = None) -> None:
    """Give keys back; with `db` in that transaction, as in the one that writes the work's result."""
    ours = sorted(set(keys))
    if holder is None or not ours:
        return
    if db is None:
        with session() as own:
            return release(ours, holder, own)
    for chunk in chunks(ours):
        db.execute(delete(CLAIM).where(CLAIM.c.key.in_(chunk), *_of(holder)))


def release_all(holder: Holder | None) -> None:
    """Give back whatever an execution still holds."""
    if holder is not None:
        with session() as db:
            db.execute(delete(CLAIM).where(*_of(holder)))


def _of(holder: Holder) -> tuple[ColumnElement[bool], ...]:
    return CLAIM.c.job_id == holder.job_id, CLAIM.c.owner == holder.owner


@contextmanager
def held(key: str, holder: Holder | None, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold a key while working; `waiting` is called while another has it, and ends the wait by raising."""
    while not take([key], holder):
        waiting()
        time.sleep(PERIOD_SECONDS)
    try:
        yield
    finally:
        release([key], holder)
