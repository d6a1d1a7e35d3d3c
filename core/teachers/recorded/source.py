"""What a file of recorded completions is read into, and what its readers share.

Raw("question 14, completion 0", Completion(14, 0, …), index=14, question="A spaceship …", gold="39")
"""

from __future__ import annotations

import json
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.answers import ANSWER_PREFIXES
from core.errors import LabError
from core.records import AnswerPlace, Completion, Step

FEW_SHOT = ANSWER_PREFIXES["few-shot-cot"]
STUDENT = ANSWER_PREFIXES["student"]

_NOUNS = {str: "a text", int: "a whole number", dict: "an object", list: "a list"}


@dataclass(frozen=True, slots=True)
class Raw:
    """One record as its file has it. The index in `completion` counts only where `index` says the same."""

    place: str  # "record 12", "line 340": for the user
    completion: Completion
    index: int | None = None
    question: str | None = None
    gold: str | None = None
    again: bool = False  # a further sample of the record before


@dataclass(frozen=True, slots=True)
class Source:
    """One file layout. `rules` is the rule set its authors scored it with.

    `as_numbers`: they compared numbers, not strings.
    """

    key: str
    title: str
    parse: Callable[[Path], Iterator[Raw]]
    rules: str
    as_numbers: bool = False


def recorded(
    index: int, sample: int, prompt: str, text: str, *second: str,
    finish_reason: str = "stop", prefix: str | None = None, tokens: tuple[int, int] = (0, 0),
) -> Completion:  # fmt: skip
    """A text that holds its answer, behind a prefix where it has one; or a rationale and a `second` call for
    the answer: prompt and text. Tokens (read, written) of both calls are the first step's."""
    first = Step(
        "rationale", prompt, text, finish_reason=finish_reason, cached=True,
        prompt_tokens=tokens[0], completion_tokens=tokens[1],
    )  # fmt: skip
    steps = (first, Step("answer", second[0], second[1], cached=True)) if second else (first,)
    return Completion(index, sample, text, steps, AnswerPlace(step=len(steps) - 1, prefix=prefix))


def encoding(path: Path) -> str:
    """UTF-8, or UTF-16 where the file begins with its mark, as what PowerShell redirects does."""
    with path.open("rb") as stream:
        return "utf-16" if stream.read(2) in (BOM_UTF16_LE, BOM_UTF16_BE) else "utf-8-sig"


def whole_text(path: Path) -> str:
    """The file, in its `encoding`, without a byte order mark."""
    try:
        return path.read_text(encoding=encoding(path))
    except UnicodeDecodeError as error:
        raise LabError(
            f"{path.name} is not a UTF-8 text file (byte {error.start}): convert it and read it again."
        ) from None


def wrong(path: Path, place: str, what: str) -> LabError:
    """What to raise for a file that is not what its source says; `place` as in Raw."""
    return LabError(f"{path.name}, {place}: {what}; is this the right file and the right --source?")


def json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place, object) of every line that is not empty."""
    for number, line in enumerate(whole_text(path).split("\n"), 1):
        if not line.strip():
            continue
        place = f"line {number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise wrong(path, place, "no JSON object (the file may be cut off)") from None
        if not isinstance(row, dict):
            raise wrong(path, place, "a JSON object was expected")
        yield place, row


def get(path: Path, place: str, row: Mapping[str, Any], key: str, of: type) -> Any:
    """The value under a key, which must be there and of this type."""
    value = row.get(key) if isinstance(row, Mapping) else None
    if not isinstance(value, of):
        raise wrong(path, place, f"{key!r} is missing or not {_NOUNS[of]}")
    return value


def written_prefix(text: str) -> str | None:
    """What a whole rationale writes before its answer: a student's arrow, else "The answer is"."""
    return STUDENT if STUDENT and STUDENT in text else FEW_SHOT
