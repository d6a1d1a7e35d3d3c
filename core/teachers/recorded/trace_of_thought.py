"""Trace-of-Thought's traces: a CSV whose first column holds

{"dataset_question": …, "dataset_answer": "… #### 18", "answer": {…},
 "delegation": {"input_text": …, "output_text": …, "input_count": 61, "output_count": 120}}
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from core.answers import robust
from core.records import AnswerPlace, Completion, Step
from core.teachers.recorded.source import Raw, Source, encoding, get, whole_text, wrong

GSM8K_MARK = "####"


def _parse(path: Path) -> Iterator[Raw]:
    csv.field_size_limit(2**31 - 1)
    try:
        whole_text(path)
        with path.open(encoding=encoding(path), newline="") as stream:
            for number, row in enumerate(csv.reader(stream), 1):
                if row and not (number == 1 and "{" not in row[0]):
                    yield _trace(path, f"record {number}", row[0])
    except csv.Error as error:
        raise wrong(path, "the whole file", f"not a CSV file ({error})") from None


def _trace(path: Path, place: str, cell: str) -> Raw:
    try:
        trace = json.loads(cell)
    except (ValueError, RecursionError):
        raise wrong(path, place, "the first column is no JSON trace (the file may be cut off)") from None
    delegation = get(path, place, trace, "delegation", dict)
    solving = get(path, place, trace, "answer", dict)
    label = str(trace.get("dataset_answer", ""))
    plan = _step(path, place, "steps", "delegate", delegation)
    solved = _step(path, place, "rationale", "solver", solving)
    # Step 1, its last number: GSM8K's mark is not there, and then the rules take the last candidate.
    answer = AnswerPlace(step=1, prefix=GSM8K_MARK)
    completion = Completion(-1, 0, plan.text, (plan, solved), answer)
    return Raw(
        place,
        completion,
        question=get(path, place, trace, "dataset_question", str),
        gold=label_of(label),
    )


def _step(path: Path, place: str, name: str, role: str, call: Mapping[str, Any]) -> Step:
    return Step(
        name,
        str(call.get("input_text", "")),
        get(path, place, call, "output_text", str),
        role,
        prompt_tokens=_count(call, "input_count"),
        completion_tokens=_count(call, "output_count"),
        cached=True,
    )


def _count(call: Mapping[str, Any], key: str) -> int:
    value = call.get(key)
    return int(value) if isinstance(value, int | float) else 0


def label_of(solution: str) -> str:
    r"""The gold answer of a solution: after GSM8K's "####", else in MATH's last \boxed{…}, else all of it."""
    if GSM8K_MARK in solution:
        return solution.rpartition(GSM8K_MARK)[2].strip()
    box = robust.boxed(solution)
    return solution[slice(*box)] if box else solution.strip()


TRACE_OF_THOUGHT = Source(
    "trace-of-thought", "Trace-of-Thought traces", _parse, "fine-tune-cot", as_numbers=True
)
