"""Every reply a teacher ever gave, raw, and the ledger of what each run asked and paid.

reply   key = SHA-256 of (teacher, prompt, parameters, sample index) → text, finish reason, tokens, cost
ledger  run 7 · rationale · question 12 · sample 0 · 61 + 43 tokens · $0.00003 · fresh

A reply is written in a transaction of its own the moment it arrives, before anything else is done
with it; a call that failed leaves a line in the ledger and no reply. Nothing is ever deleted: a new
answer extractor reads the old texts. The sample index is part of the key, so that D samples of one
prompt stay D samples.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.records import Reply, Request, Sampling, content_hash
from core.store import models, session

if TYPE_CHECKING:
    from core.teachers.base import Teacher, Then

# Tables rather than mapped objects: half the time, in the one place that every call waits for.
REPLY, LEDGER = models.Reply.__table__, models.LedgerEntry.__table__
KEPT = [REPLY.c[name] for name in ("key", "text", "finish_reason", "prompt_tokens", "completion_tokens")]
CHUNK = 500  # keys per look-up, below every database's limit of parameters


def reply_key(identity: dict[str, Any], request: Request, sampling: Sampling) -> str:
    """Where a reply is kept. The request's own sampling counts, if it has one."""
    return content_hash([identity, request.prompt, _params(request, sampling), request.sample_index])


def ask(
    teacher: Teacher,
    requests: Iterable[Request],
    sampling: Sampling,
    then: Then | None = None,
    *,
    run_id: int | None = None,
) -> Iterator[Reply]:
    """Replies to all requests and to all that follow from them: kept ones first, then fresh ones.

    A kept reply is `cached` and costs nothing. Requests with the same key share one call. With a
    `run_id` every reply is a line of its ledger. A teacher that makes no call is passed through.
    """
    if teacher.identity is None:
        yield from teacher.complete(requests, sampling, then)
        return
    desk = _Desk(teacher, sampling, then, run_id)
    fresh = []
    for chunk in _chunks(requests):
        fresh += desk.admit(chunk)
        yield from desk.served()
    if fresh:
        for reply in teacher.complete(fresh, sampling, desk.arrived):
            yield reply
            yield from desk.served()
    yield from desk.served()


class _Desk:
    """Between the store and the teacher: serves what is kept, keeps what arrives.

    `twins` are requests whose key is already being asked for: they share its reply.
    """

    def __init__(self, teacher: Teacher, sampling: Sampling, then: Then | None, run_id: int | None) -> None:
        self.teacher, self.sampling, self.then, self.run_id = teacher, sampling, then, run_id
        self.twins: dict[str, list[Request]] = {}
        self.ready: deque[Reply] = deque()

    def served(self) -> Iterator[Reply]:
        """The replies that came without a call since last asked."""
        while self.ready:
            yield self.ready.popleft()

    def admit(self, requests: Sequence[Request]) -> list[Request]:
        """Serve what is kept, with all that follows from it; returns what needs a call, each key once."""
        fresh: list[Request] = []
        while requests:
            keys = [self._key(request) for request in requests]
            kept = _look_up(keys)
            replies = []
            for key, request in zip(keys, requests, strict=True):
                if key in kept:
                    replies.append(_from_row(request, kept[key]))
                elif key in self.twins:
                    self.twins[key].append(request)
                else:
                    self.twins[key] = []
                    fresh.append(request)
            requests = self._serve(replies)
        return fresh

    def arrived(self, reply: Reply) -> list[Request]:
        """Keep a reply, give it to its twins; returns the calls that follow. Runs in the teacher's thread."""
        key = self._key(reply.request)
        self._keep(key, reply)
        follow = self.then(reply) if self.then else []
        twins = [replace(reply, request=r, cached=True, cost=0.0) for r in self.twins.pop(key, [])]
        return self.admit(follow + self._serve(twins))

    def _serve(self, replies: list[Reply]) -> list[Request]:
        if not replies:
            return []
        with session() as db:
            self._enter(db, replies)
        follow = [request for reply in replies for request in (self.then(reply) if self.then else [])]
        self.ready.extend(replies)
        return follow

    def _keep(self, key: str, reply: Reply) -> None:
        try:
            with session() as db:
                if not reply.error:
                    db.execute(insert(REPLY), self._row(key, reply))
                self._enter(db, [reply])
        except IntegrityError:  # another run has asked the same meanwhile: its reply is the one kept
            with session() as db:
                self._enter(db, [reply])

    def _key(self, request: Request) -> str:
        return reply_key(self.teacher.identity or {}, request, self.sampling)

    def _row(self, key: str, reply: Reply) -> dict[str, Any]:
        return {
            "key": key,
            "teacher": self.teacher.name,
            "prompt": reply.request.prompt,
            "params": _params(reply.request, self.sampling),
            "sample_index": reply.request.sample_index,
            "text": reply.text,
            "finish_reason": reply.finish_reason,
            "prompt_tokens": reply.prompt_tokens,
            "completion_tokens": reply.completion_tokens,
            "cost": reply.cost,
        }

    def _enter(self, db: Session, replies: list[Reply]) -> None:
        """Lines of the run's ledger, if there is a run."""
        if self.run_id is None:
            return
        lines = [
            {
                "run_id": self.run_id,
                "teacher": self.teacher.name,
                "step": reply.request.step,
                "question_index": reply.request.question_index,
                "sample_index": reply.request.sample_index,
                "prompt_tokens": reply.prompt_tokens,
                "completion_tokens": reply.completion_tokens,
                "cost": reply.cost,
                "cached": reply.cached,
                "error": reply.error,
            }
            for reply in replies
        ]
        db.execute(insert(LEDGER), lines)


def _params(request: Request, sampling: Sampling) -> dict[str, Any]:
    """The parameters as they are hashed: a study file's temperature 0 is the same as 0.0."""
    params = (request.sampling or sampling).as_dict()
    return params | {"temperature": float(params["temperature"]), "top_p": float(params["top_p"])}


def _chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    remaining = iter(items)
    while chunk := list(islice(remaining, CHUNK)):
        yield chunk


def _look_up(keys: Sequence[str]) -> dict[str, Row]:
    found: dict[str, Row] = {}
    with session() as db:
        for chunk in _chunks(dict.fromkeys(keys)):
            rows = db.execute(select(*KEPT).where(REPLY.c.key.in_(chunk)))
            found.update((row.key, row) for row in rows)
    return found


def _from_row(request: Request, row: Row) -> Reply:
    return Reply(
        request, row.text, row.finish_reason, row.prompt_tokens, row.completion_tokens, 0.0, cached=True
    )
