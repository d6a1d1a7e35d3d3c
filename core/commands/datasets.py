"""python -m core datasets list | show | export | add | leaks"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import astuple
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from core.commands.common import Json, emit, step, write
from core.datasets import all_datasets, cached, leaks, load, split_sizes, upload
from core.datasets.upload import COLUMNS
from core.errors import LabError, find
from core.records import Question
from core.results.export import to_jsonl

app = typer.Typer(no_args_is_help=True, help="Benchmarks: list, show, export, add, leaks.")

Key = Annotated[str, typer.Argument(help="Key of the benchmark, as `datasets list` gives it.")]
SplitBy = Annotated[str, typer.Option(help="Which split: default, all-test, or template where there is one.")]
Size = Annotated[int | None, typer.Option(help="Questions to make (generated benchmarks).")]
Seed = Annotated[int, typer.Option(help="Seed of a generated benchmark.")]
Set = Annotated[list[str] | None, typer.Option("--set", help="Option of a generated benchmark: flips=6.")]


def pairs(texts: list[str] | None, fits: Callable[[str, str], bool], refusal: str) -> dict[str, str]:
    """["flips=6"] as {"flips": "6"}. LabError, with the text in `refusal`, where a pair does not fit."""
    found = {}
    for text in texts or []:
        name, _, value = (part.strip() for part in text.partition("="))
        if not fits(name, value):
            raise LabError(refusal.format(text))
        found[name] = value
    return found


def _questions(key: str, split: str, size: int | None, seed: int, texts: list[str] | None) -> list[Question]:
    refusal = "--set {} cannot be read: write NAME=NUMBER, such as flips=6."
    given = pairs(texts, lambda _, value: value.isdigit(), refusal)
    options = {name: int(value) for name, value in given.items()}
    return load(key, split=split, size=size, seed=seed, options=options, progress=step)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Every benchmark: size, split, kind of answer, source, licence, and whether its files are here."""
    rows = [
        {
            "key": row.key,
            "title": row.title,
            "kind": row.kind,
            "n": row.n,
            **split_sizes(row),
            "splits": list(row.splits),
            "generated": row.generated,
            "options": {o.name: {"default": o.default, "allowed": list(o.allowed)} for o in row.options},
            "files": [
                {"path": f.path, "url": f.url, "sha256": f.sha256, "bytes": f.bytes} for f in row.files
            ],
            "here": all(cached(file) for file in row.files),
            "source": row.source,
            "licence": row.licence,
        }
        for row in all_datasets().values()
    ]
    lines = [f"{'key':28}{'questions':>10}{'train':>8}{'test':>7}  {'answer':14}{'here':6}source; licence"]
    for row in rows:
        here = "made" if row["generated"] else "yes" if row["here"] else "no"
        lines.append(
            f"{row['key']:28}{row['n']:>10}{row['train']:>8}{row['test']:>7}  {row['kind']:14}{here:6}"
            f"{row['source']}; {row['licence']}"
        )
    emit(rows, as_json, "\n".join(lines))


@app.command()
def show(
    key: Key,
    index: Annotated[int, typer.Option(help="Index of the question in the benchmark.")] = 0,
    split_by: SplitBy = "default",
    size: Size = None,
    seed: Seed = 0,
    option: Set = None,
    as_json: Json = False,
) -> None:
    """One question with its gold answer, split and worked solution."""
    questions = _questions(key, split_by, size, seed, option)
    question = next((q for q in questions if q.index == index), None)
    if question is None:
        raise LabError(
            f"{key} has no question {index} here: "
            f"give an index from {questions[0].index} to {questions[-1].index}."
        )
    row = {"key": key} | _row(question)
    text = "\n\n".join(f"{name}: {value}" for name, value in row.items() if value is not None)
    emit(row, as_json, text)


@app.command()
def export(
    key: Key,
    out: Annotated[Path, typer.Option(help="File to write: .jsonl, .json or .csv.")],
    split: Annotated[str, typer.Option(help="train, test or all.")] = "all",
    split_by: SplitBy = "default",
    size: Size = None,
    seed: Seed = 0,
    option: Set = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many questions.")] = None,
    as_json: Json = False,
) -> None:
    """Write questions, gold answers and splits to a file, in the benchmark's order."""
    if split not in ("train", "test", "all"):
        raise LabError(f"There is no part {split!r}: choose train, test or all.")
    written = find(WRITERS, out.suffix.lower(), "export")
    questions = _questions(key, split_by, size, seed, option)
    rows = [_row(q) for q in questions if split in ("all", q.split)][:limit]
    write(out, written(rows))
    result = {"key": key, "split": split, "n": len(rows), "out": str(out)}
    emit(result, as_json, f"{len(rows)} questions of {key} ({split}) in {out}")


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="CSV, JSON or JSON lines with question and answer columns.")],
    key: Annotated[str, typer.Option(help="Key under which the lab keeps it.")],
    title: Annotated[str, typer.Option(help="Title shown in tables.")] = "",
    kind: Annotated[str | None, typer.Option(help="Kind of answer; guessed if not given.")] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="A column with another name: question=problem.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Add a benchmark of your own; it is kept in LAB_HOME."""
    refusal = f"--column {{}} cannot be read: write {' or '.join(COLUMNS)}=NAME."
    named = pairs(column, lambda name, own: name in COLUMNS and bool(own), refusal)
    columns = {name: name for name in COLUMNS} | named if named else None
    row = upload.add(file, key, title=title, kind=kind, columns=columns)
    result = {"key": row.key, "title": row.title, "kind": row.kind, "n": row.n, **split_sizes(row)}
    emit(result, as_json, f"{row.n} questions kept as {row.key}, answers of kind {row.kind}")


@app.command("leaks")
def leaks_(
    key: Key,
    split_by: SplitBy = "default",
    size: Size = None,
    seed: Seed = 0,
    option: Set = None,
    near: Annotated[bool, typer.Option(help="Compare embeddings too.")] = True,
    as_json: Json = False,
) -> None:
    """Test questions that stand among the training questions: word for word, numbers masked, or nearly."""
    from core.exemplars.encoding import encode

    questions = _questions(key, split_by, size, seed, option)
    test, train = ([q for q in questions if q.split == split] for split in ("test", "train"))
    vectors = (encode([q.text for q in test]), encode([q.text for q in train])) if near else None
    found = leaks.leaks(test, train, vectors)
    levels = leaks.by_level(found, [level for level in leaks.LEVELS if near or level != "near"])
    result = {
        "key": key,
        "train": len(train),
        "test": len(test),
        **levels,
        "leaks": [{"test": leak.index, "level": leak.level, "train": leak.of} for leak in found],
    }
    lines = [f"{key}: {len(test)} test questions, compared with {len(train)} for training"]
    lines += [f"{len(levels[level]):>6} {level}: {leaks.LEVELS[level]}" for level in levels]
    emit(result, as_json, "\n".join(lines))


def _row(question: Question) -> dict[str, Any]:
    return dict(zip(FIELDS, astuple(question), strict=True))


def _as_csv(rows: list[dict[str, Any]]) -> str:
    from pandas import DataFrame

    return DataFrame(rows, columns=FIELDS).to_csv(index=False, lineterminator="\r\n")


FIELDS = ("index", "question", "answer", "split", "solution")
WRITERS: dict[str, Callable[[list[dict[str, Any]]], str]] = {
    ".jsonl": to_jsonl,
    ".json": partial(json.dumps, ensure_ascii=False, indent=1),
    ".csv": _as_csv,
}
