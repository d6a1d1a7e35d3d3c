"""Two classes of error, and the one that every table of rows gives.

LabError                 shown to the user as written: one sentence that says what to do
└── RefusedError         the lab will not do this, because the result would be wrong

Anything else is a defect and shows as a traceback in the log.

find(RECIPES, "papr", "recipe")     There is no recipe “papr”: choose one of default, paper, demo.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")
LONGEST = 1000  # characters; a sentence may quote a file, whose text may be of any length


class LabError(Exception):
    """A sentence for the user: what is wrong and how to mend it; of a very long one, both ends."""

    def __init__(self, sentence: str) -> None:
        whole = len(sentence) <= LONGEST
        super().__init__(sentence if whole else f"{sentence[: LONGEST // 2]} … {sentence[-LONGEST // 2 :]}")


class RefusedError(LabError):
    """A comparison, resume or edit that would give a wrong result."""


def find(table: Mapping[str, T], key: str, what: str) -> T:
    """The row of a table under this key; LabError that names the keys there are."""
    if key not in table:
        raise LabError(f"There is no {what} “{key}”: choose one of {', '.join(table)}.")
    return table[key]
