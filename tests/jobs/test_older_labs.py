"""The jobs of a lab before 0006, whose status stood in its own table and whose queue was another database."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import create_engine, text

from core import jobs, settings, studies
from core.store import engine
from tests.jobs.conftest import status, until
from tests.older import make_tables

STATES = ("done", "failed", "cancelled", "running", "queued")
JOB = """
INSERT INTO job (id, kind, title, study_id, request, attempt, status, stage, done, total, error,
                 cancel_requested, created, started, finished, updated)
VALUES (:id, 'generate', :title, NULL, :request, 0, :status, 'stage', 3, 9, :error, false,
        '2026-01-02 03:04:05', '2026-01-02 03:04:06', :finished, '2026-01-02 03:04:07')
"""


@pytest.fixture
def older(database) -> None:
    """A database as the lab before 0006 left it, with a job in each state."""
    settings.home()
    made = create_engine(settings.database_url())
    with made.connect() as connection:
        make_tables(connection)
        for state in STATES:
            over = state in ("done", "failed", "cancelled")
            row = {
                "id": f"generate-{state}", "title": state * 10, "request": json.dumps({"queue": "endpoint"}),
                "status": state, "error": "No." if state == "failed" else None,
                "finished": "2026-01-02 03:05:06" if over else None,
            }  # fmt: skip
            connection.execute(text(JOB), row)
        connection.execute(
            text("INSERT INTO worker (id, host, pid, device, heartbeat) VALUES ('h', 'h', 1, 'CPU', :now)"),
            {"now": "2026-01-02 03:04:05"},
        )
        connection.commit()
    made.dispose()


def test_they_are_shown_as_they_ended_and_the_others_as_interrupted(older):
    rows = {job.id.removeprefix("generate-"): job for job in jobs.jobs()}
    assert {state: job.status for state, job in rows.items()} == {
        "done": "done",
        "failed": "failed",
        "cancelled": "cancelled",
        "running": "interrupted",
        "queued": "interrupted",
    }
    assert rows["failed"].error == "No." and rows["done"].error is None
    assert "resume it" in rows["queued"].error
    assert (rows["done"].finished - rows["done"].started).seconds == 60
    assert rows["running"].finished is None and rows["running"].done == 3
    assert not jobs.workers() and not jobs.wake()


def test_an_interrupted_one_can_be_resumed(older, worker):
    request = jobs.job(studies.submit("generate", "t", studies.demo(20, 10))).request
    with engine().begin() as connection:
        connection.execute(
            text("UPDATE job SET request = :request, kind = 'generate' WHERE id = 'generate-running'"),
            {"request": json.dumps(request)},
        )
    jobs.resume("generate-running")
    assert status("generate-running") == "queued" and jobs.job("generate-running").error is None
    worker()
    until(lambda: status("generate-running") == "done")
