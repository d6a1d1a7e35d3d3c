"""How a running job tells where it is, and hears that it should stop."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field

from sqlalchemy import update

from core import settings
from core.errors import LabError
from core.store import session
from core.store.models import Job, JobLog, now

FREE_BYTES = 20_000_000  # with less, a job could not even say why it stops
PERIOD_SECONDS = 0.5  # rows are written no more often than this


class Cancelled(Exception):
    """The user asked this job to stop."""


@dataclass
class Progress:
    """A job's voice. `at` is cheap to call per item; it raises Cancelled when asked to stop."""

    job_id: str
    _last: float = field(default=0.0, repr=False)

    def at(self, stage: str, done: int, total: int) -> None:
        """Report `done` of `total` in this stage; the last item of a stage is always written."""
        if done < total and time.monotonic() - self._last < PERIOD_SECONDS:
            return
        self._last = time.monotonic()
        with session() as db:
            db.execute(
                update(Job)
                .where(Job.id == self.job_id)
                .values(stage=stage, done=done, total=total, updated=now())
            )
        self.check()

    def check(self) -> None:
        """Raise Cancelled if someone asked for it; LabError while there still is room to write that down."""
        if shutil.disk_usage(settings.home()).free < FREE_BYTES:
            raise LabError(
                f"The disk of {settings.home()} is full (less than {FREE_BYTES / 1e6:.0f} MB are free): "
                "free some space and resume the job; everything finished is kept."
            )
        with session() as db:
            if db.get_one(Job, self.job_id).cancel_requested:
                raise Cancelled

    def say(self, text: str) -> None:
        """Append a line to the job's log."""
        with session() as db:
            db.add(JobLog(job_id=self.job_id, text=text))
