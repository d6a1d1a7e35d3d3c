"""Benchmarks that were read, and their questions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Select, func, or_, select

from core import records
from core.store import count, found_or_made, get, rows, scalars, session
from core.store.models import Dataset, Question

__all__ = [
    "add_dataset", "datasets", "dataset", "questions", "questions_of", "questions_by_index", "question",
    "test_questions_asking", "question_page", "count_questions", "split_counts", "question_lengths",
    "answer_counts",
]  # fmt: skip


def add_dataset(key: str, options: dict[str, Any], questions: list[records.Question]) -> int:
    """Keep a benchmark's questions; the same content is stored once. Returns its id."""
    digest = records.content_hash([key, *([q.index, q.text, q.answer, q.split] for q in questions)])

    def stored() -> int:
        with session() as db:
            if (found := db.scalar(select(Dataset.id).where(Dataset.hash == digest))) is not None:
                return found
            row = Dataset(key=key, options=options, hash=digest, n=len(questions))
            db.add(row)
            db.flush()
            db.bulk_insert_mappings(Question, [asdict(q) | {"dataset_id": row.id} for q in questions])
            return row.id

    return found_or_made(stored)


def datasets() -> list[Dataset]:
    """Every benchmark that was read, newest first."""
    return scalars(select(Dataset).order_by(Dataset.id.desc()))


def dataset(dataset_id: int) -> Dataset:
    with session() as db:
        return db.get_one(Dataset, dataset_id)


def questions(dataset_id: int, split: str | None = None) -> list[records.Question]:
    """The benchmark's questions in index order; of one split, if given."""
    return question_page(dataset_id, split)


def questions_of(dataset_id: int, indices: Iterable[int]) -> list[records.Question]:
    """These questions of the benchmark, in index order."""
    query = _questions(dataset_id).where(Question.index.in_(list(indices)))
    return [_question(row) for row in scalars(query)]


def questions_by_index(dataset_id: int, indices: Iterable[int]) -> dict[int, records.Question]:
    """index → question, for the few that a page shows."""
    return {question.index: question for question in questions_of(dataset_id, indices)}


def question(dataset_id: int, index: int) -> records.Question:
    return _question(get(Question, (dataset_id, index), f"The benchmark has no question {index}."))


def test_questions_asking(dataset_id: int, texts: Sequence[str]) -> list[int]:
    """Indices of the test questions that ask one of these texts."""
    query = _questions(dataset_id, "test").where(func.trim(Question.text).in_(texts))
    return [row.index for row in scalars(query)] if texts else []


def question_page(
    dataset_id: int, split: str | None = None, search: str = "", offset: int = 0, limit: int | None = None
) -> list[records.Question]:
    """Questions in index order whose text or answer contains `search` (case does not matter)."""
    return [
        _question(row) for row in scalars(_questions(dataset_id, split, search).offset(offset).limit(limit))
    ]


def count_questions(dataset_id: int, split: str | None = None, search: str = "") -> int:
    """How many questions `question_page` would give without a limit."""
    return count(_questions(dataset_id, split, search))


def split_counts(dataset_id: int) -> dict[str, int]:
    """split → number of questions."""
    query = select(Question.split, func.count()).where(Question.dataset_id == dataset_id)
    return {split: n for split, n in rows(query.group_by(Question.split))}


def question_lengths(dataset_id: int, bin_words: int = 5) -> list[tuple[str, int, int]]:
    """(split, shortest length of the bin in words, questions): the histogram of question lengths."""
    words = func.length(Question.text) - func.length(func.replace(Question.text, " ", "")) + 1
    lower = (words // bin_words) * bin_words
    query = select(Question.split, lower, func.count()).where(Question.dataset_id == dataset_id)
    return [(s, int(low), n) for s, low, n in rows(query.group_by(Question.split, lower))]


def answer_counts(dataset_id: int, limit: int = 20) -> list[tuple[str, int]]:
    """The most frequent gold answers, (answer, questions), most frequent first."""
    query = (
        select(Question.answer, func.count())
        .where(Question.dataset_id == dataset_id)
        .group_by(Question.answer)
        .order_by(func.count().desc(), Question.answer)
        .limit(limit)
    )
    return [(answer, n) for answer, n in rows(query)]


def _questions(dataset_id: int, split: str | None = None, search: str = "") -> Select[Question]:
    query = select(Question).where(Question.dataset_id == dataset_id).order_by(Question.index)
    if split:
        query = query.where(Question.split == split)
    if search:
        found = (column.icontains(search, autoescape=True) for column in (Question.text, Question.answer))
        query = query.where(or_(*found))
    return query


def _question(row: Question) -> records.Question:
    return records.Question(row.index, row.text, row.answer, row.split, row.solution)
