"""Durable jobs: a row each, run one at a time per device by a worker that outlives the app.

submit(…) ─row→ queue ─→ worker ─step by step→ store
              cancel(job) · resume(job) · rerun: from any page, command or machine

The row says what is wanted and how far it is; DBOS keeps the queue and re-enters an unfinished
workflow after a crash. Every step is idempotent: it looks at the store (and the run folder), does
only what is missing and writes as it goes, so a killed worker repeats nothing that was finished.
A resumed job is a new attempt over the same rows.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import DatabaseError

from core import settings
from core.errors import LabError
from core.store import explain, session
from core.store.models import Job, JobLog, Worker, now

QUEUES = {"device": 1, "endpoint": 4}  # jobs at a time in one worker: a device holds one, an endpoint waits
APP_VERSION = "1"  # raised when unfinished workflows of an older lab could not be continued
ACTIVE = ("queued", "running")
HEARTBEAT_SECONDS = 2
STALE = timedelta(seconds=20)

_started: list[subprocess.Popen] = []  # the workers this process has started, so that it can reap them


def submit(
    kind: str, title: str, request: dict[str, Any], study_id: int | None, queue: str = "device"
) -> str:
    """Queue a job and make sure that a worker runs. Returns the job's id.

    The same request again, while it waits or runs (a second click, another tab), is the same job.
    """
    asked = json.loads(json.dumps(request | {"queue": queue}))
    alike = select(Job).where(
        Job.kind == kind, Job.study_id == study_id, Job.status.in_(ACTIVE), ~Job.cancel_requested
    )
    with session() as db:
        job_id = next((job.id for job in db.scalars(alike) if job.request == asked), None)
        if job_id is None:
            job_id = f"{kind}-{secrets.token_hex(4)}"
            db.add(Job(id=job_id, kind=kind, title=title, request=asked, study_id=study_id))
    enqueue(job_id)
    ensure_worker()
    return job_id


def resume(job_id: str) -> None:
    """Run a cancelled or failed job again: finished items stay, failed and missing ones are done."""
    with session() as db:
        job = _get(db, job_id)
        if job.status in ACTIVE:
            raise LabError(f"Job {job_id} is {job.status} already: cancel it first, or wait.")
        job.attempt += 1
        job.status, job.error, job.finished, job.cancel_requested = "queued", None, None, False
        job.updated = now()
    enqueue(job_id)
    ensure_worker()


def cancel(job_id: str) -> None:
    """Ask a job to stop after the item it is at. What is finished stays and can be resumed."""
    with session() as db:
        job = _get(db, job_id)
        if job.status not in ACTIVE:
            raise LabError(f"Job {job_id} is {job.status}: there is nothing to cancel.")
        job.cancel_requested, job.updated = True, now()
        if job.status == "queued":
            job.status, job.finished = "cancelled", now()


def jobs(study_id: int | None = None, limit: int = 100) -> list[Job]:
    """Newest first."""
    query = select(Job).order_by(Job.created.desc()).limit(limit)
    if study_id is not None:
        query = query.where(Job.study_id == study_id)
    with session() as db:
        return list(db.scalars(query))


def job(job_id: str) -> Job:
    with session() as db:
        return _get(db, job_id)


def log(job_id: str, after: int = 0, limit: int = 500) -> list[JobLog]:
    """The job's last lines with an id above `after`, oldest first."""
    query = (
        select(JobLog)
        .where(JobLog.job_id == job_id, JobLog.id > after)
        .order_by(JobLog.id.desc())
        .limit(limit)
    )
    with session() as db:
        return list(db.scalars(query))[::-1]


def workers() -> list[Worker]:
    """The workers that are alive: heartbeat younger than 20 s."""
    with session() as db:
        return list(db.scalars(select(Worker).where(Worker.heartbeat > now() - STALE)))


def ensure_worker() -> bool:
    """Start a detached worker on this machine unless one runs or nothing waits. True if started.

    It starts in a session of its own: stopping the server or closing the terminal leaves it alone.
    """
    from filelock import FileLock, Timeout

    try:
        with FileLock(settings.home() / "worker.lock", timeout=0):
            pass  # nobody holds it: no worker is alive here
    except Timeout:
        return False
    for ended in [process for process in _started if process.poll() is not None]:
        _started.remove(ended)  # asking has reaped it
    output = settings.folder("logs") / "worker.log"
    with output.open("ab") as log_file:
        _started.append(
            subprocess.Popen(
                [sys.executable, "-m", "core", "worker", "--idle-exit", "900"],
                cwd=settings.ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log_file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        )
    return True


def wake() -> bool:
    """Start a worker if jobs wait or were left unfinished; called when a page or command looks."""
    with session() as db:
        waiting = db.scalar(select(Job.id).where(Job.status.in_(ACTIVE)).limit(1))
    return ensure_worker() if waiting else False


def _get(db, job_id: str) -> Job:
    if (found := db.get(Job, job_id)) is None:
        raise LabError(f"There is no job {job_id}: `python -m core jobs list` shows them.")
    return found


def prepare() -> None:
    """Make the queue's own database, or bring it up to date: 2 ms when there is nothing to do."""
    from dbos import DBOS

    try:
        DBOS.migrate(settings.system_database_url())
    except DatabaseError as error:
        raise explain(error) from error


def enqueue(job_id: str) -> str:
    """Hand the job's attempt to the durable queue; a second time changes nothing. Returns its state there."""
    from dbos import DBOSClient

    with session() as db:
        row = _get(db, job_id)
        queue, attempt = row.request["queue"], row.attempt
    prepare()
    client = DBOSClient(system_database_url=settings.system_database_url())
    try:
        handle = client.enqueue(
            {
                "queue_name": queue,
                "workflow_name": "run_job",
                "workflow_id": f"{job_id}.{attempt}",
                "app_version": APP_VERSION,
            },
            job_id,
        )
        return handle.get_status().status
    finally:
        client.destroy()


def reconcile() -> None:
    """Mend what a crash left between the two databases: queue what was not, close what has ended."""
    with session() as db:
        active = list(db.scalars(select(Job.id).where(Job.status.in_(ACTIVE))))
    for job_id in active:
        if enqueue(job_id) in ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"):
            with session() as db:
                row = _get(db, job_id)
                row.status, row.finished = "failed", now()
                row.error = "The job was interrupted: resume it, everything finished is kept."
