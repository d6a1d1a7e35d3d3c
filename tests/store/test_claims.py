"""Claims: of all that want a piece of work one has it, until it gives it back or its worker is gone."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import delete

from core.store import claims, session
from core.store.claims import Holder
from core.store.models import Worker

KEYS = [f"key {number}" for number in range(1200)]  # more than one statement takes


@pytest.fixture
def holders(database) -> tuple[Holder, Holder]:
    """Two executions, of two workers. Their token is the same: the queue gives one to all it hands out."""
    with session() as db:
        for name in ("a", "b"):
            db.add(Worker(id=name, host="h", pid=1, device="CPU", memory=1.0, queues=[], version="1"))
    return Holder("job 1", "token", "a"), Holder("job 2", "token", "b")


def test_each_key_is_taken_by_one(holders):
    first, second = holders
    assert claims.take(KEYS[:700], first) == set(KEYS[:700])
    assert claims.take(KEYS, second) == set(KEYS[700:]), "what is another's is left out"
    assert claims.take(KEYS, first) == set(KEYS[:700]), "what it has it keeps"
    claims.release(KEYS, first)
    assert claims.take(KEYS, second) == set(KEYS), "given back is free; another's cannot be given back"
    claims.release_all(second)
    assert claims.take(KEYS[:1], first) == {KEYS[0]}


def test_of_many_at_the_same_moment_one_has_each_key(holders):
    together, taken = threading.Barrier(8, timeout=30), []

    def take(number: int) -> None:
        together.wait()
        order = KEYS[:200] if number % 2 else KEYS[199::-1]
        taken.append(claims.take(order, Holder(f"job {number}", "token", "a")))

    threads = [threading.Thread(target=take, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 8 and sum(map(len, taken)) == 200 == len(set().union(*taken))


def test_a_worker_that_is_gone_takes_its_claims_with_it_and_gets_no_more(holders):
    dead, other = holders
    claims.take(KEYS[:3], dead)
    with session() as db:
        db.execute(delete(Worker).where(Worker.id == "a"))
    assert claims.take(KEYS[:3], other) == set(KEYS[:3])
    assert claims.take(["another"], dead) == set()


def test_the_second_waits_and_can_be_stopped(holders, monkeypatch):
    monkeypatch.setattr(claims, "PERIOD_SECONDS", 0.01)
    first, second = holders
    waited = []

    def waiting() -> None:
        waited.append(1)
        if len(waited) == 2:
            release.set()
            holding.join()

    def hold() -> None:
        with claims.held("run", first, lambda: None):
            held.set()
            release.wait(30)

    held, release = threading.Event(), threading.Event()
    holding = threading.Thread(target=hold)
    holding.start()
    held.wait(30)
    with claims.held("run", second, waiting):
        assert len(waited) == 2

        def stop() -> None:
            raise InterruptedError

        with pytest.raises(InterruptedError), claims.held("run", first, stop):
            pass
    with claims.held("run", first, stop):
        pass


def test_without_a_holder_everything_may_be_done(database):
    with claims.held("run", None, lambda: None):
        assert claims.take(KEYS, None) == set(KEYS)
    claims.release(KEYS, None)
    claims.release_all(None)
