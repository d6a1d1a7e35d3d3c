"""Units of measurement, as far as they tell why two sides of an equation need not be equal.

"2 hours + 30 minutes = 150 minutes"   hours and minutes are of one kind: the numbers prove nothing
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache

from core.quality.vocabulary import WORDS

KIND_OF = {word: kind for kind, words in WORDS["units"].items() for word in words} | {"(letter)": "letter"}

# unit → (its measure, what one of it comes to there)
FACTORS = {name: (i, amount) for i, row in enumerate(WORDS["factors"]) for name, amount in row.items()}


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


def converted(first: str | None, second: str | None) -> Fraction | None:
    """How many of the second unit one of the first is; None where they are not of one measure."""
    if first not in FACTORS or second not in FACTORS or FACTORS[first][0] != FACTORS[second][0]:
        return None
    return Fraction(FACTORS[first][1], FACTORS[second][1])


@cache
def ratios(name: str) -> frozenset[Fraction]:
    """What one of a unit may come to in another of its measure: of an hour 60, 3600, 1/24, …; not money."""
    others = FACTORS if KIND_OF.get(name) != "money" else ()
    return frozenset(made for other in others if other != name and (made := converted(name, other)))
