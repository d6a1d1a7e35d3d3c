"""Jobs against a real worker process and a real HTTP server: kill, cancel, resume, exactly once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from benchmarks.server import running
from core import jobs, settings, studies
from core.errors import LabError
from core.store import queries, session
from core.store.models import Job

N = 60


@pytest.fixture
def no_worker(lab_home, monkeypatch) -> None:
    """Workers are started by the test alone."""
    monkeypatch.setattr(jobs, "ensure_worker", lambda *_: False)


@pytest.fixture
def worker(no_worker) -> Iterator[Callable[[], subprocess.Popen]]:
    """Start `python -m core worker`; all that were started are gone at the end."""
    started: list[subprocess.Popen] = []

    def start() -> subprocess.Popen:
        command = [sys.executable, "-m", "core", "worker"]
        started.append(subprocess.Popen(command, cwd=settings.ROOT, stderr=subprocess.PIPE))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stderr.close()


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait for a condition; fail when it does not come."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.05)


def spec(url: str, n: int = N) -> studies.Spec:
    return studies.from_dict(
        studies.demo(n, 10).as_dict()
        | {"teacher": {"key": "vllm", "base_url": url, "model": "any", "concurrency": 4, "retries": 2}}
    )


def status(job_id: str) -> str:
    return jobs.job(job_id).status


def written(study: int) -> list[tuple[int, int]]:
    runs = queries.runs(study, "generate")
    return [(c.question_index, c.sample_index) for r in runs for c in queries.completions(r.id)]


def test_a_killed_worker_loses_nothing_and_repeats_no_call(worker):
    with running(latency=0.05) as server:
        job_id = studies.submit("generate", "t", spec(server.url))
        study = jobs.job(job_id).study_id
        first = worker()
        until(lambda: len(written(study)) >= 10)
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert status(job_id) == "running", "a killed worker says nothing"
        answered = server.stats()["answered"]
        worker()
        until(lambda: status(job_id) == "done")
        assert len(written(study)) == len(set(written(study))) == N
        # Two calls a question; only calls in flight at the kill (4 at most) can be asked again.
        assert server.stats()["answered"] <= 2 * N + 4
        assert answered < 2 * N


def test_a_second_click_is_the_same_job(no_worker):
    asked = spec("http://127.0.0.1:9/v1")
    first = studies.submit("generate", "t", asked, {"method": "zero-shot"})
    assert studies.submit("generate", "t", asked, {"method": "zero-shot"}) == first
    assert studies.submit("generate", "t", asked, {"method": "fine-tune-cot"}) != first
    jobs.cancel(first)
    assert studies.submit("generate", "t", asked, {"method": "zero-shot"}) != first


def test_a_cancelled_job_stops_and_goes_on_where_it_was(worker):
    with running(latency=0.05) as server:
        job_id = studies.submit("generate", "t", spec(server.url))
        study = jobs.job(job_id).study_id
        worker()
        until(lambda: len(written(study)) >= 5)
        jobs.cancel(job_id)
        until(lambda: status(job_id) == "cancelled")
        kept = len(written(study))
        assert 5 <= kept < N
        jobs.resume(job_id)
        until(lambda: status(job_id) == "done")
        assert len(written(study)) == len(set(written(study))) == N
        assert server.stats()["answered"] <= 2 * N + 8


def test_failed_items_are_said_and_asked_again_alone(worker):
    """With no patience, some items of a faulty endpoint fail; resuming asks for those only."""
    with running(fault_every=5) as server:
        impatient = studies.from_dict(
            spec(server.url).as_dict()
            | {"teacher": {"key": "vllm", "base_url": server.url, "model": "any", "retries": 0}}
        )
        job_id = studies.submit("generate", "t", impatient)
        study = jobs.job(job_id).study_id
        worker()
        until(lambda: status(job_id) == "done")
        run = queries.runs(study, "generate")[0]
        failed = queries.count_completions(run.id, failed=True)
        assert failed > 0
        assert any("failed" in line.text for line in jobs.log(job_id))
        for _ in range(20):
            if not queries.count_completions(run.id, failed=True):
                break
            jobs.resume(job_id)
            until(lambda: status(job_id) == "done")
        assert queries.count_completions(run.id, failed=True) == 0
        assert len(written(study)) == len(set(written(study))) == N
        assert server.stats()["answered"] == 2 * N, "nothing that was answered is asked again"


@pytest.mark.parametrize(
    ("model", "words"), [("refuses-key", "key"), ("unknown", "model"), ("half-json", None), ("any", None)]
)
def test_an_endpoint_useless_or_not_leaves_one_sentence_and_never_the_key(worker, monkeypatch, model, words):
    monkeypatch.setenv("VLLM_API_KEY", "sk-very-secret")
    with running() as server:
        broken = studies.from_dict(
            spec(server.url).as_dict()
            | {"teacher": {"key": "vllm", "base_url": server.url, "model": model, "retries": 0}}
        )
        job_id = studies.submit("generate", "t", broken)
        worker()
        until(lambda: status(job_id) not in jobs.ACTIVE)
    job = jobs.job(job_id)
    said = " ".join([job.error or "", *(line.text for line in jobs.log(job_id))])
    if words:
        assert job.status == "failed" and words in said.lower()
    else:
        assert job.status == "done" and ("not valid JSON" in said) == (model == "half-json")
    assert "Traceback" not in said
    for file in settings.home().rglob("*"):
        if file.is_file():
            assert b"sk-very-secret" not in file.read_bytes(), file


def test_one_worker_holds_a_home(worker):
    first = worker()
    until(lambda: jobs.workers())
    second = worker()
    assert second.wait(30) == 2
    assert b"already running" in second.stderr.read()
    assert first.poll() is None


def test_a_job_left_between_the_two_databases_is_queued_again(worker, monkeypatch):
    with monkeypatch.context() as died:
        died.setattr(jobs, "enqueue", lambda job_id: None)  # the process died right here
        job_id = studies.submit("generate", "t", studies.demo(20, 10))
    worker()
    until(lambda: status(job_id) == "done")
    study = jobs.job(job_id).study_id
    assert len(written(study)) == len(set(written(study))) == 20, "run, and run once"


def test_the_app_starts_one_detached_worker_and_wakes_it(lab_home, monkeypatch):
    """It has a session of its own, so signals to the app's process group do not reach it."""
    job_id = studies.submit("generate", "t", studies.demo(20, 10))
    try:
        until(lambda: status(job_id) == "done")
        until(jobs.workers)
        (row,) = jobs.workers()
        assert os.getsid(row.pid) == row.pid != os.getsid(0)
        assert jobs.ensure_worker() is False
        psutil.Process(row.pid).kill()
        psutil.Process(row.pid).wait(10) if psutil.pid_exists(row.pid) else None
        assert jobs.wake() is False, "nothing waits, so nothing is started"
    finally:
        for process in psutil.process_iter():
            if "worker" in " ".join(_quiet(process)) and str(lab_home) == _home(process):
                process.kill()


def test_cancelling_and_resuming_say_when_they_make_no_sense(no_worker):
    job_id = studies.submit("generate", "t", studies.demo(20, 10))
    with pytest.raises(LabError, match="cancel it first"):
        jobs.resume(job_id)
    jobs.cancel(job_id)
    assert status(job_id) == "cancelled"
    with pytest.raises(LabError, match="nothing to cancel"):
        jobs.cancel(job_id)
    with pytest.raises(LabError, match="no job"):
        jobs.job("nope")


def test_a_cancelled_job_in_the_queue_never_runs(worker):
    job_id = studies.submit("generate", "t", studies.demo(20, 10))
    jobs.cancel(job_id)
    other = studies.submit("generate", "t", studies.demo(21, 10))
    worker()
    until(lambda: status(other) == "done")
    assert status(job_id) == "cancelled"
    with session() as db:
        assert db.get_one(Job, job_id).started is None


def _quiet(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _home(process: psutil.Process) -> str | None:
    try:
        return process.environ().get("LAB_HOME")
    except psutil.Error:
        return None
