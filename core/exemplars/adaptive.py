"""Adaptive answers: one call where the rationale already says its answer, else two.

    "… 31 - 8 = 23 pieces left. The answer is 23."     23, no second call
    "… 31 - 8 = 23 pieces left."                       None: the second call asks

Only an explicit marker counts. "Some number occurs" does not: on text-davinci-002's zero-shot rationales
the last number is the two-call answer in 81 to 89 of 100 cases of arithmetic and in 23 to 27 of yes-no
questions, while the marker is there in 1 to 3 of 100. Exemplars that end with it make it common.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MARKER = re.compile(r"answer is|answer:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Extracted:
    """An answer found in a rationale: its value, its span there, and where its sentence's text begins."""

    value: str
    start: int
    end: int
    after: int


def extract(rationale: str, kind: str, rules: str = "fine-tune-cot") -> Extracted | None:
    """The answer after the last marker, read by the rules; None where a second call has to ask.

    `kind` is a key of KINDS, `rules` of core.answers.RULES.
    """
    from core.answers import KINDS, find_rules

    marks = list(MARKER.finditer(rationale))
    if not marks:
        return None
    after = marks[-1].end()
    answer_kind = KINDS[kind] if KINDS[kind].form != "open" else KINDS["words"]
    found = find_rules(rules).read(rationale[after:], answer_kind, None).chosen
    if found is None or not found.value:
        return None
    return Extracted(found.value, after + found.start, after + found.end, after)


@dataclass(frozen=True, slots=True)
class Saving:
    """Calls made for n questions, against two for each."""

    questions: int
    extracted: int

    @property
    def calls(self) -> int:
        return 2 * self.questions - self.extracted

    @property
    def saved(self) -> float:
        """Share of the calls that were not needed, of two for each question."""
        return self.extracted / (2 * self.questions) if self.questions else 0.0
