"""The store: SQLAlchemy over SQLite (WAL) by default, PostgreSQL by LAB_DATABASE_URL.

with session() as db:     one short transaction: committed at the end, rolled back on an error
    db.add(Study(…))

The schema is brought up to date by Alembic on first use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine, create_engine, event, inspect, text
from sqlalchemy.exc import ArgumentError, DatabaseError, IntegrityError
from sqlalchemy.orm import Session

from core import settings
from core.errors import LabError

T = TypeVar("T")

HEAD = "0007"  # newest migration; a test holds it to the scripts
BUSY_SECONDS = 30  # how long one waits for another's transaction
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
        wait = {"timeout": BUSY_SECONDS} if is_file else {}
        made = create_engine(url, connect_args=wait, pool_pre_ping=not is_file)
    except (ArgumentError, ImportError):
        raise LabError(
            "LAB_DATABASE_URL cannot be used: write sqlite:////path/to/lab.db or postgresql://user@host/name."
        ) from None
    if is_file:
        event.listen(made, "connect", _tune_sqlite)
    try:
        _migrate(made)
    except DatabaseError as error:
        raise explain(error) from error
    return made


def _tune_sqlite(connection, _record) -> None:
    # WAL lets pages read while a worker writes; NORMAL is durable against a killed process.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _migrate(made: Engine) -> None:
    if _revision(made) == HEAD:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError
    from filelock import FileLock

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = made
    # The app and its worker may both meet a new database: one of them migrates.
    with FileLock(settings.home() / "migrate.lock"):
        if _revision(made) != HEAD:
            try:
                command.upgrade(config, "head")
            except CommandError:
                raise LabError(
                    "A newer lab has made this database: update the lab, or set LAB_HOME to another folder."
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
            f"A database in {settings.home()} is damaged ({error.orig}): put a copy of lab.db back, or move "
            "it away to begin anew; jobs.db may always be moved away."
        )
    if "is locked" in reason:
        return LabError("Another program holds the database: close it (or wait for it), then try again.")
    if "could not connect" in reason or "connection refused" in reason:
        return LabError("The database does not answer: check LAB_DATABASE_URL and that its server runs.")
    return error
