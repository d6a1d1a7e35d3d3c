"""The output of OpenAI's batch endpoint.

{"custom_id": "multiarith-12-0", "response": {"status_code": 200, "body": {"choices": […]}}}
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from core.records import Completion
from core.teachers.recorded.source import Raw, Source, get, json_lines, recorded, written_prefix, wrong

# "multiarith-12-0": question 12, sample 0; the 8 of "gsm8k-12" is no number of its own
_ID_NUMBERS = re.compile(r"(?<!\d)\d+(?![A-Za-z\d])")


def _parse(path: Path) -> Iterator[Raw]:
    for place, row in json_lines(path):
        name = get(path, place, row, "custom_id", str)
        numbers = [int(n) for n in _ID_NUMBERS.findall(name)][-2:]
        if not numbers:
            raise wrong(path, place, f"custom_id {name!r} ends in no question index")
        index, first = numbers[0], numbers[1] if len(numbers) > 1 else 0
        response = row.get("response") or {}
        body = response.get("body") or {}
        if row.get("error") or response.get("status_code", 200) != 200 or not body:
            sentence = (
                f"The batch gave no answer for {name} (status {response.get('status_code', 'unknown')})."
            )
            yield Raw(place, Completion(index, first, "", error=sentence), index=index)
            continue
        usage = body.get("usage") or {}
        replies = _replies(body)
        if not replies:
            raise wrong(path, place, "the response holds no text")
        for order, (text, finish) in enumerate(replies):
            # The usage is the whole request's: counted once, with its first text.
            prefix, tokens = written_prefix(text), _tokens(usage) if order == 0 else (0, 0)
            completion = recorded(
                index, first + order, "", text, finish_reason=finish, prefix=prefix, tokens=tokens
            )
            yield Raw(place, completion, index=index)


def _tokens(usage: Mapping[str, Any]) -> tuple[int, int]:
    """Tokens read and written, by the names of either endpoint."""
    read = usage.get("prompt_tokens") or usage.get("input_tokens") or 0
    return int(read), int(usage.get("completion_tokens") or usage.get("output_tokens") or 0)


def _replies(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Texts and finish reasons of a response: chat, completions or responses endpoint."""
    replies = []
    for choice in body.get("choices") or []:
        message = choice.get("message") or {}
        text = message.get("content") if message else choice.get("text")
        replies.append((str(text or ""), str(choice.get("finish_reason") or "stop")))
    parts = [p for item in body.get("output") or [] for p in item.get("content") or []]
    if parts:
        finish = "length" if body.get("status") == "incomplete" else "stop"
        replies.append(("".join(str(p.get("text") or "") for p in parts), finish))
    return replies


OPENAI_BATCH = Source("openai-batch", "OpenAI batch output", _parse, "fine-tune-cot")
