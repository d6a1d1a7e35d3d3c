"""Benchmarks: a key in, questions out.

    load("multiarith")[0]    Question(index=0, text="For Halloween Debby …?", answer="39", split="train")
    load("coin_flip_generated", size=300, seed=1, options={"flips": 4})

The position of a question in its benchmark is its index everywhere in the lab.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from core.datasets import upload
from core.datasets.files import File, Unavailable, cached, fetch
from core.datasets.generated import Option, generate
from core.datasets.readers import RawQuestion
from core.datasets.splits import Split, subsample
from core.datasets.table import DATASETS, Dataset
from core.errors import LabError, find
from core.progress import Report, silent
from core.records import Question

__all__ = [
    "DATASETS", "Dataset", "File", "Option", "Split", "Unavailable",
    "all_datasets", "cached", "fetch", "find_dataset", "load", "split_sizes", "subsample",
]  # fmt: skip

UNUSED = "unused"  # the split of a question that is in neither part, as most of AQuA's training file

log = logging.getLogger(__name__)


def all_datasets() -> dict[str, Dataset]:
    """DATASETS and the benchmarks that the user added."""
    return DATASETS | upload.added()


def find_dataset(key: str) -> Dataset:
    """The benchmark with this key, of DATASETS or added by the user."""
    return find(DATASETS if key in DATASETS else all_datasets(), key, "benchmark")


def load(
    key: str,
    *,
    split: str = "default",
    size: int | None = None,
    seed: int = 0,
    options: Mapping[str, int] | None = None,
    progress: Report = silent,
) -> list[Question]:
    """The questions of a benchmark in its own order, each with its part of the split.

    `size`, `seed` and `options` are for the generated families. Files are fetched on first use;
    `progress(file, bytes, of)` follows that. Raises LabError with what to do when it cannot be had.
    """
    row = find_dataset(key)
    items, counts = _items(row, size, seed, options, progress)
    if split not in row.splits:
        raise LabError(f"{row.key} has no split {split!r}: choose one of {', '.join(row.splits)}.")
    part = row.splits[split]([item.text if item else None for item in items], counts).part()
    return [
        Question(i, item.text, item.answer, part.get(i, UNUSED), item.solution)
        for i, item in enumerate(items)
        if item is not None
    ]


def split_sizes(row: Dataset) -> dict[str, int]:
    """How many training and test questions the default split has, without reading any file of a source."""
    counts = [file.rows for file in row.files] or [row.n]
    split = row.splits["default"]([None] * row.n, counts)
    return {"train": len(split.train), "test": len(split.test)}


def _items(
    row: Dataset,
    size: int | None,
    seed: int,
    options: Mapping[str, int] | None,
    progress: Report,
) -> tuple[list[RawQuestion | None], list[int]]:
    """Every question's item (None where its file is absent), and how many come from each file."""
    settled = row.settle_options(options)
    if row.family is not None:
        made = generate(row.family, settled, row.n if size is None else size, seed)
        return list(made), [len(made)]
    if row.stored is not None:
        items = [item for item, _ in upload.read_rows(row.stored)]
        return list(items), [len(items)]
    if size is not None:
        raise LabError(f"{row.key} has its own {row.n} questions: size is for the generated benchmarks.")
    parts = [_file_items(row, file, progress) for file in row.files]
    return [item for part in parts for item in part], [len(part) for part in parts]


def _file_items(row: Dataset, file: File, progress: Report) -> list[RawQuestion | None]:
    try:
        path = fetch(file, progress)
    except Unavailable as error:
        if not file.optional:
            raise
        log.warning("%s goes on without the %d questions of one file. %s", row.title, file.rows, error)
        return [None] * file.rows
    assert row.read is not None, "a row with files says how they are read"
    try:
        items = row.read(path)
    except (ValueError, KeyError, TypeError) as error:
        raise LabError(
            f"{path} cannot be read as {row.title} ({error}): delete it to fetch it again."
        ) from None
    return list(items)
