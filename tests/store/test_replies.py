"""The kept replies and the ledger: where a reply is kept, and what is written of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from core.records import Reply, Request, Sampling
from core.store import CHUNK, models, queries, session
from core.store.replies import from_row, keep, look_up, reply_key


@pytest.fixture
def run_id(lab_home: Path) -> int:
    """An empty generation run in a fresh database."""
    study = queries.add_study("test", queries.add_dataset("none", {}, []), "", {})
    return queries.open_run(study, "generate", "0" * 64, method="fine-tune-cot", config={}).id


def rows(table) -> int:
    with session() as db:
        return db.scalar(select(func.count()).select_from(table))


@pytest.mark.parametrize(
    "changed", [{"temperature": 0.5}, {"max_tokens": 64}, {"stop": ("END",)}, {"seed": 1}]
)
def test_other_parameters_are_other_entries(changed: dict) -> None:
    assert reply_key({"m": 1}, Request("p", 1)) != reply_key(
        {"m": 1}, Request("p", 1, sampling=Sampling(**changed))
    )


def test_the_key_tells_what_differs_and_nothing_else() -> None:
    base = reply_key({"m": 1}, Request("p", 1))
    other = Request("p", 2, 3, "answer", "solver", Sampling(temperature=0), place=1, depth=2)
    assert base == reply_key({"m": 1}, other)
    assert base != reply_key({"m": 2}, Request("p", 1))
    assert base != reply_key({"m": 1}, Request("q", 1))
    assert base != reply_key({"m": 1}, Request("p", 1, draw=1))
    assert base != reply_key({"m": 1}, Request("p", 1, sampling=Sampling(max_tokens=1)))


def test_replies_of_older_labs_are_found() -> None:
    """The key of a request as labs have written it since the first reply was kept."""
    sampling = Sampling(0.7, max_tokens=128, stop=("END",), seed=5)
    request = Request("p", 3, 2, sampling=sampling, draw=2)
    assert reply_key({"endpoint": "http://h/v1", "model": "m", "mode": "chat"}, request) == (
        "232af528d60672d60b0d185557726f1b9cb2da4fcfeeaa37c8f368d7a20e8ae1"
    )


def test_what_is_kept_is_served_for_nothing(run_id: int) -> None:
    request = Request("p", 1)
    keep("t", [("k", Reply(request, "said", "length", 20, 10, 0.5))], run_id)
    twin = Request("p", 2)
    (kept,) = look_up(["k", "other"]).values()
    assert from_row(twin, kept) == Reply(twin, "said", "length", 20, 10, 0.0, cached=True)
    assert queries.ledger_totals(run_id) == {
        "calls": 1,
        "cached": 0,
        "failed": 0,
        "prompt_tokens": 20,
        "completion_tokens": 10,
        "cost": 0.5,
    }


def test_the_first_reply_to_a_key_stays(run_id: int) -> None:
    """Another run has asked the same meanwhile: both paid, one is kept."""
    for text in ("first", "second"):
        keep("t", [("k", Reply(Request("p", 1), text, cost=1.0))], run_id)
    assert look_up(["k"])["k"].text == "first"
    assert queries.ledger_totals(run_id)["cost"] == 2.0


def test_failed_and_cached_replies_are_in_the_ledger_only(run_id: int) -> None:
    failed = Reply(Request("p", 1), finish_reason="error", error="It refused.")
    keep("t", [("k", failed), ("", Reply(Request("p", 2), "said", cached=True))], run_id)
    assert rows(models.Reply) == 0 and look_up(["k", ""]) == {}
    book = queries.ledger_totals(run_id)
    assert (book["calls"], book["cached"], book["failed"]) == (1, 1, 1)


def test_without_a_run_there_is_no_ledger(run_id: int) -> None:
    keep("t", [("k", Reply(Request("p", 1), "said"))], None)
    assert rows(models.Reply) == 1 and rows(models.LedgerEntry) == 0


def test_very_many_keys_are_looked_up(run_id: int) -> None:
    n = 2 * CHUNK + 1
    keep("t", [(f"k{i}", Reply(Request("p", i), f"{i}")) for i in range(n)], None)
    assert {key: row.text for key, row in look_up([f"k{i}" for i in range(2 * n)]).items()} == {
        f"k{i}": f"{i}" for i in range(n)
    }
    assert look_up([]) == {}
