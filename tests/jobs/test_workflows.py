"""A job that meets a full disk: it says so, keeps what is there, and goes on after."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from core import jobs, stages, studies
from core.jobs import progress, workflows
from core.jobs.workflows import perform
from core.store import queries
from tests.performing import done, plain


@pytest.fixture
def job_id(lab_home, queued) -> str:
    return studies.submit("generate", "t", studies.demo(20, 10))


def test_a_disk_that_fills_up_stops_the_job_which_then_goes_on(job_id, monkeypatch):
    with monkeypatch.context() as full:
        full.setattr(progress, "FREE_BYTES", 10**18)
        assert perform(job_id, plain) == "failed"
    error = jobs.job(job_id).error
    assert "is full" in error and "free some space and resume" in error
    done(job_id)
    assert jobs.job(job_id).error is None
    (run,) = queries.runs(jobs.job(job_id).study_id, "generate")
    assert queries.count_completions(run.id) == 20


def test_a_full_database_is_named_and_the_end_is_written_once_there_is_room(job_id, monkeypatch):
    monkeypatch.setattr(workflows, "PATIENCE_SECONDS", 0)
    tries = iter(range(3))

    def full(*_: object) -> None:
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    write = progress.Progress.write

    def end(self: progress.Progress, **values: Any) -> None:
        full() if next(tries) < 2 else write(self, **values)

    monkeypatch.setattr(progress.Progress, "write", end)
    monkeypatch.setitem(stages.KINDS, "generate", full)
    assert perform(job_id, plain) == "failed"
    assert "disk is full" in jobs.job(job_id).error and next(tries, None) is None
