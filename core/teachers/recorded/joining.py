"""Joins the records of a file to the questions of a benchmark.

A record is joined by index where the file has one, which must then ask the same, else by text. A log
shows other choices than the benchmark does (Zero-shot-CoT writes and shuffles them in its own way), so
texts are joined by their question and the words of their choices.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.records import Completion, Question
from core.teachers.recorded.source import Raw, wrong

_CHOICES = re.compile(r"(?:which choice is true\s*\?\s*)?answer choices\s*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Record:
    """A recorded completion with its question (None if the benchmark lacks it) and its gold answer."""

    completion: Completion
    question: Question | None
    gold: str
    by_text: bool = False  # joined by what it asks: the file does not say which of equal questions it is


def join(path: Path, raws: Sequence[Raw], questions: Sequence[Question]) -> list[Record]:
    """Each record with its question; one that is joined by text gets the next free sample index."""
    by_index = {question.index: question for question in questions}
    by_text = _ByText(questions)
    samples: dict[int, int] = defaultdict(int)
    joined: list[Record] = []
    for raw in raws:
        sample = raw.completion.sample_index
        if raw.index is not None:
            question = by_index.get(raw.index)
            if question and raw.question and _asks(raw.question) != _asks(question.text):
                raise wrong(path, raw.place, "it asks another question than this benchmark does at its index")
        else:
            question = joined[-1].question if raw.again else by_text.take(raw.question or "")
            if question:
                sample = samples[question.index]
                samples[question.index] += 1
        if question is None:
            joined.append(Record(raw.completion, None, raw.gold or ""))
            continue
        completion = replace(raw.completion, question_index=question.index, sample_index=sample)
        gold = question.answer if raw.gold is None else raw.gold
        joined.append(Record(completion, question, gold, by_text=raw.index is None))
    return joined


def in_any_order(found: Sequence[Record]) -> list[Record]:
    """The records, equal questions handed out by what was answered and not by the order of the file.

    MultiArith asks 20 questions twice. Only where each is answered once: several samples keep their order.
    """
    groups: dict[Any, dict[int, Question]] = defaultdict(dict)
    for i, record in enumerate(found):
        if record.by_text and record.question is not None:
            groups[_asks(record.question.text)][i] = record.question
    made = list(found)
    for members in groups.values():
        places = sorted(members.values(), key=lambda q: q.index)
        if len({question.index for question in places}) < len(members):
            continue
        by_answer = sorted(members, key=lambda i: _said(found[i]))
        for question, i in zip(places, by_answer, strict=True):
            completion = replace(found[i].completion, question_index=question.index)
            made[i] = replace(found[i], completion=completion, question=question)
    return made


def _said(record: Record) -> tuple[str, ...]:
    return *(step.text for step in record.completion.steps), record.gold


def own_questions(raws: Sequence[Raw]) -> list[Question]:
    """The questions of a file by its own indices, else in the order in which it first asks them."""
    texts: dict[str, str] = {}
    for raw in raws:
        if raw.question is not None and raw.index is None:
            texts.setdefault(raw.question, raw.gold or "")
    numbered = {r.index: (r.question or "", r.gold or "") for r in raws if r.index is not None}
    return [Question(i, text, gold) for i, (text, gold) in sorted(numbered.items())] or [
        Question(i, text, gold) for i, (text, gold) in enumerate(texts.items())
    ]


class _ByText:
    """Questions by what they ask; equal ones are handed out in order, and then once more."""

    def __init__(self, questions: Sequence[Question]) -> None:
        self.exact: dict[Any, list[Question]] = defaultdict(list)
        self.stem: dict[Any, list[Question]] = defaultdict(list)
        for question in questions:
            key = _asks(question.text)
            self.exact[key].append(question)
            self.stem[key[0]].append(question)
        self.given: dict[Any, int] = defaultdict(int)

    def take(self, text: str) -> Question | None:
        key = _asks(text)
        found = self.exact.get(key) or self.stem.get(key[0])
        if not found:
            return None
        self.given[key] += 1
        return found[(self.given[key] - 1) % len(found)]


def _asks(text: str) -> tuple[str, tuple[str, ...]]:
    """What a question asks: its words run together, and the words of its choices in any order."""
    match = _CHOICES.search(text)
    stem, choices = (text[: match.start()], text[match.end() :]) if match else (text, "")
    words = [word for word in re.findall(r"\w+", choices.lower()) if not re.fullmatch("[a-j]", word)]
    return "".join(re.findall(r"\w+", stem.lower())), tuple(sorted(words))
