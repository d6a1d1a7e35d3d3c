"""The history of a review as JSON lines: one decision a line, oldest first, nothing left out.

{"id": 1, "run": 7, "question": 12, "sample": 0, "kind": "accept", "author": "ana", "reason": "", …}
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from core.records import Decision


def as_dict(decision: Decision) -> dict[str, Any]:
    """A decision as plain values; its time in UTC."""
    return {
        "id": decision.id,
        "run": decision.run_id,
        "question": decision.question_index,
        "sample": decision.sample_index,
        "kind": decision.kind,
        "author": decision.author,
        "reason": decision.reason,
        "before": decision.before,
        "after": decision.after,
        "seen": decision.seen,
        "created": f"{decision.created.isoformat()}Z",
    }


def lines(decisions: Iterable[Decision]) -> Iterator[str]:
    """One line a decision, each with its line end."""
    for decision in decisions:
        yield json.dumps(as_dict(decision), ensure_ascii=False) + "\n"
