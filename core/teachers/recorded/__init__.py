"""Completions that others recorded, read from their files without a call. One file and one row per source.

read("D_addsub.json", "fine-tune-cot", questions, "decimal")    what a study imports
records("addsub.log", "zero-shot-cot", questions)               each record with its question and gold answer

A log shows other choices than the benchmark does, so its own gold answer scores its answers.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core.answers import find_kind
from core.errors import LabError, RefusedError, find
from core.records import Completion, Question, storable
from core.teachers.recorded.fine_tune_cot import FINE_TUNE_COT
from core.teachers.recorded.joining import Record, in_any_order, join, own_questions
from core.teachers.recorded.jsonl import JSONL
from core.teachers.recorded.openai_batch import OPENAI_BATCH
from core.teachers.recorded.source import Raw, Source, wrong
from core.teachers.recorded.trace_of_thought import TRACE_OF_THOUGHT, label_of
from core.teachers.recorded.zero_shot_cot import ZERO_SHOT_COT

__all__ = ["SOURCES", "Raw", "Record", "Source", "find_source", "in_any_order", "label_of", "read", "records"]

MOST_SAMPLES = 10**9  # a larger index is no question's and no sample's

log = logging.getLogger(__name__)

SOURCES: dict[str, Source] = {
    row.key: row for row in (FINE_TUNE_COT, ZERO_SHOT_COT, TRACE_OF_THOUGHT, OPENAI_BATCH, JSONL)
}


def find_source(key: str) -> Source:
    """The row of SOURCES with this key."""
    return find(SOURCES, key, "source")


def records(path: str | Path, source: str, questions: Sequence[Question]) -> list[Record]:
    """Every record of a file, in its order, joined to its question where the benchmark has it.

    With no questions at all, questions are numbered in the order in which the file first asks them.
    Raises LabError, with the line or record, for a file that is missing, broken or of another benchmark.
    """
    path, row = Path(path), find_source(source)
    if not path.is_file():
        raise LabError(f"There is no file {path}: check the path.")
    raws: list[Raw] = []
    try:
        for raw in row.parse(path):
            if not all(0 <= n < MOST_SAMPLES for n in (raw.completion.sample_index, raw.index or 0)):
                raise wrong(path, raw.place, "its index or sample is out of range")
            raws.append(_storable(raw))
    except OSError as error:
        raise LabError(f"{path} cannot be read ({error.strerror}): check the file and its rights.") from None
    except (AttributeError, TypeError, ValueError, OverflowError):  # a text where an object should be, …
        place = f"record {len(raws) + 1}"
        raise wrong(path, place, "it is of another shape than records of this kind are") from None
    if not raws:
        raise LabError(f"{path.name} holds no record of the kind {source!r}: is --source right?")
    if not questions:
        questions = own_questions(raws)
    joined = join(path, raws, questions)
    missing = sum(record.question is None for record in joined)
    if missing == len(joined):
        raise LabError(f"No question of {path.name} is in this benchmark: choose the one it was recorded on.")
    if missing:
        log.warning("%d of %d records of %s are of no question here.", missing, len(joined), path.name)
    return joined


def _storable(raw: Raw) -> Raw:
    """The record with texts that a database keeps."""
    made, question, gold = raw.completion, raw.question, raw.gold
    steps = tuple(
        replace(step, prompt=storable(step.prompt), text=storable(step.text)) for step in made.steps
    )
    return replace(
        raw,
        completion=replace(made, rationale=storable(made.rationale), steps=steps),
        question=None if question is None else storable(question),
        gold=None if gold is None else storable(gold),
    )


def read(path: str | Path, source: str, questions: Sequence[Question], kind: str) -> list[Completion]:
    """The completions of a file, those of questions that the benchmark lacks left out.

    `source` is a key of SOURCES, `kind` the benchmark's kind of answer. Raises RefusedError where the file
    showed the choices in another order (Zero-shot-CoT's logs of Date Understanding): a letter in its
    rationales is not the benchmark's.
    """
    known = [record for record in records(path, source, questions) if record.question is not None]
    if find_kind(kind).form == "choice":
        for record in known:
            if record.question and record.gold.strip() != record.question.answer.strip():
                raise RefusedError(
                    f"{Path(path).name} shows the choices of question {record.question.index} in another "
                    "order than this benchmark does, so its rationales name other letters: it can be scored, "
                    "with its own gold answers, but not imported."
                )
    return [record.completion for record in known]
