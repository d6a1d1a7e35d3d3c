"""What every teacher is: prompts in, completions out as they finish.

    with open_teacher("openai", model="gpt-4o-mini") as teacher:
        for reply in teacher.complete(requests, Sampling(max_tokens=128)):
            print(reply.request.question_index, reply.text)

Two-step prompting needs no barrier between its steps: `then(reply)` is called the moment a reply is
there, and the requests it returns are sent at once, while other questions are still at their first.

Recorded completions and worked solutions belong to a question, not to a prompt. They fit the same
interface, because a request says whose it is (`question_index`, `sample_index`) and which step it
is; their replies carry the prompt they really answered.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from core.records import Reply, Request, Sampling

# Called once for each reply, one at a time, in a thread of the teacher's, before the reply is
# yielded: what must not be lost is kept here. Returns the requests that follow from it.
Then = Callable[[Reply], list[Request]]

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


class Teacher(ABC):
    """One opened teacher.

    name      shown in tables: "gpt-4o-mini @ https://api.openai.com/v1"
    identity  what the cache key says of it, never a key; None if it makes no call, so that there is
              nothing to keep and nothing to pay
    prices    US dollars per million tokens
    waiting   called now and then while no reply comes; what it raises ends the run
    """

    name: str
    identity: dict[str, Any] | None = None
    prices: Prices = Prices()
    waiting: Callable[[], None] = staticmethod(lambda: None)

    @abstractmethod
    def complete(
        self, requests: Iterable[Request], sampling: Sampling, then: Then | None = None
    ) -> Iterator[Reply]:
        """Replies as they finish, in any order, one for each request and each request of `then`.

        A request that fails alone gives a Reply with `error`; what stops them all (no key, no such
        model, nobody there) raises LabError. Closing the iterator sends nothing more.
        """

    def close(self) -> None:  # noqa: B027  most hold nothing
        """Give back what it holds (a child process)."""

    def __enter__(self) -> Teacher:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
