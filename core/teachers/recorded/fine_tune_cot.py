"""Fine-tune-CoT's completion files (Ho et al. 2023).

{"metadata": {…}, "data": {"14": [{"sample_index": 14, "completion_index": 0, "question": …,
 "reasoning_prompt": …, "reasoning_completion": …, "prompt": …, "completion": " 39."}, …]}}
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from core.teachers.recorded.source import FEW_SHOT, STUDENT, Raw, Source, get, recorded, whole_text, wrong

# Fine-tune-CoT's names of what a text was made to write before its answer (evaluator.py)
_TEMPLATES = {"fs_cot": FEW_SHOT, "ft_cot_token": STUDENT, "ft_cot_natural": "Therefore, the answer is"}


def _parse(path: Path) -> Iterator[Raw]:
    try:
        document = json.loads(whole_text(path))
    except json.JSONDecodeError as error:
        raise wrong(path, f"line {error.lineno}", "not JSON (the file may be cut off)") from None
    except RecursionError:
        raise wrong(path, "line 1", "too deeply nested") from None
    data = get(path, "the whole file", document, "data", dict)
    metadata = document.get("metadata") or {}
    prefix = _TEMPLATES.get(str(metadata.get("prediction_template")))
    for key, rows in data.items():
        if not isinstance(rows, list):
            raise wrong(path, f"question {key}", "a list of completions was expected")
        for order, row in enumerate(rows):
            place = f"question {key}, completion {order}"
            text = get(path, place, row, "completion", str)
            prompt = str(row.get("prompt") or "")
            index = row.get("sample_index", key)
            if not str(index).isdigit():
                raise wrong(path, place, "'sample_index' is no whole number")
            own = int(index), int(row.get("completion_index", order))
            calls: tuple[str, ...] = (prompt, text)
            finish = row.get("finish_reason")
            if "reasoning_completion" in row:
                reasoning = get(path, place, row, "reasoning_completion", str)
                calls = str(row.get("reasoning_prompt") or ""), reasoning, prompt, text
                finish = row.get("reasoning_finish_reason")
            completion = recorded(*own, *calls, finish_reason=str(finish or "stop"), prefix=prefix)
            gold = row.get("answer")
            yield Raw(
                place,
                completion,
                index=int(index),
                question=None if row.get("question") is None else str(row["question"]),
                gold=None if gold is None else str(gold),
            )


FINE_TUNE_COT = Source("fine-tune-cot", "Fine-tune-CoT completion file", _parse, "fine-tune-cot")
