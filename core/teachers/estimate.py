"""What a generation will cost at most, said before it starts.

Completions are bounded by `max_tokens`; prompts are counted with a tokenizer where one is at hand,
else as a quarter of their characters. An upper bound, and labelled so: replies mostly end earlier.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from core import settings
from core.records import Sampling
from core.teachers.base import Prices, count_tokens

COUNTED_CHARACTERS = 300_000  # about a tenth of a second for a tokenizer


@dataclass(frozen=True, slots=True)
class Estimate:
    """Upper bounds. `over_context` counts prompts that may not fit the context window with their answer."""

    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost: float  # US dollars
    over_context: int = 0
    counted: float = 0.0  # the share of the prompts' characters that the model's own tokenizer counted

    def __str__(self) -> str:
        tokens = self.prompt_tokens + self.completion_tokens
        return f"at most {self.calls:,} calls, {tokens:,} tokens, ${self.cost:,.2f} (upper bound)"


def unwritten(place: int) -> str:
    """Stands for the text of a dry run's step, which nobody has written: a private character."""
    return chr(0x100000 + place)


def bounds(
    runs: Sequence[Sequence[tuple[Any, Sampling]]],
    prices: Prices | Mapping[str, Prices],
    *,
    samples: int = 1,
    context: int | None = None,
    count: Callable[[str], int] = count_tokens,
) -> Estimate:
    """Bounds for `samples` dry runs of each question: its asks, each with its sampling.

    Where a prompt holds the text of an earlier step (`unwritten`), that step's limit is counted for it.
    """
    calls = read = written = 0
    cost, counted = 0.0, 1.0
    widest = [0] * len(runs)
    for place in range(max(map(len, runs), default=0)):
        asked = [(i, run[place]) for i, run in enumerate(runs) if place < len(run)]
        silent = dict.fromkeys(map(ord, map(unwritten, range(place))))
        lengths, share = _lengths([ask.prompt.translate(silent) for _, (ask, _) in asked], count)
        counted = min(counted, share)
        for (i, (ask, sampling)), length in zip(asked, lengths, strict=True):
            for earlier, (_, limit) in enumerate(runs[i][:place]):
                length += ask.prompt.count(unwritten(earlier)) * limit.max_tokens
            own = prices if isinstance(prices, Prices) else prices[ask.role]
            calls, read, written = calls + 1, read + length, written + sampling.max_tokens
            cost += own.cost(length, sampling.max_tokens)
            widest[i] = max(widest[i], length + sampling.max_tokens)
    return Estimate(
        calls=calls * samples,
        prompt_tokens=read * samples,
        completion_tokens=written * samples,
        cost=cost * samples,
        over_context=sum(context is not None and n > context for n in widest),
        counted=counted if runs else 0.0,
    )


def _lengths(prompts: list[str], count: Callable[[str], int]) -> tuple[list[int], float]:
    """Tokens of each prompt, and the share of them that a tokenizer counted.

    What all prompts begin with (exemplars) is counted once. Of very many, every n-th is counted, and the
    others have as many tokens for a character as these.
    """
    if count is count_tokens:
        return [count(prompt) for prompt in prompts], 0.0
    shared = _shared(prompts)
    head = count(prompts[0][:shared]) if shared else 0
    tails = [prompt[shared:] for prompt in prompts]
    every = math.ceil(sum(map(len, tails)) / COUNTED_CHARACTERS) or 1
    known = {i: count(tails[i]) for i in range(0, len(tails), every)}
    density = sum(known.values()) / max(1, sum(len(tails[i]) for i in known))
    return [head + known.get(i, math.ceil(density * len(tail))) for i, tail in enumerate(tails)], 1 / every


def _shared(prompts: list[str]) -> int:
    """How many characters all prompts begin with, to the end of a line: no token goes across it."""
    if len(prompts) < 2:
        return 0
    return os.path.commonprefix([min(prompts), max(prompts)]).rfind("\n") + 1


def token_counter(model: str) -> Callable[[str], int]:
    """Counts a text's tokens as the model does, if its tokenizer is on this machine; else estimates.

    Looked for among the embedded models, as a folder and in the model hub's cache; never downloaded.
    """
    if not model:
        return count_tokens
    folders = (settings.folder("models") / model, Path(model))
    file = next((f for folder in folders if (f := folder / "tokenizer.json").is_file()), None) or _cached(
        model
    )
    return count_tokens if file is None else _counter(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _counter(file: Path, _changed: int) -> Callable[[str], int]:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_truncation()
    return lambda text: len(tokenizer.encode(text).ids)


def _cached(model: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(model, "tokenizer.json")
    except HFValidationError:  # an endpoint's name for a model need not be a hub id
        return None
    return Path(found) if isinstance(found, str) else None
