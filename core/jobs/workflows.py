"""The durable workflow: begin, the stage's steps one by one, end.

Each step runs through DBOS, which records that it finished; after a crash the workflow is entered
again and goes on with the first step that did not.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from typing import Any

from dbos import DBOS
from sqlalchemy.exc import OperationalError

from core import stages
from core.errors import LabError
from core.jobs.progress import Cancelled, Progress
from core.store import explain, session
from core.store.models import Job, now

PATIENCE_SECONDS = 5.0
Step = Callable[..., Any]  # step(name, function, *arguments) -> the function's result


def durable(name: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Run a step of the current workflow; its result is kept."""
    return DBOS.run_step({"name": name}, function, *arguments)


@DBOS.workflow(name="run_job")
def run_job(job_id: str) -> str:
    """One attempt at a job. Returns its final status."""
    return perform(job_id, durable)


def perform(job_id: str, step: Step) -> str:
    """Begin, run the stage, end. `step` decides how durable it is; tests pass a plain call."""
    begun = step("begin", _begin, job_id)
    if begun is None:
        return "cancelled"
    kind, request = begun
    status, error = "done", None
    try:
        stages.KINDS[kind](Progress(job_id), request, step)
    except Cancelled:
        status = "cancelled"
    except LabError as problem:
        status, error = "failed", str(problem)
    except Exception as problem:  # a defect: the page shows one sentence, the log the traceback
        known = explain(problem) if isinstance(problem, OperationalError) else problem
        status, error = "failed", str(known)
        if not isinstance(known, LabError):
            trace = traceback.format_exc()
            _patiently(lambda: Progress(job_id).say(trace))
            error = (
                f"Something unexpected went wrong ({type(problem).__name__}): see the job's log, then resume."
            )
    _patiently(lambda: step("end", _end, job_id, status, error))
    return status


def _patiently(write: Callable[[], Any]) -> None:
    """Write once there is room: a job that cannot say how it ended would seem to run for ever."""
    while True:
        try:
            return write()
        except (LabError, OperationalError):
            time.sleep(PATIENCE_SECONDS)


def _begin(job_id: str) -> tuple[str, dict[str, Any]] | None:
    with session() as db:
        job = db.get_one(Job, job_id)
        if job.cancel_requested:
            job.status, job.finished = "cancelled", job.finished or now()
            return None
        job.status, job.started, job.updated = "running", now(), now()
        return job.kind, job.request


def _end(job_id: str, status: str, error: str | None) -> None:
    with session() as db:
        job = db.get_one(Job, job_id)
        job.status, job.error, job.finished, job.updated = status, error, now(), now()
    Progress(job_id).say(
        {"done": "Done.", "cancelled": "Cancelled; what is finished is kept."}.get(status, error or "")
    )
