"""The records every stage reads and writes: frozen, typed, plain values only.

Question    "Q: how many …"   gold "43"        one item of a benchmark
Completion  rationale + answer text + cost     what a teacher wrote for one question
TrainingRow "question" → "rationale --> 43"    what a student reads and writes
Prediction  text + extracted answer            what a student wrote for one question

The words are the papers' own; see README, "Words".
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any


def content_hash(value: Any) -> str:
    """SHA-256 (hex) of a JSON-able value, independent of dictionary order."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def storable(text: str) -> str:
    """The text as every database keeps it: NUL and half a surrogate pair (a model's character that was cut
    in two) become U+FFFD, the two halves of a pair their character."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\0", "\ufffd")


@dataclass(frozen=True, slots=True)
class Question:
    """One item of a benchmark. `index` is its position in Fine-tune-CoT's order of the benchmark."""

    index: int
    text: str
    answer: str
    split: str = "train"
    solution: str | None = None  # worked solution, where the benchmark has one


def question_set_hash(questions: list[Question]) -> str:
    """Identity of a set of test questions: two runs compare only where it is equal."""
    return content_hash([[q.index, q.text, q.answer] for q in sorted(questions, key=lambda q: q.index)])


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a model is asked. Part of the cache key, field by field."""

    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 128
    stop: tuple[str, ...] = ()
    seed: int | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"stop": list(self.stop)}


@dataclass(frozen=True, slots=True)
class Request:
    """One prompt to a teacher. `question_index` and `sample_index` say whose it is, `step` which call."""

    prompt: str
    question_index: int
    sample_index: int = 0
    step: str = "rationale"  # or "answer", the second call of two-step prompting
    sampling: Sampling | None = None  # where this step is sampled unlike the others


@dataclass(frozen=True, slots=True)
class Reply:
    """What a teacher answered to one request, raw. `error` is one sentence when it did not."""

    request: Request
    text: str = ""
    finish_reason: str = "stop"  # "stop", "length" or "error"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0  # US dollars at the teacher row's prices
    cached: bool = False  # served without a call
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """A question's rationale and answer text, with the exact prompts they answer.

    `answer_prompt` is empty when the method needs one call only.
    """

    question_index: int
    sample_index: int
    prompt: str
    rationale: str
    finish_reason: str = "stop"
    answer_prompt: str = ""
    answer_text: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    calls: int = 0
    cached: bool = False
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A question-rationale-answer triple shown to the teacher in few-shot-CoT."""

    question: str
    rationale: str
    answer: str


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """One (input, label) pair, and where it came from."""

    input: str
    label: str
    question_index: int
    sample_index: int = 0


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a student wrote for one question, raw; scores are derived from it."""

    question_index: int
    prompt: str
    text: str
    finish_reason: str = "stop"
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Score:
    """The verdict on one text under one rule set. `start:end` is the matched span, if any."""

    correct: bool
    value: str | None
    start: int | None = None
    end: int | None = None
    contains_answer: bool = False
    correct_format: bool = False


@dataclass(frozen=True, slots=True)
class Dropped:
    """A completion that is no training row: "wrong step", and why, "32 + 42 = 76 does not hold."."""

    question_index: int
    sample_index: int
    reason: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """An immutable, content-hashed list of rows, how many were dropped for what reason, and which."""

    rows: tuple[TrainingRow, ...]
    dropped: dict[str, int] = field(default_factory=dict)
    removed: tuple[Dropped, ...] = ()

    @property
    def hash(self) -> str:
        return content_hash([[r.input, r.label] for r in self.rows])


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided on one rationale: appended, never overwritten. Kinds: core.review.fold.KINDS.

    `before` and `after` are whole texts; `seen` is the last decision that its author had seen there.
    """

    id: int
    run_id: int
    question_index: int
    sample_index: int
    kind: str
    author: str
    reason: str
    before: str | None
    after: str | None
    seen: int | None
    created: datetime
