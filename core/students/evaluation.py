"""A student answers questions; what it wrote is kept shard by shard.

predictions/shard-0.jsonl   {"question_index": 26, "prompt": "… ###", "text": " … --> 26",
                             "finish_reason": "stop", "tokens": 41}

A shard appears whole; a restart goes on after the last one, so every question is there exactly once.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from core.errors import LabError, RefusedError
from core.models.generation import generate, input_limit, silent
from core.records import Prediction, Sampling, content_hash
from core.students.config import TrainConfig
from core.students.folder import EvalRow, RunFolder, read_lines, write, write_lines


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
) -> list[Prediction]:
    """Predictions in the order of `rows`; `each` hears how many are done."""
    sampling = Sampling(
        temperature=config.temperature,
        top_p=config.top_p,
        max_tokens=max_new_tokens or config.max_new_tokens,
        stop=config.stop,
        seed=config.seed,
    )
    found: dict[int, Prediction] = {}
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
        row = rows[item.index]
        found[item.index] = Prediction(
            row.question_index, row.prompt, item.text, item.finish_reason, item.completion_tokens
        )
        each(len(found))
    return [found[i] for i in range(len(rows))]


def accuracy(
    predictions: Sequence[Prediction], golds: Sequence[str | None], config: TrainConfig
) -> float | None:
    """Share of predictions whose answer is right, from 0 to 1; None where nothing can be scored."""
    from core.answers import score

    if config.answer_kind is None:
        return None
    verdicts = [
        score(p.text, gold, kind=config.answer_kind, rules=config.rules, prefix=config.answer_prefix).correct
        for p, gold in zip(predictions, golds, strict=True)
        if gold is not None
    ]
    return sum(verdicts) / len(verdicts) if verdicts else None


def evaluate(
    folder: RunFolder, config: TrainConfig, model: Any, tokenizer: Any, tick: Callable[[], None]
) -> dict[str, Any]:
    """Answer RUN_DIR/eval.jsonl shard by shard; returns what done.json says."""
    rows = folder.eval_rows()
    if not rows:
        raise LabError("There is no question to answer: the study's test split is empty.")
    _same_questions(folder, config, rows)
    shards = math.ceil(len(rows) / config.shard_size)
    started, tokens = time.monotonic(), 0
    for number in range(shards):
        path = folder.predictions / f"shard-{number}.jsonl"
        if path.is_file():
            continue
        first = number * config.shard_size
        part = rows[first : first + config.shard_size]

        def each(done: int, first: int = first) -> None:
            folder.status("running", "evaluation", first + done, len(rows))

        predictions = answer(model, tokenizer, part, config, tick=tick, each=each)
        tokens += sum(p.tokens for p in predictions)
        write_lines(path, [asdict(p) for p in predictions])
    found = [
        Prediction(**line)
        for n in range(shards)
        for line in read_lines(folder.predictions / f"shard-{n}.jsonl")
    ]
    whole = tokenizer([row.prompt for row in rows])["input_ids"]
    room = input_limit(model.config, config.max_input_tokens)
    share = accuracy(found, [row.answer for row in rows], config)
    seconds = time.monotonic() - started
    return {
        "n": len(found),
        "accuracy": share,
        "cut": sum(p.finish_reason == "length" for p in found),
        "cut_prompts": sum(room is not None and len(ids) > room for ids in whole),
        "seconds": round(seconds, 2),
        "tokens_per_second": round(tokens / seconds, 1) if tokens else None,
    }


def _same_questions(folder: RunFolder, config: TrainConfig, rows: Sequence[EvalRow]) -> None:
    """Refuse shards of other questions, another student or another way of sampling."""
    kept = {k: v for k, v in config.identity.items() if k not in ("method", "teacher", "dataset")}
    wanted = content_hash([[asdict(row) for row in rows], kept, config.shard_size])
    path = folder.predictions / "identity.json"
    if path.is_file():
        if json.loads(path.read_text(encoding="utf-8")) != wanted:
            raise RefusedError(
                f"The predictions in {folder.path} are of other questions or another student: "
                "start a new run."
            )
    else:
        write(path, json.dumps(wanted))
