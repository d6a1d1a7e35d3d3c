"""JSON lines of any maker, under the names that are common for a record's parts.

{"question": "…" or "index": 12, "rationale": "…", "answer": "39"}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from core.teachers.recorded.source import Raw, Source, json_lines, recorded, written_prefix, wrong


def _parse(path: Path) -> Iterator[Raw]:
    for place, row in json_lines(path):
        index = _first(row, "question_index", "index")
        sample = _first(row, "sample", "completion_index")
        if index is None and row.get("question") is None:
            index = row.get("sample_index")  # Fine-tune-CoT's name for a question's index
        elif sample is None:
            sample = row.get("sample_index")
        question = row.get("question")
        rationale = _first(row, "rationale", "reasoning", "reasoning_completion")
        whole = _first(row, "completion", "response", "output", "text", "generation")
        answer = _first(row, "answer_text", "answer", "prediction")
        if rationale is not None and answer is None:
            answer = whole
        text = rationale if rationale is not None else whole
        if index is None and not isinstance(question, str):
            raise wrong(path, place, "neither 'question' nor 'index' says whose it is")
        if text is None and answer is None:
            raise wrong(path, place, "no 'rationale', 'completion' or 'answer'")
        if any(isinstance(part, dict | list) for part in (text, answer)):
            raise wrong(path, place, "a rationale or an answer is a list or an object, not one text")
        try:
            index = None if index is None else _whole(index)
            number, order = -1 if index is None else _whole(index), _whole(sample or 0)
            tokens = _whole(row.get("prompt_tokens") or 0), _whole(row.get("completion_tokens") or 0)
        except (TypeError, ValueError, OverflowError):
            raise wrong(path, place, "an index, sample or token count is no whole number") from None
        written = str(text if text is not None else "")
        prompt, finish = str(row.get("prompt") or ""), str(row.get("finish_reason") or "stop")
        second = () if answer is None else (str(row.get("answer_prompt") or ""), str(answer))
        prefix = written_prefix(written) if answer is None else None
        said = (number, order, prompt, written, *second)
        made = recorded(*said, finish_reason=finish, prefix=prefix, tokens=tokens)
        gold = _first(row, "gold", "label", "ground_truth")
        yield Raw(
            place,
            made,
            index=None if index is None else number,
            question=question if isinstance(question, str) else None,
            gold=None if gold is None else str(gold),
        )


def _whole(value: Any) -> int:
    """A whole number, also as 3.0 or "3". ValueError or TypeError for anything else."""
    if isinstance(value, bool) or int(value) != float(value):
        raise ValueError
    return int(value)


def _first(row: Mapping[str, Any], *keys: str) -> Any:
    return next((row[key] for key in keys if row.get(key) is not None), None)


JSONL = Source("jsonl", "JSON lines", _parse, "fine-tune-cot")
