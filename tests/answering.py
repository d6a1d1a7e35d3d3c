"""A real HTTP server that speaks OpenAI's completions protocol and says what a test wants.

with answering(lambda body: " 3 + 4 = 7.") as server:
    open_teacher("llama.cpp", base_url=server.url, model="any")
server.prompts     every prompt that was answered
server.keys        the keys that came with them
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Answer = Callable[[dict[str, Any]], str | None]  # the request's body → the text, None: status 400


class Answering(ThreadingHTTPServer):
    """Says what `answer` returns; `usage` is (prompt tokens, completion tokens) of every reply."""

    def __init__(self, answer: Answer, usage: tuple[int, int] | None, address: tuple[str, int]) -> None:
        super().__init__(address, _Handler)
        self.answer, self.usage = answer, usage
        self.prompts: list[str] = []
        self.keys: set[str] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def reply(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and document."""
        if (text := self.answer(body)) is None:
            return 400, {}
        self.prompts.append(body["prompt"])
        document: dict[str, Any] = {"choices": [{"index": 0, "finish_reason": "stop", "text": text}]}
        if self.usage:
            document["usage"] = dict(zip(("prompt_tokens", "completion_tokens"), self.usage, strict=True))
        return 200, document


@contextmanager
def answering(
    answer: Answer, usage: tuple[int, int] | None = None, address: tuple[str, int] = ("127.0.0.1", 0)
) -> Iterator[Answering]:
    """The server, on a free port of 127.0.0.1 where nothing else is asked, stopped at the end."""
    with Answering(answer, usage, address) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Answering

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.keys.add(self.headers["Authorization"].removeprefix("Bearer "))
        status, document = self.server.reply(body)
        payload = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
