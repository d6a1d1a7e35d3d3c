"""One rationale with everything that its card shows: its texts, its answer, and what the checks say."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.datasets import find_dataset
from core.quality import checks
from core.quality.checks import Flag
from core.records import Question
from core.review.fold import Key, ReviewItem
from core.stages import checking
from core.stages.generation import shown as shown_to
from core.stages.reviewed import REVIEWED, Found
from core.stages.scoring import Scorer
from core.store import queries
from core.store.models import Completion, Point
from pages.components.review.runs import Review


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
    row = REVIEWED[review.run.kind]
    original = row.original(question, completion)
    text = original if item.text is None else item.text
    kind = find_dataset(queries.dataset(review.study.dataset_id).key).kind
    own = Scorer(kind, review.study.rules, {question.index: question.answer})
    found = row.find(own, question, completion, text)
    return Card(key, question, completion, text, original, item, found, review.points.get(key))


def find_flags(review: Review, shown: Card) -> list[Flag]:
    """What the checks say of the text as it stands."""
    used = shown_to(queries.run(review.generation))
    item = checking.item(shown.question, shown.completion, shown.text, used)
    if shown.point is not None:
        item = replace(item, finish_reason="stop")
    return checks.review(replace(item, answer=shown.found.answer, correct=shown.found.correct))
