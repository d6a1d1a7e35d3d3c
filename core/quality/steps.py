"""A rationale cut into its steps, and the numbers in it.

"1. He has 3.5 apples. Mrs. Hilt\\nhas 2."   →   "1. He has 3.5 apples."  "Mrs. Hilt"  "has 2."
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from core.quality.tokens import tokens_of
from core.quality.vocabulary import WORDS

ABBREVIATIONS = frozenset(WORDS["abbreviations"])
ONES = {word: Fraction(i) for i, word in enumerate(WORDS["numbers"])}
TENS = {word: Fraction(10 * i) for i, word in enumerate(WORDS["tens"], 2)}
PARTS = [*enumerate(WORDS["parts"], 2), (4, "quarter")]
DIGITS = WORDS["numbers"][1:10]
NUMBER_WORDS = ONES | TENS | {word: Fraction(*values) for word, values in WORDS["others"].items()}
NUMBER_WORDS |= {f"{ten}-{one}": TENS[ten] + ONES[one] for ten in TENS for one in DIGITS}
# "two-fifths", and "fifths" of "two fifths"; "fifth" alone is mostly the one after the fourth.
NUMBER_WORDS |= {f"{part}s": Fraction(1, below) for below, part in PARTS[:-1] if below > 2}
NUMBER_WORDS |= {
    f"{top}-{part}{plural}": ONES[top] / below
    for top in DIGITS
    for below, part in PARTS
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
