"""The process that holds a student: started by the worker, followed through its run folder.

RUN_DIR/config.json, rows.jsonl, eval.jsonl      what it is asked (written here)
RUN_DIR/metrics.jsonl, checkpoints/, predictions/, student/, done.json      what it made

It dies with its worker, and memory goes back to the machine. What it wrote is the truth: a new
child over the same folder goes on from the last finished epoch or shard.
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
from typing import Any

from core import settings
from core.errors import LabError
from core.jobs.progress import Progress

POLL_SECONDS = 0.5
GRACE_SECONDS = 20  # a cancelled child may save what it has
RESTARTS = 3

_running: dict[Path, subprocess.Popen] = {}


def folder(run_id: int) -> Path:
    """The folder of a run."""
    return settings.folder("runs") / str(run_id)


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(path.suffix + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write JSON lines whole or not at all."""
    write(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The complete JSON lines of a file that may still be growing; none where there is no file."""
    if not path.is_file():
        return []
    text = path.read_text(encoding="utf-8")
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


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
