"""The papers' own answer rules, defects included, so that their figures come out.

Fine-tune-CoT   (Ho et al. 2023; reasoning-teacher, src/evaluation/evaluator.py)
    no prefix                  the first candidate of the text
    prefix in the text         the first candidate after its first occurrence
    prefix not in the text     the last candidate of the text
Zero-shot-CoT   (Kojima et al. 2022; zero_shot_cot, utils.py)
    no prefix                  the first candidate
    prefix in the text         the first candidate after its last occurrence
    prefix not in the text     the last candidate
    the value loses one final ".", and every comparison is of strings

Known to be wrong and kept: "7.0" is not "7" in MultiArith and GSM8K; "None of the Above" holds an A;
"70-27" reads as 70 and -27; "Yes!" and "(yes)" hold no yes; "Yajo" is not "yajo".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from core.answers.kinds import Kind
from core.answers.spans import Found, find, find_without, whole_without
from core.errors import LabError

FINE_TUNE_COT_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
ZERO_SHOT_COT_NUMBER = re.compile(r"-?\d+\.?\d*")
TOLERANCE = 1e-6
_YES_NO = re.compile(r"(?<![^ ])(?:yes|no)(?![^ ])")
_WORDS = re.compile(r"\w(?:.*\w)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a rule set read in a text: its choice, all candidates, and whether the prefix was there."""

    chosen: Found | None
    candidates: tuple[Found, ...]
    correct_format: bool


def _is_quote_dot_or_space(char: str) -> bool:
    return char in "\"'." or char.isspace()


def _lower_spaced(text: str) -> str:
    """Lower case, with a space for each quote, dot, colon, comma and white space; of the same length."""
    return "".join(" " if c in "\"'.:," or c.isspace() else c.lower()[:1] for c in text)


def candidates(text: str, kind: Kind, number: re.Pattern[str]) -> list[Found]:
    """Every candidate answer in a text, in order."""
    match kind.form:
        case "choice":
            return find(re.compile(f"[{kind.letters}]"), text)
        case "number":
            return find_without(number, text, ",")
        case "yes-no":
            return find(_YES_NO, _lower_spaced(text))
        case "letters":
            return whole_without(text, _is_quote_dot_or_space)
        case _:
            return find(_WORDS, text)


def read_fine_tune_cot(text: str, kind: Kind, prefix: str | None) -> Reading:
    """Fine-tune-CoT's choice of candidate."""
    place = text.find(prefix) if prefix is not None else -1
    if prefix is None or place < 0:
        found = candidates(text, kind, FINE_TUNE_COT_NUMBER)
        chosen = found[0 if prefix is None else -1] if found else None
        return Reading(chosen, tuple(found), prefix is None)
    offset = place + len(prefix)
    found = [f.shift(offset) for f in candidates(text[offset:], kind, FINE_TUNE_COT_NUMBER)]
    return Reading(found[0] if found else None, tuple(found), True)


def read_zero_shot_cot(text: str, kind: Kind, prefix: str | None) -> Reading:
    """Zero-shot-CoT's choice of candidate, its final "." dropped."""
    place = text.rfind(prefix) if prefix is not None else -1
    offset = place + len(prefix) if prefix is not None and place >= 0 else 0
    found = [f.shift(offset) for f in candidates(text[offset:], kind, ZERO_SHOT_COT_NUMBER)]
    found = [Found(f.value[:-1], f.start, f.end - 1) if f.value.endswith(".") else f for f in found]
    last = prefix is not None and place < 0
    return Reading(found[-1 if last else 0] if found else None, tuple(found), prefix is None or place >= 0)


def _same_words(value: str, gold: str) -> bool:
    """The papers have no such kind: equal but for case and the marks around the words."""
    words = _WORDS.search(gold)
    return value.casefold() == (words.group() if words else gold).casefold()


def _float(gold: str) -> float:
    try:
        return float(Fraction(gold))
    except (ValueError, ZeroDivisionError, OverflowError):
        raise LabError(
            f"The gold answer {gold!r} is not a number: give the benchmark another kind of answer, "
            "or score it with the robust rules."
        ) from None


def match_fine_tune_cot(value: str, gold: str, kind: Kind) -> bool:
    """Fine-tune-CoT's comparison, the gold answer cleansed as it does."""
    if kind.form == "number":
        gold = gold.replace(",", "")
    if kind.as_float:
        return abs(float(value) - _float(gold)) <= TOLERANCE
    if kind.form == "words":
        return _same_words(value, gold)
    return value == (gold.lower() if kind.lower_gold else gold)


def match_zero_shot_cot(value: str, gold: str, kind: Kind) -> bool:
    """Zero-shot-CoT's comparison: strings, the gold answer as its data reader leaves it."""
    gold = gold.strip()
    if kind.form == "number":
        gold = gold.removesuffix(".0")
    if kind.form == "words":
        return _same_words(value, gold)
    return value == (gold.lower() if kind.form == "yes-no" else gold)
