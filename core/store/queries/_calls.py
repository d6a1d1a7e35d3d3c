"""What the calls to a teacher came to."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from core.store import figures, rows, scalars
from core.store.models import Completion, LedgerEntry

__all__ = ["CHECK", "completion_calls", "ledger_totals", "second_calls", "tokens_by_role"]

CHECK = "check"  # the ledger's step of calls that only check an answer


def completion_calls(run_id: int) -> dict[str, int]:
    """calls, prompt_tokens, completion_tokens that a run's completions stand for, kept replies counted."""
    query = select(
        func.coalesce(func.sum(Completion.asked), 0).label("calls"),
        func.coalesce(func.sum(Completion.prompt_tokens), 0).label("prompt_tokens"),
        func.coalesce(func.sum(Completion.completion_tokens), 0).label("completion_tokens"),
    ).where(Completion.run_id == run_id, Completion.error.is_(None))
    return figures(query)


def ledger_totals(run_id: int) -> dict[str, Any]:
    """What a run's calls came to: calls, cached, failed, prompt_tokens, completion_tokens, cost (USD).

    Cost and tokens are of fresh calls; a cached reply was paid for before. Calls that only checked an
    answer (step "check") made none of its completions and are left out.
    """
    fresh = LedgerEntry.cached.is_(False)
    query = select(
        func.count().filter(fresh).label("calls"),
        func.count().filter(LedgerEntry.cached.is_(True)).label("cached"),
        func.count().filter(LedgerEntry.error.isnot(None)).label("failed"),
        func.coalesce(func.sum(LedgerEntry.prompt_tokens).filter(fresh), 0).label("prompt_tokens"),
        func.coalesce(func.sum(LedgerEntry.completion_tokens).filter(fresh), 0).label("completion_tokens"),
        func.coalesce(func.sum(LedgerEntry.cost).filter(fresh), 0.0).label("cost"),
    ).where(LedgerEntry.run_id == run_id, LedgerEntry.step != CHECK)
    return figures(query)


def second_calls(run_id: int, teacher: str = "") -> tuple[int, float, float]:
    """(calls, mean prompt tokens, mean completion tokens) of the second calls that a run made.

    With a `teacher`, those of all its runs. Cached ones count: they took as many when they were made.
    """
    whose = LedgerEntry.teacher == teacher if teacher else LedgerEntry.run_id == run_id
    query = select(
        func.count(),
        func.coalesce(func.avg(LedgerEntry.prompt_tokens), 0),
        func.coalesce(func.avg(LedgerEntry.completion_tokens), 0),
    ).where(whose, LedgerEntry.step.in_(("answer", CHECK)), LedgerEntry.error.is_(None))
    n, read, written = rows(query)[0]
    return n, float(read), float(written)


def tokens_by_role(run_id: int) -> dict[str, tuple[int, int]]:
    """role → (prompt tokens, completion tokens) of the steps behind a run's completions."""
    totals: dict[str, tuple[int, int]] = {}
    query = select(Completion.steps).where(Completion.run_id == run_id, Completion.error.is_(None))
    for steps in scalars(query):
        for step in steps:
            read, written = totals.get(step["role"], (0, 0))
            totals[step["role"]] = read + step["prompt_tokens"], written + step["completion_tokens"]
    return totals
