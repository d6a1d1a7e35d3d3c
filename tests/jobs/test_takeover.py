"""Workers that die, freeze, grow old or lack a key: another one takes their place, and all is done once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from benchmarks.server import running
from core import jobs, settings, studies
from core.jobs import engine, local
from core.store import queries
from tests.answering import answering
from tests.jobs.conftest import N, Worker, spec, status, until, written

QUICK = "from core.jobs import local\nlocal.STALE_SECONDS = 4"
OLDER = "from core.jobs import engine\nengine.version = lambda: 'older'"


@pytest.fixture
def shared(postgresql, lab_home, monkeypatch):
    """One PostgreSQL for several LAB_HOMEs, that is, machines."""
    from core.store import engine as database

    monkeypatch.setenv("LAB_DATABASE_URL", postgresql.database())
    yield
    database().dispose()


def training(student: str, epochs: int) -> str:
    """Queue the training of a tiny student."""
    values = {
        "name": "train", "benchmark": "coin_flip_generated", "options": {"size": 180, "flips": 4},
        "train": 120, "test": 8, "recipe": "demo", "training": {"epochs": epochs}, "max_new_tokens": 8,
    }  # fmt: skip
    asked = studies.Study(**values, students=[student])
    return studies.submit("train", "t", asked, {"method": "fine-tune", "student": student, "seed": 0})


def students_at_work() -> list[psutil.Process]:
    """The processes that train or evaluate in this test's LAB_HOME."""
    found = []
    for process in psutil.process_iter():
        try:
            line = process.cmdline()
        except psutil.Error:
            continue
        if "core.students.child" in line and str(settings.home().parent) in line[-1]:
            found.append(process)
    return found


def test_what_a_dead_machine_was_at_is_finished_by_another(shared, worker, student, tmp_path):
    with running(latency=0.1) as server:
        learning = training(student, 10)
        machine = worker()
        until(lambda: jobs.job(learning).done > 0, 120)
        writing = studies.submit("generate", "t", spec(server.url))
        until(lambda: len(written(writing)) >= 10)
        machine.kill()
        machine.wait()
        assert status(writing) == status(learning) == "running"
        worker(code=QUICK, LAB_HOME=str(tmp_path / "another"))
        until(lambda: status(writing) == status(learning) == "done", 120)
        assert len(written(writing)) == len(set(written(writing))) == N
        assert server.stats()["answered"] <= 2 * N + 4, "only what was in flight is asked again"
    (evaluated,) = queries.runs(jobs.job(learning).study_id, "evaluate")
    assert evaluated.status == "done" and evaluated.summary["n"] == 8
    for job_id in (writing, learning):
        assert [line.text for line in jobs.log(job_id)].count("Done.") == 1
    until(lambda: not students_at_work())


def test_a_worker_that_was_only_asleep_leaves_what_another_has_taken_over(shared, worker, tmp_path):
    with running(latency=0.3) as server:
        job_id = studies.submit("generate", "t", spec(server.url))
        asleep = worker()
        until(lambda: len(written(job_id)) >= 10)
        asleep.send_signal(signal.SIGSTOP)
        worker(code=QUICK, LAB_HOME=str(tmp_path / "another"))
        until(lambda: status(job_id) == "done", 120)
        answered = server.stats()["answered"]
        asleep.send_signal(signal.SIGCONT)
        until(lambda: asleep.pid in [row.pid for row in jobs.workers()], 90)  # as another one
        assert answered <= 2 * N + 4 and server.stats()["answered"] <= answered + 4, "it asks no more"
    assert status(job_id) == "done" and len(written(job_id)) == len(set(written(job_id))) == N
    assert [line.text for line in jobs.log(job_id)].count("Done.") == 1


def test_a_frozen_worker_is_replaced_by_its_successor(lab_home, detached, monkeypatch):
    monkeypatch.setattr(local, "STALE_SECONDS", 3)
    with running(latency=0.1) as server:
        frozen = Worker()
        try:
            until(jobs.workers)
            job_id = studies.submit("generate", "t", spec(server.url))
            until(lambda: len(written(job_id)) >= 10)
            frozen.send_signal(signal.SIGSTOP)
            monkeypatch.setattr(local, "LEAVING_SECONDS", 1)
            until(jobs.wake)
            frozen.wait(10)
        finally:
            frozen.end()
        until(lambda: status(job_id) == "done")
        assert len(written(job_id)) == len(set(written(job_id))) == N
        assert server.stats()["answered"] <= 2 * N + 4


def test_a_job_queued_after_a_key_was_set_is_run_with_that_key(lab_home, detached, monkeypatch):
    """And what the worker without the key was at goes on, with the keys that it had."""
    monkeypatch.setenv("ANOTHER_KEY", "kept")
    without = Worker()
    monkeypatch.delenv("ANOTHER_KEY")
    with running(latency=0.1) as slow, answering(lambda body: " 3 + 4 = 7.") as server:
        try:
            until(jobs.workers)
            first = studies.submit("generate", "t", spec(slow.url))
            until(lambda: len(written(first)) >= 5)
            assert without.poll() is None and not detached()[1:], "it suits: nobody takes its place"
            monkeypatch.setenv("MY_OWN_SECRET", "sk-my-own")
            second = studies.submit("generate", "u", spec(server.url, key_name="MY_OWN_SECRET"))
            without.wait(20)
        finally:
            without.end()
        until(lambda: status(first) == status(second) == "done")
        assert server.keys == {"sk-my-own"}
        assert slow.stats()["answered"] <= 2 * N + 4
    (process,) = detached()
    assert process.environ()["ANOTHER_KEY"] == "kept"


def test_a_job_is_never_run_with_older_code_than_it_was_asked_for_with(shared, worker, tmp_path, monkeypatch):
    def ask(version: str) -> str:
        with monkeypatch.context() as asking:
            asking.setattr(engine, "version", lambda: version)
            return jobs.submit("check", "t", {"run_id": time.monotonic_ns()}, None, queue="endpoint")

    worker(code=OLDER, LAB_HOME=str(tmp_path / "another"))
    until(jobs.workers)
    newer = ask(engine.version())
    for _ in range(3):  # it takes what was asked for with its own code, time and again
        older = ask("older")
        until(lambda job_id=older: status(job_id) == "failed")
    assert status(newer) == "queued"
    (row,) = jobs.workers()
    psutil.Process(row.pid).terminate()
    until(lambda: not jobs.workers())
    older = ask("older")
    worker()
    until(lambda: status(newer) == status(older) == "failed")


def test_code_that_is_newer_than_the_worker_replaces_it(lab_home, detached):
    old = Worker(code=OLDER)
    try:
        until(jobs.workers)
        job_id = studies.submit("generate", "t", studies.demo(20, 10))
        old.wait(20)
    finally:
        old.end()
    until(lambda: status(job_id) == "done")
    assert [row.version for row in jobs.workers()] == [engine.version()]


def test_another_database_gets_a_worker_of_its_own(lab_home, detached, monkeypatch):
    with monkeypatch.context() as before:
        before.setenv("LAB_DATABASE_URL", f"sqlite:///{settings.home()}/old.db")
        jobs.ensure_worker()
        until(jobs.workers)
    job_id = studies.submit("generate", "t", studies.demo(20, 10))
    until(lambda: status(job_id) == "done")
    assert len(detached()) == 2


def test_cancel_ends_the_training_and_resume_goes_on_with_it(lab_home, worker, student):
    job_id = training(student, 10_000)
    worker()
    until(lambda: jobs.job(job_id).done > 0, 120)
    (child,) = students_at_work()
    jobs.cancel(job_id)
    until(lambda: not child.is_running(), 6)
    assert not students_at_work()
    jobs.resume(job_id)
    until(lambda: status(job_id) == "running" and students_at_work(), 120)
    assert "Traceback" not in " ".join(line.text for line in jobs.log(job_id))
    jobs.cancel(job_id)
    until(lambda: not students_at_work(), 6)


START = "from core.store import engine\nfrom core.jobs import engine as queue\nengine()\nqueue.client()"


def test_of_four_that_meet_a_new_database_at_once_none_dies(database, tmp_path):
    url = database if database.startswith("sqlite") else os.environ["LAB_DATABASE_URL"]
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", START],
            cwd=settings.ROOT,
            env=os.environ | {"LAB_DATABASE_URL": url, "LAB_HOME": str(tmp_path / str(number))},
            stderr=subprocess.PIPE,
        )
        for number in range(4)
    ]
    assert [(starter.communicate()[1], starter.returncode) for starter in starters] == [(b"", 0)] * 4


def refused(**environment: str) -> str:
    """What `core worker` says where it cannot start."""
    ended = subprocess.run(
        [sys.executable, "-m", "core", "worker"], cwd=settings.ROOT, env=os.environ | environment,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 2 and ended.stderr.count("\n") == 1, ended.stderr
    return ended.stderr


def test_a_worker_that_cannot_start_says_why_in_one_sentence(postgresql, tmp_path):
    home = str(tmp_path / "lab")
    for url, word in (
        (postgresql.url("nosuch"), "nosuch"),
        (postgresql.url("postgres", "nobody"), "nobody"),
        ("postgresql://lab@127.0.0.1:9/lab", "refused"),
        ("postgresql://lab@no.such.host.invalid/lab", "no.such.host.invalid"),
    ):
        said = refused(LAB_HOME=home, LAB_DATABASE_URL=url)
        assert word in said and "check LAB_DATABASE_URL" in said
    postgresql.execute("CREATE ROLE guest LOGIN")
    guest = postgresql.database().replace("lab@", "guest@")
    assert "permission denied" in refused(LAB_HOME=home, LAB_DATABASE_URL=guest)
    assert "set LAB_HOME" in refused(LAB_HOME="/proc/lab")
