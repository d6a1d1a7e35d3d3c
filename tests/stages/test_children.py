"""The student's process: whatever ends the wait for it ends it too, and one that is dead blocks nobody."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from core import studies
from core.errors import LabError
from core.jobs.progress import Cancelled, Progress
from core.stages import children
from core.students import child
from core.students.folder import RunFolder
from tests.students.tiny import run_folder

LONG = {"rows": 100, "epochs": 2000, "batch_size": 1}


@pytest.fixture
def progress(lab_home, queued) -> Progress:
    return Progress(studies.submit("generate", "t", studies.demo(20, 10)))


@pytest.fixture
def files(student, tmp_path) -> RunFolder:
    return run_folder(tmp_path / "run", Path(student), **LONG)


def trains(files: RunFolder) -> bool:
    """Whether the child has begun, so that stopping it means saving."""
    return (files.path / "metrics.jsonl").is_file()


def at_work(files: RunFolder) -> list[psutil.Process]:
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # it has ended meanwhile
            found += [process] * (str(files.path) in process.cmdline())
    return found


def test_what_ends_the_wait_ends_the_child_and_the_next_one_goes_on(progress, files):
    """A cancelled job here; and a child that is killed goes on from its checkpoint."""
    killed: list[psutil.Process] = []

    def cancel() -> None:
        if trains(files):
            raise Cancelled

    def kill() -> None:
        if not killed and files.epochs():
            killed.extend(at_work(files))
            killed[0].kill()

    with pytest.raises(Cancelled):
        children.follow(progress, files.path, lambda: False, cancel)
    assert not at_work(files)
    children.follow(progress, files.path, lambda: max(files.epochs(), default=0) > 3, kill)
    assert killed and [process.pid for process in at_work(files)] != [killed[0].pid]
    children.abandon(progress)
    assert not at_work(files)


def test_a_dead_child_does_not_block_the_first_resume(progress, files):
    def kill() -> None:
        for process in at_work(files):
            process.kill()
            psutil.wait_procs([process])
        raise LabError("The disk is full")

    with pytest.raises(LabError, match="disk is full"):
        children.follow(progress, files.path, lambda: False, kill)
    children.follow(progress, files.path, lambda: bool(at_work(files)))
    children.abandon(progress)


def test_a_child_that_nobody_follows_any_more_stops(progress, files, monkeypatch):
    """Its worker is frozen: perhaps another one has its job."""
    quick = f"from core.students import child\nchild.UNFOLLOWED_SECONDS = 2\nchild.main(['{files.path}'])"
    start = children.subprocess.Popen

    def popen(command, **more):
        return start([command[0], "-c", quick], **more)

    monkeypatch.setattr(children.subprocess, "Popen", popen)
    children.follow(progress, files.path, lambda: trains(files))
    end = time.monotonic() + 60
    while children.status(files)[0] != "stopped; it can be resumed":
        assert time.monotonic() < end, "it trains on"
        time.sleep(0.1)
    assert child.UNFOLLOWED_SECONDS > 10 * children.POLL_SECONDS
    children.abandon(progress)
