"""A rationale cut into its steps, and the numbers in it.

"1. He has 3.5 apples. Mrs. Hilt\\nhas 2."   →   "1. He has 3.5 apples."  "Mrs. Hilt"  "has 2."
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from core.quality.tokens import tokens_of

ABBREVIATIONS = frozenset("mr mrs ms dr st vs e.g i.e a.m p.m no approx oz lb ft jr sr etc".split())
NUMBER_WORDS = {
    word: Fraction(i)
    for i, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen twenty".split()
    )
}
TENS = {
    w: Fraction(10 * i) for i, w in enumerate("thirty forty fifty sixty seventy eighty ninety".split(), 3)
}
NUMBER_WORDS |= TENS
NUMBER_WORDS |= {
    f"{tens}-{unit}": value + NUMBER_WORDS[unit]
    for tens, value in (TENS | {"twenty": Fraction(20)}).items()
    for unit in "one two three four five six seven eight nine".split()
}
NUMBER_WORDS |= {
    "half": Fraction(1, 2),
    "quarter": Fraction(1, 4),
    "third": Fraction(1, 3),
    "twice": Fraction(2),
    "double": Fraction(2),
    "pair": Fraction(2),
    "couple": Fraction(2),
    "both": Fraction(2),
    "thrice": Fraction(3),
    "triple": Fraction(3),
    "dozen": Fraction(12),
    "hundred": Fraction(100),
    "thousand": Fraction(1000),
}
PARTS = {
    2: "half",
    3: "third",
    4: "fourth",
    5: "fifth",
    6: "sixth",
    7: "seventh",
    8: "eighth",
    9: "ninth",
    10: "tenth",
}
# "two-fifths", and "fifths" of "two fifths"; "fifth" alone is mostly the one after the fourth.
NUMBER_WORDS |= {f"{part}s": Fraction(1, below) for below, part in PARTS.items() if below > 2}
NUMBER_WORDS |= {
    f"{top}-{part}{plural}": NUMBER_WORDS[top] / below
    for top in "one two three four five six seven eight nine".split()
    for below, part in [*PARTS.items(), (4, "quarter")]
    for plural in ("", "s")
}
LONGEST_MARK = 100  # characters: what stands before a full stop that ends no sentence is shorter
_BOUNDARY = re.compile(r"\n\s*|(?<=[.!?])[\"”’)\]]*\s+(?=[\"“(\[$]?[A-Z0-9])")
_MARKER = re.compile(r"(?m)^[ \t]*\(?\d{1,3}[.)](?=\s)")


@dataclass(frozen=True, slots=True)
class RationaleStep:
    """One sentence or line of a rationale; `start:end` is its span, blanks around it left out."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a text, in digits or in words; `spelled` where it is a word."""

    value: Fraction
    start: int
    end: int
    percent: bool = False
    spelled: bool = False


def steps(text: str) -> list[RationaleStep]:
    """The steps of a rationale in order: its lines, and the sentences of each line."""
    cuts = [0]
    for match in _BOUNDARY.finditer(text):
        if "\n" in match.group() or not _is_abbreviation(text, cuts[-1], match.start()):
            cuts.append(match.end())
    found = []
    for start, end in zip(cuts, [*cuts[1:], len(text)], strict=True):
        piece = text[start:end]
        start += len(piece) - len(piece.lstrip())
        if piece.strip():
            found.append(RationaleStep(start, start + len(piece.strip()), piece.strip()))
    return found


def numbers(text: str) -> list[Number]:
    """The numbers of a text in order; list markers, dates, times, ordinals and annotations are none."""
    text = re.sub(r"<<[^<>\n]*>>", lambda m: " " * len(m.group()), text)
    markers = {match.end() - 2 for match in _MARKER.finditer(text)}  # the last digit of each
    found = []
    for token in tokens_of(text):
        if token.kind == "number" and markers.isdisjoint(range(token.start, token.end)):
            found.append(Number(token.value, token.start, token.end, token.percent))
        elif token.kind == "word" and token.text.lower() in NUMBER_WORDS:
            value = NUMBER_WORDS[token.text.lower()]
            found.append(Number(value, token.start, token.end, spelled=True))
    return found


def words(text: str) -> list[tuple[str, int, int]]:
    """Lower-case words and numbers of a text with their spans, punctuation left out."""
    return [(m.group().lower(), m.start(), m.end()) for m in re.finditer(r"\w+(?:[.,]\d+)*", text)]


def _is_abbreviation(text: str, start: int, end: int) -> bool:
    """Whether the full stop before a blank ends "Mrs." or a list marker rather than a sentence."""
    before = text[max(start, end - LONGEST_MARK) : end].strip()
    last = before.split()[-1].rstrip(".").lstrip('("“').lower() if before else ""
    initial = len(last) == 1 and last.isalpha() and last != "i" and before.endswith(".")
    marker = bool(re.fullmatch(r"\(?\d{1,3}[.)]", before))
    return last in ABBREVIATIONS or marker or (initial and before[-2:-1].isupper())
