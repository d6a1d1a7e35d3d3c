"""Every reply a teacher ever gave, raw, and the ledger of what each run asked and paid.

reply   key = SHA-256 of (teacher, prompt, parameters, draw) → text, finish reason, tokens, cost
ledger  run 7 · rationale · question 12 · sample 0 · 61 + 43 tokens · $0.00003 · fresh

Nothing is ever deleted: a new answer extractor reads the old texts. The draw is part of the key, so that
D samples of one prompt stay D samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import Row, Table, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from core.records import Reply, Request, content_hash
from core.store import chunks, claims, models, rows, session

# Tables rather than mapped objects: half the time, in the one place that every call waits for.
REPLY, LEDGER = (cast(Table, row.__table__) for row in (models.Reply, models.LedgerEntry))
KEPT = [REPLY.c[name] for name in ("key", "text", "finish_reason", "prompt_tokens", "completion_tokens")]
COST = ("prompt_tokens", "completion_tokens", "cost")  # of a reply


def reply_key(identity: dict[str, Any], request: Request) -> str:
    """Where a reply is kept."""
    return content_hash([identity, request.prompt, _params(request), request.draw])


def look_up(keys: Sequence[str]) -> dict[str, Row[Any]]:
    """key → the reply that is kept there."""
    queries = (select(*KEPT).where(REPLY.c.key.in_(chunk)) for chunk in chunks(keys))
    return {row.key: row for query in queries for row in rows(query)}


def from_row(request: Request, row: Row[Any]) -> Reply:
    """A kept reply as the answer to a request: it costs nothing."""
    return Reply(
        request, row.text, row.finish_reason, row.prompt_tokens, row.completion_tokens, 0.0, cached=True
    )


def keep(
    teacher: str,
    replies: Sequence[tuple[str, Reply]],
    run_id: int | None,
    holder: claims.Holder | None = None,
) -> None:
    """Write fresh replies, (key, reply) each, and with a run their lines of its ledger; all or none.

    The holder's claims on them end with it.

    One whose key another run has written meanwhile stays as it is; a failed call, and a reply that was kept
    before, are in the ledger only.
    """
    rows = [_row(key, teacher, reply) for key, reply in replies if not (reply.error or reply.cached)]
    with session() as db:
        dialect = postgresql if db.get_bind().dialect.name == "postgresql" else sqlite
        if rows:
            db.execute(dialect.insert(REPLY).on_conflict_do_nothing(), rows)
        if run_id is not None and replies:
            db.execute(insert(LEDGER), [_line(run_id, teacher, reply) for _, reply in replies])
        claims.release([key for key, _ in replies], holder, db)


def _row(key: str, teacher: str, reply: Reply) -> dict[str, Any]:
    return {
        "key": key,
        "teacher": teacher,
        "prompt": reply.request.prompt,
        "params": _params(reply.request),
        "sample_index": reply.request.draw,
        **{name: getattr(reply, name) for name in ("text", "finish_reason", *COST)},
    }


def _line(run_id: int, teacher: str, reply: Reply) -> dict[str, Any]:
    asked = {name: getattr(reply.request, name) for name in ("step", "question_index", "sample_index")}
    answered = {name: getattr(reply, name) for name in (*COST, "cached", "error")}
    return {"run_id": run_id, "teacher": teacher, **asked, **answered}


def _params(request: Request) -> dict[str, Any]:
    """The parameters as they are hashed: a study file's temperature 0 is the same as 0.0."""
    params = request.sampling.as_dict()
    return params | {"temperature": float(params["temperature"]), "top_p": float(params["top_p"])}
