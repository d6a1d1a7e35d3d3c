r"""Which of a method's training examples a student learns from: FILTERS, one row per filter, in table order.

    question 14, sample 0   "… 32 + 42 = 74. 74 - 35 = 39."   kept
    question 14, sample 3   "… 32 + 42 = 76. …"               wrong step: 32 + 42 = 76
    question 14, sample 5   "… 32 + 42 = 74. 74 - 35 = 39!"   duplicate of sample 0

A study says `filters: {steps: true, max_words: 120, duplicates: near, diverse: 4}`; none is on by itself,
so that the papers' training sets stay what they are. Filters read what the method chose (right answers
of train questions) and judge the rationale as the student learns it. Everything keeps its order.

right answers only    Fine-tune-CoT's own filter (Ho et al. 2023), before any of these
verified steps        equations recomputed, core.quality.arithmetic
same path             rejection sampling keeps distinct equation lists (Yuan et al., arXiv 2308.01825)
diverse               maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import LabError
from core.quality import diversity
from core.quality.arithmetic import equations
from core.records import Dropped


@dataclass(frozen=True, slots=True)
class Candidate:
    """A training example as filters see it. `shown`: its question was an exemplar for its teacher."""

    question_index: int
    sample_index: int
    rationale: str
    truncated: bool = False
    shown: bool = False


Drop = Callable[[Sequence[Candidate], Any], dict[int, str]]  # positions to drop, each with its why


@dataclass(frozen=True, slots=True)
class Filter:
    """One row of FILTERS. Its value is one of `choices`, a whole number from `least` on, or on and off."""

    key: str
    title: str
    about: str
    reason: str  # what a dropped example is counted as
    drop: Drop
    choices: tuple[str, ...] = ()
    least: int | None = None

    def value(self, given: Any) -> Any:
        """The value as stored; None where the filter is off. LabError where it has no such value."""
        if given is None or given is False:
            return None
        if self.choices:
            good = given in self.choices
        elif self.least is None:
            good = given is True
        else:
            good = isinstance(given, int) and not isinstance(given, bool) and given >= self.least
        if not good:
            raise LabError(f"The filter `{self.key}` cannot be {given!r}: give it {self.allowed}.")
        return given

    @property
    def allowed(self) -> str:
        """Its values, in words."""
        if self.choices:
            return " or ".join(self.choices)
        return "true or false" if self.least is None else f"a whole number from {self.least} on"


# ── the filters ─────────────────────────────────────────────────────────────────────────────────


def truncated(examples: Sequence[Candidate], _on: bool) -> dict[int, str]:
    """Rationales that end at the token limit."""
    return {i: "It ends at the token limit." for i, e in enumerate(examples) if e.truncated}


def wrong_steps(examples: Sequence[Candidate], _on: bool) -> dict[int, str]:
    """Rationales with an equation that does not hold; one without equations stays."""
    return {
        i: f"{wrong} does not hold." for i, e in enumerate(examples) if (wrong := wrong_step(e.rationale))
    }


def wrong_step(rationale: str) -> str | None:
    """The first equation that does not hold, as written; None where all do."""
    wrong = (e for e in equations(rationale) if not e.correct)
    return next((f"{e.left.strip()} = {e.right.strip()}" for e in wrong), None)


def too_short(examples: Sequence[Candidate], words: int) -> dict[int, str]:
    """Rationales of fewer words."""
    counted = ((i, len(e.rationale.split())) for i, e in enumerate(examples))
    return {i: f"It has {n} words, fewer than {words}." for i, n in counted if n < words}


def too_long(examples: Sequence[Candidate], words: int) -> dict[int, str]:
    """Rationales of more words."""
    counted = ((i, len(e.rationale.split())) for i, e in enumerate(examples))
    return {i: f"It has {n} words, more than {words}." for i, n in counted if n > words}


def exemplars(examples: Sequence[Candidate], which: str) -> dict[int, str]:
    """Rationales of the teacher's exemplars, or all others."""
    why = {
        "exclude": "The teacher was shown its question as an exemplar.",
        "only": "The teacher was not shown its question as an exemplar.",
    }[which]
    return {i: why for i, e in enumerate(examples) if e.shown == (which == "exclude")}


def duplicates(examples: Sequence[Candidate], measure: str) -> dict[int, str]:
    """Of each question's rationales those that are like one before them."""
    like, alike = LIKENESS[measure]
    found = {}
    for members in _by_question(examples):
        for later, earlier in alike([examples[i].rationale for i in members]).items():
            found[members[later]] = f"{like} sample {examples[members[earlier]].sample_index}."
    return found


def _near(texts: list[str]) -> dict[int, int]:
    """Near-duplicates, until none is left: likeness weighs words by how rare they are among those kept."""
    left = list(range(len(texts)))
    found: dict[int, int] = {}
    while len(left) > 1:
        kept = diversity.without_near_duplicates([texts[i] for i in left])
        if not kept.dropped:
            break
        found |= {left[later]: left[earlier] for later, earlier in kept.dropped.items()}
        left = [left[i] for i in kept.kept]
    return found


# How two rationales may be alike: words for it, and (texts) → {position: the one before it that it is like}.
LIKENESS: dict[str, tuple[str, Callable[[list[str]], dict[int, int]]]] = {
    "exact": ("It has the same text as", lambda texts: diversity.without_duplicates(texts).dropped),
    "near": ("It has almost the same text as", _near),
    "path": ("It has the same equations as", lambda texts: diversity.without_same_path(texts).dropped),
}


def first(examples: Sequence[Candidate], n: int) -> dict[int, str]:
    """All but the first n of each question."""
    return {i: f"It is not among the first {n}." for members in _by_question(examples) for i in members[n:]}


def diverse(examples: Sequence[Candidate], n: int) -> dict[int, str]:
    """All but the n of each question that are typical and unlike one another."""
    found: dict[int, str] = {}
    for members in _by_question(examples):
        if len(members) > n:
            taken = diversity.diverse_subset([examples[i].rationale for i in members], n)
            left = set(range(len(members))) - set(taken)
            found |= {members[i]: f"It is not among the {n} most different ones." for i in sorted(left)}
    return found


def _by_question(examples: Sequence[Candidate]) -> list[list[int]]:
    """Positions, question by question."""
    groups: dict[int, list[int]] = {}
    for i, example in enumerate(examples):
        groups.setdefault(example.question_index, []).append(i)
    return list(groups.values())


FILTERS: dict[str, Filter] = {
    row.key: row
    for row in (
        Filter(
            "complete", "Complete", "Drops rationales that were cut at the token limit.",
            "truncated", truncated,
        ),
        Filter(
            "steps", "Steps verified", "Drops rationales with an equation that does not hold, recomputed.",
            "wrong step", wrong_steps,
        ),
        Filter("min_words", "Fewest words", "Drops shorter rationales.", "too short", too_short, least=1),
        Filter("max_words", "Most words", "Drops longer rationales.", "too long", too_long, least=1),
        Filter(
            "exemplars", "Exemplars",
            "Drops the questions that the teacher was shown as exemplars, or keeps only them.",
            "exemplar", exemplars, choices=("exclude", "only"),
        ),
        Filter(
            "duplicates", "Without duplicates",
            "Of a question's rationales keeps one of each text, of each group of almost equal texts, "
            "or of each path (list of equations).",
            "duplicate", duplicates, choices=tuple(LIKENESS),
        ),
        Filter(
            "first", "First per question",
            "Keeps at most this many rationales of each question: the first ones.",
            "beyond the first", first, least=1,
        ),
        Filter(
            "diverse", "Most diverse per question",
            "Keeps at most this many rationales of each question: those most unlike one another "
            "(maximal marginal relevance).",
            "less diverse", diverse, least=1,
        ),
    )
}  # fmt: skip


# ── all of them ─────────────────────────────────────────────────────────────────────────────────


def chosen(filters: Mapping[str, Any]) -> dict[str, Any]:
    """The filters that are on, with their values, in table order. LabError names what cannot be used."""
    if unknown := sorted(map(str, set(filters) - set(FILTERS))):
        raise LabError(f"There is no filter {', '.join(unknown)}: choose from {', '.join(FILTERS)}.")
    values = {key: row.value(filters.get(key)) for key, row in FILTERS.items()}
    return {key: value for key, value in values.items() if value is not None}


def parsed(texts: Sequence[str]) -> dict[str, Any]:
    """Filters as a command line says them: ["steps=true", "max_words=120"]."""
    values: dict[str, Any] = {}
    for text in texts:
        key, sign, value = (part.strip() for part in text.partition("="))
        if not sign:
            value = "true"
        plain = {"true": True, "false": False}.get(value.lower(), value)
        values[key] = int(plain) if isinstance(plain, str) and plain.isdecimal() else plain
    return chosen(values)


def label(filters: Mapping[str, Any]) -> str:
    """Filters in a few words, as the command line takes them: "steps, max_words=120"."""
    return ", ".join(key if value is True else f"{key}={value}" for key, value in filters.items())


def apply(
    examples: Sequence[Candidate], filters: Mapping[str, Any]
) -> tuple[list[Candidate], dict[str, list[Dropped]]]:
    """What is left, and what each filter that is on dropped: reason → examples, in table order."""
    left = list(examples)
    dropped: dict[str, list[Dropped]] = {}
    for key, value in chosen(filters).items():
        row = FILTERS[key]
        gone = row.drop(left, value)
        dropped[row.reason] = [
            Dropped(left[i].question_index, left[i].sample_index, row.reason, gone[i]) for i in sorted(gone)
        ]
        left = [example for i, example in enumerate(left) if i not in gone]
    return left, dropped
