"""The store: SQLAlchemy over SQLite (WAL) by default, PostgreSQL by LAB_DATABASE_URL.

with session() as db:     one short transaction: committed at the end, rolled back on an error
    db.add(Study(…))

A new database is made from the models, an older one brought up to date by Alembic, on first use. The
durable queue (core.jobs) has its tables in the same database: in SQLite beside the lab's, in PostgreSQL
in a schema of their own.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine, Select, create_engine, event, func, inspect, select, text
from sqlalchemy.exc import ArgumentError, DatabaseError, IntegrityError, OperationalError
from sqlalchemy.orm import Session

from core import settings
from core.errors import LabError
from core.store.models import Base, now

T = TypeVar("T")

HEAD = "0007"  # newest migration; a test holds it to the scripts
BUSY_SECONDS = 30  # how long one waits for another's transaction
CONNECT_SECONDS = 10  # until a server counts as not there
IDLE_SECONDS = 15  # after which the server ends a transaction that a frozen or lost machine holds open
CHUNK = 500  # keys in a statement, below every database's limit of parameters
QUEUE_SCHEMA = "lab_jobs"  # of the durable queue's tables, in databases that have schemas
MIGRATION_LOCK = 5_261_480  # any number, the same in every lab
MIGRATIONS = Path(__file__).parent / "migrations"


@contextmanager
def session() -> Iterator[Session]:
    """A transaction on the lab's database."""
    with Session(engine(), expire_on_commit=False) as db:
        try:
            yield db
            db.commit()
        except DatabaseError as error:
            db.rollback()
            raise explain(error) from error
        except BaseException:
            db.rollback()
            raise


def scalars(query: Select[T]) -> list[T]:
    """What a query for one thing finds."""
    with session() as db:
        return list(db.scalars(query))


def rows(query: Select) -> Sequence[Any]:
    """The rows that a query finds."""
    with session() as db:
        return db.execute(query).all()


def figures(query: Select) -> dict[str, Any]:
    """The one row of a query, by the names of its columns."""
    return dict(rows(query)[0]._mapping)


def count(query: Select) -> int:
    """How many rows a query finds."""
    return scalars(select(func.count()).select_from(query.order_by(None).subquery()))[0]


def get(model: type[T], key: Any, missing: str) -> T:
    """The row with this key. LabError, the sentence `missing`, where there is none."""
    with session() as db:
        if (found := db.get(model, key)) is None:
            raise LabError(missing)
        return found


def chunks(keys: Sequence[T]) -> Iterator[Sequence[T]]:
    """The keys, as many at a time as a statement may name."""
    return (keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK))


def found_or_made(look: Callable[[], T]) -> T:
    """What `look` finds or makes; it looks once more where another process has made it meanwhile."""
    try:
        return look()
    except IntegrityError:
        return look()


def engine() -> Engine:
    """The engine of the current settings; one per database URL and process."""
    return _engine(settings.database_url())


@cache
def _engine(url: str) -> Engine:
    is_file = url.startswith("sqlite")
    try:
        wait = {"timeout": BUSY_SECONDS} if is_file else {"connect_timeout": CONNECT_SECONDS}
        schemas = {"schema_translate_map": {QUEUE_SCHEMA: None}} if is_file else {}
        made = create_engine(url, connect_args=wait, pool_pre_ping=not is_file, execution_options=schemas)
    except (ArgumentError, ImportError):
        raise LabError(
            "LAB_DATABASE_URL cannot be used: write sqlite:////path/to/lab.db or postgresql://user@host/name."
        ) from None
    event.listen(made, "connect", _tune_sqlite if is_file else _tune_postgresql)
    try:
        _migrate(made)
    except DatabaseError as error:
        raise explain(error) from error
    return made


def _tune_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = "IMMEDIATE"  # a transaction that will write waits for its turn at once
    # WAL lets pages read while a worker writes; NORMAL is durable against a killed process.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _tune_postgresql(connection: Any, _record: Any) -> None:
    connection.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'")
    connection.commit()  # or it would be rolled back with the first transaction


def clock() -> Any:
    """The moment by the database's clock, which all machines share; for statements."""
    local = engine().dialect.name == "sqlite"
    return now() if local else func.timezone("UTC", func.clock_timestamp())


@contextmanager
def migrating(made: Engine) -> Iterator[None]:
    """Hold the database's own lock on its schema: of all processes on all machines one changes it."""
    if made.dialect.name == "sqlite":
        from filelock import FileLock

        with FileLock(f"{made.url.database}.lock"):
            yield
        return
    with made.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # Polled: a statement that waits would block CREATE INDEX CONCURRENTLY forever.
        while not connection.scalar(func.pg_try_advisory_lock(MIGRATION_LOCK).select()):
            time.sleep(0.1)
        try:
            yield
        finally:
            connection.execute(func.pg_advisory_unlock(MIGRATION_LOCK).select())


def _migrate(made: Engine) -> None:
    """Make the tables of a new database from the models; bring those of an older lab up to date."""
    if _revision(made) == HEAD:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = made
    with migrating(made):
        if (revision := _revision(made)) == HEAD:
            return
        if revision is None:
            Base.metadata.create_all(made)
            command.stamp(config, "head")
            return
        try:
            command.upgrade(config, "head")
        except CommandError:
            raise LabError(
                "Another version of the lab has made this database: update the lab (one older than 0.1 is "
                "first opened with lab 0.1), or set LAB_HOME to another folder."
            ) from None


def _revision(made: Engine) -> str | None:
    with made.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def explain(error: DatabaseError) -> Exception:
    """What a user can do about it, as a LabError; the error itself where that is not known."""
    reason = str(error.orig).lower()
    if "disk is full" in reason or "no space" in reason or "disk i/o" in reason:
        return LabError("The disk is full: free some space and resume the job; everything finished is kept.")
    if "unable to open" in reason or "readonly" in reason:
        return LabError(f"Cannot write {settings.home()}: set LAB_HOME to a folder you can write.")
    if "not a database" in reason or "malformed" in reason or "no such table" in reason:
        return LabError(
            f"The database in {settings.home()} is damaged ({error.orig}): put a copy of lab.db back, or "
            "move it away to start with an empty one."
        )
    if "is locked" in reason:
        return LabError("Another program holds the database: close it (or wait for it), then try again.")
    if "permission denied" in reason:
        return LabError(
            f"The database's user may not do this ({reason.splitlines()[0]}): make it the owner of the "
            "database that LAB_DATABASE_URL names."
        )
    if isinstance(error, OperationalError) and re.search("connect|fatal|resolve", reason):
        return LabError(
            f"The database does not answer ({' '.join(reason.split())}): check LAB_DATABASE_URL and that its "
            "server runs."
        )
    return error
