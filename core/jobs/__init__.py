"""Durable jobs: one row each, run one at a time per device by a worker that outlives the app.

submit(…) ─row and place in the queue, in one transaction→ worker ─step by step→ store
              cancel(job) · resume(job) · rerun: from any page, command or machine

The row says what is wanted and how far it is; how it stands is what the queue says, and nothing else. Every
step is idempotent: it looks at the store (and the run folder), does only what is missing and writes as it
goes, so a killed worker repeats nothing that was finished. A resumed job goes on in its own journal; a dead
worker's jobs are taken over by another one, or by its successor.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import LabError
from core.jobs import engine, local
from core.jobs.local import ensure as ensure_worker
from core.records import content_hash
from core.store import clock, found_or_made, scalars, session
from core.store.models import Job, JobLog, Worker

QUEUES = {"device": 1, "endpoint": 4}  # jobs at a time in one worker: a device holds one, an endpoint waits
ACTIVE = ("queued", "running")
STALE = timedelta(seconds=local.STALE_SECONDS)


def submit(
    kind: str,
    title: str,
    request: dict[str, Any],
    study_id: int | None,
    queue: str = "device",
    memory: float = 0,
) -> str:
    """Queue a job and make sure that a worker runs. Returns the job's id.

    `memory`: GB that its device must have. The same request again, while it waits or runs (a second click,
    another tab), is the same job.
    """
    asked = json.loads(json.dumps(request | {"queue": queue} | ({"memory": memory} if memory else {})))
    once = content_hash([kind, study_id, asked])
    engine.client()  # its tables are made before the transaction, which would wait for itself
    ensure_worker(asked)  # before the job can be taken, so that no worker with older code or keys takes it

    def queued() -> str:
        with session() as db:
            before = db.scalar(select(Job).where(Job.once == once))
            if before is not None:
                if _standing(db, [before])[0].status in ACTIVE:
                    return before.id
                before.once = None
                db.flush()
            job = Job(
                id=f"{kind}-{secrets.token_hex(4)}", kind=kind, title=title, request=asked, once=once,
                study_id=study_id,
            )  # fmt: skip
            db.add(job)
            db.flush()
            engine.enqueue(db, job)
            return job.id

    job_id = found_or_made(queued)  # asked at the same moment elsewhere: that is the job
    ensure_worker()
    return job_id


def resume(job_id: str) -> None:
    """Run a job that has ended again: finished items stay, failed and missing ones are done."""
    ensure_worker(job(job_id).request)
    engine.client()
    with session() as db:
        row = _get(db, job_id)
        if row.status in ACTIVE:
            raise LabError(f"Job {job_id} is {row.status} already: cancel it first, or wait.")
        row.attempt, row.error = row.attempt + 1, None
        former, row.former = row.former, None
        if former is not None:  # of an older lab: it has no place in the queue yet
            engine.enqueue(db, row)
    if former is None:
        engine.rewind(row)
    ensure_worker()


def cancel(job_id: str) -> None:
    """Stop a job: within five seconds nothing works on it. What is finished stays and can be resumed."""
    with session() as db:
        row = _get(db, job_id)
        if row.status not in ACTIVE:
            raise LabError(f"Job {job_id} is {row.status}: there is nothing to cancel.")
    engine.client().cancel_workflow(job_id)
    with session() as db:
        db.add(JobLog(job_id=job_id, text="Cancelled; what is finished is kept."))


def jobs(study_id: int | None = None, limit: int = 100) -> list[Job]:
    """Newest first."""
    query = select(Job).order_by(Job.created.desc()).limit(limit)
    if study_id is not None:
        query = query.where(Job.study_id == study_id)
    with session() as db:
        return _standing(db, db.scalars(query).all())


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
    return scalars(query)[::-1]


def workers() -> list[Worker]:
    """The workers that are alive: heartbeat younger than 20 s."""
    return scalars(select(Worker).where(Worker.heartbeat > clock() - STALE))


def wake() -> bool:
    """Start a worker if jobs wait or were left unfinished; called when a page or command looks."""
    with session() as db:
        waiting = engine.unfinished(db)
    return ensure_worker() if waiting else False


def _get(db: Session, job_id: str) -> Job:
    if (found := db.get(Job, job_id)) is None:
        raise LabError(f"There is no job {job_id}: `python -m core jobs list` shows them.")
    return _standing(db, [found])[0]


def _standing(db: Session, rows: Sequence[Job]) -> list[Job]:
    """Jobs with what the queue says of them; of those of an older lab, with what that knew."""
    flows = engine.flows(db, own) if (own := [row.id for row in rows if row.former is None]) else {}
    for row in rows:
        if row.former is not None:
            row.status = row.former["status"]
            row.started, row.finished = (
                moment and datetime.fromisoformat(moment)
                for moment in (row.former["started"], row.former["finished"])
            )
        elif flow := flows.get(row.id):
            row.status = engine.STATUS[flow.status]
            row.started, row.finished = _moment(flow.started_at_epoch_ms), _moment(flow.completed_at)
            if flow.status == "MAX_RECOVERY_ATTEMPTS_EXCEEDED":
                row.error = "Its worker has died repeatedly: see logs/worker.log in LAB_HOME, then resume."
    return list(rows)


def _moment(milliseconds: int | None) -> datetime | None:
    moment = milliseconds and datetime.fromtimestamp(milliseconds / 1000, UTC).replace(tzinfo=None)
    return moment or None
