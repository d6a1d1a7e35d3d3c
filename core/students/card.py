"""The model card of a student: what it is, what it was made from, how good it is, and on what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from core.students.config import TrainConfig
from core.students.table import Student

UNKNOWN = "not given"


def card(
    config: TrainConfig, student: Student, done: dict[str, Any], epochs: dict[int, dict[str, Any]]
) -> str:
    """The card as Markdown, with the front matter that model hubs read."""
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

{_table(["", ""], _facts(config, student, done).items())}

**Chosen checkpoint:** {done["origin"]}.

## Metrics

{_metrics(epochs, done["chosen_epoch"])}

{_caution(config)}

## Training

{_table(["field", "value"], config.identity().items())}

Made with {", ".join(f"{name} {number}" for name, number in done["versions"].items())}.
"""


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


def _table(head: Sequence[Any], rows: Iterable[Sequence[Any]]) -> str:
    lines = ([str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *lines))


def _metrics(epochs: dict[int, dict[str, Any]], chosen: int | None) -> str:
    known = ("train_loss", "dev_loss", "dev_accuracy", "test_accuracy")
    names = [name for name in known if any(name in row for row in epochs.values())]
    rows = [
        [f"{epoch} (chosen)" if epoch == chosen else epoch]
        + [f"{row[name]:.4f}" if name in row else "" for name in names]
        for epoch, row in sorted(epochs.items())
    ]
    return _table(["epoch", *(name.replace("_", " ") for name in names)], rows)


def _caution(config: TrainConfig) -> str:
    if config.selection == "test":
        return (
            "The test accuracy above also chose the epoch, as in Fine-tune-CoT (Ho et al. 2023), so it is "
            "optimistic: quote it as test-selected."
        )
    return "No test question had a part in choosing the epoch."
