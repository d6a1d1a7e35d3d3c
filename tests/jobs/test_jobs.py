"""Jobs against a real worker process and a real HTTP server: kill, cancel, resume, exactly once."""

from __future__ import annotations

import os
import signal
import threading

import pytest
from sqlalchemy import select

from benchmarks.server import running
from core import jobs, settings, studies
from core.errors import LabError
from core.jobs import engine
from core.store import queries, session
from tests.jobs.conftest import AGAIN, N, spec, status, until, written


def journal(job_id: str) -> list[tuple[int, str]]:
    """The finished steps of a job, in their order."""
    with session() as db:
        rows = db.execute(select(engine.STEPS).where(engine.STEPS.c.workflow_uuid == job_id))
        return sorted((row.function_id, row.error) for row in rows)


def test_a_killed_worker_loses_nothing_and_its_successor_repeats_no_call(lab_home, worker):
    with running(latency=0.05) as server:
        job_id = studies.submit("generate", "t", spec(server.url))
        first = worker()
        until(lambda: len(written(job_id)) >= 10)
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert status(job_id) == "running", "a killed worker says nothing"
        worker()
        until(lambda: status(job_id) == "done")
        assert len(written(job_id)) == len(set(written(job_id))) == N
        # Two calls a question; only what was in flight at the kill can be asked again.
        assert server.stats()["answered"] <= 2 * N + AGAIN


def test_a_job_and_its_place_in_the_queue_are_written_together_or_not_at_all(
    database, no_worker, monkeypatch
):
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(engine, "enqueue", die)
        with pytest.raises(KeyboardInterrupt):
            studies.submit("generate", "t", studies.demo(20, 10))
    assert jobs.jobs() == []
    assert status(studies.submit("generate", "t", studies.demo(20, 10))) == "queued"


def test_a_second_click_is_the_same_job(lab_home, no_worker):
    asked = spec("http://127.0.0.1:9/v1")
    first = studies.submit("generate", "t", asked, {"method": "zero-shot"})
    assert studies.submit("generate", "t", asked, {"method": "zero-shot"}) == first
    assert studies.submit("generate", "t", asked, {"method": "fine-tune-cot"}) != first
    jobs.cancel(first)
    assert studies.submit("generate", "t", asked, {"method": "zero-shot"}) != first


def test_many_clicks_at_the_same_moment_are_one_job(database, no_worker):
    engine.client()
    together, found = threading.Barrier(8, timeout=30), []

    def click(number: int) -> None:
        together.wait()
        found.append(jobs.submit("check", "t", {"run_id": number}, None, queue="endpoint"))

    for number in range(5):
        threads = [threading.Thread(target=click, args=(number,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(found) == 40 and len(jobs.jobs()) == len(set(found)) == 5


def test_two_jobs_that_want_the_same_run_pay_for_each_call_once(database, worker):
    """The second waits for the first, and then finds everything done."""
    with running(latency=0.05) as server:
        first = studies.submit("generate", "t", spec(server.url))
        request = jobs.job(first).request
        second = jobs.submit("generate", "t", request | {"again": 1}, request["study_id"], queue="endpoint")
        worker()
        until(lambda: status(first) == status(second) == "done")
        assert server.stats()["answered"] == 2 * N
        assert len(written(first)) == len(set(written(first))) == N


def test_cancelled_in_the_queue_and_resumed_it_runs_once(lab_home, worker):
    with running() as server:
        job_id = studies.submit("generate", "t", spec(server.url))
        jobs.cancel(job_id)
        other = studies.submit("generate", "u", studies.demo(20, 10))
        worker()
        until(lambda: status(other) == "done")
        assert status(job_id) == "cancelled" and jobs.job(job_id).started is None
        jobs.resume(job_id)
        assert studies.submit("generate", "t", spec(server.url)) == job_id, "it is the same job still"
        until(lambda: status(job_id) == "done")
        assert server.stats()["answered"] == 2 * N


def test_a_cancelled_job_stops_and_goes_on_in_its_own_journal(lab_home, worker):
    with running(latency=0.05) as server:
        job_id = studies.submit("generate", "t", spec(server.url))
        worker()
        until(lambda: len(written(job_id)) >= 5)
        before = journal(job_id)
        jobs.cancel(job_id)
        assert status(job_id) == "cancelled"
        jobs.resume(job_id)  # at once, while the first execution is still about to stop
        until(lambda: status(job_id) == "done")
        assert before and journal(job_id)[: len(before)] == before, "no finished step was done again"
        assert jobs.job(job_id).attempt == 1 and len(jobs.jobs()) == 1
        assert len(written(job_id)) == len(set(written(job_id))) == N
        assert server.stats()["answered"] <= 2 * N + AGAIN


STEPPED = """
from core import settings, stages
from core.errors import LabError

def note(name):
    with (settings.home() / name).open("a") as file:
        file.write("x")

def second():
    note("second")
    if not (settings.home() / "mended").exists():
        raise LabError("Mend it.")

def stepped(progress, request, step):
    step("first", note, "first")
    step("second", second)
    step("third", note, "third")

stages.KINDS["stepped"] = stepped
"""


def test_a_failed_job_goes_on_at_the_step_that_failed_and_a_done_one_looks_at_all_again(lab_home, worker):
    def noted() -> list[str]:
        return [(lab_home / name).read_text() for name in ("first", "second", "third")]

    job_id = jobs.submit("stepped", "t", {}, None)
    worker(code=STEPPED)
    until(lambda: status(job_id) == "failed")
    assert jobs.job(job_id).error == "Mend it."
    (lab_home / "mended").touch()
    jobs.resume(job_id)
    until(lambda: status(job_id) == "done")
    assert noted() == ["x", "xx", "x"] and jobs.job(job_id).error is None
    jobs.resume(job_id)
    until(lambda: status(job_id) == "done")
    assert noted() == ["xx", "xxx", "xx"]


def test_a_call_that_does_not_come_back_does_not_hold_up_a_cancel(lab_home, worker):
    with running(latency=60) as server:
        job_id = studies.submit("generate", "t", spec(server.url))
        process = worker()
        until(lambda: status(job_id) == "running" and jobs.job(job_id).stage)
        jobs.cancel(job_id)
        until(lambda: not connections(process.pid, server.url), 7)
        assert process.poll() is None, "the worker goes on with other jobs"


def connections(pid: int, url: str) -> list[object]:
    import psutil

    port = int(url.rsplit(":", 1)[1].split("/")[0])
    return [c for c in psutil.Process(pid).net_connections() if c.raddr and c.raddr.port == port]


def test_what_does_not_listen_is_ended_with_the_worker_which_begins_anew(lab_home, worker):
    """A job that never looks whether it should stop: after some seconds the whole process starts again."""
    stuck = "from core import stages\nimport time\nstages.KINDS['stuck'] = lambda *_: time.sleep(600)"
    job_id = jobs.submit("stuck", "t", {}, None)
    process = worker(code=stuck)
    until(lambda: status(job_id) == "running")
    (before,) = jobs.workers()
    jobs.cancel(job_id)
    until(lambda: [row.id for row in jobs.workers()] not in ([], [before.id]), 30)
    other = studies.submit("generate", "t", studies.demo(20, 10))
    until(lambda: status(other) == "done")
    assert process.poll() is None and status(job_id) == "cancelled"


def test_a_worker_that_is_told_to_leave_keeps_the_replies_that_still_come(lab_home, worker):
    with running(latency=1.0) as server:
        job_id = studies.submit("generate", "t", spec(server.url))
        process = worker()
        until(lambda: server.stats()["answered"] >= 4)
        process.terminate()
        assert process.wait(30) == 0
        answered = server.stats()["answered"]
        assert answered % 4 == 0 and status(job_id) == "queued", "the next worker may take it at once"
        run = queries.runs(jobs.job(job_id).study_id, "generate")[0]
        assert queries.ledger_totals(run.id)["calls"] == answered


def test_failed_items_are_said_and_asked_again_alone(lab_home, worker):
    """With no patience, some items of a faulty endpoint fail; resuming asks for those only."""
    with running(fault_every=5) as server:
        job_id = studies.submit("generate", "t", spec(server.url, concurrency=32, retries=0))
        worker()
        until(lambda: status(job_id) == "done")
        run = queries.runs(jobs.job(job_id).study_id, "generate")[0]
        assert queries.count_completions(run.id, failed=True) > 0
        assert any("failed" in line.text for line in jobs.log(job_id))
        for _ in range(20):
            if not queries.count_completions(run.id, failed=True):
                break
            jobs.resume(job_id)
            until(lambda: status(job_id) == "done")
        assert queries.count_completions(run.id, failed=True) == 0
        assert len(written(job_id)) == len(set(written(job_id))) == N
        assert server.stats()["answered"] == 2 * N, "nothing that was answered is asked again"


def test_an_endpoint_useless_or_not_leaves_one_sentence_and_never_the_key(lab_home, worker, monkeypatch):
    monkeypatch.setenv("VLLM_API_KEY", "sk-very-secret")
    words = {"refuses-key": "key", "unknown": "model", "half-json": "not valid json", "any": ""}
    with running() as server:
        asked = {
            model: studies.submit("generate", "t", spec(server.url, model=model, retries=0))
            for model in words
        }
        worker()
        until(lambda: not any(status(job_id) in jobs.ACTIVE for job_id in asked.values()))
    for model, job_id in asked.items():
        said = " ".join([jobs.job(job_id).error or "", *(line.text for line in jobs.log(job_id))])
        assert status(job_id) == ("done" if model in ("any", "half-json") else "failed")
        assert words[model] in said.lower() and "Traceback" not in said
    for file in settings.home().rglob("*"):
        if file.is_file():
            assert b"sk-very-secret" not in file.read_bytes(), file


def test_a_worker_takes_what_suits_it_alone(lab_home, worker):
    big = jobs.submit("check", "t", {"run_id": 1}, None, memory=1e6)
    device = jobs.submit("check", "t", {"run_id": 2}, None)
    calls = worker("--queue", "endpoint")
    until(jobs.workers)
    for number in range(3, 6):  # one after the other, so that it has looked again and again
        job_id = jobs.submit("check", "t", {"run_id": number}, None, queue="endpoint")
        until(lambda job_id=job_id: status(job_id) == "failed")
    assert status(device) == status(big) == "queued"
    calls.terminate()
    calls.wait(30)
    worker()
    until(lambda: status(device) == "failed")
    (row,) = jobs.workers()
    assert row.memory > 0 and row.queues == ["device", "endpoint"] and row.device
    assert status(big) == "queued", "no device here has so much memory"


def test_a_worker_that_was_started_for_a_while_leaves_when_nothing_waits(lab_home, worker):
    process = worker("--idle-exit", "1")
    until(jobs.workers)
    assert process.wait(30) == 0 and not jobs.workers()


def test_one_worker_holds_a_home(lab_home, worker):
    first = worker()
    until(jobs.workers)
    second = worker()
    assert second.wait(30) == 2
    assert "already running" in second.stderr.read()
    assert first.poll() is None


def test_the_app_starts_one_detached_worker_and_wakes_it(lab_home, detached):
    """It has a session of its own, so signals to the app's process group do not reach it."""
    job_id = studies.submit("generate", "t", studies.demo(20, 10))
    until(lambda: status(job_id) == "done")
    (process,) = detached()
    assert os.getsid(process.pid) == process.pid != os.getsid(0)
    assert jobs.ensure_worker() is False
    process.kill()
    process.wait(10)
    assert jobs.wake() is False, "nothing waits, so nothing is started"


def test_cancelling_and_resuming_say_when_they_make_no_sense(lab_home, no_worker):
    job_id = studies.submit("generate", "t", studies.demo(20, 10))
    with pytest.raises(LabError, match="cancel it first"):
        jobs.resume(job_id)
    jobs.cancel(job_id)
    assert status(job_id) == "cancelled"
    with pytest.raises(LabError, match="nothing to cancel"):
        jobs.cancel(job_id)
    with pytest.raises(LabError, match="no job"):
        jobs.job("nope")
