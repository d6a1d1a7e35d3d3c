"""CHECKS: what can be seen to be wrong with a rationale, one small function a row.

    arithmetic   "…74 - 35 = [38] pieces left."   wrong     "74 - 35 is 39, not 38"
    stranger     "…so she sold [17] of them"      doubtful  "17 is neither given nor worked out before"
    unused       question: "…and [6] red pens."   doubtful  "6 is never used"

A check is given an Item and returns flags, each with a span, so that a page can mark it in place.
"wrong" is certain as far as the text can be read; "doubtful" is for a person to look at; "right"
marks an equation that holds. How often each check speaks up about correct rationales, and how many
errors it finds, is measured by `python benchmarks/quality.py`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate
from typing import Literal

from core.quality.arithmetic import Equation, equations, number_text
from core.quality.steps import Number, Step, numbers, steps, words
from core.quality.tokens import LABELS
from core.records import Exemplar

Verdict = Literal["right", "wrong", "doubtful"]

COPIED_WORDS = 8  # in a row, as in an exemplar and not in the question
REPEATED_WORDS = 5  # a shorter step may well be said twice
PREMISE_SHARE = 0.75  # of a step's words are the question's: it says again what is given
LOOP_TIMES = 3
COUNTABLE = 4  # up to here a number may have been counted in the question
KNOWN_NUMBERS = 40  # beyond this many, anything can be worked out from something
LONGEST_NUMBER = 100  # characters that an answer may have to be one number
ENDINGS = ".!?…)]}\"”'’»$*`。"
# No sentence ends on one of these.
OPEN_WORDS = frozenset(
    "a an the of to in on at by for from with and or but so then than that which who is are was were be has "
    "have had he she it they we his her their its this each every if when because as into more".split()
)
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


@dataclass(frozen=True, slots=True)
class Item:
    """A rationale in its context. `answer` is the value extracted from the completion, None if none was;
    `correct` is the rule set's verdict on it, None to compare `answer` with `gold` here."""

    question: str
    rationale: str
    answer: str | None = None
    gold: str | None = None
    exemplars: tuple[Exemplar, ...] = ()
    finish_reason: str = "stop"
    correct: bool | None = None


@dataclass(frozen=True, slots=True)
class Flag:
    """What a check says about `start:end` of the rationale, or of the question where `where` says so."""

    start: int
    end: int
    verdict: Verdict
    message: str
    where: Literal["rationale", "question"] = "rationale"
    check: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One row of CHECKS."""

    key: str
    title: str
    find: Callable[[Item], list[Flag]]


def review(item: Item, keys: tuple[str, ...] | None = None) -> list[Flag]:
    """Every flag of every check (or of those named), in the order of the text."""
    found = []
    for check in CHECKS.values():
        if keys is None or check.key in keys:
            for flag in check.find(item):
                made = Flag(flag.start, flag.end, flag.verdict, flag.message, flag.where, check.key)
                found.append(made)
    return sorted(found, key=lambda flag: (flag.where, flag.start, flag.end))


def problems(item: Item) -> dict[str, list[Flag]]:
    """Check key → its flags that are not "right", for filters and counts."""
    found: dict[str, list[Flag]] = {}
    for flag in review(item):
        if flag.verdict != "right":
            found.setdefault(flag.check, []).append(flag)
    return found


# ── the checks ──────────────────────────────────────────────────────────────────────────────────


def arithmetic(item: Item) -> list[Flag]:
    """Every equation, recomputed."""
    return [Flag(e.start, e.end, "right" if e.correct else "wrong", _message(e)) for e in _judged(item)]


def lucky(item: Item) -> list[Flag]:
    """The answer is right although a step is wrong."""
    if not _is_correct(item):
        return []
    return [
        Flag(e.start, e.end, "wrong", f"the answer is right, but {_message(e)}")
        for e in _judged(item)
        if not e.correct
    ]


def stranger(item: Item) -> list[Flag]:
    """Numbers that are neither in the question, nor said by a unit, nor one sum away from what is known;
    and numbers that stand where the question has another one.

    A step that writes its sum out does no second one in the head: there one sum away is not enough, but
    for what an equation comes to ("12 * 2 - 15 = 24 - 15"). What stays unseen: a misread number that is
    one sum away in a step without an equation (the more numbers are known, the likelier), one of up to
    COUNTABLE, which may have been counted, and all numbers of questions about dates.
    """
    given = _numbers(item.question)
    if not given or has_dates(item.question):
        return []
    known = _Known(item, given)
    places: dict[tuple[str, ...], list[Number]] = {}
    for number in given:
        if place := _place(item.question, number):
            places.setdefault(place, []).append(number)
    values_given = {_key(n.value) for n in given}
    said: set[float] = set()
    found = []
    for number in _numbers(item.rationale):
        shown = item.rationale[number.start : number.end]
        others = places.get(_place(item.rationale, number) or (), []) if not number.spelled else []
        unsaid = [n for n in others if _key(n.value) not in said]
        if number.spelled:
            pass
        elif unsaid and _key(number.value) not in values_given | said | known.results:
            meant = item.question[unsaid[0].start : unsaid[0].end]
            message = f"{shown}, where the question has {meant}"
            found.append(Flag(number.start, number.end, "doubtful", message))
        elif not known.explains(number):
            message = f"{shown} is neither given nor worked out before"
            found.append(Flag(number.start, number.end, "doubtful", message))
        known.add(number)
        said.add(_key(number.value))
    return found


def unused(item: Item) -> list[Flag]:
    """Numbers of the question that the rationale never takes up, not even in a sum done in the head.

    A sum in the head is one whose result is said and no equation's: "15 more, so 39" after 11 + 13 = 24.
    A number that the question says only to distract is rightly unused and flagged all the same. What
    stays unseen: a number from which, by chance, another one that was said comes in one sum; none and one
    ("1 worm"), where the number is an article; and all numbers of questions about dates.
    """
    if has_dates(item.question):
        return []
    question = re.split(r"answer choices\s*:", item.question, flags=re.IGNORECASE)[0]
    given, told = _numbers(question), _numbers(item.rationale)
    said = {_key(n.value) for n in told} | {_key(n.value / 100) for n in told if n.percent}
    results = {e.stated for e in _equations(item.rationale) if e.stated is not None}
    in_the_head = said - {_key(n.value) for n in given} - {_key(value) for value in results}
    times = Counter(n.value for n in given)
    values = [*times, *results][:KNOWN_NUMBERS]
    found = []
    for number in {n.value: n for n in reversed(given)}.values():
        hundredth = {_key(number.value / 100)} if _is_hundredth(question, number) else set()
        forms = {_key(number.value)} | hundredth
        article = number.value in (0, 1) or (number.spelled and number.value <= 2)
        others = [_float(value) for value in values if value != number.value or times[value] > 1]
        own = _float(number.value)
        used = in_the_head and any(_one_sum(own, other) & in_the_head for other in others)
        if not article and not forms & said and not used:
            shown = question[number.start : number.end]
            found.append(Flag(number.start, number.end, "doubtful", f"{shown} is never used", "question"))
            said |= forms
    return found


def last_step(item: Item) -> list[Flag]:
    """The answer is not what the last step comes to."""
    made = _steps(item.rationale)
    if item.answer is None or not made or _breaks_off(item):
        return []
    last, problem = made[-1], None
    value = _number(item.answer)
    if value is not None:
        counted = [(s, numbers(s.text)) for s in reversed(made)]
        with_digits = (s for s, found in counted if any(not n.spelled for n in found))
        with_numbers = next(with_digits, next((s for s, found in counted if found), None))
        if with_numbers is None:
            return []
        last = with_numbers
        problem = _key(value) not in {_key(n.value) for n in numbers(last.text)}
    elif re.fullmatch(r"[A-J]", item.answer):
        named = re.findall(r"\(([A-J])\)|\b(?:answer|choice|option) is:? ([A-J])\b", last.text)
        problem = bool(named) and item.answer not in {letter for pair in named for letter in pair}
    elif item.answer.lower() in ("yes", "no"):
        said = re.findall(r"\b(yes|no)\b", last.text.lower())
        problem = bool(said) and item.answer.lower() not in said
    elif item.answer:
        problem = _letters(item.answer) not in _letters(last.text)
    message = f"the answer, {item.answer}, is not in the last step"
    return [Flag(last.start, last.end, "doubtful", message)] if problem else []


def truncated(item: Item) -> list[Flag]:
    """The rationale breaks off."""
    if not _breaks_off(item):
        return []
    end = len(item.rationale.rstrip())
    last = _steps(item.rationale)[-1:] or (Step(0, end, ""),)
    return [Flag(last[0].start, end, "doubtful", "the rationale breaks off here")]


def repeated(item: Item) -> list[Flag]:
    """A step that was said before, word for word, or some words over and over.

    What the question says may be said twice ("Each album has 3 songs."), but not in a row.
    """
    times: dict[str, int] = {}
    asked = {word for word, _, _ in words(item.question)}
    before = ""
    found = []
    for step in _steps(item.rationale):
        said = [word for word, _, _ in words(step.text)]
        text = " ".join(said)
        if len(said) >= REPEATED_WORDS:
            times[text] = times.get(text, 0) + 1
            premise = sum(word in asked for word in said) >= PREMISE_SHARE * len(said)
            if times[text] > (2 if premise and text != before else 1):
                found.append(Flag(step.start, step.end, "doubtful", "this step was said before"))
        before = text
    return found or _loops(item.rationale)


def copied(item: Item) -> list[Flag]:
    """Words taken over from an exemplar that are not the question's own."""
    if not item.exemplars:
        return []
    foreign: set[tuple[str, ...]] = set()
    for exemplar in item.exemplars:
        foreign |= _runs(exemplar.question) | _runs(exemplar.rationale)
    foreign -= _runs(item.question)
    said = words(item.rationale)
    hits = [
        i
        for i in range(len(said) - COPIED_WORDS + 1)
        if tuple(word for word, _, _ in said[i : i + COPIED_WORDS]) in foreign
    ]
    found: list[Flag] = []
    for i in hits:
        start, end = said[i][1], said[i + COPIED_WORDS - 1][2]
        if found and start <= found[-1].end:
            start = found.pop().start
        found.append(Flag(start, end, "doubtful", "these words are an exemplar's"))
    return found


CHECKS: dict[str, Check] = {
    row.key: row
    for row in (
        Check("arithmetic", "Equations recomputed", arithmetic),
        Check("lucky", "Answer right, step wrong", lucky),
        Check("stranger", "Number from nowhere", stranger),
        Check("unused", "Number of the question unused", unused),
        Check("last-step", "Answer differs from the last step", last_step),
        Check("truncated", "Breaks off", truncated),
        Check("repeated", "Repeats itself", repeated),
        Check("copied", "Copied from an exemplar", copied),
    )
}


# ── what they share ─────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=256)
def _equations(text: str) -> tuple[Equation, ...]:
    return tuple(equations(text))


@lru_cache(maxsize=256)
def _numbers(text: str) -> tuple[Number, ...]:
    return tuple(numbers(text))


@lru_cache(maxsize=256)
def _steps(text: str) -> tuple[Step, ...]:
    return tuple(steps(text))


def _judged(item: Item) -> list[Equation]:
    """The equations of a rationale, without those whose fractions are dates: 3/5 - 7 = 2/26."""
    dates = has_dates(item.question)
    return [e for e in _equations(item.rationale) if e.correct or not (dates and "/" in e.form)]


def _message(equation: Equation) -> str:
    left = " ".join(equation.left.split())
    if equation.value is None:
        return f"{left} divides by zero"
    if equation.correct:
        return f"{left} is {equation.right}"
    return f"{left} is {number_text(equation.value)}, not {equation.right}"


def _is_correct(item: Item) -> bool:
    if item.correct is not None:
        return item.correct
    if item.answer is None or item.gold is None:
        return False
    a, b = _number(item.answer), _number(item.gold)
    return a == b if a is not None and b is not None else _letters(item.answer) == _letters(item.gold)


def _number(text: str) -> Fraction | None:
    if len(text) > LONGEST_NUMBER:
        return None
    found = numbers(text)
    whole = re.fullmatch(r"\s*-?\s*[$£€¥]?[\d.,/ ]+%?\s*", text)
    if not whole or len(found) != 1:
        return None
    return -found[0].value if text.strip().startswith("-") else found[0].value


def _letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def _key(value: Fraction) -> float:
    """Numbers are the same if they agree to two places: a result may have been rounded."""
    return abs(round(_float(value), 2))


def _float(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def _breaks_off(item: Item) -> bool:
    text = item.rationale.rstrip()
    if item.finish_reason == "length" or not text:
        return item.finish_reason == "length"
    if text[-1] in ENDINGS:
        return bool(re.search(r"(?:^|\n)\s*\d{1,2}[.)]$", text))  # a list marker with nothing behind it
    if text[-1].isdigit() or text[-1] == "%":
        last = _equations(text)[-1:]
        if last and last[0].end >= len(text) - 1:
            return False
        return not re.search(r"(?:\bis|=|>>|:|-->|\bof)\s*[-$£€]*[\d.,/]+%?$", text)
    *earlier, line = [line.rstrip() for line in text.splitlines() if line.strip()]
    unpunctuated = sum(other[-1] not in ENDINGS for other in earlier) > len(earlier) / 2
    last_word = line.split()[-1].lower()
    if unpunctuated:  # a list without full stops: only a word that needs another one tells
        return not text[-1].isalpha() or last_word in OPEN_WORDS
    # "… = 39 pieces": a line that ends on what its result counts.
    equation = _equations(line)[-1:]
    counts = equation and len(line[equation[0].end :].split()) <= 3 and last_word not in OPEN_WORDS
    return not (counts and text[-1].isalpha())


DATE = re.compile(
    r"\b(?:\d{1,2}/\d{1,2}/\d{2,4}|(?:january|february|march|april|june|july|august|september|october"
    r"|november|december|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\.? \d)|MM/DD/YYYY",
    re.IGNORECASE,
)


def has_dates(question: str) -> bool:
    """Whether a question is about dates, whose numbers follow the calendar and no sum."""
    return bool(DATE.search(question))


def _place(text: str, number: Number) -> tuple[str, ...] | None:
    """The two words before a number and the one after it: where it stands in the story."""
    before = [word for word, _, _ in words(text[max(0, number.start - 40) : number.start])][-2:]
    after = [word for word, _, _ in words(text[number.end : number.end + 30])][:1]
    return (*before, *after) if len(before) == 2 and after and after[0].isalpha() else None


def _one_sum(a: float, b: float) -> set[float]:
    made = {a + b, abs(a - b), a * b}
    if a and b:
        made |= {a / b, b / a}
    return {round(value, 2) for value in made}


def _written_sums(text: str) -> list[tuple[int, int]]:
    """The steps that have an equation, without what it comes to, as spans."""
    found = []
    made = _equations(text)
    for step in _steps(text):
        inside = [e for e in made if step.start <= e.start < step.end]
        cuts = [(e.end - len(e.right), e.end) for e in inside]
        starts = [step.start, *(end for _, end in cuts)]
        ends = [*(start for start, _ in cuts), step.end]
        found += zip(starts, ends, strict=True) if inside else []
    return found


def _fraction_parts(text: str) -> dict[int, float]:
    """Where the numbers of each written fraction start → its value: 7/10 of the 0.7 miles."""
    found: dict[int, float] = {}
    for match in FRACTION.finditer(text):
        if len(match.group()) <= KNOWN_NUMBERS and int(match[2]):
            value = round(int(match[1]) / int(match[2]), 2)
            found |= {match.start(1): value, match.start(2): value}
    return found


def _is_name(text: str, number: Number) -> bool:
    """Whether a number says which one ("in year 5"), or counts an unknown ("5x", collected from 4x + x)."""
    before = words(text[max(0, number.start - 20) : number.start])[-1:]
    return bool(before and before[0][0] in LABELS) or bool(COEFFICIENT.match(text, number.end))


def _is_hundredth(text: str, number: Number) -> bool:
    """Whether a number may be said as a hundredth of it: 20% as 0.2, "five cents" as $0.05."""
    return number.percent or bool(HUNDREDTH.match(text, number.end))


class _Known:
    """Numbers known so far, and what one sum makes of any two of them, or of one and a unit's number."""

    def __init__(self, item: Item, given: tuple[Number, ...]) -> None:
        context = f"{item.question} {item.rationale}".lower()
        self.units = [v for p, values in UNIT_NUMBERS.items() if p.search(context) for v in values]
        self.text, self.written = item.rationale, _written_sums(item.rationale)
        self.parts = _fraction_parts(item.rationale)
        self.values: list[float] = []
        self.rounded = {0.0, 0.25, 0.5, 1.0, 2.0, 100.0, 1000.0, *self.units}
        self.reach: set[float] = set()
        self.full = False
        for number in given:
            self.add(number, _is_hundredth(item.question, number))
        for match in OTHER_DIGITS.finditer(item.question):
            self._add(float(match[0]))
        results = [e.stated for e in _equations(item.rationale) if e.stated is not None]
        self.results = {_key(value) for value in results}  # may be said before they are worked out
        self.rounded |= self.results
        first = [_float(n.value) for n in given][:KNOWN_NUMBERS]
        rows = [first[i:] for i in range(len(first))] + [[_float(v) for v in results[:KNOWN_NUMBERS]]]
        self.reach |= {round(total, 2) for row in rows for total in accumulate(row)}

    def add(self, number: Number, hundredth: bool = False) -> None:
        self._add(abs(_float(number.value)))
        if hundredth or number.percent:
            self._add(abs(_float(number.value / 100)))
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
            self.reach |= _one_sum(old, new)
        for unit in self.units:
            self.reach |= {round(new * unit, 2), round(new / unit, 2)}
        if new < 1:  # a share: what is left of the whole, or the whole with it, in parts or percent
            self.rounded |= {round(whole * (1 + part), 2) for whole in (1, 100) for part in (-new, new)}

    def explains(self, number: Number) -> bool:
        """Whether it was said, may have been counted, or comes of a sum where none is written out."""
        value, forms = abs(_float(number.value)), _forms(number)
        counted = value <= COUNTABLE and value == int(value)
        if self.full or counted or not self.rounded.isdisjoint(forms):
            return True
        if self.parts.get(number.start) in self.rounded or _is_name(self.text, number):
            return True
        in_the_head = not any(start <= number.start < end for start, end in self.written)
        return in_the_head and not self.reach.isdisjoint(forms)


def _forms(number: Number) -> list[float]:
    value = abs(_float(number.value))
    return [round(value, 2), round(value / 100, 2)] if number.percent else [round(value, 2)]


@lru_cache(maxsize=256)  # the same exemplars are looked at for every rationale
def _runs(text: str) -> frozenset[tuple[str, ...]]:
    said = [word for word, _, _ in words(text)]
    return frozenset(tuple(said[i : i + COPIED_WORDS]) for i in range(len(said) - COPIED_WORDS + 1))


def _loops(text: str) -> list[Flag]:
    """The first place where one to twelve words follow themselves LOOP_TIMES times or more."""
    said = words(text)
    plain = [word for word, _, _ in said]
    for size in range(1, 13):
        same = 0  # words in a row that equal the one `size` before
        for i in range(size, len(plain)):
            same = same + 1 if plain[i] == plain[i - size] else 0
            wanted = size * (LOOP_TIMES - 1) + (3 if size == 1 else 0)  # "very very very" is no loop
            if same >= wanted and any(w.isalpha() for w in plain[i - size : i]):
                return [Flag(said[i - same][1], said[i][2], "doubtful", "the same words over and over")]
    return []
