"""KINDS: what an answer can be, a row each. A benchmark names one; the rule sets read it.

row           gold         a text that holds it     of which benchmarks
choice-C      "B"          " (B) left winger."      Tracking Shuffled Objects
integer       "1,234"      " $1,234."               GSM8K, MultiArith: equal as strings
decimal       "0.7"        " 0.7 light-years"       SingleEq, AddSub, SVAMP: equal as numbers
yes-no        "Yes"        " yes."                  StrategyQA
yes-no-lower  "yes"        " yes."                  Coin Flip
letters       "yajo"       " \"yajo\"."             Last Letter Concatenation
words         "Mrs. Hilt"  " Mrs. Hilt."            benchmarks of the user's own
open          "5:6"        " The ratio is 5:6."     ASDiv: a number where the gold answer is one, else words
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from core.errors import find

_LETTERS = "ABCDEFGHIJ"
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?|-?\.\d+|-?\d+/[1-9]\d*")
# "Answer choices: (A) 05/01, (B) 04/30."
_LISTED = re.compile(r"answer choices:([^\n]*)", re.IGNORECASE)
_OPTION = re.compile(r"\(([A-J])\)\s*(.+?)[\s,.]*(?=\([A-J]\)|$)")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of answer. `form` says how it is found in a text; the rest are its settings."""

    key: str
    title: str
    form: str  # "choice", "number", "yes-no", "letters", "words" or "open"
    letters: str = ""  # choice: the letters on offer
    as_float: bool = False  # number: Fine-tune-CoT compares floats within 1e-6, else strings
    lower_gold: bool = False  # yes-no: Fine-tune-CoT lowers StrategyQA's gold answers and not Coin Flip's
    options: tuple[tuple[str, str], ...] = ()  # choice: (letter, its text) of a question, where it is known


KINDS: dict[str, Kind] = {
    kind.key: kind
    for kind in (
        *(
            Kind(f"choice-{last}", f"one of the letters A to {last}", "choice", letters=_LETTERS[: i + 1])
            for i, last in enumerate(_LETTERS)
            if i
        ),
        Kind("integer", "a number; the papers compare it as a string", "number"),
        Kind("decimal", "a number; Fine-tune-CoT compares it within a millionth", "number", as_float=True),
        Kind("yes-no", "yes or no", "yes-no", lower_gold=True),
        Kind("yes-no-lower", "yes or no, the gold answer in lower case", "yes-no"),
        Kind("letters", "a string of letters", "letters"),
        Kind("words", "some words", "words"),
        Kind("open", "a number where the gold answer is one, else words", "open"),
    )
}


def find_kind(key: str) -> Kind:
    """The row of KINDS with this key."""
    return find(KINDS, key, "kind of answer")


def settle(kind: Kind, gold: str, question: str = "") -> Kind:
    """The kind for one question: an open one is decimal where its gold answer is a number, else words; a
    choice has the options that the question, or the prompt that shows it last, names."""
    if kind.form == "choice" and (listed := list(_LISTED.finditer(question))):
        options = tuple((m[1], m[2]) for m in _OPTION.finditer(listed[-1][1]))
        return replace(kind, options=options)
    if kind.form != "open":
        return kind
    return replace(KINDS["decimal" if _NUMBER.fullmatch(gold.strip()) else "words"], key=kind.key)
