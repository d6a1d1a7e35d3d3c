"""Adaptive answers: one call where the rationale already says its answer, else two.

    "… 31 - 8 = 23 pieces left. The answer is 23."     23, no second call
    "… 31 - 8 = 23 pieces left."                       None: the second call asks

Only an explicit marker counts. "Some number occurs" does not: on text-davinci-002's zero-shot rationales
the last number is the two-call answer in 81 to 89 of 100 cases of arithmetic and in 23 to 27 of yes-no
questions, while the marker is there in 1 to 3 of 100. Exemplars that end with it make it common.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

MARKER = re.compile(r"answer is|answer:", re.IGNORECASE)
_REST_OF_SENTENCE = re.compile(r"\W*.*?(?=[.!?](?:\s|$)|\n|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Extracted:
    """An answer found in a rationale: its value, and where its sentence's text begins."""

    value: str
    after: int


def extract(rationale: str, kind: str, rules: str = "fine-tune-cot") -> Extracted | None:
    """The answer after the last marker, read by the rules; None where a second call has to ask.

    It stands in the marker's own sentence: "The answer is not known yet. Tom has 3 pens" says none.
    `kind` is a key of KINDS, `rules` of core.answers.RULES.
    """
    from core.answers import KINDS, find_rules

    marks = list(MARKER.finditer(rationale))
    if not marks:
        return None
    after = marks[-1].end()
    answer_kind = KINDS[kind] if KINDS[kind].form != "open" else KINDS["words"]
    found = find_rules(rules).read(rationale[after:], answer_kind, None).chosen
    sentence = _REST_OF_SENTENCE.match(rationale, after)
    if found is None or not found.value or (sentence and after + found.start > sentence.end()):
        return None
    return Extracted(found.value, after)


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
