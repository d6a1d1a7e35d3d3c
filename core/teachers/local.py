"""A Transformers model on this machine as teacher, batched.

The model lives in a child process, so that its memory is given back when the teacher is closed and
a child killed for memory is a sentence rather than the end of the worker. Prompts are sorted by
length, longest first: little padding, and a model too large for the machine fails at the start.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from pathlib import Path
from typing import Any

from core import process
from core.errors import LabError
from core.records import Reply, Request, Sampling, content_hash
from core.teachers.base import Teacher, Then

Written = tuple[int, str, str, int, int]  # position, text, finish reason, prompt and completion tokens


class Local(Teacher):
    """An embedded model's name, a folder or a hub id; `mode` chat applies the model's chat template."""

    def __init__(self, *, model: str, mode: str, batch_size: int, context: int) -> None:
        from core.students.table import location, resolve

        if mode not in ("chat", "completions"):
            raise LabError(f"A local model has no mode '{mode}': choose chat or completions.")
        if batch_size < 1:
            raise LabError(f"A batch of {batch_size} prompts is too small: set batch_size to 1 or more.")
        self.folder = location(resolve(model))
        self.identity = {"local": model, "weights": fingerprint(self.folder), "mode": mode}
        self.mode, self.batch_size, self.context = mode, batch_size, context
        self._pool: ProcessPoolExecutor | None = None

    def complete(
        self, requests: Iterable[Request], sampling: Sampling, then: Then | None = None
    ) -> Iterator[Reply]:
        # One queue for each way of sampling: what is generated together is sampled alike.
        queues: dict[Sampling, list[Request]] = {}

        def queue(asked: Iterable[Request]) -> None:
            for request in asked:
                queues.setdefault(request.sampling or sampling, []).append(request)

        queue(requests)
        for waiting in queues.values():
            waiting.sort(key=lambda r: len(r.prompt))
        while any(queues.values()):
            way, waiting = _next(queues, self.batch_size)
            batch = [waiting.pop() for _ in range(min(self.batch_size, len(waiting)))]
            for reply in self._replies(batch, way):
                if then is not None:
                    queue(then(reply))
                yield reply

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def _replies(self, batch: list[Request], sampling: Sampling) -> list[Reply]:
        prompts = [request.prompt for request in batch]
        seeds = [_seed(request) for request in batch]
        try:
            written = self._child().submit(_write, prompts, seeds, sampling, self.mode).result()
        except BrokenProcessPool:
            self._pool = None
            raise LabError(
                f"The process of {self.name} died, most likely because memory ran out: "
                f"choose a smaller batch_size or a smaller model, then resume; what is finished is kept."
            ) from None
        return [
            Reply(batch[i], text, finish_reason, prompt_tokens, completion_tokens)
            for i, text, finish_reason, prompt_tokens, completion_tokens in written
        ]

    def _child(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = process.pool(_start, self.folder)
        return self._pool


def _next(queues: dict[Sampling, list[Request]], batch_size: int) -> tuple[Sampling, list[Request]]:
    """The newest queue that fills a batch, so that questions finish early; else the oldest with any."""
    full = [item for item in queues.items() if len(item[1]) >= batch_size]
    return full[-1] if full else next(item for item in queues.items() if item[1])


def _seed(request: Request) -> int:
    """The random stream of one request: the same whatever it is batched with, another for each sample."""
    return int(content_hash([request.question_index, request.sample_index, request.step])[:15], 16)


def fingerprint(folder: Path) -> str:
    """SHA-256 of a checkpoint's weights: another training in the same folder is another teacher."""
    files = sorted(folder.glob("*.safetensors"))
    return content_hash([_digest(path, path.stat().st_mtime_ns) for path in files])


@lru_cache(maxsize=64)
def _digest(path: Path, _modified: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# In the child -------------------------------------------------------------------------------------

_loaded: dict[str, Any] = {}  # the child's one model and tokenizer


def _start(folder: Path) -> None:
    _loaded["folder"] = folder


def _write(prompts: list[str], seeds: list[int], sampling: Sampling, mode: str) -> list[Written]:
    """Generate one batch; loads the model at the first."""
    from core.models.generation import generate

    if "model" not in _loaded:
        _loaded["model"], _loaded["tokenizer"] = _load(_loaded["folder"])
    model, tokenizer = _loaded["model"], _loaded["tokenizer"]
    if mode == "chat":
        prompts = [_chat(tokenizer, prompt) for prompt in prompts]
    made = generate(model, tokenizer, prompts, sampling, len(prompts), seeds=seeds)
    return [tuple(one) for one in made]


def _load(folder: Path) -> tuple[Any, Any]:
    import torch

    from core.models import loading

    device = "cuda" if torch.cuda.is_available() else "cpu"
    # bf16 halves the memory where the device computes in it; T5 overflows in fp16, never in bf16.
    dtype = torch.bfloat16 if device == "cuda" and torch.cuda.is_bf16_supported() else torch.float32
    return loading.load_model(folder, dtype).to(device).eval(), loading.load_tokenizer(folder)


def _chat(tokenizer: Any, prompt: str) -> str:
    if tokenizer.chat_template is None:
        raise LabError("This model has no chat template: use the mode completions.")
    return tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True
    )
