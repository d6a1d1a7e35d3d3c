"""Calculations that a text states in words, recomputed.

    "half of 10 is 6"    "the sum of 5 and 3 is 9"    "five plus three is nine"    "adding 5 to 3 gives 9"
    "5 dozen = 50"       "100 cents = 2 dollars"      "an hour has 50 minutes"
    "10 days before 05/04/2017 is 04/25/2017"         "45 minutes after 3:30 is 4:10"

Three tables: OPERATIONS, what is said of one or two numbers; units, with what each comes to in others of its
measure (words.yaml); moves from a date or a time. What is compared, rounded, or said of part of a longer
calculation gives no statement.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from fractions import Fraction

from dateutil import parser
from dateutil.relativedelta import relativedelta

from core.quality.arithmetic import READ_CHARACTERS, Equation, equations, rounds_to
from core.quality.steps import NUMBER_WORDS, ONES, PARTS, TENS
from core.quality.tokens import COMPARATIVES, STOP_WORDS
from core.quality.units import KIND_OF, converted, unit

_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6}
_ONE_WORD = "|".join(sorted([*ONES, *TENS, *_SCALES], key=len, reverse=True))
_SPELLED = rf"(?:{_ONE_WORD})\b(?:(?:\s+and\s+|[\s-])(?:{_ONE_WORD})\b){{0,5}}"
_DIGITS = (
    r"(?:[$£€]\s?)?(?:\d+\s\d/\d+|(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?!\d)(?:/\d+)?(?:\s?%|\s+percent\b)?)"
)
_NUMBER = rf"(?:{_DIGITS}|\b{_SPELLED})"
_PART = "|".join(part for _, part in PARTS)
_SHARE = (
    rf"(?:half|(?:an?|{'|'.join(ONES)})[\s-](?:{_PART})s?|\d+/\d+|\d+(?:\.\d+)?(?:\s?%|\s+percent)"
    rf"|(?:{_SPELLED})\s+percent)"
)
_DETERMINER = r"(?:(?:the|his|her|its|their|all|those|these|another|other|an?)\s+)*"
_STOP = "|".join({*STOP_WORDS, *"by of than at per in on for after before ago".split()})
_OBJECT = rf"(?:[\s-]+(?!(?:{_STOP})\b)[a-z]+){{0,3}}"  # what is counted
_STATES = (
    rf"{_OBJECT},?\s*(?:(?:which|that|this|it|then)\s+)?(?:is|are|was|would\s+be|will\s+be|equals?|gives?|makes?|="
    r"|leaves?|yields?|totals?|becomes|comes\s+to|results?\s+in|(?:we|you|to|i|he|she|they)\s+(?:get|gets|have|has|find|obtain))\s*"
    r"(?:\b(?:us|you|him|her|them|we|me|equal\s+to|the\s+same\s+as|a\s+total\s+of|exactly|to|with|only)\s+)*"
)
_COMPARED = "|".join(sorted(COMPARATIVES - {"to", "as", "or", "out"}))
# No result is what goes on: "9 more than", "9 times", "9 + 1", "9:30", "9 and a half".
_ENDS = (
    r"(?!\w|[.,]\d|\s\d+/\d|[:/]\d|\s?[-+*/×÷^=%]\s?\d|\s+(?:percent|x|plus|minus|divided|multiplied|and\s+(?:an?|\d+/))\b"
    rf"|\s+(?:[a-z]+\s+){{0,2}}(?:{_COMPARED})\b|{_OBJECT}\s*(?:[-+*/×÷^=]|x\b)\s?[$\d(.]|\s*<<)"
)
# The first number goes on from what stands before it: "2 + five plus three".
_GOES_ON = re.compile(
    r"(?:[-+*/×÷^=(\d%$]"
    r"|\b(?:plus|minus|times|by|(?<!total )of|and|to|from|than|half|twice|double|triple|or|x))[ \t]*$",
    re.IGNORECASE,
)
_SHARED = re.compile(
    r"(?:[-+*/×÷^]|\b(?:plus|minus|times|by|than|half|twice|double|triple|and\s+an?))[ \t]*(?:of[ \t]+)?$",
    re.I,
)

LONGEST_NUMBER = 100  # characters: nobody reckons in words with longer ones

Work = Callable[..., Fraction]
# What is said of {a} and {b}, numbers, and what it comes to.
OPERATIONS: tuple[tuple[str, Work], ...] = (
    ("(?:half|one half)(?: of)? {a}", lambda a: a / 2),
    ("{share} of {a}", lambda a, share: a * share),
    ("(?:twice|double)(?: of)? {a}", lambda a: a * 2),
    ("(?:thrice|triple) {a}", lambda a: a * 3),
    ("the square of {a}", lambda a: a * a),
    ("{a} squared", lambda a: a * a),
    ("the (?:sum|total) of {a},? and {b}", lambda a, b: a + b),
    ("the (?:sum|total) of {a}, {d},? and {b}", lambda a, b, d: a + b + d),
    ("(?:add|adding|combining|the addition of) {a} (?:to|and|with|plus) {b}", lambda a, b: a + b),
    ("{a} (?:added to|combined with|together with|increased by|more than|plus) {b}", lambda a, b: a + b),
    ("the difference (?:between|of) {a} and {b}", lambda a, b: abs(a - b)),
    (
        "(?:subtract|take|remove|deduct|tak|remov)(?:ing)? (?:away )?{a} (?:away )?from {b}",
        lambda a, b: b - a,
    ),
    ("{a} (?:subtracted|taken|removed|deducted) (?:away )?from {b}", lambda a, b: b - a),
    ("{a} (?:less|fewer) than {b}", lambda a, b: b - a),
    ("{a} (?:decreased by|reduced by|minus|less) {b}", lambda a, b: a - b),
    ("the product of {a} and {b}", lambda a, b: a * b),
    ("(?:multiply|multiplying) {a} (?:by|and|with|times) {b}", lambda a, b: a * b),
    ("{a} (?:times|multiplied by) {b}", lambda a, b: a * b),
    ("the quotient of {a} (?:and|by) {b}", lambda a, b: a / b),
    (
        "(?:divide|dividing|splitting|sharing) {a} (?:equally )?(?:by|among|between|into) {b}",
        lambda a, b: a / b,
    ),
    ("{a} divided (?:equally )?(?:by|among|between|into) {b}", lambda a, b: a / b),
    ("the (?:average|mean) of {a} and {b}", lambda a, b: (a + b) / 2),
)


def _rows() -> Iterator[tuple[re.Pattern[str], Work, bool]]:
    """Each row's pattern, with its result behind it and, where no number begins it, before it."""
    for said, work in OPERATIONS:
        made = said.replace(" ", r"\s+").replace(r"(?:away\s+)", r"(?:away\s+)")
        made = made.replace("{share}", f"(?P<share>{_SHARE})")
        for name in "abd":
            number = rf"{_DETERMINER}(?P<{name}>{_NUMBER})(?P<{name}_of>{_OBJECT})"
            made = made.replace("{" + name + "}", number)
        made = f"(?P<left>{made})"
        result = rf"(?P<c>-?{_NUMBER}){_ENDS}(?P<c_of>{_OBJECT})"
        begins = said.startswith("{a}")
        yield re.compile(rf"(?<![\w$.,]){made}{_STATES}{result}", re.IGNORECASE), work, begins
        if not begins:
            after = rf"(?<![\w$.,/])(?P<c>{_NUMBER})(?P<c_of>{_OBJECT})\s+(?:is|are|equals|=)\s+{made}{_ENDS}"
            yield re.compile(after, re.IGNORECASE), work, True


_ROWS = tuple(_rows())


def statements(text: str) -> list[Equation]:
    """Every equation of a text and every calculation that it states in words, in order, none in another."""
    found = equations(text)
    for one in worded(text):
        if all(one.end <= other.start or other.end <= one.start for other in found):
            found.append(one)
    return sorted(found, key=lambda one: one.start)


def worded(text: str) -> Iterator[Equation]:
    """The calculations in words alone, dates and times left out."""
    text = text[:READ_CHARACTERS]
    yield from _conversions(text)
    for pattern, work, begins in _ROWS:
        for match in pattern.finditer(text):
            before = text[max(0, match.start() - 20) : match.start()]
            if not (_GOES_ON if begins else _SHARED).search(before) and (made := _worked(match, work)):
                yield made


def _worked(match: re.Match[str], work: Work) -> Equation | None:
    part = match.groupdict()
    read = {name: _value(part[name]) for name in ("a", "b", "d", "share") if part.get(name)}
    units = {_unit(part[name]) for name in part if name.endswith("_of")} - {None}
    stated = _value(part["c"])
    if (
        stated is None
        or None in read.values()
        or len(units) > 1
        or any(KIND_OF[u] == "count" for u in units if u)
    ):
        return None
    try:
        value = work(**read)
    except ZeroDivisionError:
        return None
    return _equation(match, part["left"], value, stated)


def _equation(match: re.Match[str], left: str, value: Fraction, stated: Fraction) -> Equation:
    shown = match["c"]
    digits = len(shown.strip("$£€% ").partition(".")[2])
    right = value == stated or rounds_to(value, stated, digits) or abs(value - stated) < Fraction(1, 10**6)
    end = max(match.end("c"), match.end("left"))
    return Equation(match.start(), end, left, shown, value, stated, right, f"{value}={stated}")


def _unit(words: str | None) -> str | None:
    """The unit among the words behind a number; "dozen" and its like are one."""
    return next((name for word in re.findall(r"[a-z]+", (words or "").lower()) if (name := unit(word))), None)


def _value(text: str) -> Fraction | None:
    """A number in digits or in words: "$1,234.50", "3/4", "twenty-five", "three hundred five", "a third"."""
    if len(text) > LONGEST_NUMBER:
        return None
    if mixed := re.fullmatch(r"\D*(\d+)\s(\d)/([1-9]\d*)", text):
        return int(mixed[1]) + Fraction(int(mixed[2]), int(mixed[3]))
    plain = re.sub(r"[$£€,\s]|percent", "", text)
    if re.fullmatch(r"-?\d+(?:\.\d+)?(?:/\d+)?%?", plain):
        top, _, below = plain.rstrip("%").partition("/")
        if below and not int(below):
            return None
        value = Fraction(top) / (int(below) if below else 1)
        return value / 100 if re.search(r"%|percent", text) else value
    total = part = Fraction(0)
    for word in re.findall(r"[a-z]+", text.lower()):
        if word in _SCALES:
            part = (part or Fraction(1)) * _SCALES[word]
            total, part = (total + part, Fraction(0)) if _SCALES[word] > 100 else (total, part)
        elif word.removesuffix("s") in _PARTS:
            part = (part or Fraction(1)) / _PARTS[word.removesuffix("s")]
        elif word in NUMBER_WORDS:
            part += NUMBER_WORDS[word]
        elif word not in ("a", "an", "and", "percent"):
            return None
    return (total + part) / (100 if text.lower().endswith("percent") else 1)


_PARTS = {part: below for below, part in PARTS}

# ── one amount in two units ─────────────────────────────────────────────────────────────────────

_ONE = rf"(?P<a>{_NUMBER}|\b(?:an?|each|every))"
_IN_UNITS = (
    rf"(?P<c>{_NUMBER})(?!\d|[.,:/]\d)\s?(?P<c_of>[a-z]+)?(?:\s+and\s+(?P<d>{_NUMBER})\s+(?P<d_of>[a-z]+))?"
)
_STATES_UNITS = (
    r"\s*(?:=|\b(?:is|are|equals?|has|have|contains?|makes?|is\s+equal\s+to|is\s+the\s+same\s+as))\s*"
)
_CONVERSIONS = tuple(
    re.compile(rf"(?<![\w$./-]){one}(?!\s+(?:{_COMPARED})\b|\s?[-+*/×÷=^]\s?\d)", re.IGNORECASE)
    for one in (
        rf"(?P<left>{_ONE}[ \t]?(?P<a_of>[a-z]+)?"
        rf"(?:\s+and\s+(?P<e>{_NUMBER})\s+(?P<e_of>[a-z]+)|\s+(?P<more>[a-z]+))?)"
        rf"{_STATES_UNITS}{_IN_UNITS}",
        rf"\bthere\s+(?:are|is)\s+{_IN_UNITS}\s+in\s+(?P<left>{_ONE}\s+(?P<a_of>[a-z]+))(?P<more>(?!))?(?P<e>(?!))?"
        r"(?P<e_of>(?!))?",
    )
)
_COUNTS = {"dozen": 12, "pair": 2}


def _conversions(text: str) -> Iterator[Equation]:
    for pattern in _CONVERSIONS:
        for match in pattern.finditer(text):
            part = match.groupdict()
            before = text[max(0, match.start() - 20) : match.start()]
            many = Fraction(1) if part["a"].lower() in ("a", "an", "each", "every") else _value(part["a"])
            stated = _value(part["c"])
            if many is None or stated is None or _GOES_ON.search(before):
                continue
            first = "dollar" if "$" in part["a"] else unit(part["a_of"] or "")
            second = "dollar" if "$" in part["c"] else unit(part["c_of"] or "")
            rate = converted(first, second) if not part["more"] else None
            if (
                first in _COUNTS
                and second is None
                and stated > many
                and _same_thing(part["more"], part["c_of"])
            ):
                rate = Fraction(_COUNTS[first])
            if rate is None or first == second:
                continue
            rest, third = _value(part["d"] or "0"), converted(unit(part["d_of"] or ""), second)
            also, fourth = _value(part["e"] or "0"), converted(unit(part["e_of"] or ""), second)
            if (part["d"] and (rest is None or third is None)) or (
                part["e"] and (also is None or fourth is None)
            ):
                continue
            more = (also or 0) * (fourth or 0)
            yield _equation(match, part["left"], many * rate + more - (rest or 0) * (third or 0), stated)


def _same_thing(first: str | None, second: str | None) -> bool:
    """Whether two nouns may be one: "5 dozen eggs = 60 eggs", "5 dozen = 60"; not "5 dozen is 3 boxes"."""
    return not first or not second or first.strip().lower() == second.lower()


# ── moves from a date or a time ─────────────────────────────────────────────────────────────────

_DAY = "(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_MONTH = "(?:january|february|march|april|may|june|july|august|september|october|november|december)"
_CLOCK = r"\d{1,2}:\d{2}(?:\s?[ap]\.?m\b)?|\d{1,2}\s?[ap]\.?m\b"
_DATE = (
    rf"\d{{1,2}}/\d{{1,2}}/\d{{4}}|{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s+\d{{4}})?"
    rf"|{_CLOCK}|{_DAY}|{_MONTH}"
)
_SPAN = rf"(?P<n>{_NUMBER}|\b(?:the|an?))\s+(?P<unit>minute|hour|day|week|month|year)s?"
_IS = r",?\s*(?:\b(?:is|was|will\s+be|would\s+be|would\s+have\s+been)\b|=)\s*"
_BACK = r"before|prior\s+to|earlier\s+than|ago\s+from|-|−|minus"
_MOVES = tuple(
    re.compile(rf"(?P<left>{move}){_IS}(?P<c>{_DATE})", re.IGNORECASE)
    for move in (
        rf"(?<!\w){_SPAN}\s+(?:(?P<back>{_BACK})|after|from|later\s+than|past)\s+(?P<from>{_DATE})",
        rf"(?<![\w/])(?P<from>{_DATE})\s+(?:(?P<back>{_BACK})|\+|plus)\s+{_SPAN}",
    )
)
# How what is moved is compared, by what both are written like, and what it can be moved by.
_FORMS = (
    (re.compile(r"[ap]\.?m", re.IGNORECASE), "%H:%M", ("minute", "hour")),
    (re.compile(r":"), "%I:%M", ("minute", "hour")),
    (re.compile(r"\d{4}"), "%m/%d/%Y", ("day", "week", "month", "year")),
    (re.compile(r"\d"), "%m/%d", ("day", "week", "month", "year")),
    (re.compile(_DAY, re.IGNORECASE), "%A", ("day", "week")),
    (re.compile(_MONTH, re.IGNORECASE), "%B", ("month", "year")),
)


def moves(text: str) -> Iterator[Equation]:
    """What is stated of dates, days, months and times: "10 days before 05/04/2017 is 04/24/2017"."""
    text = text[:READ_CHARACTERS]
    for pattern in _MOVES:
        for match in pattern.finditer(text):
            part = match.groupdict()
            many = Fraction(1) if part["n"].lower() in ("the", "a", "an") else _value(part["n"])
            forms = [
                (form, by)
                for like, form, by in _FORMS
                if like.search(part["from"]) and like.search(part["c"])
            ]
            if many is None or many.denominator != 1 or many > 10**4 or not forms:
                continue
            (form, moved_by), name = forms[0], part["unit"].lower()
            if name not in moved_by:
                continue
            move = relativedelta(**{f"{name}s": int(many) * (-1 if part["back"] else 1)})
            # Where no year is given, in one with a leap day and in one without.
            ends = [
                end for year in (2001, 2004) if (end := _moved(part["from"], move, part["c"], form, year))
            ]
            if not ends:
                continue
            right, comes_to = any(came == said for came, said in ends), ends[0][0]
            yield Equation(
                match.start(), match.end("c"), part["left"], part["c"], None, None, right,
                f"{comes_to.replace('/', '-')}={ends[0][1].replace('/', '-')}", comes_to,
            )  # fmt: skip


def _moved(start: str, move: relativedelta, stated: str, form: str, year: int) -> tuple[str, str] | None:
    """Where a move comes to, and what is stated, written in a form; None for what is no date. `year` stands
    in where none is given."""
    try:
        first, last = (parser.parse(text, default=datetime(year, 1, 1)) for text in (start, stated))
        return (first + move).strftime(form), last.strftime(form)
    except (ValueError, OverflowError):
        return None
