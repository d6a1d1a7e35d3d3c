"""What people changed between two runs: exemplars edited, left out and added; training rows the same.

    Change("edited", 126, "… 5 + 3 = 9. The answer is 9.", "… 5 + 3 = 8. The answer is 8.")
    Change("left out", 40, "… The answer is 7.", "")
    Change("added", 77, "", "… The answer is 12.")

Pure: exemplars are taken from the runs' own configs and rows from stored training sets, so that what is
compared is what the teacher was shown and what the student learnt, whatever was decided since.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from core.records import Exemplar
from core.students.formats import spoken

KINDS = ("edited", "left out", "added")


@dataclass(frozen=True, slots=True)
class Change:
    """One text that differs: `name` is the question, or where a row comes from."""

    kind: str
    name: Hashable
    before: str
    after: str


def exemplar_changes(before: Sequence[Exemplar], after: Sequence[Exemplar]) -> list[Change]:
    """What changed from one list of exemplars to another, by question, in the order of KINDS."""
    return changes(
        {one.question: spoken(one) for one in before}, {one.question: spoken(one) for one in after}
    )


def changes(before: Mapping[Hashable, str], after: Mapping[Hashable, str]) -> list[Change]:
    """What changed from some named texts to others, in the order of KINDS."""
    edited = [
        Change("edited", name, text, after[name])
        for name, text in before.items()
        if name in after and text != after[name]
    ]
    left_out = [Change("left out", name, text, "") for name, text in before.items() if name not in after]
    added = [Change("added", name, "", text) for name, text in after.items() if name not in before]
    return [*edited, *left_out, *added]


def summary(found: Sequence[Change]) -> str:
    """ "2 edited, 1 left out, 1 added"."""
    counts = Counter(change.kind for change in found)
    return ", ".join(f"{counts[kind]} {kind}" for kind in KINDS if counts[kind]) or "nothing changed"
