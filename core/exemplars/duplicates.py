"""Questions asked more than once, with the same numbers or with others.

"… has 9 marbles …" and "… has 12 marbles …"     one template, numbers masked
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def duplicates(texts: Sequence[str]) -> list[tuple[int, ...]]:
    """Groups of two or more positions whose texts differ in numbers, case and white space only; ordered by
    their first position."""
    groups: dict[str, list[int]] = defaultdict(list)
    for position, text in enumerate(texts):
        groups[_NUMBER.sub("#", " ".join(text.casefold().split()))].append(position)
    return [tuple(group) for group in groups.values() if len(group) > 1]
