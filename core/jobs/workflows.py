"""The durable workflow: a job's stage, step by step.

Each step runs through DBOS, which records that it finished; after a crash the workflow is entered again, by
whichever worker takes it, and goes on with the first step that did not.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from typing import Any

from dbos import DBOS
from dbos import error as problems
from dbos._context import assert_current_dbos_context
from sqlalchemy.exc import OperationalError

from core import stages
from core.errors import LabError
from core.jobs import engine
from core.jobs.progress import Cancelled, Progress
from core.stages import children
from core.store import claims, explain, session
from core.store.claims import Holder
from core.store.models import Job

PATIENCE_SECONDS = 5.0
Step = Callable[..., Any]  # step(name, function, *arguments) -> the function's result

running: set[Holder] = set()  # the executions of this process


class Failed(Exception):
    """A job's last words, which are in its row: the queue marks it as failed."""


def durable(name: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Run a step of the current workflow; its result is kept. One that was cancelled leaves no trace."""

    def once() -> Any:
        try:
            return function(*arguments)
        except Cancelled:
            raise problems.DBOSWorkflowCancelledError(name) from None

    try:
        return DBOS.run_step({"name": name}, once)
    except (problems.DBOSWorkflowCancelledError, problems.DBOSWorkflowConflictIDError):
        raise Cancelled from None


@DBOS.workflow(name=engine.WORKFLOW)
def run_job(job_id: str) -> None:
    """One execution of a job."""
    # The token that the queue gave this execution. In the row there may be a later one's already.
    owner = assert_current_dbos_context().owner_xid or ""
    holder = Holder(job_id, owner, DBOS.executor_id)
    running.add(holder)
    try:
        with session() as db:
            engine.keep_journal(db, db.get_one(Job, job_id), owner, DBOS.application_version)
        status = perform(job_id, durable, holder)
    finally:
        running.discard(holder)
    if status == "cancelled":
        raise problems.DBOSWorkflowCancelledError(job_id)  # its outcome is another's to record
    if status == "failed":
        raise Failed(job_id)


def perform(job_id: str, step: Step, holder: Holder | None = None) -> str:
    """Run the job's stage to its end. `step` decides how durable it is; tests pass a plain call.

    Returns done, failed or cancelled; the queue's own record of that is the caller's to write.
    """
    progress = Progress(job_id, holder)
    status, error = "done", None
    try:
        with session() as db:
            job = db.get_one(Job, job_id)
        stages.KINDS[job.kind](progress, job.request, step)
    except Cancelled:
        return "cancelled"
    except LabError as problem:
        status, error = "failed", str(problem)
    except Exception as problem:  # a defect: the page shows one sentence, the log the traceback
        known = explain(problem) if isinstance(problem, OperationalError) else problem
        status, error = "failed", str(known)
        if not isinstance(known, LabError):
            trace = traceback.format_exc()
            _patiently(lambda: progress.say(trace))
            error = (
                f"Something unexpected went wrong ({type(problem).__name__}): see the job's log, then resume."
            )
    finally:
        children.abandon(progress)
        _patiently(lambda: claims.release_all(holder))
    try:
        _patiently(lambda: progress.write(error=error))
    except Cancelled:
        return "cancelled"
    _patiently(lambda: progress.say(error or "Done."))
    return status


def _patiently(write: Callable[[], Any]) -> None:
    """Write once there is room: a job that cannot say how it ended would seem to run forever."""
    while True:
        try:
            return write()
        except (LabError, OperationalError):
            time.sleep(PATIENCE_SECONDS)
