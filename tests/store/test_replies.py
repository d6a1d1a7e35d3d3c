"""The reply cache and the ledger, against a real HTTP server that counts its calls."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from sqlalchemy import func, select

from benchmarks.server import Server, running
from core import settings
from core.errors import LabError
from core.methods import METHODS, generate
from core.records import Question, Reply, Request, Sampling
from core.store import models, queries, session
from core.store.replies import ask, reply_key
from core.teachers import asking, open_teacher
from core.teachers.stored import Stored

KEY = "sk-very-secret-1234567890"
METHOD = METHODS["fine-tune-cot"]
ASKED = [Request(f"prompt {i}", i) for i in range(30)]


@pytest.fixture
def run_id(lab_home: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """An empty generation run in a fresh database."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    return new_run()


def new_run() -> int:
    study = queries.add_study("test", queries.add_dataset("none", {}, []), "", {})
    return queries.open_run(study, "generate", "0" * 64, method=METHOD.key, config={}).id


def opened(server: Server, **options):
    return open_teacher("openai", **({"base_url": server.url, "model": "any", "price_in": 1.0} | options))


def asked(server: Server, requests, run_id: int | None = None, sampling=None, **options) -> list[Reply]:
    with opened(server, **options) as teacher:
        return list(ask(teacher, requests, sampling or Sampling(), run_id=run_id))


def completions(server: Server, n: int, run_id: int, samples: int = 1, **options):
    sampling = Sampling(temperature=0.7 if samples > 1 else 0.0)
    wanted = [(Question(i, f"question {i}", "7"), s) for i in range(n) for s in range(samples)]
    with opened(server, **options) as teacher:
        return list(generate(wanted, METHOD, asking(teacher, sampling, run_id)))


def rows(table) -> int:
    with session() as db:
        return db.scalar(select(func.count()).select_from(table))


def test_the_same_again_makes_no_call_and_costs_nothing(run_id: int) -> None:
    with running() as server:
        first = asked(server, ASKED, run_id)
        again = asked(server, ASKED, run_id)
        assert server.stats()["calls"] == 30
    assert {r.request: r.text for r in first} == {r.request: r.text for r in again}
    assert not any(r.cached for r in first) and all(r.cached and r.cost == 0 for r in again)
    assert queries.ledger_totals(run_id) == {
        "calls": 30,
        "cached": 30,
        "failed": 0,
        "prompt_tokens": 600,
        "completion_tokens": 300,
        "cost": pytest.approx(30 * (20 * 1.0 + 10 * 0.6) / 1e6),
    }


def test_kept_replies_come_first_and_only_the_rest_is_asked_for(run_id: int) -> None:
    with running() as server:
        asked(server, ASKED[10:15])
        assert rows(models.Reply) == 5
        replies = asked(server, ASKED)
        assert server.stats()["calls"] == 30
    assert [r.cached for r in replies] == [True] * 5 + [False] * 25


@pytest.mark.parametrize("fault_every", [0, 20])
def test_two_steps_under_faults_leave_each_item_once_and_a_second_run_calls_nothing(
    run_id: int, fault_every: int
) -> None:
    with running(latency=0.005, fault_every=fault_every) as server:
        first = completions(server, 100, run_id)
        calls = server.stats()["calls"]
        again = completions(server, 100, run_id)
        assert server.stats()["calls"] == calls
        assert server.stats()["answered"] == 200
    assert (
        sorted(c.question_index for c in first) == sorted(c.question_index for c in again) == list(range(100))
    )
    assert all(c.error is None and c.calls == 2 and not c.cached for c in first)
    assert all(c.calls == 0 and c.cached and c.cost == 0 for c in again)
    assert {c.question_index: (c.rationale, c.answer_text) for c in first} == {
        c.question_index: (c.rationale, c.answer_text) for c in again
    }
    assert rows(models.Reply) == 200


def test_samples_of_one_prompt_are_entries_of_their_own(run_id: int) -> None:
    with running() as server:
        made = completions(server, 3, run_id, samples=8)
        assert server.stats()["calls"] == 2 * 24
    assert len({c.rationale for c in made}) == 24
    assert sorted((c.question_index, c.sample_index) for c in made) == [
        (q, s) for q in range(3) for s in range(8)
    ]
    assert rows(models.Reply) == 48


def test_questions_with_the_same_text_share_a_call(run_id: int) -> None:
    with running() as server, opened(server) as teacher:
        twins = [(Question(i, "the same question", "7"), 0) for i in range(5)]
        made = list(generate(twins, METHOD, asking(teacher, Sampling(), run_id)))
        assert server.stats()["calls"] == 2
    assert sorted(c.question_index for c in made) == list(range(5))
    assert len({(c.rationale, c.answer_text) for c in made}) == 1
    assert sorted(c.calls for c in made) == [0, 0, 0, 0, 2]


@pytest.mark.parametrize(
    "changed", [{"temperature": 0.5}, {"max_tokens": 64}, {"stop": ("END",)}, {"seed": 1}]
)
def test_other_parameters_are_other_entries(changed: dict) -> None:
    assert reply_key({"m": 1}, ASKED[0], Sampling()) != reply_key({"m": 1}, ASKED[0], Sampling(**changed))


def test_the_key_tells_what_differs_and_nothing_else() -> None:
    base = reply_key({"m": 1}, Request("p", 1), Sampling())
    assert base == reply_key({"m": 1}, Request("p", 2, step="answer"), Sampling(temperature=0))
    assert base != reply_key({"m": 2}, Request("p", 1), Sampling())
    assert base != reply_key({"m": 1}, Request("q", 1), Sampling())
    assert base != reply_key({"m": 1}, Request("p", 1, sample_index=1), Sampling())
    assert base != reply_key({"m": 1}, Request("p", 1, sampling=Sampling(max_tokens=1)), Sampling())


def test_a_failed_reply_is_in_the_ledger_and_never_kept(run_id: int) -> None:
    with running() as server:
        failed = asked(server, ASKED[:3], run_id, model="too-long")
        assert all(r.error for r in failed) and rows(models.Reply) == 0
        asked(server, ASKED[:3], run_id, model="too-long")
        assert server.stats()["calls"] == 6
    book = queries.ledger_totals(run_id)
    assert (book["calls"], book["failed"], book["cost"]) == (6, 6, 0.0)


def test_replies_before_a_fatal_error_are_kept(run_id: int) -> None:
    with running(latency=0.01) as server, opened(server, concurrency=2, retries=0) as teacher:
        replies = ask(teacher, ASKED, Sampling(), run_id=run_id)
        next(replies)
        server.process.kill()
        with pytest.raises(LabError):
            list(replies)
    assert rows(models.Reply) >= 1


def test_a_key_is_nowhere_in_the_database(run_id: int) -> None:
    with running() as server:
        asked(server, ASKED[:3], run_id)
        asked(server, ASKED[:3], run_id, model="too-long")
        with pytest.raises(LabError):
            asked(server, ASKED[:3], run_id, model="refuses-key")
    with session() as db:
        dump = "\n".join(db.connection().connection.driver_connection.iterdump())
    assert KEY not in dump and "too-long" in dump


def test_a_teacher_that_makes_no_call_is_passed_through(run_id: int) -> None:
    (reply,) = ask(Stored("recorded", []), ASKED[:1], Sampling(), run_id=run_id)
    assert reply.error and rows(models.LedgerEntry) == rows(models.Reply) == 0


def test_killed_in_mid_run_nothing_that_was_paid_for_is_asked_again(run_id: int) -> None:
    n, in_flight = 60, 4
    script = textwrap.dedent(f"""
        import sys
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from benchmarks.server import Server
        from test_replies import completions
        print("started", flush=True)
        completions(Server(sys.argv[1], None), {n}, {run_id}, concurrency={in_flight})
    """)
    with running(latency=0.02) as server:
        child = subprocess.Popen(
            [sys.executable, "-c", script, server.url],
            cwd=settings.ROOT,
            env=os.environ | {"PYTHONPATH": "."},
        )
        while rows(models.Reply) < 15:
            assert child.poll() is None, "the run ended before it could be killed"
        child.send_signal(signal.SIGKILL)
        child.wait()
        made = completions(server, n, run_id, concurrency=in_flight)
        assert 2 * n <= server.stats()["calls"] <= 2 * n + in_flight
    assert sorted(c.question_index for c in made) == list(range(n))
    assert rows(models.Reply) == 2 * n
