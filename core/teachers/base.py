"""What every model that can be asked is: requests in, replies out as they finish.

    class Echo(Teacher):
        def serve(self, inbox, out):
            for request in inbox:
                out([Reply(request, request.prompt)])

Two-step prompting needs no barrier between its steps: the requests that follow from a reply are put into
the inbox at once, while other questions are still at their first. core.teachers.desk keeps the replies.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from threading import Condition
from typing import Any

from core.records import Reply, Request

Out = Callable[[Sequence[Reply]], None]  # called from any thread, never blocks

CHARACTERS_PER_TOKEN = 4  # OpenAI's rule of thumb for English, where no tokenizer is at hand


def count_tokens(text: str) -> int:
    """Tokens of an English text without its tokenizer: a quarter of its characters, rounded up."""
    return math.ceil(len(text) / CHARACTERS_PER_TOKEN)


@dataclass(frozen=True)
class Prices:
    """US dollars per million tokens read and written."""

    prompt: float = 0.0
    completion: float = 0.0

    def cost(self, prompt_tokens: int, completion_tokens: int) -> float:
        """US dollars for one call."""
        return (self.prompt * prompt_tokens + self.completion * completion_tokens) / 1e6


class Inbox:
    """The requests to one model, in the order in which they are to be answered; grows until it is closed.

    What is put in together is taken together: what a model answers in one batch is no matter of timing.
    """

    def __init__(self) -> None:
        self._waiting: deque[Request] = deque()
        self._changed = Condition()
        self._closed = self.stopped = False

    def put(self, requests: Iterable[Request]) -> None:
        with self._changed:
            self._waiting.extend(requests)
            self._changed.notify_all()

    def close(self, stop: bool = False) -> None:
        """Nothing more comes; with `stop`, what still waits is not to be answered either."""
        with self._changed:
            self._closed, self.stopped = True, self.stopped or stop
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Request]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if self.stopped or not self._waiting:
                    return
                request = self._waiting.popleft()
            yield request

    def take(self, wait: bool) -> list[Request] | None:
        """All that is there, at least one where `wait`; None once it is closed and empty."""
        with self._changed:
            if wait:
                self._changed.wait_for(lambda: self._waiting or self._closed)
            if self.stopped or (self._closed and not self._waiting):
                return None
            found = list(self._waiting)
            self._waiting.clear()
            return found


class Teacher(AbstractContextManager["Teacher"]):
    """One opened model, a teacher or a student.

    name      shown in tables: "gpt-4o-mini @ https://api.openai.com/v1"
    identity  what the cache key says of it, never a key; None where replies are not kept
    prices    US dollars per million tokens
    """

    name: str
    identity: dict[str, Any] | None = None
    prices: Prices = Prices()

    @abstractmethod
    def serve(self, inbox: Inbox, out: Out) -> None:
        """Answer requests as they come, in any order, until the inbox is closed.

        A request that fails alone gives a Reply with `error`; what stops them all (no key, no such
        model, nobody there) raises LabError. Once the inbox is stopped nothing more is sent.
        """

    def close(self) -> None:  # noqa: B027  most hold nothing
        """Give back what it holds (a child process) at once, whatever it is at."""

    def __exit__(self, *_: object) -> None:
        self.close()
