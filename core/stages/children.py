"""The process that trains a student: started by the worker, followed through its run folder.

It dies with its worker, and memory goes back to the machine. What it wrote is the truth
(`core/students/folder.py` says what): a new child over the same folder goes on from the last
finished epoch.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from core import settings
from core.errors import LabError
from core.jobs.progress import Progress
from core.stages import handover
from core.store.models import Run
from core.students.folder import FOLLOWED, RunFolder

POLL_SECONDS = 0.5
GRACE_SECONDS = 3.5  # a cancelled child may save what it has; after five it must be gone
RESTARTS = 3
STOPPED = 3  # a child's exit status: told to stop, or without anyone who follows it

_running: dict[Path, tuple[subprocess.Popen, Progress]] = {}  # the child of a folder, and who started it


def folder(run: Run) -> RunFolder:
    """The folder of a training run, named by what it is made of."""
    return RunFolder(settings.folder("runs") / run.hash)


def student(run: Run) -> Path:
    """The folder of the student that a training run made; fetched where another machine has put it."""
    files = folder(run)
    handover.fetch(run, files)
    if not files.student.is_dir():
        raise LabError(
            f"The student of run {run.id} is not on this machine: set LAB_ARTEFACTS here and where it was "
            f"trained, copy runs/{run.hash} from the LAB_HOME there into {settings.home()}, or train it with "
            "another seed."
        )
    return files.student


def follow(
    progress: Progress, path: Path, arrived: Callable[[], bool], tell: Callable[[], None] = lambda: None
) -> None:
    """Keep a child at work on the folder until `arrived()`; `tell()` is called while waiting.

    A child that stopped or was killed is started again up to three times; one that ended with a sentence of
    its own raises it as LabError. Whatever ends the wait (the job was cancelled, the disk is full): the child
    may save, then it is gone.
    """
    try:
        for attempt in range(RESTARTS + 1):
            if arrived():
                tell()
                return
            child, _ = _running.get(path) or _start(path, progress)
            while (ended := child.poll() is not None) or not arrived():
                (path / FOLLOWED).touch()
                tell()
                if ended:
                    break
                progress.check()
                time.sleep(POLL_SECONDS)
            if arrived():
                return
            code = _running.pop(path)[0].returncode
            if (code >= 0 and code != STOPPED) or attempt == RESTARTS:
                raise LabError(last_words(path, code))
            how = "stopped" if code == STOPPED else f"was killed ({signal.Signals(-code).name})"
            progress.say(f"The student's process {how}; it goes on from its last checkpoint.")
    except BaseException:
        stop(path)
        raise


def finish(progress: Progress, files: RunFolder) -> None:
    """Follow the folder's child to its end, and let it leave."""
    follow(progress, files.path, lambda: files.done)
    if (left := _running.pop(files.path, None)) is not None:
        left[0].wait()


def status(files: RunFolder) -> tuple[str, int, int]:
    """What the child says it is at: stage, done, total."""
    try:
        said = json.loads((files.path / "status.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return "", 0, 0
    return said.get("stage", ""), said.get("done", 0), said.get("total", 0)


def stop(path: Path) -> None:
    """End the folder's child and whatever it has started, giving it time to save."""
    child, _ = _running.pop(path, (None, None))
    if child is None or child.poll() is not None:
        return
    try:
        whole = [process := psutil.Process(child.pid), *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        whole = []
    child.terminate()
    _, left = psutil.wait_procs(whole, GRACE_SECONDS)
    for process in left:
        process.kill()
    child.wait()


def abandon(progress: Progress) -> None:
    """End the children that an execution of a job has left behind, wherever it ended."""
    for path in [path for path, (_, started) in [*_running.items()] if started is progress]:
        stop(path)


def _start(path: Path, progress: Progress) -> tuple[subprocess.Popen, Progress]:
    (path / "error.txt").unlink(missing_ok=True)
    with (path / "child.log").open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "core.students.child", str(path), "--parent", str(os.getpid())],
            cwd=settings.ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    _running[path] = child, progress
    return _running[path]


def last_words(path: Path, code: int) -> str:
    """Why a child ended: its own sentence, else what its end says."""
    said = path / "error.txt"
    if said.is_file() and (sentence := said.read_text(encoding="utf-8").strip()):
        return sentence
    if code < 0:
        return (
            f"The student's process was killed (signal {-code}), probably for lack of "
            "memory: choose a smaller student, a smaller batch or LoRA, then resume."
        )
    return f"The student's process ended with status {code}: see {path / 'child.log'}, then resume."
