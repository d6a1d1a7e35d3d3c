"""Answers: found in a text, compared with the gold one, by a named rule set.

    score(" $29.00.", "29", kind="integer")                    wrong: '29.00' is not '29' in Fine-tune-CoT
    score(" $29.00.", "29", kind="integer", rules="robust")    right: value '29', span 1:7

Every function is pure, so a stored completion is scored again under other rules with no call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from core.answers import asserted, papers, robust
from core.answers.kinds import KINDS, Kind, find_kind, settle
from core.answers.papers import Reading
from core.answers.spans import Found
from core.errors import find
from core.records import AnswerPlace, Completion, Score

__all__ = [
    "ANSWER_PREFIXES", "FINDERS", "KINDS", "RULES", "Flip", "Kind", "Rescored", "RuleSet",
    "find_kind", "find_rules", "matches", "read", "rescore", "same", "score", "score_completion",
]  # fmt: skip

# What a text is made to write before its answer, by how it was asked for (Fine-tune-CoT, evaluator.py).
ANSWER_PREFIXES: dict[str, str] = {"few-shot-cot": "The answer is", "student": "-->"}


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
    text: str,
    gold: str,
    *,
    kind: str,
    rules: str = "fine-tune-cot",
    prefix: str | None = None,
    asked: str = "",
) -> Score:
    """The verdict on one text: value, whether it is the gold answer, and its span in the text.

    `kind` is a key of KINDS, `rules` of RULES; `prefix` is what the text was taught to write before
    its answer ("-->" for a student), None for a text that is nothing but an answer; `asked` is the question,
    or the prompt with it, whose choices the robust rules know by their texts too.
    Raises LabError for an unknown key or a gold answer that the rules cannot read.
    """
    row, own = find_rules(rules), settle(find_kind(kind), gold, asked)
    return _verdict(row.read(text, own, prefix), gold, row, own)


def read(text: str, *, kind: str, rules: str = "fine-tune-cot", prefix: str | None = None) -> Found | None:
    """The answer that the rules read in a text, its value and span; as `score`, without a gold answer. Of an
    open kind: a number where there is one, else words."""
    own = find_kind(kind)
    if own.form == "open":
        own = KINDS["decimal" if robust.numbers(text) else "words"]
    return find_rules(rules).read(text, own, prefix).chosen


def _verdict(reading: Reading, gold: str, row: RuleSet, own: Kind) -> Score:
    chosen = reading.chosen
    return Score(
        correct=chosen is not None and row.match(chosen.value, gold, own),
        value=chosen.value if chosen else None,
        start=chosen.start if chosen else None,
        end=chosen.end if chosen else None,
        contains_answer=any(row.match(c.value, gold, own) for c in reading.candidates),
        correct_format=reading.correct_format,
    )


# ── where a completion's answer is ──────────────────────────────────────────────────────────────

Find = Callable[[Completion, AnswerPlace, str, str, str], Score]


def _in_text(completion: Completion, place: AnswerPlace, gold: str, kind: str, rules: str) -> Score:
    """Read by the rules in a step's text."""
    if not completion.steps:
        return Score(False, None)
    said = completion.steps[place.step]
    text = said.text[place.after :]
    found = score(text, gold, kind=kind, rules=rules, prefix=place.prefix, asked=said.prompt)
    if found.start is None or found.end is None:
        return replace(found, step=place.step)
    start, end = found.start + place.after, found.end + place.after
    return replace(found, step=place.step, start=start, end=end)


def _asserted(completion: Completion, place: AnswerPlace, gold: str, kind: str, rules: str) -> Score:
    """What a step's text asserts behind an explicit marker, see core.answers.asserted."""
    reading = asserted.reading(completion.steps[place.step].text, kind, rules)
    found = _verdict(reading, gold, find_rules(rules), settle(find_kind(kind), gold))
    return replace(found, step=place.step)


def _by_vote(completion: Completion, place: AnswerPlace, gold: str, kind: str, rules: str) -> Score:
    """The answer that most of several places give; of a tie the one that came first."""
    votes = [find_answer(completion, one, gold, kind, rules) for one in place.of]
    groups: list[list[Score]] = []
    for vote in votes:
        if vote.value is None:
            continue
        own = next((g for g in groups if same(g[0].value, vote.value, kind=kind, rules=rules)), None)
        if own is None:
            groups.append([vote])
        else:
            own.append(vote)
    if not groups:
        return Score(False, None, note=f"none of {len(votes)} gives an answer")
    most = max(groups, key=len)  # the first of the largest
    tie = ", a tie" if sum(len(group) == len(most) for group in groups) > 1 else ""
    return replace(most[0], note=f"{len(most)} of {len(votes)} agree{tie}")


FINDERS: dict[str, Find] = {"text": _in_text, "asserted": _asserted, "vote": _by_vote}
"""How an answer is found: a row for each `by` of AnswerPlace."""


def find_answer(completion: Completion, place: AnswerPlace, gold: str, kind: str, rules: str) -> Score:
    """The verdict on what is found at a place of a completion."""
    return FINDERS[place.by](completion, place, gold, kind, rules)


def score_completion(completion: Completion, gold: str, *, kind: str, rules: str = "fine-tune-cot") -> Score:
    """The verdict on a completion, read where its method says that the answer is. Errors as `score`."""
    return find_answer(completion, completion.answer, gold, kind, rules)


def same(first: str | None, second: str | None, *, kind: str, rules: str) -> bool:
    """Whether two answers that were read are one under the rules; an answer and none are two."""
    if first is None or second is None:
        return first == second
    return first == second or matches(second, first, kind=kind, rules=rules)


@dataclass(frozen=True, slots=True)
class Flip:
    """A completion on which two rule sets disagree."""

    completion: Completion
    gold: str
    before: Score
    after: Score


@dataclass(frozen=True, slots=True)
class Rescored:
    """How many of n completions are right under each of two rule sets, and which ones flipped."""

    n: int
    before: int
    after: int
    flips: tuple[Flip, ...]


def rescore(completions: Iterable[tuple[Completion, str]], *, kind: str, before: str, after: str) -> Rescored:
    """Score completions, each with its gold answer, under two rule sets; list those whose verdict differs."""
    pairs = [
        Flip(
            completion,
            gold,
            score_completion(completion, gold, kind=kind, rules=before),
            score_completion(completion, gold, kind=kind, rules=after),
        )
        for completion, gold in completions
    ]
    return Rescored(
        n=len(pairs),
        before=sum(one.before.correct for one in pairs),
        after=sum(one.after.correct for one in pairs),
        flips=tuple(one for one in pairs if one.before.correct != one.after.correct),
    )
