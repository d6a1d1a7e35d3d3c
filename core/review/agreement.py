"""Two reviewers: how far they agree beyond chance, and where they do not.

Each item counts with what a reviewer last said of it (accept, reject or flag; an edit accepts its text).
Cohen's kappa (Cohen 1960) is over the items that both have decided.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from core.results.statistics import Estimate, cohens_kappa
from core.review.fold import Board, Key


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of `n` items that both decided they agree on `same`; kappa is None where it is undefined."""

    n: int
    same: int
    kappa: Estimate | None
    disagreements: tuple[Key, ...]
    open: tuple[Key, ...]  # disagreements that nobody has adjudicated


def reviewers(board: Board) -> list[str]:
    """Who has given verdicts, who gave most first."""
    given = Counter(author for item in board.items.values() for author in item.verdicts)
    return [author for author, _ in sorted(given.items(), key=lambda pair: (-pair[1], pair[0]))]


def agreement(board: Board, first: str, second: str) -> Agreement:
    """How far two reviewers agree."""
    both = {
        key: (item.verdicts[first], item.verdicts[second])
        for key, item in sorted(board.items.items())
        if first in item.verdicts and second in item.verdicts
    }
    differ = tuple(key for key, (a, b) in both.items() if a != b)
    a, b = ([pair[side] for pair in both.values()] for side in (0, 1))
    return Agreement(
        len(both),
        len(both) - len(differ),
        cohens_kappa(a, b) if both else None,
        differ,
        tuple(key for key in differ if board.items[key].disputed),
    )


def disagreements_first(board: Board, keys: list[Key]) -> list[Key]:
    """The keys with the open disagreements before the others, each part in its own order."""
    return sorted(keys, key=lambda key: not board.item(key).disputed)
