"""A benchmark of the user's own: a CSV, JSON or JSON-lines file with question and answer columns.

    question,answer,split
    "Joan found 70 seashells …",43,train

Columns `split` (train or test) and `solution` may be there too; without `split`, 70:30 by the seeded rule.
An added benchmark is kept in LAB_HOME/benchmarks as KEY.jsonl and KEY.json: then a row like the others.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from core import settings
from core.answers import KINDS, find_kind, score
from core.datasets.readers import Item
from core.datasets.splits import Split, SplitRule, all_test, seventy_thirty
from core.datasets.table import DATASETS, Dataset
from core.errors import LabError

Row = tuple[str, Mapping[str, Any]]  # its place in the file, its cells
_KEY = re.compile(r"[a-z][a-z0-9_]{1,59}")
_GUESSES = ("yes-no", "choice-C", "choice-D", "choice-E", "choice-F", "choice-J", "decimal", "open")


def read_rows(path: Path, name: str | None = None) -> list[tuple[Item, str | None]]:
    """Questions and their split (None where the file says nothing); LabError names the line that is wrong."""
    name = name or path.name
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise LabError(f"There is no file {path}: check the path.") from None
    except UnicodeDecodeError as error:
        raise LabError(f"{name} is not UTF-8 text (byte {error.start}): save it as UTF-8.") from None
    reader = READERS.get(Path(name).suffix.lower())
    if reader is None:
        raise LabError(f"{name} cannot be read: give a file that ends in {', '.join(READERS)}.")
    rows = [_row(name, place, cells) for place, cells in reader(name, text)]
    if not rows:
        raise LabError(f"{name} holds no question: give at least one row with question and answer.")
    splits = {split for _, split in rows}
    if None in splits and len(splits) > 1:
        raise LabError(f"{name} gives a split for some questions only: fill the column or leave it out.")
    return rows


def _row(name: str, place: str, cells: Mapping[str, Any]) -> tuple[Item, str | None]:
    def cell(key: str) -> str:
        value = cells.get(key)
        return value if isinstance(value, str) else "" if value is None else str(value)

    for key in ("question", "answer"):
        if not cell(key).strip():
            raise LabError(
                f"{name}, {place}: {key!r} is missing or empty; every row needs question and answer."
            )
    split = cell("split").strip().lower() or None
    if split not in (None, "train", "test"):
        raise LabError(f"{name}, {place}: split is {split!r}; write train or test.")
    return Item(cell("question"), cell("answer").strip(), cell("solution") or None), split


def _csv(name: str, text: str) -> Iterator[Row]:
    csv.field_size_limit(2**31 - 1)
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        header = [(field or "").strip().lower() for field in reader.fieldnames or []]
        if not {"question", "answer"} <= set(header):
            raise LabError(
                f"{name} has the columns {', '.join(header) or 'none'}: name two question and answer."
            )
        reader.fieldnames = header
        for row in reader:
            yield f"line {reader.line_num}", row
    except csv.Error as error:
        raise LabError(f"{name}, line {reader.line_num}: not CSV ({error}); mend that line.") from None


def _jsonl(name: str, text: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield f"line {number}", _object(name, f"line {number}", _parse(name, f"line {number}", line))


def _json(name: str, text: str) -> Iterator[Row]:
    document = _parse(name, "the whole file", text)
    if not isinstance(document, list):
        raise LabError(f'{name} is no list: write [{{"question": …, "answer": …}}, …].')
    for number, row in enumerate(document, 1):
        yield f"item {number}", _object(name, f"item {number}", row)


def _parse(name: str, place: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise LabError(f"{name}, {place}: not JSON; mend it.") from None


def _object(name: str, place: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise LabError(f'{name}, {place}: write an object, {{"question": …, "answer": …}}.')
    return value


READERS: dict[str, Callable[[str, str], Iterator[Row]]] = {".csv": _csv, ".jsonl": _jsonl, ".json": _json}


def _holds(answer: str, kind: str) -> bool:
    """Whether a gold answer is one of this kind: found in itself and equal to itself."""
    try:
        return score(answer, answer, kind=kind).correct
    except LabError:
        return False


def guess_kind(answers: Sequence[str]) -> str:
    """The narrowest kind of answer that all gold answers are of."""
    alone = all(len(answer) == 1 for answer in answers)
    for kind in _GUESSES:
        if (alone or KINDS[kind].form != "choice") and all(_holds(answer, kind) for answer in answers):
            return kind
    return "open"


def _folder() -> Path:
    return settings.home() / "benchmarks"


def add(
    path: Path, key: str, *, title: str = "", kind: str | None = None, name: str | None = None
) -> Dataset:
    """Keep a file as the benchmark `key`; its kind of answer is guessed where none is given.

    `name` is the file's own name where `path` is a temporary copy. LabError for a key that is taken.
    """
    if not _KEY.fullmatch(key):
        raise LabError(f"{key!r} cannot be a key: use 2 to 60 small letters, digits and _, a letter first.")
    if key in DATASETS or key in added():
        raise LabError(f"There is a benchmark {key!r} already: choose another key.")
    rows = read_rows(path, name)
    answers = [item.answer for item, _ in rows]
    kind = kind or guess_kind(answers)
    find_kind(kind)
    for number, answer in enumerate(answers, 1):
        if not _holds(answer, kind):
            raise LabError(
                f"Question {number} of {name or path.name} has the answer {answer!r}, which is not "
                f"{KINDS[kind].title}: correct it or choose another kind of answer."
            )
    lines = [
        json.dumps(
            {"question": item.text, "answer": item.answer, "split": split, "solution": item.solution},
            ensure_ascii=False,
        )
        for item, split in rows
    ]
    about = {"title": title or key, "kind": kind, "n": len(rows), "file": name or path.name}
    _write(_folder() / f"{key}.jsonl", "\n".join(lines) + "\n")
    _write(_folder() / f"{key}.json", json.dumps(about, ensure_ascii=False))
    return added()[key]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as stream:
        stream.write(text)
    os.replace(stream.name, path)


def added() -> dict[str, Dataset]:
    """The benchmarks that the user added, by key."""
    rows = {}
    for about_path in sorted(_folder().glob("*.json")):
        about = json.loads(about_path.read_text(encoding="utf-8"))
        stored = about_path.with_suffix(".jsonl")
        rows[about_path.stem] = Dataset(
            about_path.stem,
            about["title"],
            about["kind"],
            about["n"],
            source=f"yours, {about['file']}",
            licence="your file's own",
            stored=stored,
            splits={"default": _own_split(stored), "all-test": all_test},
        )
    return rows


def _own_split(path: Path) -> SplitRule:
    """The split that the file gives, else 70:30."""

    def rule(texts: Sequence[str | None], counts: Sequence[int]) -> Split:
        parts = [split for _, split in read_rows(path)]
        if None in parts:
            return seventy_thirty(texts, counts)
        return Split(*(tuple(i for i, p in enumerate(parts) if p == name) for name in ("train", "test")))

    return rule
