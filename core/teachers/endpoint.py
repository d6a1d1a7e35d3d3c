"""A teacher behind an OpenAI-compatible HTTP endpoint: OpenAI, vLLM, Ollama, llama.cpp and others.

One event loop keeps `concurrency` calls in flight. Later steps go first, so that a question that was
begun is finished before another one is begun. The `openai` client does the retries: 408, 409, 429, 5xx,
time-outs and dropped connections, with growing waits and jitter, or for as long as Retry-After says.

The key is read by its name when a run starts; it is in no attribute, message, table or log.
"""

from __future__ import annotations

import asyncio
import math
import re
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from core import settings
from core.errors import LabError
from core.records import Reply, Request, Sampling, storable
from core.teachers.base import Inbox, Out, Prices, Teacher, count_tokens

if TYPE_CHECKING:
    import openai

LOOPBACK = {"localhost", "127.0.0.1", "::1", "0.0.0.0"}
CONNECT_SECONDS = 5.0
LONGEST_WAIT_SECONDS = 60.0  # between two tries, by the client
REASON_CHARACTERS = 200
MOST_TOKENS = 10**9  # no call has more, whatever a server says
KEY_NAME = re.compile(r"[A-Z_][A-Z0-9_]*")
NO_KEY = "none"  # what local servers expect where OpenAI expects a key


@dataclass(kw_only=True, eq=False)
class Endpoint(Teacher):
    """`model` at `base_url`; `key_name` names the secret that holds the key ("" = none is needed)."""

    base_url: str
    model: str
    mode: str
    key_name: str
    price_in: float
    price_out: float
    context: int
    concurrency: int
    timeout: float
    retries: int
    token_field: str

    def __post_init__(self) -> None:
        self.base_url = self.base_url.rstrip("/")
        self.name = f"{self.model} @ {self.base_url}"
        self.identity = {"endpoint": self.base_url, "model": self.model, "mode": self.mode}
        self.prices = Prices(self.price_in, self.price_out)
        self._calls: _Calls | None = None

    def serve(self, inbox: Inbox, out: Out) -> None:
        key = self._key()
        self._check_reachable()
        self._calls = _Calls(self, key, inbox, out)
        with suppress(asyncio.CancelledError):
            asyncio.run(self._calls.answer())

    def close(self) -> None:
        """Give up the calls that are in flight, with the tries that the client would still make."""
        if self._calls is not None:
            self._calls.give_up()

    def _key(self) -> str:
        key = settings.secret(self.key_name) if self.key_name else None
        if key or not self.key_name or _host(self.base_url) in LOOPBACK:
            return key or NO_KEY
        raise LabError(
            f"{self.base_url} needs the key {self.key_name}: put it into .streamlit/secrets.toml, "
            f"or into the environment before the lab starts, then resume."
        )

    def _check_reachable(self) -> None:
        """Say at once that nobody is there, rather than after a minute of retries."""
        url = urlsplit(self.base_url)
        host, port = _host(self.base_url), url.port or (443 if url.scheme == "https" else 80)
        if url.scheme in getproxies() and not proxy_bypass(host):
            return
        try:
            socket.create_connection((host, port), timeout=CONNECT_SECONDS).close()
        except OSError as error:
            raise self.unreachable(error.strerror or str(error)) from None

    def unreachable(self, reason: str) -> LabError:
        return LabError(
            f"Nobody answers at {self.base_url} ({reason}): "
            f"check the base URL and that its server runs, then start or resume."
        )

    def call(self, prompt: str, sampling: Sampling, draw: int) -> dict[str, Any]:
        """The arguments of one call. D samples under one seed get D seeds, or they would be equal."""
        arguments: dict[str, Any] = {"model": self.model, "temperature": sampling.temperature}
        arguments[self.token_field] = sampling.max_tokens
        if sampling.top_p != 1.0:
            arguments["top_p"] = sampling.top_p
        if sampling.stop:
            arguments["stop"] = list(sampling.stop)
        if sampling.seed is not None:
            arguments["seed"] = sampling.seed + draw
        if self.mode == "chat":
            return arguments | {"messages": [{"role": "user", "content": prompt}]}
        return arguments | {"prompt": prompt}

    @property
    def patience(self) -> float:
        """Seconds that all tries of a call may take, even one that sends a byte now and then without end."""
        return self.timeout * (self.retries + 1) + LONGEST_WAIT_SECONDS * self.retries

    def reply(self, request: Request, response: Any) -> Reply:
        """The reply in a response object; one with `error` if the response has no text."""
        try:
            choice = response.choices[0]
            text = choice.message.content if self.mode == "chat" else choice.text
            finish_reason = choice.finish_reason
        except (AttributeError, LookupError, TypeError):
            text = finish_reason = None
        if finish_reason == "content_filter":
            return self.failed(request, "its content filter refused to answer: leave this question out")
        if not isinstance(text, str):
            return self.failed(
                request, "its reply has no text: check that the base URL and the mode are the right ones"
            )
        text = storable(text)
        usage = getattr(response, "usage", None)
        prompt_tokens = _tokens(usage, "prompt_tokens") or count_tokens(request.prompt)
        written = _tokens(usage, "completion_tokens")
        completion_tokens = count_tokens(text) if written is None else written
        return Reply(
            request,
            text,
            "length" if finish_reason == "length" else "stop",
            prompt_tokens,
            completion_tokens,
            self.prices.cost(prompt_tokens, completion_tokens),
        )

    def failed(self, request: Request, reason: str) -> Reply:
        where = f"question {request.question_index}, sample {request.sample_index}"
        return Reply(request, finish_reason="error", error=f"{self.name}, {where}: {reason}.")

    def late(self, request: Request) -> Reply:
        return self.failed(
            request, f"no answer within {self.timeout:g} s: raise the time-out or lower the concurrency"
        )

    def explain(self, request: Request, error: openai.APIError, key: str) -> Reply:
        """A failed Reply for what concerns one request; raises LabError for what concerns them all."""
        import openai

        status = getattr(error, "status_code", None)
        if status in (401, 403):
            named = f"the key {self.key_name}" if self.key_name else "a call without a key"
            raise LabError(
                f"{self.base_url} refuses {named} (status {status}): "
                f"put a valid key into .streamlit/secrets.toml, or into the environment before the lab "
                f"starts, then resume."
            )
        if status == 404 or error.code == "model_not_found":
            raise LabError(
                f"{self.base_url} has no model '{self.model}' or no {self.mode} calls: "
                f"check the model's name, the base URL and the mode (chat or completions)."
            )
        if error.code == "insufficient_quota":
            raise LabError(f"The account at {self.base_url} has no credit left: add some, then resume.")
        if isinstance(error, openai.APITimeoutError):
            return self.late(request)
        if isinstance(error, openai.APIConnectionError):
            if type(error.__cause__).__name__ == "ConnectError":
                raise self.unreachable("it has stopped answering")
            return self.failed(request, "the connection was dropped each time: run the failed items again")
        if status == 429:
            return self.failed(
                request, "over its rate limit (429): lower the concurrency or wait, then resume"
            )
        if status is not None and status >= 500:
            return self.failed(request, f"the server failed (status {status}): run the failed items again")
        if status is not None and 400 <= status < 500:
            return self.failed(request, f"it refuses the request (status {status}): {_reason(error, key)}")
        return self.failed(request, "its reply is not valid JSON: check that the base URL is the right one")


class _Calls:
    """The calls of one inbox: a queue that workers of an event loop take from, later steps first."""

    def __init__(self, teacher: Endpoint, key: str, inbox: Inbox, out: Out) -> None:
        self.teacher, self.inbox, self.out = teacher, inbox, out
        self._secret = key
        self.queue: asyncio.PriorityQueue[tuple[float, int, Request | None]] = asyncio.PriorityQueue()
        self.working: asyncio.Future[list[BaseException | None]] | None = None

    def give_up(self) -> None:
        if self.working is not None:
            with suppress(RuntimeError):  # the loop has ended
                self.working.get_loop().call_soon_threadsafe(self.working.cancel)

    async def answer(self) -> None:
        import openai

        loop = asyncio.get_running_loop()
        threading.Thread(target=self._feed, args=(loop,), name="inbox", daemon=True).start()
        async with openai.AsyncOpenAI(
            api_key=self._secret,
            base_url=self.teacher.base_url,
            timeout=openai.Timeout(self.teacher.timeout, connect=CONNECT_SECONDS),
            max_retries=self.teacher.retries,
        ) as client:
            self.working = asyncio.gather(
                *(self._worker(client) for _ in range(self.teacher.concurrency)), return_exceptions=True
            )
            found = await self.working
        if problem := next((one for one in found if one is not None), None):
            raise problem

    def _feed(self, loop: asyncio.AbstractEventLoop) -> None:
        order = count()
        with suppress(RuntimeError):  # the loop has ended: an error ended all calls
            for request in self.inbox:
                entry = -request.depth, next(order), request
                loop.call_soon_threadsafe(self.queue.put_nowait, entry)
            last = -math.inf if self.inbox.stopped else math.inf
            loop.call_soon_threadsafe(self.queue.put_nowait, (last, next(order), None))

    async def _worker(self, client: openai.AsyncOpenAI) -> None:
        try:
            while (entry := await self.queue.get())[2] is not None:
                self.out([await self._call(client, entry[2])])
        except BaseException:
            entry = -math.inf, -1, None  # ends the others too, after their calls in flight
            raise
        finally:
            self.queue.put_nowait(entry)

    async def _call(self, client: openai.AsyncOpenAI, request: Request) -> Reply:
        import openai

        teacher = self.teacher
        create = client.chat.completions.create if teacher.mode == "chat" else client.completions.create
        try:
            async with asyncio.timeout(teacher.patience):
                response = await create(**teacher.call(request.prompt, request.sampling, request.draw))
        except TimeoutError:
            return teacher.late(request)
        except openai.APIError as error:
            failure = error
        except (ValueError, RecursionError):  # a body that is no JSON, whatever its header says
            return teacher.failed(
                request, "its reply is not valid JSON: check that the base URL is the right one"
            )
        else:
            return teacher.reply(request, response)
        # Outside the handler: the client's exception holds the request with its key.
        return teacher.explain(request, failure, self._secret)


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def key_name(name: str) -> str:
    """A key's name. LabError for a key itself: what a study says is stored and shown."""
    if name and not KEY_NAME.fullmatch(name):
        raise LabError(
            "The key name must be a variable's name such as OPENAI_API_KEY, never the key itself: correct it."
        )
    return name


def base_url(whole: str) -> str:
    """Where an endpoint is. LabError for what is no URL, or holds a key."""
    url = urlsplit(whole)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise LabError("The base URL must look like https://host/v1: correct it.")
    if url.username or url.password or url.query:
        raise LabError("The base URL holds a user, password or query: name the key by its key name instead.")
    return whole


def _tokens(usage: Any, name: str) -> int | None:
    """What a server says it counted; None where that is no number of tokens."""
    value = getattr(usage, name, None)
    return value if type(value) is int and 0 <= value < MOST_TOKENS else None


def _reason(error: openai.APIError, key: str) -> str:
    """The server's own words, on one line, without the key it may repeat."""
    body = error.body if isinstance(error.body, dict) else {}
    words = " ".join(str(body.get("message") or "no reason given").split()).rstrip(".")
    return words.replace(key, "…")[:REASON_CHARACTERS]
