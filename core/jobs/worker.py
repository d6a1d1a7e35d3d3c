"""The worker: a process that takes jobs from the queue, one at a time per device.

It holds a file lock while it lives (one worker per LAB_HOME), writes a heartbeat, and, when the app
started it, leaves once nothing has been waiting for a while.
"""

from __future__ import annotations

import os
import platform
import signal
import threading
import time

from filelock import FileLock, Timeout
from sqlalchemy import delete, select

from core import jobs, settings
from core.errors import LabError
from core.store import session
from core.store.models import Job, Worker, now


def run(idle_exit: float | None = None) -> None:
    """Work until stopped, or until nothing has waited for `idle_exit` seconds."""
    from dbos import DBOS, DBOSConfig

    lock = FileLock(settings.home() / "worker.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise LabError(f"A worker is already running for {settings.home()}: it takes the next job.") from None

    name = f"{platform.node()}:{settings.home()}"
    # For the local teacher and the encoder: spinning threads make a shared machine several times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    config: DBOSConfig = {
        "name": "cot-lab",
        "system_database_url": settings.system_database_url(),
        "application_version": jobs.APP_VERSION,
        "executor_id": name,  # stable, so that a restarted worker recovers its own unfinished jobs
        "log_level": "WARNING",
    }
    jobs.prepare()
    DBOS(config=config)
    import core.jobs.workflows  # noqa: F401  registers the workflow

    DBOS.launch()
    for queue, at_a_time in jobs.QUEUES.items():
        DBOS.register_queue(queue, worker_concurrency=at_a_time, polling_interval_sec=0.5)
    jobs.reconcile()
    stop = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: stop.set())
    try:
        _beat(name, stop, idle_exit)
    finally:
        with session() as db:
            db.execute(delete(Worker).where(Worker.id == name))
        # A running step is abandoned here and done again by the next worker: every step allows it.
        os._exit(0)


def _beat(name: str, stop: threading.Event, idle_exit: float | None) -> None:
    device = _device()
    last_busy = time.monotonic()
    while True:
        with session() as db:
            db.merge(Worker(id=name, host=platform.node(), pid=os.getpid(), device=device, heartbeat=now()))
            busy = db.scalar(select(Job.id).where(Job.status.in_(jobs.ACTIVE)).limit(1))
        if busy:
            last_busy = time.monotonic()
        elif idle_exit and time.monotonic() - last_busy > idle_exit:
            return
        if stop.wait(jobs.HEARTBEAT_SECONDS):
            return


def _device() -> str:
    """The accelerator by name, asked for without importing torch."""
    import shutil
    import subprocess

    if shutil.which("nvidia-smi"):
        answer = subprocess.run(
            ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True
        )
        if names := answer.stdout.strip().splitlines():
            return f"{len(names)} × {names[0]}"[:40]
    return f"CPU, {os.cpu_count()} cores"
