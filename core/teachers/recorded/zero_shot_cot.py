"""Zero-shot-CoT's logs (Kojima et al. 2022): a print-out, every prompt and reply in a row.

1st data
1_th_sampling
Q: …
A: Let's think step by step. …
pred_before :  2.
pred_after : 2
…
GT : 2
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from core.teachers.recorded.source import FEW_SHOT, Raw, Source, encoding, recorded, wrong


def _parse(path: Path) -> Iterator[Raw]:
    # A log is a print-out: a byte that is no UTF-8 spoils one letter, not the file.
    lines = path.read_bytes().decode(encoding(path), "replace").replace("\r\n", "\n").split("\n")
    settings = next((_namespace(line) for line in lines[:5] if line.startswith("Namespace(")), {})
    body: list[str] | None = None
    answer: list[str] | None = None
    samples: list[tuple[str, str]] = []
    number, began = 0, 0
    for at, line in enumerate(lines, 1):
        if answer is not None:
            if line.startswith("pred_after : "):
                samples.append(("\n".join(body or []), "\n".join(answer)))
                body = answer = None
            else:
                answer.append(line)
        elif body is not None:
            if line.startswith("pred_before : "):
                answer = [line.removeprefix("pred_before : ")]
            else:
                body.append(line)
        elif line.startswith("Q: "):
            body, began = [line], began if samples else at
        elif line.startswith("GT : "):
            if not samples:
                raise wrong(path, f"line {at}", "a gold answer (GT) without an answer before it")
            gold = line.removeprefix("GT : ")
            for order, (asked, text) in enumerate(samples):
                yield _log_record(f"record {number + 1} (line {began})", asked, text, gold, order, settings)
            number, samples = number + 1, []
    if body is not None or samples:
        raise wrong(path, f"record {number + 1} (line {began})", "no gold answer (GT), the log is cut off")


def _namespace(line: str) -> dict[str, Any]:
    """The settings that a log starts with: "Namespace(cot_trigger=\"Let's think…\", dataset='addsub', …)"."""
    try:
        call = ast.parse(line.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        return {}
    keywords = call.keywords if isinstance(call, ast.Call) else []
    return {k.arg: k.value.value for k in keywords if k.arg and isinstance(k.value, ast.Constant)}


def _log_record(place: str, shown: str, text: str, gold: str, order: int, settings: Mapping[str, Any]) -> Raw:
    """One sample of a log: what was shown is every prompt and reply in a row, its last reply `text`."""
    asked = _without_reply(shown, text, settings)
    few_shot = asked.rstrip().endswith("\nA:")
    # Only in few-shot prompts is the question the last one; a rationale may go on to ask others.
    begin = asked.rfind("\nQ: ") + 1 if few_shot else 0
    end = asked.find("\nA:", begin)
    question = asked[begin + len("Q: ") : end if end >= 0 else len(asked)]
    trigger = str(settings.get("cot_trigger") or "Let's think step by step.")
    think = end + len("\nA: ") + len(trigger)
    if end >= 0 and asked[end:].startswith(f"\nA: {trigger}"):
        ask_answer = str(settings.get("direct_answer_trigger") or "\nTherefore, ")
        at = asked.rfind(ask_answer)
        rationale = asked[think : at if at >= think else len(asked)]
        completion = recorded(-1, order, asked[:think], rationale.removesuffix(" "), asked, text)
    else:
        prefix = str(settings.get("direct_answer_trigger_for_fewshot") or FEW_SHOT) if few_shot else None
        completion = recorded(-1, order, asked, text, prefix=prefix)
    return Raw(place, completion, question=question, gold=gold, again=order > 0)


def _without_reply(shown: str, reply: str, settings: Mapping[str, Any]) -> str:
    """The prompt of the last reply, which is shown right after it."""
    # MultiArith's logs give the reply stripped of its white space, and once of a colon within.
    body, end = shown.rstrip(), reply.rstrip()
    if not end or body.endswith(end):
        return body[: len(body) - len(end)] if end else shown
    two_calls = str(settings.get("direct_answer_trigger") or "")
    one_call = two_calls.removeprefix("\nTherefore, ")
    one_call = one_call[:1].upper() + one_call[1:]
    for trigger in filter(None, (two_calls, one_call)):
        if (at := shown.rfind(trigger)) >= 0:
            return shown[: at + len(trigger)]
    return shown


ZERO_SHOT_COT = Source("zero-shot-cot", "Zero-shot-CoT log", _parse, "zero-shot-cot")
