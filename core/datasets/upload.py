"""A benchmark of the user's own: a CSV, JSON or JSON-lines file with question and answer columns.

    question,answer,split
    "Joan found 70 seashells …",43,train

Columns `split` (train or test) and `solution` may be there too; without `split`, 70:30 by the seeded rule.
A file with other names for them is read with a mapping: {"question": "problem", "answer": "target"}.
An added benchmark is kept in LAB_HOME/benchmarks as KEY.jsonl and KEY.json: then a row like the others.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from core import settings, uploads
from core.answers import KINDS, find_kind, score
from core.datasets.readers import RawQuestion
from core.datasets.splits import Split, SplitRule, all_test, seventy_thirty
from core.datasets.table import DATASETS, Dataset
from core.errors import LabError
from core.records import storable

UploadedRow = tuple[str, Mapping[str, Any]]  # its place in the file, its cells
COLUMNS = ("question", "answer", "split", "solution")  # the last two may be absent
MOST_BYTES = 100_000_000
PREVIEWED = 5
_KEY = re.compile(r"[a-z][a-z0-9_]{1,59}")
_GUESSES = ("yes-no", "choice-C", "choice-D", "choice-E", "choice-F", "choice-J", "decimal", "open")


def read_rows(
    path: Path, name: str | None = None, columns: Mapping[str, str] | None = None
) -> list[tuple[RawQuestion, str | None]]:
    """Questions and their split (None where the file says nothing); LabError names the line that is wrong.

    `columns` says which of the file's columns are question, answer, split and solution; by default those
    that are called so.
    """
    name = name or path.name
    named = dict(zip(COLUMNS, COLUMNS, strict=True)) if columns is None else dict(columns)
    rows = []
    for place, cells in _cells(path, name):
        for column in ("question", "answer"):
            if named.get(column) not in cells:
                raise LabError(
                    f"{name}, {place}: there is no column {named.get(column) or column!r}, only "
                    f"{', '.join(map(str, cells)) or 'none'}: "
                    "name two question and answer, or say which they are."
                )
        rows.append(_row(name, place, {column: cells.get(own) for column, own in named.items()}))
    if not rows:
        raise LabError(f"{name} holds no question: give at least one row with question and answer.")
    splits = {split for _, split in rows}
    if None in splits and len(splits) > 1:
        raise LabError(f"{name} gives a split for some questions only: fill the column or leave it out.")
    return rows


def columns(path: Path, name: str | None = None) -> tuple[list[str], list[dict[str, Any]]]:
    """The names of a file's columns, and its first rows; LabError where it cannot be read."""
    first = [dict(cells) for _, cells in islice(_cells(path, name or path.name), PREVIEWED)]
    return list(dict.fromkeys(str(column) for row in first for column in row)), first


def _cells(path: Path, name: str) -> Iterator[UploadedRow]:
    reader = READERS.get(Path(name).suffix.lower())
    if reader is None:
        raise LabError(f"{name} cannot be read: give a file that ends in {', '.join(READERS)}.")
    try:
        if (size := path.stat().st_size) > MOST_BYTES:
            raise LabError(
                f"{name} has {size / 1e6:,.0f} MB, more than the {MOST_BYTES / 1e6:,.0f} MB that a benchmark "
                "may have: leave out columns or questions."
            )
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise LabError(f"There is no file {path}: check the path.") from None
    except UnicodeDecodeError as error:
        raise LabError(f"{name} is not UTF-8 text (byte {error.start}): save it as UTF-8.") from None
    return reader(name, text)


def _row(name: str, place: str, cells: Mapping[str, Any]) -> tuple[RawQuestion, str | None]:
    def cell(key: str) -> str:
        value = cells.get(key)
        return "" if value is None else storable(str(value))

    for key in ("question", "answer"):
        if not cell(key).strip():
            raise LabError(
                f"{name}, {place}: {key!r} is missing or empty; every row needs question and answer."
            )
    split = cell("split").strip().lower() or None
    if split not in (None, "train", "test"):
        raise LabError(f"{name}, {place}: split is {split!r}; write train or test.")
    return RawQuestion(cell("question"), cell("answer").strip(), cell("solution") or None), split


def _csv(name: str, text: str) -> Iterator[UploadedRow]:
    csv.field_size_limit(2**31 - 1)
    first = text.partition("\n")[0]
    separator = max(SEPARATORS, key=first.count)  # a comma where there is none of them
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        header = [(field or "").strip().lower() for field in reader.fieldnames or []]
        if len(set(header)) < len(header) or "" in header:
            raise LabError(
                f"{name} has two columns of one name, or one without: name each in its first line."
            )
        reader.fieldnames = header
        for row in reader:
            if None in row:
                raise LabError(
                    f"{name}, line {reader.line_num}: it has more columns than the first line; "
                    f"put texts that hold {separator!r} in quotes."
                )
            yield f"line {reader.line_num}", row
    except csv.Error as error:
        raise LabError(f"{name}, line {reader.line_num}: not CSV ({error}); correct that line.") from None


def _jsonl(name: str, text: str) -> Iterator[UploadedRow]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield f"line {number}", _object(name, f"line {number}", _parse(name, f"line {number}", line))


def _json(name: str, text: str) -> Iterator[UploadedRow]:
    document = _parse(name, "the whole file", text)
    if not isinstance(document, list):
        raise LabError(f'{name} is no list: write [{{"question": …, "answer": …}}, …].')
    for number, row in enumerate(document, 1):
        yield f"item {number}", _object(name, f"item {number}", row)


def _parse(name: str, place: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise LabError(f"{name}, {place}: not JSON; correct it.") from None


def _object(name: str, place: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise LabError(f'{name}, {place}: write an object, {{"question": …, "answer": …}}.')
    return value


SEPARATORS = (",", ";", "\t")
READERS: dict[str, Callable[[str, str], Iterator[UploadedRow]]] = {
    ".csv": _csv,
    ".jsonl": _jsonl,
    ".json": _json,
}


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
    path: Path,
    key: str,
    *,
    title: str = "",
    kind: str | None = None,
    name: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> Dataset:
    """Keep a file as the benchmark `key`; its kind of answer is guessed where none is given.

    `name` is the file's own name where `path` is a temporary copy, `columns` as for `read_rows`. LabError
    for a key that is taken and for a question that is there twice.
    """
    if not _KEY.fullmatch(key):
        raise LabError(f"{key!r} cannot be a key: use 2 to 60 small letters, digits and _, a letter first.")
    if key in DATASETS or key in added():
        raise LabError(f"There is a benchmark {key!r} already: choose another key.")
    rows = read_rows(path, name, columns)
    _once(name or path.name, [item.text for item, _ in rows])
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
    files = {f"{key}.jsonl": "\n".join(lines) + "\n", f"{key}.json": json.dumps(about, ensure_ascii=False)}
    for file, text in files.items():  # the last one makes it a benchmark
        path = _folder() / file
        uploads.write(path, text.encode(errors="replace"), f"write {path}")
    return added()[key]


def _once(name: str, texts: Sequence[str]) -> None:
    """A question that appears twice could be in the training and in the test part."""
    first: dict[str, int] = {}
    for number, text in enumerate(texts, 1):
        if (before := first.setdefault(" ".join(text.split()), number)) != number:
            raise LabError(f"Questions {before} and {number} of {name} are the same: leave one of them out.")


def keyed(title: str) -> str:
    """A key made of a title: "My questions (2)" is my_questions_2."""
    made = re.sub(r"[^a-z0-9]+", "_", title.lower()).lstrip("_0123456789").rstrip("_")[:60]
    return made if _KEY.fullmatch(made) else f"own_{made}".rstrip("_")


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
