"""Watch a job from a terminal: its log and progress on standard error, until it ends."""

from __future__ import annotations

import time

from core import jobs
from core.commands.common import say
from core.errors import LabError


def follow(job_id: str) -> None:
    """Return when the job is done; raise LabError when it failed or was cancelled.

    Ctrl-C leaves the job running: it belongs to the worker, not to this terminal.
    """
    from tqdm import tqdm

    say(f"Job {job_id}: {jobs.job(job_id).title}")
    seen = 0
    try:
        with tqdm(total=0, unit="item", dynamic_ncols=True, bar_format="{desc} {bar} {n}/{total}") as bar:
            while True:
                job = jobs.job(job_id)
                for line in jobs.log(job_id, after=seen):
                    seen = line.id
                    tqdm.write(line.text, file=bar.fp)
                bar.total, bar.n = job.total, job.done
                bar.set_description_str(job.stage or job.status)
                if job.status not in jobs.ACTIVE:
                    break
                jobs.wake()
                time.sleep(0.5)
    except KeyboardInterrupt:
        say(f"Job {job_id} goes on. `python -m core jobs cancel {job_id}` stops it.")
        raise
    if job.status != "done":
        reason = job.error or "It was cancelled."
        raise LabError(f"{reason} Continue with `python -m core jobs resume {job_id}`.")
