"""The records every stage reads and writes: frozen, typed, plain values only.

Question    "Q: how many …"   gold "43"        one item of a benchmark
Completion  steps + rationale + answer place   what a teacher or a student wrote for one question
TrainingRow "question" → "rationale --> 43"    what a student reads and writes

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
    """One prompt to one model, and whose it is: step `step` of a question's sample, asked of a role.

    `draw` sets apart equal prompts that are to be sampled apart, such as the D samples of a question;
    `place` is the request's position among those that were asked together, `depth` the number of steps
    before it.
    """

    prompt: str
    question_index: int
    sample_index: int = 0
    step: str = "rationale"
    role: str = "teacher"
    sampling: Sampling = Sampling()
    draw: int = 0
    place: int = 0
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model answered to one request, raw. `error` is one sentence when it did not."""

    request: Request
    text: str = ""
    finish_reason: str = "stop"  # "stop", "length" or "error"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0  # US dollars at the teacher's prices
    cached: bool = False  # kept from before: no call was made
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One prompt and what a model wrote to it, as a completion keeps it."""

    name: str
    prompt: str
    text: str
    role: str = "teacher"
    finish_reason: str = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    cached: bool = False


@dataclass(frozen=True, slots=True)
class AnswerPlace:
    """Where a completion's answer is: in the text of a step, from a character on, behind a prefix.

    `by` is a row of core.answers.FINDERS: "text", read there by the rules; "asserted", the one answer that
    the step's text asserts; "vote", the majority of `of`.
    """

    by: str = "text"
    step: int = 0
    after: int = 0
    prefix: str | None = None
    of: tuple[AnswerPlace, ...] = ()

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> AnswerPlace:
        return cls(**values | {"of": tuple(cls.from_dict(one) for one in values.get("of", ()))})


@dataclass(frozen=True, slots=True)
class Completion:
    """What the models wrote for one question, teachers and students alike: every step, and the result.

    `rationale` is the text that is read, checked and learnt; it is mostly the text of a step.
    """

    question_index: int
    sample_index: int
    rationale: str
    steps: tuple[Step, ...] = ()
    answer: AnswerPlace = AnswerPlace()
    error: str | None = None

    @property
    def finish_reason(self) -> str:
        """ "length" where the rationale was cut at the token limit, "error" where a call failed."""
        if self.error is not None:
            return "error"
        own = [step.finish_reason for step in self.steps if step.text == self.rationale]
        return own[0] if own else "length" if any(s.finish_reason == "length" for s in self.steps) else "stop"

    @property
    def prompt_tokens(self) -> int:
        return sum(step.prompt_tokens for step in self.steps)

    @property
    def completion_tokens(self) -> int:
        return sum(step.completion_tokens for step in self.steps)

    @property
    def cost(self) -> float:
        return sum(step.cost for step in self.steps)

    @property
    def calls(self) -> int:
        """Calls that were made for it; kept replies cost none."""
        return sum(not step.cached for step in self.steps)


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
class Score:
    """The verdict on one text under one rule set. `start:end` is the matched span, if any.

    Of a completion, the span is in the text of its step `step`, and `note` says how the answer was found
    where it was not simply read ("2 of 3 agree").
    """

    correct: bool
    value: str | None
    start: int | None = None
    end: int | None = None
    contains_answer: bool = False
    correct_format: bool = False
    step: int = 0
    note: str = ""


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
