"""Training rows → tokens and batches.

causal  input_ids  Q … ### There are … --> 26 <eos>      t5  input_ids  Q … </s>
        labels     -100 … -100 There … --> 26 <eos>          labels     There are … --> 26 </s>

-100 marks what is not trained on: the prompt and the padding.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.models.generation import context_size, cut_end, cut_front, pad_id, padded
from core.students.config import TrainConfig

if TYPE_CHECKING:
    import torch

IGNORED = -100
BUCKET_BATCHES = 32  # rows of so many batches are sorted by length together


@dataclass(frozen=True, slots=True)
class Example:
    """One encoded row. For a decoder `labels` is as long as `input_ids`."""

    input_ids: list[int]
    labels: list[int]
    tokens: int  # that pass through the model
    cut_input: bool
    cut_label: bool

    @property
    def trained_tokens(self) -> int:
        return sum(label != IGNORED for label in self.labels)


def encode(
    rows: Sequence[dict[str, Any]], tokenizer: Any, config: TrainConfig, model_config: Any
) -> list[Example]:
    """Encode rows as the student reads and writes them; longer ones are cut and say so."""
    if not rows:
        return []
    read = tokenizer([row["input"] for row in rows], add_special_tokens=True)["input_ids"]
    texts = [row["label"] for row in rows]
    if model_config.is_encoder_decoder:
        written = tokenizer(text_target=texts, add_special_tokens=True)["input_ids"]
        return [_seq2seq(i, t, tokenizer, config) for i, t in zip(read, written, strict=True)]
    written = tokenizer(texts, add_special_tokens=False)["input_ids"]
    room = context_size(model_config) or 10**9
    return [_causal(i, t, tokenizer, config, room) for i, t in zip(read, written, strict=True)]


def _seq2seq(read: list[int], written: list[int], tokenizer: Any, config: TrainConfig) -> Example:
    end = tokenizer.eos_token_id
    written = written if written[-1:] == [end] else [*written, end]
    prompt = cut_end(read, config.max_input_tokens, end)
    label = cut_end(written, config.max_label_tokens, end)
    return Example(
        prompt,
        label,
        len(prompt) + len(label),
        len(read) > config.max_input_tokens,
        len(written) > config.max_label_tokens,
    )


def _causal(read: list[int], written: list[int], tokenizer: Any, config: TrainConfig, room: int) -> Example:
    whole, written = cut_front(read, None, tokenizer), [*written, tokenizer.eos_token_id]
    prompt = cut_front(read, min(config.max_input_tokens, room - 1), tokenizer)
    # A label that is cut has no end, so it does not teach to stop there.
    label = written[: min(config.max_label_tokens, room - len(prompt))]
    return Example(
        prompt + label,
        [IGNORED] * len(prompt) + label,
        len(prompt) + len(label),
        len(prompt) < len(whole),
        len(label) < len(written),
    )


def collate(examples: Sequence[Example], tokenizer: Any, device: Any = None) -> dict[str, torch.Tensor]:
    """input_ids, attention_mask, labels: (rows, longest), padded on the right."""
    ids, mask = padded([e.input_ids for e in examples], pad_id(tokenizer), device=device)
    labels, _ = padded([e.labels for e in examples], IGNORED, device=device)
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def batches(lengths: Sequence[int], size: int, seed: int, epoch: int, bucketing: bool) -> list[list[int]]:
    """The rows of each optimiser step of an epoch: every row once, a pure function of its arguments.

    With bucketing, rows of similar length share a step, so that little is padding.
    """
    stream = random.Random(f"{seed}:{epoch}")
    order = list(range(len(lengths)))
    stream.shuffle(order)
    if not bucketing:
        return [order[i : i + size] for i in range(0, len(order), size)]
    steps: list[list[int]] = []
    for first in range(0, len(order), size * BUCKET_BATCHES):
        bucket = sorted(order[first : first + size * BUCKET_BATCHES], key=lambda i: lengths[i])
        steps += [bucket[i : i + size] for i in range(0, len(bucket), size)]
    stream.shuffle(steps)
    return steps


def carve_dev(
    rows: Sequence[dict[str, Any]], fraction: float, limit: int, seed: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(train, dev) rows. A question's samples stay on one side; no dev split under two questions."""
    from numpy.random import RandomState

    questions = sorted({row["question_index"] for row in rows})
    if len(questions) < 2:
        return list(rows), []
    n = min(max(1, round(fraction * len(questions))), limit, len(questions) - 1)
    dev = {questions[i] for i in RandomState(seed).permutation(len(questions))[:n]}
    return (
        [row for row in rows if row["question_index"] not in dev],
        [row for row in rows if row["question_index"] in dev],
    )


def gold_answer(row: dict[str, Any], config: TrainConfig) -> str:
    """The gold answer of a training row: named in it, else what its label ends with."""
    if row.get("answer") is not None:
        return row["answer"]
    label = row["label"]
    if config.answer_prefix and config.answer_prefix in label:
        label = label.rsplit(config.answer_prefix, 1)[1]
    for stop in config.stop:
        label = label.removesuffix(stop)
    return label.strip()
