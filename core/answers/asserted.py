"""The one answer that a rationale asserts behind an explicit marker, so that no second call has to ask.

    "… 31 - 8 = 23 pieces left. The answer is 23."     23
    "The answer is 8 + 9 = 17."                         17: a calculation counts by its result, if it holds
    "The answer is not 12 but 15."                      15
    "If the answer is yes, then …"                      none: a condition asserts nothing
    "The answer is 5 apples and 3 pears."               none: of two values neither is the answer
    "The answer is 5. Wait, I forgot one."              none: it is taken back

"Some value occurs" is not enough: on text-davinci-002's zero-shot rationales the last number is the two-call
answer in 81 to 89 of 100 cases of arithmetic, and in 23 to 27 of yes-no questions.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from core.answers import robust
from core.answers.kinds import Kind, find_kind
from core.answers.papers import Reading
from core.answers.spans import Found
from core.quality.arithmetic import equations
from core.quality.steps import numbers as numbers_and_words
from core.quality.steps import steps

MARKER = re.compile(r"answer is|answer:", re.IGNORECASE)
_OPENING = re.compile(r"\s*[:=]?[\s*_]*")  # "The answer is:\n\n**17**"


def _any_of(words: str) -> re.Pattern[str]:
    """One of these words, parted by blanks; "_" is a blank within."""
    return re.compile(rf"\b(?:{'|'.join(words.split()).replace('_', ' ')})(?!\w)", re.IGNORECASE)


# Words that name an answer without asserting it: in its clause before the marker, behind it, and afterwards.
_BEFORE = _any_of(
    r"if whether unless suppos\w+ assum\w+ imagine would could might may wrong incorrect not no \w+n['’]t"
    r" never doubt unsure guess thinks? thought claims? claimed says? said check verify someone some"
)
_WITHIN = _any_of(
    r"if whether unless not \w+n['’]t cannot neither either maybe perhaps possibly might could would may"
    r" between unknown unclear wrong incorrect wait than at_least at_most up_to"
)
_AFTERWARDS = _any_of(
    r"wait actually however but oops sorry mistaken? mistakes? wrong incorrect corrections? instead rather"
    r" re-?check double-check second_thought hold_on no, not \w+n['’]t or alternatively"
)
_CONCLUSION = re.compile(r"(?<!if )\b(?:so|thus|hence|therefore)\b", re.IGNORECASE)
_DENIED = re.compile(r"\bnot\b[^.;\n]{1,40}?\b(?:but rather|but|rather)\b", re.IGNORECASE)
_REASON = re.compile(
    r"(?<![\s,;(])[\s,;(]+(?:because|since|so that|as \w+(?: \w+)? (?:is|are|was|were|has|have|had))\b"
)
_OPERATION = re.compile(r"\d\s*[-+*×÷^]\s*[$\d]|\d\s*x\s*\d|\b(?:plus|minus|times|divided|multiplied)\b")
_IS_NO = re.compile(r"\W*$|[^\w\s'-]|\s+(?:because|since|as|the|it|he|she|they|this|that)\b")
_ASIDE = re.compile(r"\([^()]*\)")  # '"y-a-j-o" (without the hyphens)'
_IS_WORD = re.compile(r"\W*(?:the\s+)?(?:(?:word|string|letters?|concatenation)\W+)?", re.IGNORECASE)


def asserted(rationale: str, kind: str, rules: str = "fine-tune-cot") -> Found | None:
    """The one answer behind the last marker, and its span; None where a second call has to ask.

    `kind` is a key of KINDS, `rules` of core.answers.RULES: a number is written as they read it.
    """
    from core.answers import find_rules

    plain, own = robust.plain(rationale), find_kind(kind)
    marks = list(MARKER.finditer(plain))
    if not marks:
        return None
    opening = _OPENING.match(plain, marks[-1].end())
    begin = opening.end() if opening else 0
    said = _first_sentence(plain[begin:], own)
    rest = plain[begin + len(said) :]
    claim = _REASON.split(_DENIED.sub(lambda m: " " * len(m.group()), said))[0]
    clause = _CONCLUSION.split(re.split(r"[.!?\n]\s", plain[: marks[-1].start()])[-1])[-1]
    if rest[:1] == "?" or _BEFORE.search(clause) or _WITHIN.search(claim) or _AFTERWARDS.search(rest):
        return None
    found = VALUES[own.form](claim, own)
    others = VALUES[own.form](rest, own) if own.form in ("number", "choice", "yes-no") else []
    if not found or others is None or len({one.value for one in (*found, *others)}) > 1:
        return None
    one = found[-1].shift(begin)
    if own.form == "number":
        read = find_rules(rules).read(rationale[one.start : one.end], own, None).chosen
        if read is None or not robust.match(read.value, one.value, own):
            return None  # the rules read another number there: 1 in "1/2"
        one = read.shift(one.start)
    return one


def _first_sentence(text: str, kind: Kind) -> str:
    """Up to the first full stop; where words are asked for, not to that of "Mrs."."""
    if kind.form not in ("words", "open"):
        return robust.sentence(text)
    return text[: steps(text)[0].end] if text.strip() else ""


def reading(text: str, kind: str, rules: str) -> Reading:
    """What is asserted, as a rule set's reading of the text."""
    found = asserted(text, kind, rules)
    return Reading(found, (found,) if found else (), True)


# ── the values in a claim, by form of answer ────────────────────────────────────────────────────


def _numbers(text: str, kind: Kind) -> list[Found] | None:
    """Its numbers, in words too, and of each calculation its result alone; None if one does not hold, or is
    not worked out."""
    made = equations(text)
    if not all(one.correct for one in made):
        return None
    calculated = [(one.start, one.end - len(one.right)) for one in made]
    for one, link in zip(made, made[1:], strict=False):
        if not text[one.end : link.start].strip():  # "= 24 + 40 = 64"
            calculated.append((one.start, link.start))
    left = list(text)
    for start, end in calculated:
        left[start:end] = " " * (end - start)
    if _OPERATION.search("".join(left)):
        return None  # "2 + 2"
    spelled = [Found(str(n.value), n.start, n.end) for n in numbers_and_words(text) if n.spelled]
    return [
        found
        for found in (*robust.numbers(text), *spelled)
        if not any(start < found.end <= end for start, end in calculated)
    ]


def _letter(text: str, kind: Kind) -> list[Found]:
    return robust.choices(text, kind.letters)


def _yes_no(text: str, kind: Kind) -> list[Found]:
    """Yes and no; "no" before a noun is none."""
    found = robust.candidates(text, kind)
    return [one for one in found if one.value == "yes" or _IS_NO.match(text, one.end)]


def _spelling(text: str, kind: Kind) -> list[Found]:
    """The one word that the text consists of, quoted, spelt or plain."""
    found = robust.spellings(text)
    alone = len(found) == 1 and _IS_WORD.fullmatch(text[: found[0].start])
    return found if alone and not re.search(r"\w", _ASIDE.sub("", text[found[0].end :])) else []


def _phrase(text: str, kind: Kind) -> list[Found]:
    return robust.candidates(text, kind)


def _open(text: str, kind: Kind) -> list[Found] | None:
    return _numbers(text, kind) if re.search(r"\d", text) else _phrase(text, kind)


VALUES: dict[str, Callable[[str, Kind], list[Found] | None]] = {
    "choice": _letter,
    "number": _numbers,
    "yes-no": _yes_no,
    "letters": _spelling,
    "words": _phrase,
    "open": _open,
}
"""The values that a claim asserts: a row for each form of answer."""
