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
    COUNTABLE,
    KNOWN_NUMBERS,
    Known,
    as_float,
    equations_of,
    fraction_parts,
    is_hundredth,
    is_name,
    key,
    numbers_of,
    one_sum,
    steps_of,
)
from core.quality.steps import Number, RationaleStep, numbers, words
from core.quality.tokens import STOP_WORDS
from core.quality.vocabulary import WORDS
from core.quality.worded import moves
from core.records import Exemplar

Verdict = Literal["right", "wrong", "doubtful"]

CONTEXT_WORDS = 3  # around a number, as around one of the question
COPIED_WORDS = 8  # in a row, as in an exemplar and not in the question
REPEATED_WORDS = 5  # a shorter step may well be said twice
PLAIN_WORDS = 8  # a longer one is hardly said twice by chance
PREMISE_SHARE = 0.6  # of a step's words are the question's: it says again what is given
LOOP_TIMES = 3
MOST_SPELLED = 12  # "the three of them": a number in words up to here is mostly no operand
LONGEST_NUMBER = 100  # characters that an answer may have to be one number
ENDINGS = ".!?…)]}\"”'’»$*`。"
STATE_WORDS = frozenset(WORDS["state"])
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


def dates(item: Rationale) -> list[Flag]:
    """Every date, day and time that is counted from another, recomputed."""
    made = moves(item.rationale)
    return [Flag(e.start, e.end, "right" if e.correct else "wrong", _message(e)) for e in made]


def lucky(item: Rationale) -> list[Flag]:
    """The answer is right although a step is wrong."""
    if not _is_correct(item):
        return []
    return [
        Flag(e.start, e.end, "wrong", f"the answer is right, but {_message(e)}")
        for e in (*_judged(item), *moves(item.rationale))
        if not e.correct
    ]


def stranger(item: Rationale) -> list[Flag]:
    """Numbers that are neither in the question, nor said by a unit, nor come of what is known; and numbers
    that stand where the question has another one.

    A step that writes its sum out does one more in the head at most, any other step two. What stays unseen:
    a misread number that comes of others by chance (the more numbers are known, the likelier), one of up to
    COUNTABLE, which may have been counted, the answer itself, and all numbers of questions about dates and of
    those whose answer is no number, which want knowledge more than sums.
    """
    given = numbers_of(item.question)
    if not given or not _computes(item):
        return []
    known = Known(item.question, item.rationale, given)
    contexts = [(n, _context(item.question, n)) for n in given]
    told = numbers_of(item.rationale)
    values_given, values_told = {key(n.value) for n in given}, {key(n.value) for n in told}
    answer = _number(item.answer or "")
    said: set[float] = set() if answer is None else {key(answer)}
    found = []
    for number in told:
        value, shown = key(number.value), item.rationale[number.start : number.end]
        if (
            not number.spelled
            and value not in values_given | said | known.results
            and not known.is_part(number)
        ):
            own = _context(item.rationale, number)
            meant = next(
                (
                    n
                    for n, place in contexts
                    if key(n.value) not in said and _alike(own, place, strict=key(n.value) in values_told)
                ),
                None,
            )
            message = "" if known.explains(number) else f"{shown} is neither given nor worked out before"
            if meant is not None:
                message = f"{shown}, where the question has {item.question[meant.start : meant.end]}"
            if message:
                found.append(Flag(number.start, number.end, "doubtful", message))
        known.add(number)
        said.add(value)
    return found


def unused(item: Rationale) -> list[Flag]:
    """Numbers of the question that the rationale never takes up, not even in a sum done in the head.

    A sum in the head is one whose result is said and no equation's: "15 more, so 39" after 11 + 13 = 24.
    A number that the question says only to distract is rightly unused and flagged all the same. What
    stays unseen: a number from which, by chance, another one that was said comes in one sum; none and one
    ("1 worm"), where the number is an article; and all numbers of questions about dates.
    """
    if not _computes(item):
        return []
    question = item.question
    given, told = numbers_of(question), numbers_of(item.rationale)
    said = {key(n.value) for n in told} | {key(n.value / 100) for n in told if n.percent}
    results = {e.stated for e in equations_of(item.rationale) if e.stated is not None}
    in_the_head = said - {key(n.value) for n in given} - {key(value) for value in results}
    times = Counter(n.value for n in given)
    asked = steps_of(question)[-1].text if given else ""
    spoken = {_stem(word) for word, _, _ in words(f"{asked} {item.rationale}")}
    values = [*times, *results][:KNOWN_NUMBERS]
    found = []
    for number in {n.value: n for n in reversed(given)}.values():
        hundredth = {key(number.value / 100)} if is_hundredth(question, number) else set()
        forms = {key(number.value)} | hundredth
        article = number.value <= (MOST_SPELLED if number.spelled else COUNTABLE)
        others = [as_float(value) for value in values if value != number.value or times[value] > 1]
        own = as_float(number.value)
        used = in_the_head and any(one_sum(own, other) & in_the_head for other in others)
        used = used or _is_aside(question, number, spoken)
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
        stated = _stated(last.text)
        # A last step that only says again what is given comes to nothing that could differ.
        problem = key(value) not in stated and not stated <= {key(n.value) for n in numbers_of(item.question)}
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


def _stated(text: str) -> set[float]:
    """The numbers of a step, and what they are together: 5/6, "3 and a half", "1 dollar and 84 cents"."""
    made = {key(n.value) for n in numbers(text)} | set(fraction_parts(text).values())
    for whole, cents in re.findall(r"\b(\d{1,9})(?: \w+)? and (?:(\d\d?) cents|a half)\b", text):
        made.add(int(whole) + (int(cents) / 100 if cents else 0.5))
    return made


def truncated(item: Rationale) -> list[Flag]:
    """The rationale breaks off."""
    if not _breaks_off(item):
        return []
    end = len(item.rationale.rstrip())
    last = steps_of(item.rationale)[-1:] or (RationaleStep(0, end, ""),)
    return [Flag(last[0].start, end, "doubtful", "the rationale breaks off here")]


def repeated(item: Rationale) -> list[Flag]:
    """A step that was said before, word for word: in a row, behind the same step as before, as the last one
    of a calculation, or with nothing in it that may well come again; or some words over and over.

    What may come again is a premise ("Each album has 3 songs."), a calculation (two children with the same
    pocket money), and a state ("The coin is now tails up.").
    """
    made = [[word for word, _, _ in words(step.text)] for step in steps_of(item.rationale)]
    asked = {word for word, _, _ in words(item.question)}
    places: dict[tuple[str, ...], list[int]] = {}
    found = []
    for i, (step, said) in enumerate(zip(steps_of(item.rationale), made, strict=True)):
        if len(said) < REPEATED_WORDS:
            continue
        earlier = places.setdefault(tuple(said), [])
        before = made[i - 1] if i and len(made[i - 1]) >= REPEATED_WORDS else None
        again = any(j == i - 1 or (j and made[j - 1] == before) for j in earlier)
        last = i == len(made) - 1 and _computes(item)
        premise = sum(word in asked for word in said) >= PREMISE_SHARE * len(said)
        comes_again = premise or len(said) < PLAIN_WORDS or bool(numbers_of(step.text))
        if earlier and (again or ((last or not comes_again) and not _is_state(said, made))):
            found.append(Flag(step.start, step.end, "doubtful", "this step repeats an earlier one"))
        earlier.append(i)
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
        Check("dates", "Dates and times recomputed", dates),
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
    if equation.correct:
        return f"{left} is {equation.right}"
    if equation.value is None and not equation.comes_to:
        return f"{left} divides by zero"
    return f"{left} is {equation.comes_to or number_text(equation.value or Fraction())}, not {equation.right}"


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
    counts = equation and len(line[equation[0].end :].split()) <= 3
    solved = re.search(r"=\s*[$£€]?[\d.,/]+(?:\s+[a-z]+){1,3}$", line)  # "x = 7 colors used"
    return not ((counts or solved) and last_word not in OPEN_WORDS and text[-1].isalpha())


DATE = re.compile(
    r"\b(?:\d{1,2}/\d{1,2}/\d{2,4}|(?:january|february|march|april|june|july|august|september|october"
    r"|november|december|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\.? \d)|MM/DD/YYYY",
    re.IGNORECASE,
)


def has_dates(question: str) -> bool:
    """Whether a question is about dates, whose numbers follow the calendar and no sum."""
    return bool(DATE.search(question))


def _is_aside(question: str, number: Number, spoken: set[str]) -> bool:
    """Whether a number names a year or a grade, or counts what is neither asked for nor ever spoken of: the
    pencils of "41 crayons and 26 pencils"."""
    if is_name(question, number) or (not number.spelled and 1900 <= number.value <= 2100):
        return True
    counted = [word for word, _, _ in words(question[number.end : number.end + 40])[:2]]
    known = [word for word in counted if word.isalpha() and word not in STOP_WORDS]
    return bool(known) and _stem(known[0]) not in spoken


def _stem(word: str) -> str:
    return word.removesuffix("es").removesuffix("s")


def _is_state(said: list[str], made: list[list[str]]) -> bool:
    """Whether a step says how something is for the time being: "now", or what another step says with one
    other word, heads for tails."""
    return not STATE_WORDS.isdisjoint(said) or any(
        len(other) == len(said) and sum(a != b for a, b in zip(other, said, strict=True)) == 1
        for other in made
    )


Context = tuple[list[str], list[str]]


def _context(text: str, number: Number) -> Context:
    """The words before a number, the nearest first, and those after it: where it stands in the story."""
    before = [word for word, _, _ in words(text[max(0, number.start - 60) : number.start])][-CONTEXT_WORDS:]
    after = [word for word, _, _ in words(text[number.end : number.end + 60])][:CONTEXT_WORDS]
    return before[::-1], after


def _alike(first: Context, second: Context, strict: bool) -> bool:
    """Whether two numbers stand among the same words, CONTEXT_WORDS of them; strictly: one of them behind."""
    before, after = (
        next((i for i, (a, b) in enumerate(zip(x, y, strict=False)) if a != b), min(len(x), len(y)))
        for x, y in zip(first, second, strict=True)
    )
    return before + after >= CONTEXT_WORDS and (not strict or bool(before >= 2 and after))


def _computes(item: Rationale) -> bool:
    """Whether a question asks for a number, and not about dates, whose numbers follow the calendar."""
    wanted = item.answer or item.gold
    return not has_dates(item.question) and (wanted is None or _number(wanted) is not None)


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
