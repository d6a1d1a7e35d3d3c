"""One rationale with everything that its card shows: its texts, its answer, and what the checks say."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.answers import score
from core.datasets import find_dataset
from core.errors import LabError
from core.exemplars.prompt import parse
from core.quality import checks
from core.quality.checks import Flag
from core.records import Question
from core.review import texts
from core.review.fold import Key, ReviewItem
from core.stages import checking
from core.stages.generation import shown as shown_to
from core.stages.scoring import Scorer, answer_span, rationale_step
from core.store import queries
from core.store.models import Completion, Point
from pages.components.review.runs import Review


@dataclass(frozen=True, slots=True)
class Found:
    """The answer of a text as it stands, and its place there: None where a later step said it."""

    answer: str | None
    span: tuple[int, int] | None
    correct: bool


@dataclass(frozen=True, slots=True)
class Card:
    """One rationale as it is shown; `text` is how it stands, `original` how the teacher wrote it."""

    key: Key
    question: Question
    completion: Completion
    text: str
    original: str
    item: ReviewItem
    found: Found
    point: Point | None = None


def open_card(review: Review, key: Key) -> Card:
    """The rationale with everything that its card shows."""
    question = queries.question(review.study.dataset_id, key[0])
    completion = queries.completion_of(review.generation, *key)
    item = review.board.item(key)
    original = texts.original(review.run.id, key)
    text = original if item.text is None else item.text
    find = _in_exemplar if review.run.kind == "exemplars" else _in_rationale
    found = find(review, question, completion, text, text != original)
    return Card(key, question, completion, text, original, item, found, review.points.get(key))


def _in_exemplar(
    review: Review, question: Question, completion: Completion, text: str, edited: bool
) -> Found:
    """The answer as the teacher will be shown it."""
    answer = _said(text) or ""
    start = text.rfind(answer) if answer else -1
    span = (start, start + len(answer)) if start >= 0 else None
    own = _scorer(review, question)
    right = score(answer, question.answer, kind=own.kind, rules=own.rules).correct
    return Found(answer or None, span, right if edited else bool(completion.correct))


def _in_rationale(
    review: Review, question: Question, completion: Completion, text: str, edited: bool
) -> Found:
    """The answer as students will learn it."""
    if not edited:
        at = rationale_step(queries.record(completion))
        return Found(completion.value, answer_span(completion, at), bool(completion.correct))
    made, verdict = _scorer(review, question).reviewed(queries.record(completion), text)
    if verdict is None:
        return Found(None, None, False)
    span = None
    if verdict.step == rationale_step(made) and verdict.start is not None and verdict.end is not None:
        span = verdict.start, verdict.end
    return Found(verdict.value, span, verdict.correct)


def _scorer(review: Review, question: Question) -> Scorer:
    kind = find_dataset(queries.dataset(review.study.dataset_id).key).kind
    return Scorer(kind, review.study.rules, {question.index: question.answer})


def _said(text: str) -> str | None:
    """The answer that an exemplar ends with."""
    try:
        return parse("", text).answer
    except LabError:
        return None


def find_flags(review: Review, shown: Card) -> list[Flag]:
    """What the checks say of the text as it stands."""
    used = shown_to(queries.run(review.generation))
    item = checking.item(shown.question, shown.completion, shown.text, used)
    if shown.point is not None:
        item = replace(item, finish_reason="stop")
    return checks.review(replace(item, answer=shown.found.answer, correct=shown.found.correct))
