"""Adaptive answers: one call where the rationale asserts its answer (core.answers.asserted), else two.

What they save: calls, and an estimate of tokens and cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Saving:
    """Calls made for n questions, against two for each."""

    questions: int
    extracted: int

    @property
    def calls(self) -> int:
        return 2 * self.questions - self.extracted


@dataclass(frozen=True, slots=True)
class SecondCall:
    """What a second call takes on average: tokens read and written, US dollars, and over how many it was."""

    calls: int
    prompt_tokens: float
    completion_tokens: float
    cost: float


@dataclass(frozen=True, slots=True)
class Ledger:
    """A run's adaptive answers: `marked` rationales hold a marker, `extracted` answers were read behind one.

    What was saved is an estimate: the calls that were not made, at what `second` calls took on average.
    None where no second call of this teacher is known.
    """

    saving: Saving
    marked: int
    second: SecondCall | None = None

    @property
    def tokens_saved(self) -> float | None:
        """Tokens read and written, estimated."""
        if self.second is None:
            return None
        return self.saving.extracted * (self.second.prompt_tokens + self.second.completion_tokens)

    @property
    def cost_saved(self) -> float | None:
        """US dollars, estimated."""
        return None if self.second is None else self.saving.extracted * self.second.cost

    @property
    def marker_share(self) -> float:
        """Share of the rationales with a marker."""
        return self.marked / self.saving.questions if self.saving.questions else 0.0


def sample(keys: Sequence[tuple[int, int]], size: int, seed: int) -> list[tuple[int, int]]:
    """At most `size` of the keys, the same for a seed whatever their order, in order."""
    return sorted(Random(seed).sample(sorted(keys), min(size, len(keys))))
