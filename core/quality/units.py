"""Units of measurement, as far as they tell why two sides of an equation need not be equal.

"2 hours + 30 minutes = 150 minutes"   hours and minutes are of one kind: the numbers prove nothing
"""

from __future__ import annotations

from core.quality.vocabulary import WORDS

KIND_OF = {word: kind for kind, words in WORDS["units"].items() for word in words} | {"(letter)": "letter"}


def unit(word: str) -> str | None:
    """The unit that a word names, in the singular: "Feet" → "foot"; None for any other word."""
    word = word.lower()
    singular = {"feet": "foot", "inches": "inch", "pennies": "penny", "centuries": "century"}.get(word)
    for name in (word, singular, word.removesuffix("s"), word.removesuffix(".")):
        if name in KIND_OF:
            return name
    return None


def incomparable(units: frozenset[str]) -> bool:
    """Whether numbers in these units may differ and yet be equal."""
    kinds = [KIND_OF[name] for name in units]
    return "count" in kinds or "letter" in kinds or len(set(kinds)) < len(kinds)
