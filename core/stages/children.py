"""The process that trains a student: started by the worker, followed through its run folder.

It dies with its worker, and memory goes back to the machine. What it wrote is the truth
(`core/students/folder.py` says what): a new child over the same folder goes on from the last
finished epoch.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from core import settings
from core.errors import LabError
from core.jobs.progress import Progress
from core.store.models import Run
from core.students.folder import RunFolder

POLL_SECONDS = 0.5
GRACE_SECONDS = 20  # a cancelled child may save what it has
RESTARTS = 3

_running: dict[Path, subprocess.Popen] = {}


def folder(run: Run) -> RunFolder:
    """The folder of a training run, named by what it is made of."""
    return RunFolder(settings.folder("runs") / run.hash)


def student(run: Run) -> Path:
    """The folder of the student that a training run made."""
    return folder(run).student


def follow(
    progress: Progress, path: Path, arrived: Callable[[], bool], tell: Callable[[], None] = lambda: None
) -> None:
    """Keep a child at work on the folder until `arrived()`; `tell()` is called while waiting.

    A child that a signal killed is started again up to three times; one that ended with a sentence
    of its own raises it as LabError. Cancelled: the child may save, then it is gone.
    """
    for attempt in range(RESTARTS + 1):
        while not arrived():
            child = _running.get(path)
            if child is None:
                child = _running[path] = _start(path)
            ended = child.poll() is not None
            tell()
            if ended and not arrived():
                break
            try:
                progress.check()
            except BaseException:
                stop(path)
                raise
            if not ended:
                time.sleep(POLL_SECONDS)
        else:
            return
        code = _running.pop(path).returncode
        if code >= 0 or attempt == RESTARTS:
            raise LabError(_last_words(path, code))
        name = signal.Signals(-code).name
        progress.say(f"The student's process was killed ({name}); it goes on from its last checkpoint.")


def finish(progress: Progress, files: RunFolder) -> None:
    """Follow the folder's child to its end, and let it leave."""
    follow(progress, files.path, (files.path / "done.json").is_file)
    if (child := _running.pop(files.path, None)) is not None:
        child.wait()


def status(files: RunFolder) -> tuple[str, int, int]:
    """What the child says it is at: stage, done, total."""
    try:
        said = json.loads((files.path / "status.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return "", 0, 0
    return said.get("stage", ""), said.get("done", 0), said.get("total", 0)


def stop(path: Path) -> None:
    """End the folder's child, giving it time to save."""
    child = _running.pop(path, None)
    if child is None or child.poll() is not None:
        return
    child.terminate()
    try:
        child.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _start(path: Path) -> subprocess.Popen:
    (path / "error.txt").unlink(missing_ok=True)
    with (path / "child.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "core.students.child", str(path)],
            cwd=settings.ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def _last_words(path: Path, code: int) -> str:
    """Why a child ended: its own sentence, else what its end says."""
    said = path / "error.txt"
    if said.is_file() and (sentence := said.read_text(encoding="utf-8").strip()):
        return sentence
    if code < 0:
        return (
            f"The student's process was killed {RESTARTS + 1} times (signal {-code}), probably for lack of "
            "memory: choose a smaller student, a smaller batch or LoRA, then resume."
        )
    return (
        f"The student's process ended with status {code}: {path / 'child.log'} tells why; mend it and resume."
    )
