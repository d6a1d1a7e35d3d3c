"""Between programs and models: what is kept is served, what arrives is kept, one call per key.

    with Desk({"teacher": teacher}, run_id=7) as desk:
        desk.ask(requests)
        for reply in desk.replies(): …

Every model has its inbox and its thread. A reply is written in a thread of its own the moment it arrives,
before anything is done with it, so that no call waits for the disk or for a slow reading of answers.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from queue import Empty, SimpleQueue

from sqlalchemy.exc import OperationalError

from core.errors import LabError
from core.records import Reply, Request
from core.store import claims, replies
from core.teachers.base import Inbox, Teacher

PERIOD_SECONDS = 0.5  # how often a desk that waits hears that it should stop, and looks for others' replies
GRACE_SECONDS = 3.0  # how long a stopped desk waits for the calls in flight, which are already paid for
TOGETHER = 200  # replies written in one transaction, about

Arrived = tuple[Teacher, Sequence[Reply]]


class Desk:
    """Serves the requests of one run; `holder` is its job's execution: two jobs never pay for one reply.

    `waiting` is called now and then while no reply comes; what it raises ends the work.
    """

    def __init__(
        self,
        panel: Mapping[str, Teacher],
        run_id: int | None = None,
        holder: claims.Holder | None = None,
        waiting: Callable[[], None] = lambda: None,
    ) -> None:
        self.panel, self.run_id, self.holder, self.waiting = panel, run_id, holder, waiting
        self.threads: dict[int, tuple[Inbox, threading.Thread]] = {}
        self.arrived: SimpleQueue[Arrived | None] = SimpleQueue()
        self.ready: SimpleQueue[list[Reply] | BaseException] = SimpleQueue()
        self.keeper = threading.Thread(target=self._keep, name="keep", daemon=True)
        self.closing = False
        self.lock = threading.Lock()
        self.sharing: dict[str, list[Request]] = {}  # key → the request that is asked, and its twins
        self.elsewhere: dict[str, Teacher] = {}  # keys that another job is asking for
        self.looked = time.monotonic()

    def __enter__(self) -> Desk:
        self.keeper.start()
        return self

    def __exit__(self, problem: object, *_: object) -> None:
        for inbox, _thread in self.threads.values():
            inbox.close(stop=problem is not None)
        self._join()
        for teacher in self.panel.values():
            teacher.close()
        self._join()
        self.closing = True
        self.arrived.put(None)
        self.keeper.join()
        with suppress(LabError, OperationalError):  # what ended the work is said; its job gives back the rest
            claims.release([key for key in self.sharing if key not in self.elsewhere], self.holder)

    def _join(self) -> None:
        until = time.monotonic() + GRACE_SECONDS
        for _inbox, thread in self.threads.values():
            thread.join(max(0.0, until - time.monotonic()))

    def ask(self, requests: Iterable[Request]) -> None:
        """Have requests answered: kept replies at once, others by a call."""
        by_role: dict[str, list[Request]] = defaultdict(list)
        for request in requests:
            by_role[request.role].append(request)
        for role, own in by_role.items():
            teacher = self.panel[role]
            if teacher.identity is None:
                self._inbox(teacher).put(own)
                continue
            fresh = []
            with self.lock:
                for request in own:
                    key = replies.reply_key(teacher.identity, request)
                    if key in self.sharing:
                        self.sharing[key].append(request)
                    else:
                        self.sharing[key] = [request]
                        fresh.append(key)
            self._serve(teacher, fresh)

    def replies(self) -> list[Reply]:
        """All that has been answered since last asked; waits for one. Raises what ended a model."""
        several: list[Reply] = []
        while not several or not self.ready.empty():
            self._look_elsewhere()
            try:
                found = self.ready.get(timeout=PERIOD_SECONDS)
            except Empty:
                self.waiting()
                continue
            if isinstance(found, BaseException):
                raise found
            several += found
        return several

    def _serve(self, teacher: Teacher, keys: list[str]) -> None:
        """Serve what is kept and ask the model for the rest, but for keys that another job is asking for."""
        ours = claims.take(keys, self.holder)
        missing = self._serve_kept(teacher, keys)  # looked up last: whoever releases a key has kept its reply
        claims.release(ours.difference(missing), self.holder)
        self.elsewhere |= {key: teacher for key in missing if key not in ours}
        if fresh := [key for key in missing if key in ours]:
            with self.lock:
                first = [self.sharing[key][0] for key in fresh]
            self._inbox(teacher).put(first)

    def _look_elsewhere(self) -> None:
        if not self.elsewhere or time.monotonic() - self.looked < PERIOD_SECONDS:
            return
        self.looked = time.monotonic()
        waiting, self.elsewhere = self.elsewhere, {}
        for teacher in {id(one): one for one in waiting.values()}.values():
            self._serve(teacher, [key for key, own in waiting.items() if own is teacher])

    def _serve_kept(self, teacher: Teacher, keys: Sequence[str]) -> list[str]:
        """Serve what is kept; returns the keys that are not."""
        kept = replies.look_up(keys)
        served = [replies.from_row(request, row) for key, row in kept.items() for request in self._pop(key)]
        if served:
            replies.keep(teacher.name, [("", reply) for reply in served], self.run_id)
            self.ready.put(served)
        return [key for key in keys if key not in kept]

    def _pop(self, key: str) -> list[Request]:
        with self.lock:
            return self.sharing.pop(key)

    # ── threads ─────────────────────────────────────────────────────────────────────────────────

    def _inbox(self, teacher: Teacher) -> Inbox:
        if id(teacher) not in self.threads:
            inbox = Inbox()
            thread = threading.Thread(target=self._run, args=(teacher, inbox), name="model", daemon=True)
            self.threads[id(teacher)] = inbox, thread
            thread.start()
        return self.threads[id(teacher)][0]

    def _run(self, teacher: Teacher, inbox: Inbox) -> None:
        try:
            teacher.serve(inbox, lambda found: self.arrived.put((teacher, found)))
        except BaseException as problem:  # noqa: BLE001 - raised in the thread that waits for replies
            self.ready.put(problem)

    def _keep(self) -> None:
        more = True
        while more:
            groups: dict[int, tuple[Teacher, list[Reply]]] = {}
            n = 0
            while n < TOGETHER and (n == 0 or not self.arrived.empty()):
                if (arrived := self.arrived.get()) is None:
                    more = False
                    break
                teacher, found = arrived
                groups.setdefault(id(teacher), (teacher, []))[1].extend(found)
                n += len(found)
            for teacher, found in groups.values():
                try:
                    self.ready.put(found if teacher.identity is None else self._kept(teacher, found))
                except Exception as problem:  # noqa: BLE001 - raised in the thread that waits for replies
                    self.ready.put(problem)

    def _kept(self, teacher: Teacher, found: list[Reply]) -> list[Reply]:
        """Fresh replies, written, and those of their twins."""
        keyed = [(replies.reply_key(teacher.identity or {}, reply.request), reply) for reply in found]
        self._write(teacher, keyed)
        all_of_them = list(found)
        for key, reply in keyed:
            twins = [r for r in self._pop(key) if r is not reply.request]
            all_of_them += [replace(reply, request=twin, cached=True, cost=0.0) for twin in twins]
        if twins_of := all_of_them[len(found) :]:
            self._write(teacher, [("", reply) for reply in twins_of])
        return all_of_them

    def _write(self, teacher: Teacher, keyed: Sequence[tuple[str, Reply]]) -> None:
        """Write what was paid for, however often it takes while the database is locked or the disk full."""
        while True:
            try:
                return replies.keep(teacher.name, keyed, self.run_id, self.holder)
            except (LabError, OperationalError):
                if self.closing:
                    raise
                time.sleep(PERIOD_SECONDS)
