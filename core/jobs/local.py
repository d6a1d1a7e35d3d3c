"""This machine's own worker: a detached process, started when there is work and none is alive.

One worker holds a database in a LAB_HOME (a SQLite file: in all of them), by a lock. Where a job is asked for
and the code on the disk, the settings or a key of the environment are not what the worker was started with,
another one is started in its place, with the keys of both, and goes on with what it was at.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
from filelock import BaseFileLock, FileLock, Timeout
from sqlalchemy import select

from core import settings, store
from core.jobs import engine
from core.store.models import Worker

IDLE_SECONDS = 900  # a worker that the lab started leaves after this long without work
LEAVING_SECONDS = 10  # for a worker that is told to leave; it needs less
STALE_SECONDS = 20  # without a new heartbeat
# What a job may depend on: where the lab reads and writes, keys, proxies, devices.
SETTINGS = ("LAB_DATA_DIR", "LAB_ARTEFACTS")
KEYS = re.compile(r"[A-Z0-9_]+_KEY|HF_\w+|CUDA_VISIBLE_DEVICES|\w+_(proxy|PROXY)")
NAMED = re.compile(r'"key_name": "(\w+)"')  # in a request

_started: dict[str, subprocess.Popen] = {}  # by lock: what this process has started, so that it can reap it


class Watch:
    """Which workers are dead: their heartbeat has not changed for a while on this process's own clock.

    Clocks of two machines may differ by more. And who has not looked for a while, asleep or without its
    database, finds every heartbeat old: then it starts watching again.
    """

    def __init__(self) -> None:
        self._seen: dict[str, tuple[datetime, float]] = {}
        self._looked = 0.0

    def dead(self, beats: Mapping[str, datetime]) -> list[str]:
        """Of these workers, by id, those that are dead."""
        moment = time.monotonic()
        before = self._seen if moment - self._looked < STALE_SECONDS else {}
        self._looked = moment
        self._seen = {
            who: before[who] if before.get(who, (None,))[0] == beat else (beat, moment)
            for who, beat in beats.items()
        }
        return [who for who, (_, since) in self._seen.items() if moment - since > STALE_SECONDS]


_watch = Watch()


def lock() -> BaseFileLock:
    """What the one worker of this database and home holds."""
    url = store.engine().url
    if url.drivername.startswith("sqlite"):
        return FileLock(f"{Path(str(url.database)).resolve()}.worker")
    name = re.sub(r"\W+", "-", f"{url.host}-{url.port}-{url.database}")
    return FileLock(settings.home() / f"{name}.worker")


def take(held: BaseFileLock, timeout: float = 0) -> bool:
    """Take the lock; False where a worker holds it."""
    try:
        held.acquire(timeout)
    except Timeout:
        return False
    except OSError as error:
        raise settings.unwritable(held.lock_file, error) from None
    return True


def sign(held: BaseFileLock, worker_id: str = "", version: str = "") -> None:
    """Write into the lock that one holds who that is; nothing while one is only coming."""
    said = {"id": worker_id, "pid": os.getpid(), "host": platform.node(), "version": version}
    Path(held.lock_file).write_text(json.dumps(said) if worker_id else "")


def ensure(asked: dict[str, Any] | None = None) -> bool:
    """Start a detached worker unless one is alive; for a request, one that suits it. True if one was started.

    It has a session of its own: stopping the server or closing the terminal leaves it alone.
    """
    held = lock()
    keys: dict[str, str] = {}
    if take(held):  # no worker is alive here
        held.release()
        if (coming := _started.get(held.lock_file)) is not None and coming.poll() is None:
            return False
    else:
        worker = _replaceable(Path(held.lock_file), asked)
        if worker is None:
            return False
        keys = {name: value for name, value in _environment(worker).items() if KEYS.fullmatch(name)}
        _end(worker)
    with (settings.folder("logs") / "worker.log").open("ab") as log_file:
        _started[held.lock_file] = subprocess.Popen(
            [sys.executable, "-m", "core", "worker", "--idle-exit", str(IDLE_SECONDS)],
            cwd=settings.ROOT,
            env=keys | os.environ,
            stdin=subprocess.DEVNULL,
            stdout=log_file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return True


def _replaceable(path: Path, asked: dict[str, Any] | None) -> psutil.Process | None:
    """The worker that holds the lock, where another one must take its place."""
    try:
        said = json.loads(path.read_text())
        worker = psutil.Process(said["pid"])
        if said["host"] != platform.node() or "worker" not in worker.cmdline():
            return None  # in another container
    except (OSError, ValueError, psutil.Error):  # it is just coming, or going
        return None
    outdated = asked is not None and (said["version"] != engine.version() or not _suits(worker, asked))
    return worker if outdated or _frozen(said["id"]) else None


def _suits(worker: psutil.Process, asked: dict[str, Any]) -> bool:
    """Whether a worker has this process's settings and keys, those that the request names among them."""
    theirs, mine = _environment(worker), os.environ
    keys = {*NAMED.findall(json.dumps(asked)), *filter(KEYS.fullmatch, mine)} & mine.keys()
    return all(theirs.get(name) == mine.get(name) for name in (*SETTINGS, *keys))


def _frozen(worker_id: str) -> bool:
    """Whether a worker gives no sign of life, or was declared dead for that."""
    beats = dict(store.rows(select(Worker.id, Worker.heartbeat)))
    return worker_id in _watch.dead(beats) or worker_id not in beats


def _environment(worker: psutil.Process) -> dict[str, str]:
    """What a process was started with; this one's own where it may not be read."""
    try:
        return worker.environ()
    except psutil.Error:
        return dict(os.environ)


def _end(worker: psutil.Process) -> None:
    """End a worker: it gives up what it is doing, for the next one."""
    try:
        worker.terminate()
        worker.wait(LEAVING_SECONDS)
    except psutil.TimeoutExpired:
        worker.kill()
        worker.wait()
    except psutil.NoSuchProcess:
        pass
