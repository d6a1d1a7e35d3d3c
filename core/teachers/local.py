"""A Transformers model on this machine as teacher, batched.

The model lives in a child process, so that its memory is given back when the teacher is closed and
a child killed for memory is a sentence rather than the end of the worker. Prompts are sorted by
length, longest first: little padding, and a model too large for the machine fails at the start.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import process
from core.errors import LabError
from core.models.generation import Generated
from core.models.sources import fingerprint, kind, locate
from core.records import Reply, Request, Sampling, content_hash
from core.teachers.base import Inbox, Out, Teacher

# What every model's process imports: three seconds, and nothing that touches a device.
LIBRARIES = ("torch", "transformers.modeling_utils", "transformers.generation.utils")


class Local(Teacher):
    """An embedded model's name, a folder or a hub id; `mode` chat applies the model's chat template."""

    def __init__(self, *, model: str, mode: str, batch_size: int, context: int) -> None:
        self.folder = locate(model)
        named = "" if kind(model) == "folder" else model  # a folder is known by its weights, wherever it is
        self.identity = {"local": named, "weights": fingerprint(self.folder), "mode": mode}
        self.batch_size, self.context = batch_size, context
        self.cut_prompts = 0
        self._model = _Model(self.folder, mode)
        self._pool: ProcessPoolExecutor | None = None

    def serve(self, inbox: Inbox, out: Out) -> None:
        # One queue for each way of sampling: what is generated together is sampled alike.
        queues: dict[Sampling, list[Request]] = {}
        while (more := inbox.take(wait=not any(queues.values()))) is not None or any(queues.values()):
            if inbox.stopped:
                return
            for request in more or ():
                queues.setdefault(request.sampling, []).append(request)
            for sampling in {request.sampling for request in more or ()}:
                queues[sampling].sort(key=self.place)
            sampling, waiting = _next(queues, self.batch_size)
            batch = [waiting.pop() for _ in range(min(self.batch_size, len(waiting)))]
            try:
                out(self._replies(batch, sampling))
            except BrokenProcessPool:
                self._pool = None
                if inbox.stopped:
                    return
                raise LabError(
                    f"The process of {self.name} died, most likely because memory ran out: "
                    f"choose a smaller batch_size or a smaller model, then resume; what is finished is kept."
                ) from None

    def place(self, request: Request) -> Any:
        """What requests are sorted by, the largest answered first: the length of their prompts."""
        return len(request.prompt)

    def close(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            for child in list((pool._processes or {}).values()):
                child.kill()  # it may be in the middle of a batch
            pool.shutdown(wait=True, cancel_futures=True)

    def _replies(self, batch: list[Request], sampling: Sampling) -> list[Reply]:
        if self._pool is None:
            self._pool = process.pool(_start, self._model, preloaded=LIBRARIES)
        prompts = [request.prompt for request in batch]
        seeds = [_seed(request) for request in batch]
        written, cut = self._pool.submit(_write, prompts, seeds, sampling).result()
        self.cut_prompts += cut
        return [Reply(batch[one.index], *one[1:]) for one in written]


class Student(Local):
    """A student's folder as one asks it: no reply is kept but in its run.

    `precision` is "auto", "fp32" or "bf16"; prompts are cut to `max_input_tokens`.
    """

    def __init__(
        self, name: str, folder: Path, precision: str, max_input_tokens: int, batch_size: int
    ) -> None:
        self.name, self.folder, self.batch_size = name, folder, batch_size
        self.cut_prompts = 0
        self._model = _Model(folder, "completions", precision, max_input_tokens)
        self._pool = None

    def place(self, request: Request) -> Any:
        """In the order of the questions: in bf16 a text may depend on those that it is batched with."""
        return -request.question_index, -request.sample_index


def _next(queues: dict[Sampling, list[Request]], batch_size: int) -> tuple[Sampling, list[Request]]:
    """The newest queue that fills a batch, so that questions finish early; else the oldest with any."""
    full = [item for item in queues.items() if len(item[1]) >= batch_size]
    return full[-1] if full else next(item for item in queues.items() if item[1])


def _seed(request: Request) -> int:
    """The random stream of one request: the same whatever it is batched with, another for each sample."""
    return int(content_hash([request.question_index, request.draw, request.step])[:15], 16)


# In the child -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Model:
    """What the child loads, and how it reads a prompt."""

    folder: Path
    mode: str
    precision: str | None = None  # None: bf16 on a GPU that computes in it, else fp32
    max_input_tokens: int | None = None


_loaded: dict[str, Any] = {}  # the child's one model and tokenizer


def _start(model: _Model) -> None:
    _loaded["asked"] = model


def _write(prompts: list[str], seeds: list[int], sampling: Sampling) -> tuple[list[Generated], int]:
    """One batch, and how many of its prompts were cut; loads the model at the first."""
    from core.models.generation import generate, input_limit

    asked = _loaded["asked"]
    if "model" not in _loaded:
        _loaded["model"], _loaded["tokenizer"] = _load(asked)
    model, tokenizer = _loaded["model"], _loaded["tokenizer"]
    if asked.mode == "chat":
        prompts = [_chat(tokenizer, prompt) for prompt in prompts]
    limit = asked.max_input_tokens
    made = generate(model, tokenizer, prompts, sampling, len(prompts), seeds=seeds, max_input_tokens=limit)
    room = input_limit(model.config, limit)
    cut = sum(len(ids) > room for ids in tokenizer(prompts)["input_ids"]) if room else 0
    return list(made), cut


def _load(asked: _Model) -> tuple[Any, Any]:
    import torch

    from core.models import loading

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if asked.precision is None:
        # bf16 halves the memory where the device computes in it; T5 overflows in fp16, never in bf16.
        bf16 = device.type == "cuda" and loading.computes_in_bf16("cuda")
    else:
        bf16 = loading.precision(asked.precision, device) == "bf16"
    model = loading.load_model(asked.folder, torch.bfloat16 if bf16 else torch.float32)
    return model.to(device).eval(), loading.load_tokenizer(asked.folder)


def _chat(tokenizer: Any, prompt: str) -> str:
    if tokenizer.chat_template is None:
        raise LabError("This model has no chat template: use the mode completions.")
    return tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True
    )
