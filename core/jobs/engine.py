"""The durable queue (DBOS), in the lab's own database: a job and its place in the queue are written together.

A job is one workflow of the same id. Its row in `workflow_status` says how it stands, `operation_outputs` is
its journal: the result of each finished step. The tables are described here, so that reading them imports no
engine.

ENQUEUED → PENDING (with the token of the execution that owns it) → SUCCESS | ERROR | CANCELLED
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, MetaData, Row, Table, case, delete, func, select, update
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from core import settings, store
from core.errors import LabError
from core.store import QUEUE_SCHEMA
from core.store.models import Job, Worker

if TYPE_CHECKING:
    from dbos import DBOSClient

APPLICATION = "cot-lab"
WORKFLOW = "run_job"
STATUS = {  # of a workflow: what the lab calls it
    "ENQUEUED": "queued",
    "DELAYED": "queued",
    "PENDING": "running",
    "SUCCESS": "done",
    "ERROR": "failed",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "failed",
    "CANCELLED": "cancelled",
}
_tables = MetaData(schema=QUEUE_SCHEMA)
FLOW = Table(
    "workflow_status",
    _tables,
    *map(Column, ("workflow_uuid", "status", "executor_id", "owner_xid", "application_version")),
    *map(Column, ("started_at_epoch_ms", "completed_at")),
)
STEPS = Table("operation_outputs", _tables, *map(Column, ("workflow_uuid", "function_id", "error")))
VERSIONS = Table("application_versions", _tables, *map(Column, ("version_name", "version_timestamp")))


def version() -> str:
    """Of the lab's code as it lies on the disk: a hash over core/ and what it runs on."""
    files = [settings.ROOT / "requirements.txt", *sorted((settings.ROOT / "core").rglob("*.py"))]
    digest = sha256()
    for path in files:
        digest.update(f"{path.relative_to(settings.ROOT)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def client() -> DBOSClient:
    """What puts jobs into the queue and takes them out."""
    return _client(settings.database_url())


@cache
def _client(_url: str) -> DBOSClient:
    from dbos import DBOSClient

    made = DBOSClient(
        system_database_engine=store.engine(),
        dbos_system_schema=QUEUE_SCHEMA,
        application_name=APPLICATION,
        retry_connection_errors=False,
        lazy=True,
    )
    try:
        with store.migrating(store.engine()):
            made._sys_db.run_migrations()  # the engine's own command would connect by another URL
    except DatabaseError as error:
        raise store.explain(error) from error
    return made


def enqueue(db: Session, job: Job) -> None:
    """Put a new job into the queue, in the transaction that writes its row."""
    options: Any = {"workflow_name": WORKFLOW, "workflow_id": job.id, "app_version": version()}
    client().enqueue_in_transaction(db, options | _place(job.request), job.id)


def rewind(job: Job) -> None:
    """Put a job into the queue again: it goes on in its journal, at the first step that failed.

    One that was done, or failed between its steps, looks at everything again. LabError if it waits or runs.
    """
    error = case((STEPS.c.error.is_not(None), STEPS.c.function_id))
    journal = select(func.min(error), func.max(STEPS.c.function_id)).where(STEPS.c.workflow_uuid == job.id)
    failed, last = store.rows(journal)[0]
    after = (last or 0) + 1 if job.status == "cancelled" else 1
    first = 1 if job.status == "done" else failed or after
    from dbos import error as problems

    try:
        client().rewind_workflow(
            job.id, start_step=first, application_version=version(), **_place(job.request)
        )
    except problems.DBOSException:
        raise LabError(f"Job {job.id} waits or runs already: someone has resumed it just now.") from None


def _place(request: dict[str, Any]) -> dict[str, Any]:
    """A job's queue; in the queue for devices, the part for that much memory."""
    memory = {"queue_partition_key": f"{request.get('memory', 0):g}"} if request["queue"] == "device" else {}
    return {"queue_name": request["queue"]} | memory


def flows(db: Session, job_ids: Iterable[str]) -> dict[str, Row]:
    """How each of these jobs stands."""
    rows = db.execute(select(FLOW).where(FLOW.c.workflow_uuid.in_(list(job_ids))))
    return {row.workflow_uuid: row for row in rows}


def unfinished(db: Session) -> bool:
    """Whether any job waits or runs."""
    if db.scalar(select(Job.id).where(Job.former.is_(None)).limit(1)) is None:
        return False  # the queue may have no tables yet
    active = select(FLOW.c.workflow_uuid).where(FLOW.c.status.in_(("ENQUEUED", "PENDING")))
    return db.scalar(active.limit(1)) is not None


def bury(db: Session, dead: Iterable[str]) -> None:
    """Dead workers lose their claims, and what they ran is queued again. Who comes second changes nothing."""
    db.execute(delete(Worker).where(Worker.id.in_(list(dead))))
    left = update(FLOW).where(FLOW.c.status == "PENDING", FLOW.c.executor_id.not_in(select(Worker.id)))
    db.execute(left.values(status="ENQUEUED", owner_xid=None, started_at_epoch_ms=None))


def adopt(db: Session, own: str, newer: bool = False) -> None:
    """Waiting jobs that were asked for with older code may run with this code; if told, with `newer` too."""
    waiting = update(FLOW).where(FLOW.c.status == "ENQUEUED", FLOW.c.application_version != own)
    if not newer:
        since = select(VERSIONS.c.version_timestamp).where(VERSIONS.c.version_name == own).scalar_subquery()
        older = select(VERSIONS.c.version_name).where(VERSIONS.c.version_timestamp < since)
        waiting = waiting.where(FLOW.c.application_version.in_(older))
    db.execute(waiting.values(application_version=own))


def keep_journal(db: Session, job: Job, owner: str, own: str) -> None:
    """Before a job is entered: forget a journal that other code wrote, or a worker whose files are elsewhere.

    A step looks at what is there, so one that is entered again does only what is missing.
    """
    if job.journal != (own := f"{own} {settings.identity()}"):
        mine = select(FLOW.c.workflow_uuid).where(FLOW.c.workflow_uuid == job.id, FLOW.c.owner_xid == owner)
        db.execute(delete(STEPS).where(STEPS.c.workflow_uuid.in_(mine)))
        job.journal = own
