"""The worker: a process that takes jobs from the queues that suit it, one at a time per device.

It has an id that no other process ever has, a row with its heartbeat, and a lock (core.jobs.local). It takes
over what a dead worker left, and starts again when it finds that it was taken for dead, as one is that was
frozen for a while. Started by the lab, it leaves once nothing has been waiting for a while.
"""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from typing import Any, NoReturn
from uuid import uuid4

import psutil
from sqlalchemy import delete, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core import jobs, store
from core.errors import LabError
from core.jobs import engine, local, progress
from core.store import clock, session
from core.store.claims import Holder
from core.store.models import Worker

PERIOD_SECONDS = 1.0
STUCK_SECONDS = 3.5  # an execution that has lost its job has this long to stop, else the process ends
GRACE_SECONDS = 4.0  # for what is running when the worker leaves: replies that come are kept, students saved


def run(idle_exit: float | None = None, queues: Sequence[str] = tuple(jobs.QUEUES)) -> None:
    """Work until stopped, or until nothing has waited for `idle_exit` seconds."""
    if unknown := sorted(set(queues) - set(jobs.QUEUES)):
        raise LabError(f"There is no queue {unknown[0]}: choose from {', '.join(jobs.QUEUES)}.")
    held = local.lock()
    if not local.take(held, timeout=3):  # whoever looks whether it is free holds it for a moment
        raise LabError(f"A worker is already running ({held.lock_file}): it takes the next job.")
    local.sign(held)
    # For the local teacher and the encoder: spinning threads make a shared machine several times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    me, version = uuid4().hex, engine.version()
    engine.client()
    device, memory = _device()
    alone = store.engine().dialect.name == "sqlite"  # who holds the lock is the database's only worker
    with session() as db:
        if alone:
            db.execute(delete(Worker))
        db.add(
            Worker(
                id=me, host=platform.node(), pid=os.getpid(), device=device, memory=memory,
                queues=list(queues), version=version, heartbeat=clock(),
            )
        )  # fmt: skip
        if alone:  # on the only machine, too: no code is newer than that on its disk
            engine.bury(db, [])
            engine.adopt(db, version, newer=True)
    local.sign(held, me, version)
    stop = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: stop.set())
    status = 0
    try:
        _launch(me, version, queues, memory)
        _beat(me, version, stop, idle_exit)
    except Exception:
        traceback.print_exc()
        status = 1
    _let_go(me)
    held.release()
    if not (status or stop.is_set()):
        jobs.wake()  # what was queued while this one was leaving
    os._exit(status)  # the engine's threads would wait for work forever


def _launch(me: str, version: str, queues: Sequence[str], memory: float) -> None:
    """Start the queue's engine in this process."""
    from dbos import DBOS, DBOSConfig

    config: DBOSConfig = {
        "name": engine.APPLICATION,
        "system_database_engine": store.engine(),
        "dbos_system_schema": store.QUEUE_SCHEMA,
        "application_version": version,
        "executor_id": me,
        "run_migrations": False,
        "log_level": "CRITICAL",
    }
    dbos: Any = DBOS(config=config)
    import core.jobs.workflows  # noqa: F401  registers the workflow
    from core.stages import adopted

    with store.engine().connect() as db:
        adopted.name_folders(db)
    DBOS.listen_queues(queues)
    DBOS.launch()
    # A part of the device queue holds the jobs that need so much memory. The engine knows no worker's limits.
    parts = dbos._sys_db.get_queue_partitions
    dbos._sys_db.get_queue_partitions = lambda queue: [part for part in parts(queue) if float(part) <= memory]
    for queue, at_a_time in jobs.QUEUES.items():
        DBOS.register_queue(
            queue,
            worker_concurrency=at_a_time,
            partition_worker_concurrency=at_a_time if queue == "device" else None,
            polling_interval_sec=0.5,
            on_conflict="always_update",
        )


def _beat(me: str, version: str, stop: threading.Event, idle_exit: float | None) -> None:
    """Say that one is alive, look after what others left, and see that what was cancelled stops."""
    watch, lost, last_busy = local.Watch(), dict[Holder, float](), time.monotonic()
    while not stop.wait(PERIOD_SECONDS):
        try:
            with session() as db:
                beat = update(Worker).where(Worker.id == me).values(heartbeat=clock()).returning(Worker.id)
                if db.scalar(beat) is None:
                    _begin_anew()  # taken for dead: its jobs are another worker's
                beats = dict(db.execute(select(Worker.id, Worker.heartbeat)).all())
                engine.bury(db, [who for who in watch.dead(beats) if who != me])
                engine.adopt(db, version)
                busy, gone = engine.unfinished(db), _lost(db)
        except (LabError, SQLAlchemyError) as error:  # a server that restarts, a disk that is full
            print(error, file=sys.stderr, flush=True)
            continue
        lost = {one: lost.get(one, time.monotonic()) for one in gone}
        if any(time.monotonic() - since > STUCK_SECONDS for since in lost.values()):
            _let_go(me, grace=0.5)
            _begin_anew()
        if busy:
            last_busy = time.monotonic()
        elif idle_exit and time.monotonic() - last_busy > idle_exit:
            return


def _lost(db: Session) -> list[Holder]:
    """The executions of this process whose job was cancelled, or is another's now."""
    from core.jobs.workflows import running

    held = list(running)
    flows = engine.flows(db, (one.job_id for one in held))
    return [one for one in held if one.job_id in flows and flows[one.job_id].owner_xid != one.owner]


def _let_go(me: str, grace: float = GRACE_SECONDS) -> None:
    """Give up what runs here: it may save, then the next worker goes on with it."""
    from core.jobs.workflows import running

    progress.leaving.set()
    until = time.monotonic() + grace
    while running and time.monotonic() < until:
        time.sleep(0.05)
    _end_children()
    try:
        with session() as db:
            engine.bury(db, [me])
    except (LabError, SQLAlchemyError) as error:  # then others find it dead
        print(error, file=sys.stderr, flush=True)


def _begin_anew() -> NoReturn:
    """End whatever runs here, even what does not listen: the same process, as another worker."""
    _end_children()
    os.execv(sys.executable, sys.orig_argv)


def _end_children() -> None:
    for child in psutil.Process().children(recursive=True):
        try:
            child.kill()
        except psutil.NoSuchProcess:
            pass


def _device() -> tuple[str, float]:
    """The accelerator by name and its memory in GB, asked for without importing torch; a CPU is one too."""
    if shutil.which("nvidia-smi"):
        asked = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
        answer = subprocess.run(asked, capture_output=True, text=True)
        if lines := answer.stdout.strip().splitlines():
            name, mebibytes = lines[0].rsplit(",", 1)
            return f"{len(lines)} × {name}", float(mebibytes) * 2**20 / 1e9
    return f"CPU, {os.cpu_count()} cores", psutil.virtual_memory().total / 1e9
