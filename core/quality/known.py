"""The numbers that a rationale may take up: those that were given or said, and what a sum makes of them.

known = Known("Tom has 3 boxes of 8 pens.", rationale, numbers_of(question))
known.explains(Number(…, 24))     3 * 8, done in the head
known.add(number)                 what was said is known from then on
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate

from core.quality.arithmetic import Equation, equations
from core.quality.steps import Number, RationaleStep, numbers, steps, words
from core.quality.tokens import LABELS
from core.quality.worded import statements

COUNTABLE = 4  # up to here a number may have been counted in the question
KNOWN_NUMBERS = 40  # beyond this many, anything can be worked out from something
# Numbers that a unit brings along, to be said or to multiply and divide by: an hour has 60 minutes.
UNIT_NUMBERS = {
    re.compile(pattern): tuple(map(float, values))
    for pattern, values in {
        r"\b(?:minutes?|hours?|seconds|per second)\b": (60, 24, 3600),
        r"\b(?:weeks?|weekly|days?|daily)\b": (7, 24),
        r"\b(?:weekdays?|school|workweek)\b": (5,),
        r"\b(?:months?|monthly|years?|yearly|annual)\b": (4, 12, 52, 28, 30, 31, 365),
        r"\bdecade": (10,),
        r"\bdozen": (6, 12),
        r"\band (?:a |one )?half\b": (1.5, 2.5),
        r"\b(?:dimes?|nickels?|penn(?:y|ies)|quarters?|coins?)\b": (
            4, 5, 10, 20, 25, 100, 0.25, 0.1, 0.05, 0.01,
        ),
        r"\bcents?\b|%|\bpercent": (100,),
        r"\b(?:feet|foot|inch(?:es)?|yards?)\b": (3, 12, 36),
        r"\b(?:pounds?|ounces?)\b": (16,),
    }.items()
}  # fmt: skip
COEFFICIENT = re.compile(r"\s?\*?\s?[a-zA-Z]\b")
# Digits that are no number of a sum and may be taken up all the same: 7:11, the 12th.
OTHER_DIGITS = re.compile(r"\b\d{1,9}(?=:\d|st\b|nd\b|rd\b|th\b)|(?<=\d:)\d{1,9}\b")
HUNDREDTH = re.compile(r"\s*(?:cents?\b|¢|percent\b)")
FRACTION = re.compile(r"(\d+)\s?/\s?(\d+)")


# Several checks ask of the same text.
@lru_cache(maxsize=256)
def equations_of(text: str) -> tuple[Equation, ...]:
    return tuple(statements(text))


@lru_cache(maxsize=256)
def numbers_of(text: str) -> tuple[Number, ...]:
    return tuple(numbers(text))


@lru_cache(maxsize=256)
def steps_of(text: str) -> tuple[RationaleStep, ...]:
    return tuple(steps(text))


def key(value: Fraction) -> float:
    """Numbers are the same if they agree to two places: a result may have been rounded."""
    return abs(round(as_float(value), 2))


def as_float(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def one_sum(a: float, b: float) -> set[float]:
    made = {a + b, abs(a - b), a * b}
    if a and b:
        made |= {a / b, b / a}
    return {round(value, 2) for value in made}


def _written_sums(text: str) -> list[tuple[int, int]]:
    """The steps that have an equation, without what it comes to, as spans."""
    found: list[tuple[int, int]] = []
    made = equations(text)
    for step in steps_of(text):
        inside = [e for e in made if step.start <= e.start < step.end]
        cuts = [(e.end - len(e.right), e.end) for e in inside]
        starts = [step.start, *(end for _, end in cuts)]
        ends = [*(start for start, _ in cuts), step.end]
        found += zip(starts, ends, strict=True) if inside else []
    return found


def fraction_parts(text: str) -> dict[int, float]:
    """Where the numbers of each written fraction start → its value: 7/10 of the 0.7 miles."""
    found: dict[int, float] = {}
    for match in FRACTION.finditer(text):
        if len(match.group()) <= KNOWN_NUMBERS and int(match[2]):
            value = round(int(match[1]) / int(match[2]), 2)
            found |= {match.start(1): value, match.start(2): value}
    return found


def is_name(text: str, number: Number) -> bool:
    """Whether a number says which one ("in year 5"), or counts an unknown ("5x", collected from 4x + x)."""
    before = words(text[max(0, number.start - 20) : number.start])[-1:]
    return bool(before and before[0][0] in LABELS) or bool(COEFFICIENT.match(text, number.end))


def is_hundredth(text: str, number: Number) -> bool:
    """Whether a number may be said as a hundredth of it: 20% as 0.2, "five cents" as $0.05."""
    return number.percent or bool(HUNDREDTH.match(text, number.end))


class Known:
    """Numbers known so far, and what one sum makes of any two of them, or of one and a unit's number."""

    def __init__(self, question: str, rationale: str, given: tuple[Number, ...]) -> None:
        context = f"{question} {rationale}".lower()
        self.units = [v for p, values in UNIT_NUMBERS.items() if p.search(context) for v in values]
        self.text, self.written = rationale, _written_sums(rationale)
        self.parts = fraction_parts(rationale)
        self.values: list[float] = []
        self.rounded = {0.0, 0.25, 0.5, 1.0, 2.0, 100.0, 1000.0, *self.units}
        self.sums: set[float] = set()  # of two known numbers
        self.reach: set[float] = set()  # and of one with a unit's number, or of several in a row
        self.full = False
        for number in given:
            self.add(number, is_hundredth(question, number))
        for match in OTHER_DIGITS.finditer(question):
            self._add(float(match[0]))
        results = [e.stated for e in equations_of(rationale) if e.stated is not None]
        self.results = {key(value) for value in results}  # may be said before they are worked out
        self.rounded |= self.results
        first = [as_float(n.value) for n in given][:KNOWN_NUMBERS]
        rows = [first[i:] for i in range(len(first))] + [[as_float(v) for v in results[:KNOWN_NUMBERS]]]
        self.reach |= {round(total, 2) for row in rows for total in accumulate(row)}

    def add(self, number: Number, hundredth: bool = False) -> None:
        self._add(abs(as_float(number.value)))
        if hundredth or number.percent:
            self._add(abs(as_float(number.value / 100)))
        if number.spelled and number.value < 1:
            self._add(float(number.value.denominator))  # a fifth is what divides by 5

    def _add(self, new: float) -> None:
        if new in self.values:
            return
        if len(self.values) >= KNOWN_NUMBERS:
            self.full = True
            return
        self.values.append(new)
        self.rounded.add(round(new, 2))
        for old in self.values:
            self.sums |= one_sum(old, new)
        self.sums -= {0.0, 1.0}  # one off is no sum
        self.reach |= self.sums
        for unit in self.units:
            self.reach |= {round(new * unit, 2), round(new / unit, 2)}
        if new < 1:  # a share: what is left of the whole, or the whole with it, in parts or percent
            self.rounded |= {round(whole * (1 + part), 2) for whole in (1, 100) for part in (-new, new)}

    def is_part(self, number: Number) -> bool:
        """Whether it stands above or below the line of a known fraction."""
        return self.parts.get(number.start) in self.rounded

    def explains(self, number: Number) -> bool:
        """Whether it was said, may have been counted, or comes of a sum, of two where none is written out."""
        value, forms = abs(as_float(number.value)), _forms(number)
        counted = value <= COUNTABLE and value == int(value)
        if self.full or counted or not self.rounded.isdisjoint(forms):
            return True
        if self.is_part(number) or is_name(self.text, number):
            return True
        in_the_head = not any(start <= number.start < end for start, end in self.written)
        return not self.reach.isdisjoint(forms) or (in_the_head and any(map(self._two_sums, forms)))

    def _two_sums(self, value: float) -> bool:
        """Whether one more sum with a known number leads on from what one sum made."""
        return any(
            made > 1 and made in self.sums for old in self.values if old for made in one_sum(value, old)
        )


def _forms(number: Number) -> list[float]:
    value = abs(as_float(number.value))
    return [round(value, 2), round(value / 100, 2)] if number.percent else [round(value, 2)]
