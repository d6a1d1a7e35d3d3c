"""Prompts → texts, batched: what students and local teachers write.

    for item in generate(model, tokenizer, ["… ###", "… ###"], Sampling(max_tokens=256)):
        item.index, item.text, item.finish_reason     # 1, " … 54 - 28 = 26. --> 26", "stop"

Prompts are sorted by length and padded on the left (decoders) or right (encoders), with attention mask
and position ids, so in fp32 a greedy text does not depend on its batch. A row leaves the batch when it
has ended; each row samples from its own seeded stream.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from core.errors import LabError
from core.models.cache import make_room
from core.records import Sampling

if TYPE_CHECKING:
    import torch

SHRINK = 0.75  # rows that ended are dropped from the cache once so many of the batch are left
TAIL_TOKENS = 8  # decoded beyond a stop string's own length, to find it across token borders


class Generated(NamedTuple):
    """One text. `index` is the prompt's position in the list; `finish_reason` is "stop" or "length"."""

    index: int  # type: ignore[assignment]  # tuples have a method of that name
    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int


def generate(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[str],
    sampling: Sampling,
    batch_size: int = 32,
    *,
    seeds: Sequence[int] | None = None,
    autocast: bool = False,
    max_input_tokens: int | None = None,
    tick: Callable[[], None] = lambda: None,
) -> Iterator[Generated]:
    """Every prompt's text, batch by batch (so not in the order of the prompts).

    Temperature 0 is greedy. `seeds` gives each prompt its own random stream (default: sampling.seed and the
    prompt's position). `autocast` computes an fp32 model in bf16. Longer prompts are cut at the front
    for decoders, at the end for encoder-decoders. The batch is halved while memory runs out. `tick` is called
    before each token; raise from it to stop.
    """
    from accelerate.utils import release_memory
    from accelerate.utils.memory import should_reduce_batch_size

    encoded = encode_prompts(model, tokenizer, prompts, max_input_tokens)
    order = sorted(range(len(prompts)), key=lambda i: (-len(encoded[i]), i))  # the largest batch first
    start = 0
    while start < len(order):
        chosen = order[start : start + batch_size]
        rows = [
            Continuation(i, encoded[i], _stream(sampling, i, seeds) if sampling.temperature > 0 else None)
            for i in chosen
        ]
        try:
            _run(model, tokenizer, rows, sampling, autocast, tick)
        except RuntimeError as error:
            if not should_reduce_batch_size(error):
                raise
            if len(chosen) == 1:
                raise LabError(
                    "Memory runs out on a single prompt: choose a smaller model, or fewer tokens."
                ) from None
            batch_size = len(chosen) // 2
        else:
            for row in rows:
                yield row.result(tokenizer, sampling)
            start += len(chosen)
            continue
        release_memory()


def encode_prompts(
    model: Any, tokenizer: Any, prompts: Sequence[str], limit: int | None = None
) -> list[list[int]]:
    """Token ids of prompts, cut to `limit` and to what the model's positions hold."""
    if not prompts:
        return []
    encoded = tokenizer(list(prompts), add_special_tokens=True)["input_ids"]
    limit = input_limit(model.config, limit)
    if model.config.is_encoder_decoder:
        return [cut_end(ids, limit, tokenizer.eos_token_id) for ids in encoded]
    return [cut_front(ids, limit, tokenizer) for ids in encoded]


def input_limit(config: Any, limit: int | None = None) -> int | None:
    """How many tokens of a prompt a model reads: at most `limit`, and what its positions hold."""
    if config.is_encoder_decoder:
        # T5's positions are relative: its `n_positions` bounds nothing.
        room = getattr(config, "max_position_embeddings", None)
    else:
        positions = context_size(config)
        room = positions - 1 if positions else None  # a decoder needs a place to write
    return min((n for n in (limit, room) if n), default=None)


def cut_end(ids: list[int], limit: int | None, eos: int | None) -> list[int]:
    """At most `limit` ids, still ending with the end-of-text token where there was one."""
    if limit is None or len(ids) <= limit:
        return list(ids)
    return [*ids[: limit - 1], eos] if ids[-1] == eos else list(ids[:limit])


def cut_front(ids: list[int], limit: int | None, tokenizer: Any) -> list[int]:
    """At most `limit` ids for a decoder to continue: the end is kept, and nothing ends the text."""
    ids = list(ids)
    if ids and ids[-1] == tokenizer.eos_token_id:
        ids.pop()
    if not ids:
        ids = [tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id]
    if limit is None or len(ids) <= limit:
        return ids
    first = ids[:1] if ids[0] == tokenizer.bos_token_id and limit > 1 else []
    return first + ids[len(ids) - limit + len(first) :]


def context_size(config: Any) -> int | None:
    """How many positions a decoder has; None where they are relative."""
    return getattr(config, "max_position_embeddings", None) or getattr(config, "n_positions", None)


@dataclass
class Continuation:
    """One prompt while it is being continued."""

    index: int
    prompt: list[int]
    stream: torch.Generator | None
    tokens: list[int] = field(default_factory=list)
    finish_reason: str = ""

    def result(self, tokenizer: Any, sampling: Sampling) -> Generated:
        text = _text(tokenizer, self.tokens)
        ends = [at for stop in sampling.stop if (at := text.find(stop)) >= 0]
        text = text[: min(ends, default=len(text))]
        return Generated(self.index, text, self.finish_reason or "length", len(self.prompt), len(self.tokens))


def _text(tokenizer: Any, tokens: list[int]) -> str:
    return tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)


def _stream(sampling: Sampling, index: int, seeds: Sequence[int] | None) -> torch.Generator:
    import torch

    seed = seeds[index] if seeds is not None else index
    digest = hashlib.sha256(f"{sampling.seed or 0}:{seed}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


def _run(
    model: Any,
    tokenizer: Any,
    rows: list[Continuation],
    sampling: Sampling,
    autocast: bool,
    tick: Callable[[], None],
) -> None:
    """Continue a batch of rows until each has ended, in place."""
    import torch

    device = next(model.parameters()).device
    ends = _end_tokens(model, tokenizer)
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, enabled=autocast):
            batch = (Encoded if model.config.is_encoder_decoder else Decoded)(model, tokenizer, rows, device)
            live = list(rows)  # as in the cache, ended ones included
            while True:
                tick()
                chosen = _choose(batch.last, live, sampling)
                for row, token in zip(live, chosen, strict=True):
                    if not row.finish_reason:
                        _take(row, token, ends, tokenizer, sampling, batch.room(row))
                kept = [i for i, row in enumerate(live) if not row.finish_reason]
                if not kept:
                    return
                tokens = torch.tensor(chosen, device=device)
                if len(kept) <= SHRINK * len(live) and batch.select(torch.tensor(kept, device=device)):
                    live, tokens = [live[i] for i in kept], tokens[kept]
                batch.feed(tokens)
    finally:
        model.train(was_training)


def _end_tokens(model: Any, tokenizer: Any) -> set[int]:
    ends: set[Any] = set()
    for owner in (tokenizer, model.config, model.generation_config):
        value = getattr(owner, "eos_token_id", None)
        ends |= set(value) if isinstance(value, (list, tuple)) else {value} - {None}
    return ends


def _take(
    row: Continuation, token: int, ends: set[int], tokenizer: Any, sampling: Sampling, room: int
) -> None:
    """Append a token to a row and see whether that ends it."""
    if token in ends:
        row.finish_reason = "stop"
        return
    row.tokens.append(token)
    if sampling.stop:
        width = max(len(s.encode()) for s in sampling.stop) + TAIL_TOKENS
        tail = _text(tokenizer, row.tokens[-width:])
        if any(stop in tail for stop in sampling.stop):
            row.finish_reason = "stop"
            return
    if len(row.tokens) >= min(sampling.max_tokens, room):
        row.finish_reason = "length"


def _choose(logits: torch.Tensor, rows: list[Continuation], sampling: Sampling) -> list[int]:
    """The next token of each row; logits (rows, vocabulary)."""
    import torch

    if sampling.temperature <= 0:
        return logits.argmax(-1).tolist()
    chances = (logits.float().cpu() / sampling.temperature).softmax(-1)
    chances, tokens = chances.sort(dim=-1, descending=True, stable=True)
    mass = chances.cumsum(-1)
    kept = mass - chances < sampling.top_p  # the smallest set of tokens that holds top_p
    mass = (chances * kept).cumsum(-1)
    drawn = torch.stack([torch.rand(1, generator=row.stream) for row in rows]) * mass[:, -1:]
    at = torch.searchsorted(mass, drawn, right=True).clamp_max(kept.sum(-1, keepdim=True) - 1)
    return tokens.gather(-1, at).squeeze(-1).tolist()


def padded(
    rows: Sequence[Sequence[int]], fill: int, side: str = "right", device: Any = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """(ids, mask), both (rows, longest), padded on this side."""
    import torch
    from torch.nn.utils.rnn import pad_sequence

    ids = [torch.tensor(row, dtype=torch.long) for row in rows]
    masks = [torch.ones_like(row) for row in ids]
    return pad_sequence(ids, True, fill, side).to(device), pad_sequence(masks, True, 0, side).to(device)


def pad_id(tokenizer: Any) -> int:
    """The id that fills a batch; masked everywhere, so any will do."""
    return tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id


class _Batch:
    """Rows that are continued together; `last` are the logits of their next tokens, (rows, vocabulary)."""

    mask: torch.Tensor
    cache: Any = None
    last: torch.Tensor

    def __init__(self, model: Any) -> None:
        self.model = model

    def forward(self, **inputs: Any) -> None:
        """Go on by what is fed, behind what is cached."""
        out = self.model(attention_mask=self.mask, past_key_values=self.cache, use_cache=True, **inputs)
        self.cache, self.last = make_room(out.past_key_values), out.logits[:, -1]

    def select(self, index: torch.Tensor) -> bool:
        """Leave these rows only; False where the cache cannot."""
        if not hasattr(self.cache, "batch_select_indices"):
            return False
        self.cache.batch_select_indices(index)
        self.mask = self.mask[index]
        return True


class Decoded(_Batch):
    """A batch of a decoder: prompts on the left-padded side of the cache, new tokens after it."""

    def __init__(self, model: Any, tokenizer: Any, rows: list[Continuation], device: Any) -> None:
        super().__init__(model)
        self.context = context_size(model.config) or 10**9
        self.takes = inspect.signature(type(model).forward).parameters
        ids, self.mask = padded([row.prompt for row in rows], pad_id(tokenizer), "left", device)
        self.positions = (self.mask.cumsum(-1) - 1).clamp_min(0)
        self.forward(input_ids=ids)

    def forward(self, **inputs: Any) -> None:
        own = {"position_ids": self.positions, "logits_to_keep": 1}
        super().forward(**inputs, **{name: value for name, value in own.items() if name in self.takes})

    def room(self, row: Continuation) -> int:
        return self.context - len(row.prompt)

    def select(self, index: torch.Tensor) -> bool:
        if left := super().select(index):
            self.positions = self.positions[index]
        return left

    def feed(self, tokens: torch.Tensor) -> None:
        import torch

        self.mask = torch.cat([self.mask, self.mask.new_ones(len(tokens), 1)], -1)
        # Rows that ended but are still in the batch stay inside the model's positions.
        self.positions = (self.positions[:, -1:] + 1).clamp_max(self.context - 1)
        self.forward(input_ids=tokens[:, None])


class Encoded(_Batch):
    """A batch of an encoder-decoder: prompts read once, new tokens in the decoder's cache."""

    def __init__(self, model: Any, tokenizer: Any, rows: list[Continuation], device: Any) -> None:
        super().__init__(model)
        self.positions = getattr(model.config, "max_position_embeddings", None) or 10**9
        ids, self.mask = padded([row.prompt for row in rows], pad_id(tokenizer), device=device)
        self.read = model.get_encoder()(input_ids=ids, attention_mask=self.mask)
        self.feed(ids.new_full((len(rows),), _decoder_start(model, tokenizer)))

    def room(self, row: Continuation) -> int:
        return self.positions - 1

    def select(self, index: torch.Tensor) -> bool:
        if left := super().select(index):
            self.read.last_hidden_state = self.read.last_hidden_state[index]
        return left

    def feed(self, tokens: torch.Tensor) -> None:
        self.forward(decoder_input_ids=tokens[:, None], encoder_outputs=self.read)


def _decoder_start(model: Any, tokenizer: Any) -> int:
    for config in (model.config, model.generation_config):
        if (value := getattr(config, "decoder_start_token_id", None)) is not None:
            return value
    return pad_id(tokenizer)
