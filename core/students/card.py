"""The model card of a student: what it is, what it was made from, how good it is, and on what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.students.config import TrainConfig
from core.students.table import Student

UNKNOWN = "not given"


def write_card(
    path: Path, config: TrainConfig, student: Student, done: dict[str, Any], epochs: dict[int, dict[str, Any]]
) -> None:
    """Write README.md beside the weights, with the front matter that model hubs read."""
    path.write_text(card(config, student, done, epochs), encoding="utf-8")


def card(
    config: TrainConfig, student: Student, done: dict[str, Any], epochs: dict[int, dict[str, Any]]
) -> str:
    """The card as Markdown."""
    method = config.method or UNKNOWN
    return f"""---
base_model: {student.source if student.kind != "folder" else student.name}
library_name: transformers
pipeline_tag: {"text2text-generation" if student.is_seq2seq else "text-generation"}
{f"license: {student.licence.lower()}" + chr(10) if student.licence else ""}tags:
- chain-of-thought
- distillation
---

# {student.name}, {method}

| | |
|---|---|
{_table(_facts(config, student, done))}

**Chosen checkpoint:** {done["origin"]}.

## Metrics

{_metrics(epochs, done["chosen_epoch"])}

{_caution(config)}

## Training

| field | value |
|---|---|
{_table({name: value for name, value in config.dump().items() if name in _SHOWN})}

Made with {", ".join(f"{name} {number}" for name, number in done["versions"].items())}.
"""


_SHOWN = (
    "recipe", "epochs", "learning_rate", "schedule", "warmup", "batch_size", "accumulation", "weight_decay",
    "clip_norm", "tuning", "lora_rank", "lora_alpha", "lora_dropout", "seed", "max_input_tokens",
    "max_label_tokens", "bucketing", "selection", "dev_fraction", "rules", "answer_prefix",
)  # fmt: skip


def _facts(config: TrainConfig, student: Student, done: dict[str, Any]) -> dict[str, Any]:
    return {
        "base model": f"{student.name} ({student.source if student.kind != 'folder' else 'a local folder'})",
        "data": config.dataset or UNKNOWN,
        "method": config.method or UNKNOWN,
        "teacher": config.teacher or "none",
        "training set": f"`{config.training_set}`" if config.training_set else UNKNOWN,
        "rows": f"{done['rows']} trained on, {done['dev_rows']} held out as dev split",
        "precision": done["precision"],
        "device": f"{done['device']}, {done['processes']} process(es)",
    }


def _table(values: dict[str, Any]) -> str:
    return "\n".join(f"| {name} | {_cell(value)} |" for name, value in values.items())


def _cell(value: Any) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def _metrics(epochs: dict[int, dict[str, Any]], chosen: int | None) -> str:
    names = [
        n
        for n in ("train_loss", "dev_loss", "dev_accuracy", "test_accuracy")
        if any(n in e for e in epochs.values())
    ]
    head = "| epoch | " + " | ".join(name.replace("_", " ") for name in names) + " |\n"
    head += "|---" * (len(names) + 1) + "|\n"
    rows = [
        f"| {epoch}{' (chosen)' if epoch == chosen else ''} | "
        + " | ".join(f"{row[n]:.4f}" if n in row else "" for n in names)
        + " |"
        for epoch, row in sorted(epochs.items())
    ]
    return head + "\n".join(rows)


def _caution(config: TrainConfig) -> str:
    if config.selection == "test":
        return (
            "The test accuracy above also chose the epoch, as in Fine-tune-CoT (Ho et al. 2023), so it is "
            "optimistic: quote it as test-selected."
        )
    return "No test question had a part in choosing the epoch."
