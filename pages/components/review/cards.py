"""One rationale with everything that its card shows: its texts, its answer, and what the checks say."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.datasets import find_dataset
from core.errors import LabError
from core.exemplars.prompt import parse
from core.quality import checks
from core.quality.checks import Flag
from core.records import Question
from core.review import texts
from core.review.fold import Item, Key
from core.stages import checking
from core.stages.scoring import answer_place, completion_prefix
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
    item: Item
    point: Point | None = None


def open_card(review: Review, key: Key) -> Card:
    """The rationale with everything that its card shows."""
    question = queries.question(review.study.dataset_id, key[0])
    completion = queries.completion_of(review.generation, *key)
    item = review.board.item(key)
    original = texts.original(review.run.id, key)
    text = original if item.text is None else item.text
    return Card(key, question, completion, text, original, item, review.points.get(key))


def find_flags(review: Review, shown: Card) -> list[Flag]:
    """What the checks say of the text as it stands."""
    used = checking.exemplars_of(queries.run(review.generation))
    item = checking.item(shown.question, shown.completion, shown.text, used)
    if shown.point is not None:
        item = replace(item, answer=answer_of(shown), finish_reason="stop")
    if shown.text != shown.original:
        item = replace(item, correct=None)
    return checks.review(item)


def answer_of(shown: Card) -> str | None:
    """The answer in the text: an exemplar's own, else the one that was read from the completion."""
    if shown.point is None:
        return shown.completion.value
    try:
        return parse("", shown.text).answer
    except LabError:
        return None


def answer_span(review: Review, shown: Card) -> tuple[int, int] | None:
    """Where the answer stands in the text; None where it is in a second call's, or nowhere."""
    if shown.point is not None:
        answer = answer_of(shown)
        start = shown.text.rfind(answer) if answer else -1
        return (start, start + len(answer or "")) if start >= 0 else None
    done = shown.completion
    place, second = answer_place(done)
    if second:
        return None
    if shown.text != shown.original:
        from core.answers import score

        kind = find_dataset(queries.dataset(review.study.dataset_id).key).kind
        found = score(shown.text, shown.question.answer, kind=kind, rules=review.study.rules,
                      prefix=completion_prefix(done))  # fmt: skip
        return (found.start, found.end) if found.start is not None else None
    return place
