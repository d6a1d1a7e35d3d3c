"""How a running job tells where it is, and hears that it should stop."""

from __future__ import annotations

import shutil
import threading
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import exists, select, update

from core import settings
from core.errors import LabError
from core.jobs.engine import FLOW
from core.store import claims, session
from core.store.models import Job, JobLog

FREE_BYTES = 20_000_000  # with less, a job could not even say why it stops
PERIOD_SECONDS = 0.5  # rows are written no more often than this

leaving = threading.Event()  # set when this process, a worker, gives up all that it runs


class Cancelled(Exception):
    """This execution must stop: the user cancelled the job, its worker leaves, or another one runs it now."""


@dataclass
class Progress:
    """How a job reports. `at` is cheap to call per item; it raises Cancelled when asked to stop.

    `holder` is the execution that reports; once the job is no longer its own, it changes nothing more. None
    where the job is performed outside the queue.
    """

    job_id: str
    holder: claims.Holder | None = None
    _last: float = field(default=0.0, repr=False)

    def at(self, stage: str, done: int, total: int) -> None:
        """Report `done` of `total` in this stage; the last item of a stage is always written."""
        if done < total and time.monotonic() - self._last < PERIOD_SECONDS:
            return
        self._last = time.monotonic()
        self.write(stage=stage, done=done, total=total)
        self.check()

    def check(self) -> None:
        """Raise Cancelled if it should stop; LabError while there still is room to write that down."""
        if leaving.is_set():
            raise Cancelled
        if shutil.disk_usage(settings.home()).free < FREE_BYTES:
            raise LabError(
                f"The disk of {settings.home()} is full (less than {FREE_BYTES / 1e6:.0f} MB are free): "
                "free some space and resume the job; everything finished is kept."
            )
        with session() as db:
            if self.holder and not db.scalar(select(self._mine())):
                raise Cancelled

    def say(self, text: str) -> None:
        """Append a line to the job's log."""
        with session() as db:
            db.add(JobLog(job_id=self.job_id, text=text))

    def write(self, **values: Any) -> None:
        """Change the job's row; Cancelled where that is another execution's now."""
        mine = [self._mine()] if self.holder else []
        with session() as db:
            changed = update(Job).where(Job.id == self.job_id, *mine).values(**values).returning(Job.id)
            if db.scalar(changed) is None:
                raise Cancelled

    def claim(self, work: str) -> AbstractContextManager[None]:
        """Hold a piece of work (`run:<hash>`) so that no other job does it too; wait while one does."""
        return claims.held(work, self.holder, lambda: self.at("Waits for a job with the same work", 0, 1))

    def _mine(self) -> Any:
        owner = self.holder.owner if self.holder else None
        return exists().where(FLOW.c.workflow_uuid == self.job_id, FLOW.c.owner_xid == owner)
