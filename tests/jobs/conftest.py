"""Real workers in processes of their own, and what a test waits for."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from core import jobs, settings, studies
from core.jobs import local
from core.store import queries
from tests.students.tiny import tiny_student

N = 60


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait for a condition; fail when it does not come."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.05)


def spec(url: str, n: int = N, **teacher: object) -> studies.Study:
    """A study whose teacher is a server of the test's."""
    asked = {"key": "vllm", "base_url": url, "model": "any", "concurrency": 4, "retries": 2} | teacher
    return studies.Study(**studies.demo(n, 10).dump() | {"teaching": {"teachers": {"teacher": asked}}})


def status(job_id: str) -> str:
    return jobs.job(job_id).status


def written(job_id: str) -> list[tuple[int, int]]:
    """What a job's study has of rationales: (question, sample)."""
    runs = queries.runs(jobs.job(job_id).study_id, "generate")
    return [(c.question_index, c.sample_index) for run in runs for c in queries.completions(run.id)]


class Worker(subprocess.Popen):
    """`python -m core worker`; `code` runs in it first."""

    def __init__(self, *options: str, code: str = "", **environment: str) -> None:
        command = [
            sys.executable,
            "-c",
            f"{code}\nfrom core.__main__ import main\nmain()",
            "worker",
            *options,
        ]
        super().__init__(
            command, cwd=settings.ROOT, env=os.environ | environment, stderr=subprocess.PIPE, text=True
        )

    def end(self) -> None:
        for process in [*self.children(), self]:
            process.kill()
        self.communicate()

    def children(self) -> list[psutil.Process]:
        """What it has started and what that has."""
        try:
            return psutil.Process(self.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []


@pytest.fixture
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers are started by the test alone."""
    monkeypatch.setattr(jobs, "ensure_worker", lambda *_: False)


@pytest.fixture
def worker(no_worker: None) -> Iterator[Callable[..., Worker]]:
    """Start a worker; all that were started are gone at the end."""
    started: list[Worker] = []

    def start(*options: str, **more: str) -> Worker:
        started.append(Worker(*options, **more))
        return started[-1]

    yield start
    for process in started:
        process.end()


@pytest.fixture
def detached(lab_home: Path) -> Iterator[Callable[[], list[psutil.Process]]]:
    """The workers that the lab itself has started in this LAB_HOME; gone at the end."""

    def found() -> list[psutil.Process]:
        return [p for p in psutil.process_iter() if "worker" in _line(p) and _home(p) == str(lab_home)]

    yield found
    for process in found():
        process.kill()
    for started in local._started.values():
        started.wait()


@pytest.fixture
def student(tmp_path: Path) -> str:
    return str(tiny_student(tmp_path / "tiny"))


def _line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _home(process: psutil.Process) -> str | None:
    try:
        return process.environ().get("LAB_HOME")
    except psutil.Error:
        return None
