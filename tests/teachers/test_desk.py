"""The desk between programs and models, against real HTTP servers that count their calls."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select

from benchmarks.server import Server, running
from core import settings, store
from core.errors import LabError
from core.methods import METHODS
from core.methods.base import Ask, Given, Method, Program, Text, Written
from core.records import Completion, Question, Reply, Request, Sampling
from core.store import claims, models, queries, session
from core.store.claims import Holder
from core.teachers import Teacher, desk, open_teacher
from core.teachers.base import Inbox, Out
from core.teachers.desk import Desk
from tests.answering import answering
from tests.asking import asked, asking, written

KEY = "sk-very-secret-1234567890"
METHOD = METHODS["fine-tune-cot"]
ASKED = [Request(f"prompt {i}", i) for i in range(30)]


@pytest.fixture
def run_id(lab_home: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """An empty generation run in a fresh database."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    study = queries.add_study("test", queries.add_dataset("none", {}, []), "", {})
    return queries.open_run(study, "generate", "0" * 64, method=METHOD.key, config={}).id


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A desk that looks often and waits for no call in flight."""
    monkeypatch.setattr(desk, "PERIOD_SECONDS", 0.05)
    monkeypatch.setattr(desk, "GRACE_SECONDS", 0.1)


def opened(server: Server, **options):
    return open_teacher("openai", **({"base_url": server.url, "model": "any", "price_in": 1.0} | options))


def replies(server: Server, requests, run_id: int | None = None, **options) -> list[Reply]:
    with opened(server, **options) as teacher:
        return asked(teacher, requests, run_id)


def completions(server: Server, n: int, run_id: int, samples: int = 1, **options) -> list[Completion]:
    sampling = Sampling(temperature=0.7 if samples > 1 else 0.0)
    questions = [Question(i, f"question {i}", "7") for i in range(n)]
    with opened(server, **options) as teacher:
        return written(teacher, METHOD, questions, run_id, sampling=sampling, samples=samples)


def rows(table) -> int:
    with session() as db:
        return db.scalar(select(func.count()).select_from(table))


def until(there: Callable[[], bool]) -> None:
    while not there():
        time.sleep(0.01)


def texts(made: list[Completion]) -> dict[int, list[str]]:
    return {c.question_index: [step.text for step in c.steps] for c in made}


# ── what is kept ────────────────────────────────────────────────────────────────────────────────


def test_the_same_again_makes_no_call_and_costs_nothing(run_id: int) -> None:
    with running() as server:
        first = replies(server, ASKED, run_id)
        again = replies(server, ASKED, run_id)
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
        replies(server, ASKED[10:15])
        assert rows(models.Reply) == 5
        found = replies(server, ASKED)
        assert server.stats()["calls"] == 30
    assert [r.cached for r in found] == [True] * 5 + [False] * 25


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
    assert all(c.error is None and c.calls == 2 for c in first)
    assert all(c.calls == 0 and c.cost == 0 for c in again)
    assert texts(first) == texts(again)
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


def test_several_asks_of_one_prompt_are_entries_of_their_own(run_id: int) -> None:
    def teach(question: Question, given: Given) -> Program:
        tries = yield [Ask(question.text)] * 3
        return Written(tries[0].text, Text(tries[0]))

    thrice = Method("thrice", "", "", "", teach, teach)
    with running() as server, opened(server) as teacher:
        (made,) = written(teacher, thrice, [Question(0, "q", "7")], run_id)
        assert server.stats()["calls"] == 3
    assert len({step.text for step in made.steps}) == 3


def test_questions_with_the_same_text_share_a_call(run_id: int) -> None:
    with running() as server, opened(server) as teacher:
        twins = [Question(i, "the same question", "7") for i in range(5)]
        made = written(teacher, METHOD, twins, run_id)
        assert server.stats()["calls"] == 2
    assert sorted(c.question_index for c in made) == list(range(5))
    assert len({tuple(step.text for step in c.steps) for c in made}) == 1
    assert sorted(c.calls for c in made) == [0, 0, 0, 0, 2]
    assert queries.ledger_totals(run_id)["cached"] == 8


def test_a_failed_reply_is_in_the_ledger_and_never_kept(run_id: int) -> None:
    with running() as server:
        failed = replies(server, ASKED[:3], run_id, model="too-long")
        assert all(r.error for r in failed) and rows(models.Reply) == 0
        replies(server, ASKED[:3], run_id, model="too-long")
        assert server.stats()["calls"] == 6
    book = queries.ledger_totals(run_id)
    assert (book["calls"], book["failed"], book["cost"]) == (6, 6, 0.0)


def test_of_a_call_that_failed_its_twins_fail_too(run_id: int) -> None:
    with running() as server:
        twins = [Request("the same", i) for i in range(4)]
        failed = replies(server, twins, run_id, model="too-long")
        assert server.stats()["calls"] == 1
    assert sorted(r.request.question_index for r in failed) == [0, 1, 2, 3]
    assert all(r.error for r in failed) and rows(models.Reply) == 0


def test_replies_of_a_model_that_has_no_identity_are_not_kept(run_id: int) -> None:
    class Anyone(Teacher):
        name = "anyone"

        def serve(self, inbox: Inbox, out: Out) -> None:
            for request in inbox:
                out([Reply(request, request.prompt)])

    assert [r.text for r in asked(Anyone(), ASKED[:3], run_id)] == ["prompt 0", "prompt 1", "prompt 2"]
    assert rows(models.LedgerEntry) == rows(models.Reply) == 0


# ── several models ──────────────────────────────────────────────────────────────────────────────


def delegated(question: Question, given: Given) -> Program:
    plan = yield Ask(f"Plan: {question.text}", "delegate", "steps")
    said = yield Ask(f"Solve: {question.text} {plan.text}", "solver")
    return Written(said.text, Text(said))


def test_each_role_is_asked_of_its_own_model(run_id: int) -> None:
    method = Method("two", "", "", "", delegated, delegated, teachers=("delegate", "solver"))
    questions = [Question(i, f"question {i}", "7") for i in range(12)]
    with answering(lambda body: " a plan") as first, answering(lambda body: " 7.") as second:
        panel = {
            "delegate": open_teacher("llama.cpp", base_url=first.url, price_in=1.0),
            "solver": open_teacher("vllm", base_url=second.url, model="any", price_in=10.0),
        }
        made = written(panel, method, questions, run_id)
        again = written(panel, method, questions, run_id)
    assert sorted(first.prompts) == sorted(f"Plan: question {i}" for i in range(12))
    assert sorted(second.prompts) == sorted(f"Solve: question {i}  a plan" for i in range(12))
    for one in made:
        assert [(step.role, step.text) for step in one.steps] == [("delegate", " a plan"), ("solver", " 7.")]
        read = [step.prompt_tokens for step in one.steps]
        assert one.cost == pytest.approx((read[0] * 1.0 + read[1] * 10.0) / 1e6)
    assert texts(again) == texts(made) and all(c.calls == 0 for c in again)
    with session() as db:
        named = dict(
            db.execute(select(models.Reply.teacher, func.count()).group_by(models.Reply.teacher)).all()
        )
    assert sorted(named.values()) == [12, 12]


def test_one_model_s_exception_ends_the_work(run_id: int, soon: None) -> None:
    """A refused key concerns all: nothing more is asked of the other model either."""
    with running() as refusing, running(latency=0.2) as slow:
        panel = {"a": opened(slow, concurrency=2), "b": opened(refusing, model="refuses-key")}
        requests = [Request(f"p{i}", i, role="a") for i in range(1000)] + [Request("q", 0, role="b")]
        with pytest.raises(LabError, match="refuses the key OPENAI_API_KEY"):
            asked(panel, requests, run_id)
        arrived = slow.stats()["arrived"]
        time.sleep(0.5)
        assert slow.stats()["arrived"] == arrived < 100


def test_what_a_model_raises_is_raised_as_it_is(run_id: int) -> None:
    class Broken(Teacher):
        name, identity = "broken", {"broken": 1}

        def serve(self, inbox: Inbox, out: Out) -> None:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asked(Broken(), ASKED, run_id)


def test_replies_before_a_fatal_error_are_kept(run_id: int) -> None:
    with running(latency=0.01) as server, opened(server, concurrency=2, retries=0) as teacher:
        found = asking(teacher, ASKED, run_id)
        next(found)
        server.process.kill()
        with pytest.raises(LabError):
            list(found)
    assert rows(models.Reply) >= 1


# ── who does not read on ────────────────────────────────────────────────────────────────────────


def test_replies_are_kept_although_nobody_reads_them(run_id: int) -> None:
    with running() as server, opened(server) as teacher, Desk({"teacher": teacher}, run_id) as one:
        one.ask(ASKED)
        until(lambda: rows(models.Reply) == 30)
    assert queries.ledger_totals(run_id)["calls"] == 30


def test_who_stops_reading_stops_the_calls_and_what_is_in_flight_is_kept(run_id: int) -> None:
    many = [Request(f"p{i}", i) for i in range(1000)]
    with running(latency=0.1) as server, opened(server, concurrency=4) as teacher:
        found = asking(teacher, many, run_id)
        next(found)
        found.close()
        stats = server.stats()
        assert rows(models.Reply) == stats["answered"] == stats["arrived"] < 100
        time.sleep(0.5)
        assert server.stats()["arrived"] == stats["arrived"]


@pytest.mark.parametrize("model", ["any", "always-500"])
def test_what_waiting_raises_ends_the_work_and_nothing_is_sent_afterwards(
    run_id: int, soon: None, model: str
) -> None:
    """Whether the calls in flight are never answered, or would be tried again."""

    class Cancelled(Exception):
        pass

    def waiting() -> None:
        if server.stats()["arrived"]:
            raise Cancelled

    with running(latency=0.2 if model == "always-500" else 60.0) as server:
        panel = {"teacher": opened(server, model=model, concurrency=3)}
        with pytest.raises(Cancelled), Desk(panel, run_id, waiting=waiting) as one:
            one.ask([Request(f"p{i}", i) for i in range(1000)])
            one.replies()
        arrived = server.stats()["arrived"]
        time.sleep(1)
        assert server.stats()["arrived"] == arrived <= 3
    assert not [t for t in threading.enumerate() if t.name in ("model", "keep")]


def test_a_locked_database_loses_no_reply(run_id: int, soon: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program holds the database while the replies come: they are written once it lets go."""
    monkeypatch.setattr(store, "BUSY_SECONDS", 0.05)
    store._engine.cache_clear()
    with (
        running(latency=0.05) as server,
        opened(server) as teacher,
        Desk({"teacher": teacher}, run_id) as one,
    ):
        with closing(sqlite3.connect(settings.home() / "lab.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            one.ask(ASKED)
            until(lambda: server.stats()["answered"] == 30)
            time.sleep(0.3)
            assert rows(models.Reply) == 0
            other.execute("ROLLBACK")
        found: list[Reply] = []
        while len(found) < 30:
            found += one.replies()
    assert rows(models.Reply) == 30 and queries.ledger_totals(run_id)["calls"] == 30
    store._engine.cache_clear()


# ── two jobs ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def holders(run_id: int) -> list[Holder]:
    """Two executions of jobs, each by a worker of its own."""
    with session() as db:
        for name in ("w1", "w2"):
            db.add(models.Worker(id=name, host="", pid=0, device="", memory=0, queues=[], version=""))
    return [Holder("job 1", "owner 1", "w1"), Holder("job 2", "owner 2", "w2")]


def claimed() -> int:
    return rows(models.Claim)


def test_two_jobs_that_ask_the_same_at_once_pay_once(run_id: int, soon: None, holders: list[Holder]) -> None:
    """Two steps each, more questions than calls in flight: whoever claims a key asks, the other shares."""
    n, made = 40, {}
    together = threading.Barrier(2, timeout=30)

    def job(holder: Holder) -> None:
        together.wait()
        questions = [Question(i, f"question {i}", "7") for i in range(n)]
        with opened(server, concurrency=4) as teacher:
            made[holder] = written(teacher, METHOD, questions, run_id, holder=holder)

    with running(latency=0.02) as server:
        threads = [threading.Thread(target=job, args=(holder,)) for holder in holders]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert server.stats()["calls"] == 2 * n
    first, second = (made[holder] for holder in holders)
    assert texts(first) == texts(second) and len(first) == n
    assert sum(c.calls for c in first) + sum(c.calls for c in second) == 2 * n
    assert claimed() == 0 and rows(models.Reply) == 2 * n


def test_a_key_whose_holder_gave_up_is_asked_by_who_waits(
    run_id: int, soon: None, holders: list[Holder]
) -> None:
    first, second = holders
    with running() as server, opened(server) as teacher:
        keys = {desk.replies.reply_key(teacher.identity, request) for request in ASKED}
        assert claims.take(keys, first) == keys

        def waiting() -> None:
            if keys:
                assert server.stats()["calls"] == 0
                claims.release(keys, first)
                keys.clear()

        found: list[Reply] = []
        with Desk({"teacher": teacher}, run_id, second, waiting) as one:
            one.ask(ASKED)
            while len(found) < 30:
                found += one.replies()
        assert server.stats()["calls"] == 30
    assert claimed() == 0


@pytest.mark.parametrize("model", ["any", "too-long", "refuses-key"])
def test_no_claim_is_left_however_the_work_ends(
    run_id: int, soon: None, holders: list[Holder], model: str
) -> None:
    with running(latency=0.02) as server, opened(server, model=model, concurrency=2) as teacher:
        try:
            with Desk({"teacher": teacher}, run_id, holders[0]) as one:
                one.ask(ASKED)
                one.replies()
                assert claimed()
                raise InterruptedError
        except (InterruptedError, LabError):
            pass
    assert claimed() == 0


# ── the key, and a killed process ───────────────────────────────────────────────────────────────


def test_a_key_is_nowhere_in_the_database(run_id: int) -> None:
    with running() as server:
        replies(server, ASKED[:3], run_id)
        replies(server, ASKED[:3], run_id, model="too-long")
        with pytest.raises(LabError):
            replies(server, ASKED[:3], run_id, model="refuses-key")
    with session() as db:
        dump = "\n".join(db.connection().connection.driver_connection.iterdump())
    assert KEY not in dump and "too-long" in dump


def test_killed_in_mid_run_nothing_that_was_paid_for_is_asked_again(run_id: int) -> None:
    n, in_flight = 60, 4
    script = textwrap.dedent(f"""
        import sys
        from benchmarks.server import Server
        from tests.teachers.test_desk import completions
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
