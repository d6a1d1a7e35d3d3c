"""A Transformers model on this machine as teacher, batched.

The model lives in a child process, so that its memory is given back when the teacher is closed and
a child killed for memory is a sentence rather than the end of the worker. Prompts are sorted by
length, longest first: little padding, and a model too large for the machine fails at the start.
"""

from __future__ import annotations

import hashlib
import multiprocessing
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from core import settings
from core.errors import LabError
from core.records import Reply, Request, Sampling, content_hash
from core.teachers.base import Teacher, Then

WEIGHTS = ("*.safetensors", "*.bin", "*.gguf")
Written = tuple[int, str, str, int, int]  # position, text, finish reason, prompt and completion tokens


class Local(Teacher):
    """An embedded model's name, a folder or a hub id; `mode` chat applies the model's chat template."""

    def __init__(self, *, model: str, mode: str, batch_size: int, context: int) -> None:
        if mode not in ("chat", "completions"):
            raise LabError(f"A local model has no mode '{mode}': choose chat or completions.")
        if batch_size < 1:
            raise LabError(f"A batch of {batch_size} prompts is too small: set batch_size to 1 or more.")
        self.source = _source(model)
        self.identity = {"local": model, "weights": fingerprint(self.source), "mode": mode}
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
        if sampling.temperature:
            sampling = replace(sampling, seed=_seed(sampling, batch))
        prompts = [request.prompt for request in batch]
        try:
            written = self._child().submit(_write, prompts, sampling, self.mode).result()
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
            self._pool = ProcessPoolExecutor(
                1, multiprocessing.get_context("spawn"), initializer=_start, initargs=(self.source,)
            )
        return self._pool


def _next(queues: dict[Sampling, list[Request]], batch_size: int) -> tuple[Sampling, list[Request]]:
    """The newest queue that fills a batch, so that questions finish early; else the oldest with any."""
    full = [item for item in queues.items() if len(item[1]) >= batch_size]
    return full[-1] if full else next(item for item in queues.items() if item[1])


def _seed(sampling: Sampling, batch: list[Request]) -> int:
    """A seed of its own for each batch, or D batches of one question would draw the same sample."""
    asked = [[r.question_index, r.sample_index, r.step] for r in batch]
    return int(content_hash([sampling.seed, asked])[:8], 16)


def _source(model: str) -> str:
    """Folder of an embedded model, else what was given: a folder or a hub id."""
    embedded = settings.folder("models") / model
    if (embedded / "config.json").is_file():
        return str(embedded)
    if model == "SmolLM2-135M-Instruct":
        raise LabError("SmolLM2-135M-Instruct is not here yet: run `python -m core models fetch` once.")
    if Path(model).is_absolute() and not (Path(model) / "config.json").is_file():
        raise LabError(f"{model} holds no model: give a folder with config.json and weights, or a hub id.")
    return model


def fingerprint(source: str) -> str:
    """SHA-256 of a model folder's weights, so that another training in the same folder is another
    teacher; "" for a hub id."""
    folder = Path(source)
    files = sorted(path for pattern in WEIGHTS for path in folder.glob(pattern)) if folder.is_dir() else []
    return content_hash([_digest(path, path.stat().st_mtime_ns) for path in files]) if files else ""


@lru_cache(maxsize=64)
def _digest(path: Path, _modified: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# In the child -------------------------------------------------------------------------------------

_loaded: dict[str, Any] = {}  # the child's one model and tokenizer


def _start(source: str) -> None:
    _loaded["source"] = source


def _write(prompts: list[str], sampling: Sampling, mode: str) -> list[Written]:
    """Generate one batch; loads the model at the first."""
    import torch

    from core.students.generation import generate

    if "model" not in _loaded:
        _loaded["model"], _loaded["tokenizer"] = _load(_loaded["source"])
    model, tokenizer = _loaded["model"], _loaded["tokenizer"]
    if mode == "chat":
        prompts = [_chat(tokenizer, prompt) for prompt in prompts]
    if sampling.seed is not None:
        torch.manual_seed(sampling.seed)
    return [tuple(one) for one in generate(model, tokenizer, prompts, sampling, len(prompts))]


def _load(source: str) -> tuple[Any, Any]:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

    device = "cuda" if torch.cuda.is_available() else "cpu"
    # bf16 halves the memory where the device computes in it; T5 overflows in fp16, never in bf16.
    dtype = torch.bfloat16 if device == "cuda" and torch.cuda.is_bf16_supported() else torch.float32
    try:
        kind = AutoConfig.from_pretrained(source)
        loader = AutoModelForSeq2SeqLM if kind.is_encoder_decoder else AutoModelForCausalLM
        model = loader.from_pretrained(source, dtype=dtype)
        tokenizer = AutoTokenizer.from_pretrained(source)
    except (OSError, ValueError) as error:
        first = " ".join(str(error).split())[:200]
        raise LabError(
            f"Cannot load the model {source} ({first}): give a folder or hub id that loads."
        ) from None
    return model.to(device).eval(), tokenizer


def _chat(tokenizer: Any, prompt: str) -> str:
    if tokenizer.chat_template is None:
        raise LabError("This model has no chat template: use the mode completions.")
    return tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True
    )
