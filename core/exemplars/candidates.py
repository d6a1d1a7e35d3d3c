r"""Candidates: every question with what the teacher wrote for it zero-shot, read as Auto-CoT reads it.

    Candidate(index=126, question="Wendy uploaded 45 pictures to Facebook. …",
              rationale="Let's think step by step. \n\nFirst, we know that Wendy …", answer="2", gold="2",
              correct=True)

Auto-CoT (Zhang et al. 2023; auto-cot, run_demo.py) reads Zero-shot-CoT's logs line by line. A line with
both "Therefore" and "the answer" is the second call's and is left out wherever it stands; a line with
"A: " starts the rationale again; every rationale begins with the words that the teacher was given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from core.records import Exemplar, Question, content_hash
from core.store.models import Completion
from core.teachers.recorded import Record

TRIGGER = "Let's think step by step."
# One sentence, without a calculation or a reason: those are part of the reasoning.
_ANSWER_SENTENCE = re.compile(
    r"(?:(?<=[.!?])\s+|\n\s*)(?:(?:so|thus|hence|therefore),?\s+)?the (?:final )?answer(?: is|:)"
    r"(?:(?!\b(?:because|since|as)\b)(?:[^\n=.!?]|[.!?](?=\S)))*[.!?]?\s*\Z",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question that may become an exemplar. `answer` is the teacher's, "" where none could be read."""

    index: int
    question: str
    rationale: str
    answer: str
    gold: str
    correct: bool

    @property
    def key(self) -> str:
        """Its content's hash: the order in which candidates are always taken."""
        return content_hash([self.question, self.rationale, self.answer, self.gold, self.index])


TEXTS: dict[str, tuple[str, Callable[[Candidate], str]]] = {
    "question": ("the bare question", lambda c: c.question),
    "auto-cot": ("the question as Auto-CoT shows it", lambda c: shown(c.question)),
    "question-rationale": (
        "the question and its rationale",
        lambda c: f"{shown(c.question)} {one_line(c.rationale)}",
    ),
}
"""What text of a candidate is encoded: key → (title, text)."""


def shown(question: str) -> str:
    """A question as Auto-CoT encodes and counts it."""
    return f"Q: {question.strip()}\nA:"


def one_line(text: str) -> str:
    """White space collapsed, as in the published exemplars."""
    return " ".join(text.split())


def rationale_lines(text: str) -> str:
    """The rationale in a reply that follows "A: Let's think step by step.", by Auto-CoT's lines."""
    kept = ""
    for number, line in enumerate(f"A: {TRIGGER}{text}".split("\n")):
        if number and "Therefore" in line and "the answer" in line:
            continue
        kept = line if "A: " in line else f"{kept}\n{line}"
    return kept.replace(f"A: {TRIGGER}", TRIGGER).strip()


def without_answer(rationale: str) -> str:
    """The rationale without a last sentence that only names the answer; whole where that is all of it."""
    return _ANSWER_SENTENCE.sub("", rationale) or rationale


def exemplar(candidate: Candidate) -> Exemplar:
    """The triple that few-shot-CoT shows: rationale on one line, from "Let's think step by step." on."""
    return Exemplar(candidate.question.strip(), one_line(candidate.rationale), candidate.answer.strip())


def from_records(records: Iterable[Record], kind: str, rules: str) -> list[Candidate]:
    """One candidate per question of the benchmark, from its first sample; failed calls are left out.

    `kind` is the benchmark's kind of answer; `rules`, a key of core.answers.RULES, reads the answers.
    """
    from core.answers import score_completion

    first: dict[int, tuple[Question, Record]] = {}
    for record in records:
        if (question := record.question) is None or record.completion.error is not None:
            continue
        known = first.get(question.index)
        if known is None or record.completion.sample_index < known[1].completion.sample_index:
            first[question.index] = question, record
    candidates = []
    for question, record in first.values():
        completion = record.completion
        verdict = score_completion(completion, record.gold, kind=kind, rules=rules)
        text, place = completion.rationale, completion.answer
        if place.prefix and place.prefix in text:  # one call: its answer stands in the same text
            text = text.rpartition(place.prefix)[0]
        candidates.append(_candidate(question, text, verdict.value, record.gold, verdict.correct))
    return candidates


def from_completion(question: Question, stored: Completion) -> Candidate:
    """A stored, scored completion as a candidate; its answer's sentence is not part of its rationale."""
    text = stored.rationale if stored.answer_step else without_answer(stored.rationale)
    return _candidate(question, text, stored.value, question.answer, bool(stored.correct))


def _candidate(question: Question, text: str, value: str | None, gold: str, correct: bool) -> Candidate:
    return Candidate(question.index, question.text, rationale_lines(text), value or "", gold, correct)


def read(path: str | Path, dataset: str, source: str, split: str = "all") -> list[Candidate]:
    """The candidates of a recorded file, scored by the rules of the file's authors.

    `dataset` is a key of DATASETS, `source` of SOURCES; `split` is train, test or all. LabError as
    core.teachers.recorded.records, and where the split has no record.
    """
    from core.answers import KINDS
    from core.datasets import find_dataset, load
    from core.errors import LabError
    from core.teachers.recorded import find_source, in_any_order, records

    row, layout = find_dataset(dataset), find_source(source)
    kind = "decimal" if layout.as_numbers and KINDS[row.kind].form == "number" else row.kind
    found = [
        record
        for record in in_any_order(records(path, source, load(dataset)))
        if record.question is not None and split in ("all", record.question.split)
    ]
    if not found:
        raise LabError(f"{Path(path).name} has no record of the split {split!r}: choose train, test or all.")
    return from_records(found, kind, layout.rules)
