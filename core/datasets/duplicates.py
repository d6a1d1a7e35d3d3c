"""Questions asked more than once, with the same numbers or with others.

"… has 9 marbles …" and "… has 12 marbles …"     one template, numbers masked
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def same_text(text: str) -> str:
    """What questions share that differ in case and white space only."""
    return " ".join(text.casefold().split())


def same_template(text: str) -> str:
    """What questions share that differ in their numbers too."""
    return _NUMBER.sub("#", same_text(text))


def duplicates(texts: Sequence[str]) -> list[tuple[int, ...]]:
    """Groups of two or more positions whose texts have one template; ordered by their first position."""
    groups: dict[str, list[int]] = defaultdict(list)
    for position, text in enumerate(texts):
        groups[same_template(text)].append(position)
    return [tuple(group) for group in groups.values() if len(group) > 1]
