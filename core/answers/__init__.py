"""Answers: found in a text, compared with the gold one, by a named rule set.

    score(" $29.00.", "29", kind="integer")                    wrong: '29.00' is not '29' in Fine-tune-CoT
    score(" $29.00.", "29", kind="integer", rules="robust")    right: value '29', span 1:7

Every function is pure, so a stored completion is scored again under other rules with no call.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

from core.answers import papers, robust
from core.answers.kinds import KINDS, Kind, find_kind, settle
from core.answers.papers import Reading
from core.errors import find
from core.records import Completion, Score

__all__ = [
    "ANSWER_PREFIXES", "KINDS", "RULES", "Flip", "StoredText", "Kind", "Rescored", "RuleSet",
    "find_kind", "find_rules", "matches", "rescore", "score", "scored_text",
]  # fmt: skip

# What a text is made to write before its answer, by how it was asked for (Fine-tune-CoT, evaluator.py).
ANSWER_PREFIXES: dict[str, str | None] = {
    "two-call": None,
    "few-shot-cot": "The answer is",
    "student": "-->",
}


@dataclass(frozen=True, slots=True)
class RuleSet:
    """How an answer is read and compared: one row of RULES."""

    key: str
    title: str
    source: str
    read: Callable[[str, Kind, str | None], Reading]
    match: Callable[[str, str, Kind], bool]


RULES: dict[str, RuleSet] = {
    row.key: row
    for row in (
        RuleSet(
            "fine-tune-cot",
            "Fine-tune-CoT's",
            "Ho et al. 2023; reasoning-teacher, src/evaluation/evaluator.py",
            papers.read_fine_tune_cot,
            papers.match_fine_tune_cot,
        ),
        RuleSet(
            "zero-shot-cot",
            "Zero-shot-CoT's",
            "Kojima et al. 2022; zero_shot_cot, utils.py",
            papers.read_zero_shot_cot,
            papers.match_zero_shot_cot,
        ),
        RuleSet("robust", "Robust", "this lab", robust.read, robust.match),
    )
}


def find_rules(key: str) -> RuleSet:
    """The row of RULES with this key."""
    return find(RULES, key, "rules")


def matches(value: str | None, gold: str, *, kind: str, rules: str = "fine-tune-cot") -> bool:
    """Whether an extracted value is the gold answer under a rule set; no value never is."""
    return value is not None and find_rules(rules).match(value, gold, settle(find_kind(kind), gold))


def score(
    text: str, gold: str, *, kind: str, rules: str = "fine-tune-cot", prefix: str | None = None
) -> Score:
    """The verdict on one text: value, whether it is the gold answer, and its span in the text.

    `kind` is a key of KINDS, `rules` of RULES; `prefix` is what the text was taught to write before
    its answer ("-->" for a student), None for a text that is nothing but an answer.
    Raises LabError for an unknown key or a gold answer that the rules cannot read.
    """
    row, answer_kind = find_rules(rules), settle(find_kind(kind), gold)
    reading = row.read(text, answer_kind, prefix)
    chosen = reading.chosen
    return Score(
        correct=chosen is not None and row.match(chosen.value, gold, answer_kind),
        value=chosen.value if chosen else None,
        start=chosen.start if chosen else None,
        end=chosen.end if chosen else None,
        contains_answer=any(row.match(c.value, gold, answer_kind) for c in reading.candidates),
        correct_format=reading.correct_format,
    )


def scored_text(completion: Completion) -> str:
    """The part of a completion that holds its answer: the second call's text where there was one."""
    return (
        completion.answer_text if completion.answer_prompt or completion.answer_text else completion.rationale
    )


@dataclass(frozen=True, slots=True)
class StoredText:
    """A stored text to score: whose it is (any key), the text, its gold answer and its prefix."""

    key: Hashable
    text: str
    gold: str
    prefix: str | None = None


@dataclass(frozen=True, slots=True)
class Flip:
    """A text on which two rule sets disagree."""

    item: StoredText
    before: Score
    after: Score


@dataclass(frozen=True, slots=True)
class Rescored:
    """How many of n items are right under each of two rule sets, and which ones flipped."""

    n: int
    before: int
    after: int
    flips: tuple[Flip, ...]


def rescore(items: Iterable[StoredText], *, kind: str, before: str, after: str) -> Rescored:
    """Score stored texts under two rule sets and list the items whose verdict differs."""
    pairs = [
        (
            item,
            score(item.text, item.gold, kind=kind, rules=before, prefix=item.prefix),
            score(item.text, item.gold, kind=kind, rules=after, prefix=item.prefix),
        )
        for item in items
    ]
    return Rescored(
        n=len(pairs),
        before=sum(old.correct for _, old, _ in pairs),
        after=sum(new.correct for _, _, new in pairs),
        flips=tuple(Flip(*pair) for pair in pairs if pair[1].correct != pair[2].correct),
    )
