"""Algorithm 1: of each cluster, the question nearest its centre that qualifies.

RULES, one row per rule set: what qualifies, and what text the questions are compared by. The paper does
not say what qualifies; its rows take Auto-CoT's limits, and the page says so.

    made = select(candidates, labels, distances, k, limits_for("paper", "multiarith", "integer"))
    made.picks     an exemplar of each cluster, in the clusters' order
    made.gaps      the clusters without one, and why

Sources: Auto-CoT (Zhang et al. 2023; auto-cot, run_demo.py); "Knowledge Distillation of Large Language
Models Based on Chain of Thought" (J. Data Acquisition and Processing, 2024), Algorithm 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from core.errors import find
from core.exemplars.candidates import Candidate, exemplar, shown
from core.parts import Part

if TYPE_CHECKING:
    import numpy as np

    Numbers = Sequence[float] | np.ndarray


Most = Annotated[int, Field(ge=1)] | None


class Limits(Part):
    """What a candidate must be to qualify; None or False asks for nothing."""

    question_words: Most = 60  # of "Q: …\nA:", both marks counted
    rationale_lines: Most = 5  # a blank line between two is not counted
    rationale_words: Most = None
    ends_with_period: bool = True
    has_answer: bool = True
    answer_near_end: bool = True  # asked of benchmarks whose answers are numbers
    correct: bool = False


def _answer_near_end(c: Candidate, _limits: Limits) -> bool:
    """In the last sentence, or one of the last ten words: Auto-CoT's test on arithmetic."""
    sentences = c.rationale.split(".")
    last = sentences[-2] if len(sentences) > 1 else sentences[-1]
    return c.answer in last or c.answer in c.rationale.split()[-10:]


@dataclass(frozen=True, slots=True)
class Check:
    """One field of Limits: how it is asked, and what a candidate that fails it is told."""

    passes: Callable[[Candidate, Limits], bool]
    failure: str


CHECKS: dict[str, Check] = {
    "question_words": Check(
        lambda c, limits: len(shown(c.question).split()) <= (limits.question_words or 0),
        "question too long",
    ),
    "rationale_lines": Check(
        lambda c, limits: len(c.rationale.replace("\n\n", "\n").split("\n")) <= (limits.rationale_lines or 0),
        "too many lines in the rationale",
    ),
    "rationale_words": Check(
        lambda c, limits: len(c.rationale.split()) <= (limits.rationale_words or 0), "rationale too long"
    ),
    "ends_with_period": Check(
        lambda c, _limits: c.rationale.endswith("."), "rationale does not end with a period"
    ),
    "has_answer": Check(lambda c, _limits: c.answer != "", "no answer"),
    "answer_near_end": Check(_answer_near_end, "answer not near the rationale's end"),
    "correct": Check(lambda c, _limits: c.correct, "wrong answer"),
}


def failures(candidate: Candidate, limits: Limits) -> tuple[str, ...]:
    """What keeps a candidate from qualifying; empty if nothing does."""
    asked = (name for name in CHECKS if getattr(limits, name) not in (None, False))
    return tuple(CHECKS[name].failure for name in asked if not CHECKS[name].passes(candidate, limits))


@dataclass(frozen=True, slots=True)
class Rules:
    """One row of RULES. `text` is a key of TEXTS."""

    key: str
    title: str
    source: str
    note: str
    text: str
    limits: Limits


RULES: dict[str, Rules] = {
    row.key: row
    for row in (
        Rules(
            "paper",
            "New-Fine-tune-CoT: with heuristic correction",
            "Knowledge Distillation of Large Language Models Based on Chain of Thought, Algorithm 1",
            "Only exemplars whose answer is right. The paper leaves its limits open: Auto-CoT's are taken.",
            "question",
            Limits(correct=True),
        ),
        Rules(
            "auto-cot",
            "Auto-CoT's, exactly",
            "Zhang et al. 2023; auto-cot, run_demo.py",
            "Gold answers are not looked at.",
            "auto-cot",
            Limits(),
        ),
        Rules(
            "no-correction",
            "New-Fine-tune-CoT: its first change, no correctness check",
            "Knowledge Distillation of Large Language Models Based on Chain of Thought, ablation",
            "The paper leaves its limits open: Auto-CoT's are taken.",
            "question",
            Limits(),
        ),
        Rules("custom", "Your own limits", "this lab", "Every limit is yours to set.", "question", Limits()),
    )
}


def limits_for(rules: str, dataset: str, kind: str, **own: Any) -> Limits:
    """A row's limits on a benchmark, `own` values put in their place.

    `rules` is a key of RULES, `dataset` of DATASETS, `kind` of KINDS. LabError for an unknown row or limit.
    """
    from core.answers import KINDS
    from core.datasets import find_dataset

    numbers = KINDS[kind].form in ("number", "open")
    lines = find_dataset(dataset).exemplar_lines
    own = {"rationale_lines": lines, "answer_near_end": numbers} | own
    return find(RULES, rules, "set of selection rules").limits.but(**own)


@dataclass(frozen=True, slots=True)
class Pick:
    """The exemplar of one cluster. `rank` is 1 for the question nearest the centre."""

    candidate: Candidate
    cluster: int
    rank: int
    distance: float

    def as_dict(self) -> dict[str, Any]:
        """index, cluster, rank, distance, correct, question, rationale, answer."""
        return {
            "index": self.candidate.index,
            "cluster": self.cluster,
            "rank": self.rank,
            "distance": self.distance,
            "correct": self.candidate.correct,
            **asdict(exemplar(self.candidate)),
        }


@dataclass(frozen=True, slots=True)
class Gap:
    """A cluster that gives no exemplar: of how many questions, and how often each limit was in the way."""

    cluster: int
    size: int
    reasons: Mapping[str, int]

    @property
    def sentence(self) -> str:
        """What the page and the run's record say of it."""
        if not self.size:
            return f"Cluster {self.cluster} is empty: there are fewer distinct questions than clusters."
        why = ", ".join(f"{n} {reason}" for reason, n in self.reasons.items())
        return f"Cluster {self.cluster} has no exemplar: none of its {self.size} questions qualifies ({why})."


@dataclass(frozen=True, slots=True)
class Selection:
    """Algorithm 1's result: picks and gaps together name every cluster once."""

    picks: tuple[Pick, ...]
    gaps: tuple[Gap, ...]
    records: int
    eligible: int
    correct_among_eligible: int

    @property
    def accuracy(self) -> float | None:
        """Percent of the eligible whose answer is right; None where nothing qualifies."""
        return 100 * self.correct_among_eligible / self.eligible if self.eligible else None


def rank(labels: Numbers, distances: Numbers, k: int) -> list[list[int]]:
    """For each cluster the positions in it, nearest to its centre first; equal distances stay in order."""
    members: list[list[int]] = [[] for _ in range(k)]
    for position, label in enumerate(labels):
        members[int(label)].append(position)
    return [sorted(positions, key=lambda i: distances[i]) for positions in members]


def select(
    candidates: Sequence[Candidate],
    labels: Numbers,
    distances: Numbers,
    k: int,
    limits: Limits,
) -> Selection:
    """Of each cluster the candidate nearest its centre that qualifies, or why there is none."""
    failed = [failures(candidate, limits) for candidate in candidates]
    picks, gaps = [], []
    for number, positions in enumerate(rank(labels, distances, k)):
        first = next(((place, i) for place, i in enumerate(positions, 1) if not failed[i]), None)
        if first is None:
            reasons = Counter(reason for i in positions for reason in failed[i])
            gaps.append(Gap(number, len(positions), reasons))
        else:
            place, i = first
            picks.append(Pick(candidates[i], number, place, float(distances[i])))
    eligible = [candidate for candidate, reasons in zip(candidates, failed, strict=True) if not reasons]
    correct = sum(candidate.correct for candidate in eligible)
    return Selection(tuple(picks), tuple(gaps), len(candidates), len(eligible), correct)
