"""CHECKS: what can be seen to be wrong with a rationale, one small function a row.

    arithmetic   "…74 - 35 = [38] pieces left."   wrong     "74 - 35 is 39, not 38"
    stranger     "…so she sold [17] of them"      doubtful  "17 is neither given nor worked out before"
    unused       question: "…and [6] red pens."   doubtful  "6 is never used"

A check is given a Rationale and returns flags, each with a span, so that a page can mark it in place.
"wrong" is certain as far as the text can be read; "doubtful" is for a person to look at; "right"
marks an equation that holds. How often each check speaks up about correct rationales, and how many
errors it finds, is measured by `python benchmarks/quality.py`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Literal

from core.quality.arithmetic import Equation, number_text
from core.quality.known import (
    KNOWN_NUMBERS,
    Known,
    as_float,
    equations_of,
    is_hundredth,
    key,
    numbers_of,
    one_sum,
    steps_of,
)
from core.quality.steps import Number, RationaleStep, numbers, words
from core.quality.vocabulary import WORDS
from core.records import Exemplar

Verdict = Literal["right", "wrong", "doubtful"]

COPIED_WORDS = 8  # in a row, as in an exemplar and not in the question
REPEATED_WORDS = 5  # a shorter step may well be said twice
PREMISE_SHARE = 0.75  # of a step's words are the question's: it says again what is given
LOOP_TIMES = 3
LONGEST_NUMBER = 100  # characters that an answer may have to be one number
ENDINGS = ".!?…)]}\"”'’»$*`。"
OPEN_WORDS = frozenset(WORDS["open"])


@dataclass(frozen=True, slots=True)
class Rationale:
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
    find: Callable[[Rationale], list[Flag]]


def review(item: Rationale) -> list[Flag]:
    """Every flag of every check, in the order of the text."""
    found = [replace(flag, check=check.key) for check in CHECKS.values() for flag in check.find(item)]
    return sorted(found, key=lambda flag: (flag.where, flag.start, flag.end))


def problems(item: Rationale) -> dict[str, list[Flag]]:
    """Check key → its flags that are not "right", for filters and counts."""
    found: dict[str, list[Flag]] = {}
    for flag in review(item):
        if flag.verdict != "right":
            found.setdefault(flag.check, []).append(flag)
    return found


# ── the checks ──────────────────────────────────────────────────────────────────────────────────


def arithmetic(item: Rationale) -> list[Flag]:
    """Every equation, recomputed."""
    return [Flag(e.start, e.end, "right" if e.correct else "wrong", _message(e)) for e in _judged(item)]


def lucky(item: Rationale) -> list[Flag]:
    """The answer is right although a step is wrong."""
    if not _is_correct(item):
        return []
    return [
        Flag(e.start, e.end, "wrong", f"the answer is right, but {_message(e)}")
        for e in _judged(item)
        if not e.correct
    ]


def stranger(item: Rationale) -> list[Flag]:
    """Numbers that are neither in the question, nor said by a unit, nor one sum away from what is known;
    and numbers that stand where the question has another one.

    A step that writes its sum out does no second one in the head: there one sum away is not enough, but
    for what an equation comes to ("12 * 2 - 15 = 24 - 15"). What stays unseen: a misread number that is
    one sum away in a step without an equation (the more numbers are known, the likelier), one of up to
    COUNTABLE, which may have been counted, and all numbers of questions about dates.
    """
    given = numbers_of(item.question)
    if not given or has_dates(item.question):
        return []
    known = Known(item.question, item.rationale, given)
    places: dict[tuple[str, ...], list[Number]] = {}
    for number in given:
        if place := _place(item.question, number):
            places.setdefault(place, []).append(number)
    values_given = {key(n.value) for n in given}
    said: set[float] = set()
    found = []
    for number in numbers_of(item.rationale):
        shown = item.rationale[number.start : number.end]
        others = places.get(_place(item.rationale, number) or (), []) if not number.spelled else []
        unsaid = [n for n in others if key(n.value) not in said]
        if number.spelled:
            pass
        elif unsaid and key(number.value) not in values_given | said | known.results:
            meant = item.question[unsaid[0].start : unsaid[0].end]
            message = f"{shown}, where the question has {meant}"
            found.append(Flag(number.start, number.end, "doubtful", message))
        elif not known.explains(number):
            message = f"{shown} is neither given nor worked out before"
            found.append(Flag(number.start, number.end, "doubtful", message))
        known.add(number)
        said.add(key(number.value))
    return found


def unused(item: Rationale) -> list[Flag]:
    """Numbers of the question that the rationale never takes up, not even in a sum done in the head.

    A sum in the head is one whose result is said and no equation's: "15 more, so 39" after 11 + 13 = 24.
    A number that the question says only to distract is rightly unused and flagged all the same. What
    stays unseen: a number from which, by chance, another one that was said comes in one sum; none and one
    ("1 worm"), where the number is an article; and all numbers of questions about dates.
    """
    if has_dates(item.question):
        return []
    question = re.split(r"answer choices\s*:", item.question, flags=re.IGNORECASE)[0]
    given, told = numbers_of(question), numbers_of(item.rationale)
    said = {key(n.value) for n in told} | {key(n.value / 100) for n in told if n.percent}
    results = {e.stated for e in equations_of(item.rationale) if e.stated is not None}
    in_the_head = said - {key(n.value) for n in given} - {key(value) for value in results}
    times = Counter(n.value for n in given)
    values = [*times, *results][:KNOWN_NUMBERS]
    found = []
    for number in {n.value: n for n in reversed(given)}.values():
        hundredth = {key(number.value / 100)} if is_hundredth(question, number) else set()
        forms = {key(number.value)} | hundredth
        article = number.value in (0, 1) or (number.spelled and number.value <= 2)
        others = [as_float(value) for value in values if value != number.value or times[value] > 1]
        own = as_float(number.value)
        used = in_the_head and any(one_sum(own, other) & in_the_head for other in others)
        if not article and not forms & said and not used:
            shown = question[number.start : number.end]
            found.append(Flag(number.start, number.end, "doubtful", f"{shown} is never used", "question"))
            said |= forms
    return found


def last_step(item: Rationale) -> list[Flag]:
    """The answer is not what the last step comes to."""
    made = steps_of(item.rationale)
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
        problem = key(value) not in {key(n.value) for n in numbers(last.text)}
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


def truncated(item: Rationale) -> list[Flag]:
    """The rationale breaks off."""
    if not _breaks_off(item):
        return []
    end = len(item.rationale.rstrip())
    last = steps_of(item.rationale)[-1:] or (RationaleStep(0, end, ""),)
    return [Flag(last[0].start, end, "doubtful", "the rationale breaks off here")]


def repeated(item: Rationale) -> list[Flag]:
    """A step that was said before, word for word, or some words over and over.

    What the question says may be said twice ("Each album has 3 songs."), but not in a row.
    """
    times: dict[str, int] = {}
    asked = {word for word, _, _ in words(item.question)}
    before = ""
    found = []
    for step in steps_of(item.rationale):
        said = [word for word, _, _ in words(step.text)]
        text = " ".join(said)
        if len(said) >= REPEATED_WORDS:
            times[text] = times.get(text, 0) + 1
            premise = sum(word in asked for word in said) >= PREMISE_SHARE * len(said)
            if times[text] > (2 if premise and text != before else 1):
                found.append(Flag(step.start, step.end, "doubtful", "this step repeats an earlier one"))
        before = text
    return found or _loops(item.rationale)


def copied(item: Rationale) -> list[Flag]:
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
        found.append(Flag(start, end, "doubtful", "these words are copied from an exemplar"))
    return found


CHECKS: dict[str, Check] = {
    row.key: row
    for row in (
        Check("arithmetic", "Equations recomputed", arithmetic),
        Check("lucky", "Answer right, step wrong", lucky),
        Check("stranger", "Number from nowhere", stranger),
        Check("unused", "Unused number of the question", unused),
        Check("last-step", "Answer differs from the last step", last_step),
        Check("truncated", "Breaks off", truncated),
        Check("repeated", "Repeats itself", repeated),
        Check("copied", "Copied from an exemplar", copied),
    )
}


# ── what they share ─────────────────────────────────────────────────────────────────────────────


def _judged(item: Rationale) -> list[Equation]:
    """The equations of a rationale, without those whose fractions are dates: 3/5 - 7 = 2/26."""
    dates = has_dates(item.question)
    return [e for e in equations_of(item.rationale) if e.correct or not (dates and "/" in e.form)]


def _message(equation: Equation) -> str:
    left = " ".join(equation.left.split())
    if equation.value is None:
        return f"{left} divides by zero"
    if equation.correct:
        return f"{left} is {equation.right}"
    return f"{left} is {number_text(equation.value)}, not {equation.right}"


def _is_correct(item: Rationale) -> bool:
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


def _breaks_off(item: Rationale) -> bool:
    text = item.rationale.rstrip()
    if item.finish_reason == "length" or not text:
        return item.finish_reason == "length"
    if text[-1] in ENDINGS:
        return bool(re.search(r"(?:^|\n)\s*\d{1,2}[.)]$", text))  # a list marker with nothing behind it
    if text[-1].isdigit() or text[-1] == "%":
        last = equations_of(text)[-1:]
        if last and last[0].end >= len(text) - 1:
            return False
        return not re.search(r"(?:\bis|=|>>|:|-->|\bof)\s*[-$£€]*[\d.,/]+%?$", text)
    *earlier, line = [line.rstrip() for line in text.splitlines() if line.strip()]
    unpunctuated = sum(other[-1] not in ENDINGS for other in earlier) > len(earlier) / 2
    last_word = line.split()[-1].lower()
    if unpunctuated:  # a list without full stops: only a word that needs another one tells
        return not text[-1].isalpha() or last_word in OPEN_WORDS
    # "… = 39 pieces": a line that ends on what its result counts.
    equation = equations_of(line)[-1:]
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
