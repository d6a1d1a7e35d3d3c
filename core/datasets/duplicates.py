"""Questions asked more than once, word for word or with other numbers.

"How many marbles …?" twice in MultiArith        exact
"… has 9 marbles …" and "… has 12 marbles …"     one template, numbers masked
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def same_text(text: str) -> str:
    """What two exact duplicates share: case and white space apart."""
    return " ".join(text.casefold().split())


def same_template(text: str) -> str:
    """What two questions share that differ in their numbers only."""
    return _NUMBER.sub("#", same_text(text))


WAYS = {"exact": same_text, "numbers masked": same_template}


def duplicates(texts: Sequence[str], way: str = "exact") -> list[tuple[int, ...]]:
    """Groups of two or more positions whose texts are duplicates; ordered by their first position."""
    groups: dict[str, list[int]] = defaultdict(list)
    for position, text in enumerate(texts):
        groups[WAYS[way](text)].append(position)
    return [tuple(group) for group in groups.values() if len(group) > 1]
