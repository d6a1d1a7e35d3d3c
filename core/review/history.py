"""The history of a review as JSON lines: one decision per line, oldest first, nothing left out.

{"id": 1, "run": 7, "question": 12, "sample": 0, "kind": "accept", "author": "ana", "reason": "", …}
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from core.records import Decision


def as_dict(decision: Decision) -> dict[str, Any]:
    """A decision as plain values; its time in UTC."""
    own = asdict(decision) | {"created": f"{decision.created.isoformat()}Z"}
    short = {"run_id": "run", "question_index": "question", "sample_index": "sample"}
    return {short.get(name, name): value for name, value in own.items()}


def lines(decisions: Iterable[Decision]) -> Iterator[str]:
    """One line per decision, each with its line end."""
    for decision in decisions:
        yield json.dumps(as_dict(decision), ensure_ascii=False) + "\n"
