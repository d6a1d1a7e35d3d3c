"""What every command shares: one JSON document on standard output, the rest on standard error."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on standard output.")]


def say(text: str) -> None:
    """Progress and warnings: standard error, so that standard output stays parseable."""
    print(text, file=sys.stderr, flush=True)


def emit(value: Any, as_json: bool, text: str | None = None) -> None:
    """Print a result: as one JSON document, or as the given text (default: indented JSON)."""
    if as_json:
        print(json.dumps(value, ensure_ascii=False, default=str))
    else:
        print(text if text is not None else json.dumps(value, ensure_ascii=False, indent=2, default=str))
