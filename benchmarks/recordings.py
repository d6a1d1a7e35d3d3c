"""The recordings under a data folder: which file is whose, and of which benchmark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from core.datasets.table import DATASETS

# Files of Zero-shot-CoT's log folder are named their own way.
LOG_NAMES = {
    "singleeq": "single_eq",
    "last_letters": "last_letter_concatenation",
    "shuffled_objects": "tracking_shuffled_objects",
    "commonsensqa": "commonsense_qa",
    "strategyqa": "strategy_qa",
}


def recordings(data: Path) -> Iterator[tuple[Path, str, str]]:
    """(file, source, benchmark) of every recording whose benchmark is known, in order."""
    for path in sorted(data.glob("reasoning-teacher/completion_data/*/D_*.json")):
        yield from _known(path, "fine-tune-cot", path.stem.removeprefix("D_"))
    for path in sorted(data.glob("zero_shot_cot/log/*_zero_shot*.log")):
        name = path.stem.removesuffix("_cot").removesuffix("_zero_shot")
        yield from _known(path, "zero-shot-cot", LOG_NAMES.get(name, name))
    for path in sorted(data.glob("trace-of-thought/*gsm8k*.csv")):
        yield from _known(path, "trace-of-thought", "gsm8k")


def _known(path: Path, source: str, key: str) -> Iterator[tuple[Path, str, str]]:
    if key in DATASETS:
        yield path, source, key
