"""A student answers questions while it is trained: how many of them right, epoch by epoch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from core.models.generation import Generated, generate, silent
from core.records import Sampling
from core.students.config import TrainConfig
from core.students.folder import EvalRow


def answer(
    model: Any,
    tokenizer: Any,
    rows: Sequence[EvalRow],
    config: TrainConfig,
    *,
    autocast: bool = False,
    max_new_tokens: int | None = None,
    tick: Callable[[], None] = silent,
    each: Callable[[int], None] = lambda done: None,
) -> list[Generated]:
    """What was written, in the order of `rows`; `each` hears how many are done."""
    sampling = Sampling(
        temperature=config.temperature,
        top_p=config.top_p,
        max_tokens=max_new_tokens or config.max_new_tokens,
        stop=config.stop,
        seed=config.seed,
    )
    found: dict[int, Generated] = {}
    written = generate(
        model,
        tokenizer,
        [row.prompt for row in rows],
        sampling,
        config.eval_batch_size,
        seeds=[row.question_index for row in rows],
        autocast=autocast,
        max_input_tokens=config.max_input_tokens,
        tick=tick,
    )
    for item in written:
        found[item.index] = item
        each(len(found))
    return [found[i] for i in range(len(rows))]


def accuracy(texts: Sequence[str], golds: Sequence[str | None], config: TrainConfig) -> float | None:
    """Share of texts whose answer is right, from 0 to 1; None where nothing can be scored."""
    from core.answers import score

    if config.answer_kind is None:
        return None
    verdicts = [
        score(text, gold, kind=config.answer_kind, rules=config.rules, prefix=config.answer_prefix).correct
        for text, gold in zip(texts, golds, strict=True)
        if gold is not None
    ]
    return sum(verdicts) / len(verdicts) if verdicts else None
