"""What every command shares: one JSON document on standard output, the rest on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

Study = Annotated[str, typer.Option(help="The study's name.")]
Recorded = Annotated[Path, typer.Argument(help="Recorded completions.")]
RecordedOn = Annotated[str, typer.Option(help="Benchmark they were recorded on.")]
Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on standard output.")]


def one_of(about: str, table: Iterable[str]) -> str:
    """An option's help with what there is to choose: "Adjust p-values: holm, benjamini-hochberg."."""
    return f"{about}: {', '.join(table)}."


def say(text: str) -> None:
    """Progress and warnings: standard error, so that standard output stays parseable."""
    print(text, file=sys.stderr, flush=True)


def step(name: str, done: int, of: int) -> None:
    """How far a download is, in bytes, or a step of one; on standard error."""
    amount = f": {done / 1e6:.1f} of {of / 1e6:.1f} MB" if of > 1 else ""
    print(f"\r{name}{amount}", end="\n" if done >= of else "", file=sys.stderr, flush=True)


def write(out: Path, text: str) -> None:
    """Write a file that the user named, its line ends as they are."""
    from core.errors import LabError

    try:
        out.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise LabError(f"Cannot write {out} ({error.strerror}): choose another place.") from None


def emit(value: Any, as_json: bool, text: str | None = None) -> None:
    """Print a result: as one JSON document, or as the given text (default: indented JSON)."""
    if as_json or text is None:
        text = json.dumps(value, ensure_ascii=False, indent=None if as_json else 2, default=str)
    print(text)
