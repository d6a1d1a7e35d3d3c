"""python -m core answer TEXT --dataset KEY: what rules read in a text, and whether one call is enough."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from core.answers import RULES, read
from core.answers.asserted import asserted
from core.commands.common import Json, emit, one_of
from core.datasets import find_dataset


def answer(
    text: Annotated[str, typer.Argument(help="What a model wrote; - to read it from standard input.")],
    dataset: Annotated[str, typer.Option(help="Benchmark whose kind of answer it is.")],
    rules: Annotated[str, typer.Option(help=one_of("Whose", RULES))] = "fine-tune-cot",
    prefix: Annotated[
        str | None,
        typer.Option(
            help='What a whole rationale writes before its answer, "-->"; none: the text is a reply.'
        ),
    ] = None,
    adaptive: Annotated[
        bool, typer.Option("--adaptive", help="Read only what spares a second call: one asserted answer.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Read the answer in a text: its value and its span, from one character up to another."""
    kind = find_dataset(dataset).kind
    said = sys.stdin.read() if text == "-" else text
    found = asserted(said, kind, rules) if adaptive else read(said, kind=kind, rules=rules, prefix=prefix)
    result: dict[str, Any] = {
        "value": found.value if found else None,
        "span": [found.start, found.end] if found else None,
    }
    if adaptive:
        result["spared"] = found is not None
    shown = f"{found.value} ({found.start}:{found.end})" if found else "no answer"
    emit(result, as_json, shown + (", no second call" if adaptive and found else ""))
