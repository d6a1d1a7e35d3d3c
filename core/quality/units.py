"""Units of measurement, as far as they tell why two sides of an equation need not be equal.

"2 hours + 30 minutes = 150 minutes"   hours and minutes are of one kind: the numbers prove nothing
"""

from __future__ import annotations

# Units of one kind, whose numbers may differ across an equals sign; "count" words multiply by themselves.
_KINDS = {
    "time": "second minute min hour hr day week month year decade century",
    "money": "dollar cent penny nickel dime quarter buck euro pound pence",
    "length": "mm cm m km meter metre kilometer kilometre centimeter millimeter inch foot yard mile",
    "weight": "g kg gram kilogram ounce oz pound lb ton tonne milligram mg",
    "volume": "ml l liter litre milliliter cup pint quart gallon tablespoon teaspoon",
    "count": "dozen pair couple score hundred thousand million billion k",
}  # fmt: skip
KIND_OF = {word: kind for kind, words in _KINDS.items() for word in words.split()} | {"(letter)": "letter"}


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
