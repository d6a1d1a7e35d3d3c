"""A real HTTP server that speaks OpenAI's protocol, with latency and faults. No model is behind it.

    with running(latency=0.3, fault_every=20) as server:
        open_teacher("openai", base_url=server.url, model="any")
        server.stats()     {"calls": 1053, "answered": 1000, "most_in_flight": 32, …}

It runs in a process of its own, so that it and its client do not share an interpreter. A model's name
may ask for trouble: see TROUBLES.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FAULTS = ("429", "500", "drop")  # in turn, one in every `fault_every` calls

# model → (status, headers, body). {key} is the key that was sent: a careless server repeats it.
TROUBLES: dict[str, tuple[int, dict[str, str], str]] = {
    "refuses-key": (401, {}, '{"error": {"message": "Incorrect API key provided: {key}"}}'),
    "unknown": (404, {}, '{"error": {"message": "no such model", "code": "model_not_found"}}'),
    "too-long": (400, {}, '{"error": {"message": "{key}: this prompt has 9000 tokens, the model 4096."}}'),
    "unfit": (422, {}, '{"error": {"message": "stop has too many strings"}}'),
    "no-credit": (429, {"x-should-retry": "false"},
                  '{"error": {"message": "quota", "code": "insufficient_quota"}}'),
    "half-json": (200, {}, '{"id": "x", "choices": [{"te'),
    "half-a-character": (200, {}, r'{"choices": [{"finish_reason": "stop", "text": "3 \ud83d"}]}'),
    "no-choices": (200, {}, '{"id": "x", "object": "text_completion"}'),
    "html": (200, {"Content-Type": "text/html"}, "<html>a login page</html>"),
    "nested": (200, {}, '{"choices": ' + "[" * 100_000 + "]" * 100_000 + "}"),
    "choices-by-name": (200, {}, '{"choices": {"first": {"text": "5"}}}'),
    # Answers to keep, with something that no column of a table holds.
    "odd-usage": (200, {}, '{"choices": [{"index": 0, "text": "It is 5.", "finish_reason": "stop"}], '
                  '"usage": {"prompt_tokens": "many", "completion_tokens": 1e999}}'),
    "half-pair": (200, {}, '{"choices": [{"index": 0, "text": "5 \\ud83d", "finish_reason": "stop"}], '
                  '"usage": {"prompt_tokens": -3, "completion_tokens": ' + "9" * 30 + "}}"),
    "refuses-half-a-pair": (422, {}, '{"error": {"message": "\\ud83d is no text"}}'),
    "always-500": (500, {}, '{"error": {"message": "{key}"}}'),
}  # fmt: skip


@dataclass
class Server:
    """A running server, seen from outside."""

    url: str
    process: subprocess.Popen

    def stats(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/stats") as response:
            return json.load(response)


@contextmanager
def running(*, latency: float = 0.0, fault_every: int = 0, retry_after: float = 0.0) -> Iterator[Server]:
    """A server on a free port of 127.0.0.1, stopped at the end."""
    command = [sys.executable, str(Path(__file__)), "--latency", str(latency)]
    command += ["--fault-every", str(fault_every), "--retry-after", str(retry_after)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            port = process.stdout.readline().strip() if process.stdout else ""
            yield Server(f"http://127.0.0.1:{port}/v1", process)
        finally:
            process.terminate()


class Endpoint:
    """The server's side: counts what arrives, answers after `latency` seconds."""

    def __init__(self, latency: float, fault_every: int, retry_after: float) -> None:
        self.latency, self.fault_every, self.retry_after = latency, fault_every, retry_after
        self.arrived = self.calls = self.answered = self.in_flight = self.most_in_flight = 0
        self.serial = itertools.count()
        self.faults = itertools.cycle(FAULTS)
        self.prompts: dict[str, list[float]] = {}  # prompt → when it was asked
        self.bodies: list[dict[str, Any]] = []

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self.exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; False when the connection is over."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        route = head.split()[1]
        if route.endswith("/stats"):
            await _send(writer, 200, {}, json.dumps(self.stats()))
            return True
        length = int(re.search(r"(?im)^content-length: *(\d+)", head)[1])
        body = json.loads(await reader.readexactly(length))
        key = re.search(r"(?im)^authorization: *bearer +(\S*)", head)
        self.arrived += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self.latency)
            return await self.answer(writer, route, body, key[1] if key else "")
        finally:
            self.in_flight -= 1

    async def answer(self, writer: asyncio.StreamWriter, route: str, body: dict[str, Any], key: str) -> bool:
        self.calls += 1
        chat = route.endswith("/chat/completions")
        prompt = body["messages"][-1]["content"] if chat else body["prompt"]
        self.prompts.setdefault(prompt, []).append(time.time())
        self.bodies = [*self.bodies[-9:], body]
        if body["model"] in TROUBLES:
            status, headers, text = TROUBLES[body["model"]]
            await _send(writer, status, headers, text.replace("{key}", key))
            return True
        if self.fault_every and self.calls % self.fault_every == 0:
            fault = next(self.faults)
            if fault == "drop":
                return False
            headers = {"Retry-After": str(self.retry_after)} if fault == "429" else {}
            await _send(writer, int(fault), headers, '{"error": {"message": "try again"}}')
            return True
        self.answered += 1
        text = f"\n\nReply {next(self.serial)}. 3 + 4 = 7."
        choice = {"index": 0, "finish_reason": "stop"}
        choice |= {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
        usage = {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30}
        await _send(
            writer, 200, {}, json.dumps({"id": "x", "object": "c", "choices": [choice], "usage": usage})
        )
        return True

    def stats(self) -> dict[str, Any]:
        return {
            "arrived": self.arrived,
            "calls": self.calls,
            "answered": self.answered,
            "most_in_flight": self.most_in_flight,
            "prompts": self.prompts,
            "bodies": self.bodies,
        }


async def _send(writer: asyncio.StreamWriter, status: int, headers: dict[str, str], body: str) -> None:
    payload = body.encode()
    lines = {"Content-Type": "application/json", "Content-Length": str(len(payload))} | headers
    head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    writer.write(head.encode() + b"\r\n" + payload)
    await writer.drain()


async def serve(latency: float, fault_every: int, retry_after: float) -> None:
    """Serve until killed; the port is the first line of standard output."""
    endpoint = Endpoint(latency, fault_every, retry_after)
    server = await asyncio.start_server(endpoint.connection, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--fault-every", type=int, default=0, help="one call in so many fails (0: none)")
    parser.add_argument("--retry-after", type=float, default=0.0, help="seconds, sent with every 429")
    asked = parser.parse_args()
    asyncio.run(serve(asked.latency, asked.fault_every, asked.retry_after))
