"""Text that remembers where it came from, so that an answer found in a cleaned text can be highlighted.

"$1,234."  without ","  "$1234."     the match 1234 is 1:6 of the original
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Found:
    """One candidate answer and its place, start:end, in the original text."""

    value: str
    start: int
    end: int

    def shift(self, offset: int) -> Found:
        return Found(self.value, self.start + offset, self.end + offset)


def find(pattern: re.Pattern[str], text: str) -> list[Found]:
    """Every non-empty match of `pattern`."""
    return [Found(m.group(), m.start(), m.end()) for m in pattern.finditer(text) if m.group()]


def without(text: str, dropped: Callable[[str], bool]) -> tuple[str, list[int]]:
    """The text without some characters, and the original place of each one kept."""
    places = [i for i, char in enumerate(text) if not dropped(char)]
    return "".join(text[i] for i in places), places


def find_without(pattern: re.Pattern[str], text: str, char: str) -> list[Found]:
    """Every match of `pattern` in the text without `char`, placed in the original text."""
    if char not in text:
        return find(pattern, text)
    kept, places = without(text, lambda c: c == char)
    return [Found(f.value, places[f.start], places[f.end - 1] + 1) for f in find(pattern, kept)]


def whole_without(text: str, dropped: Callable[[str], bool]) -> list[Found]:
    """All that is left of the text as the one candidate, even when that is nothing."""
    kept, places = without(text, dropped)
    return [Found(kept, places[0], places[-1] + 1) if places else Found("", 0, 0)]
