"""What the stages write and the pages read: one small function each, records in, rows out.

Lists that can be long take `offset` and `limit`; counts are made by the database.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any, TypeVar

from sqlalchemy import Select, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from core import records
from core.errors import LabError
from core.store import checked, session
from core.store.models import (
    Checked,
    Completion,
    Dataset,
    Diversity,
    LedgerEntry,
    Metric,
    Point,
    Prediction,
    Question,
    Run,
    Study,
    TrainingRow,
    TrainingSet,
)

T = TypeVar("T")

CHECK = "check"  # the ledger's step of calls that only check an answer


# ── datasets and studies ────────────────────────────────────────────────────────────────────────


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

    return _found_or_made(stored)


def _found_or_made(look: Callable[[], T]) -> T:
    """What `look` finds or makes; it looks once more where another process has made it meanwhile."""
    try:
        return look()
    except IntegrityError:
        return look()


def studies() -> list[Study]:
    """Newest first."""
    with session() as db:
        return list(db.scalars(select(Study).order_by(Study.created.desc(), Study.id.desc())))


def study(study_id: int) -> Study:
    with session() as db:
        if (found := db.get(Study, study_id)) is None:
            raise LabError(f"There is no study {study_id}: `python -m core studies` shows them.")
        return found


def study_by_name(name: str) -> Study | None:
    with session() as db:
        return db.scalar(select(Study).where(Study.name == name))


def add_study(name: str, dataset_id: int, rules: str, config: dict[str, Any]) -> int:
    with session() as db:
        row = Study(name=name, dataset_id=dataset_id, rules=rules, config=config)
        db.add(row)
        db.flush()
        return row.id


def update_study(study_id: int, config: dict[str, Any]) -> None:
    with session() as db:
        db.execute(update(Study).where(Study.id == study_id).values(config=config))


def set_exemplars(study_id: int, rows: list[dict[str, str]]) -> None:
    """The user's own exemplars of a study; the rest of its config stays as it is."""
    with session() as db:
        row = db.get_one(Study, study_id)
        row.config = row.config | {"exemplars": rows}


def test_questions_asking(dataset_id: int, texts: Sequence[str]) -> list[int]:
    """Indices of the test questions that ask one of these texts."""
    query = select(Question.index).where(
        Question.dataset_id == dataset_id, Question.split == "test", func.trim(Question.text).in_(texts)
    )
    with session() as db:
        return list(db.scalars(query.order_by(Question.index))) if texts else []


def dataset(dataset_id: int) -> Dataset:
    with session() as db:
        return db.get_one(Dataset, dataset_id)


def questions(dataset_id: int, split: str | None = None) -> list[records.Question]:
    """The benchmark's questions in index order; of one split, if given."""
    query = select(Question).where(Question.dataset_id == dataset_id).order_by(Question.index)
    if split is not None:
        query = query.where(Question.split == split)
    with session() as db:
        return [_question(row) for row in db.scalars(query)]


def questions_of(dataset_id: int, indices: Collection[int]) -> list[records.Question]:
    """These questions of the benchmark, in index order."""
    query = select(Question).where(Question.dataset_id == dataset_id, Question.index.in_(indices))
    with session() as db:
        return [_question(row) for row in db.scalars(query.order_by(Question.index))]


def question(dataset_id: int, index: int) -> records.Question:
    with session() as db:
        if (row := db.get(Question, (dataset_id, index))) is None:
            raise LabError(f"The benchmark has no question {index}.")
        return _question(row)


def _question(row: Question) -> records.Question:
    return records.Question(row.index, row.text, row.answer, row.split, row.solution)


# ── runs ────────────────────────────────────────────────────────────────────────────────────────


def open_run(study_id: int, kind: str, digest: str, **values: Any) -> Run:
    """The run with this identity, made on first use: the same work is never stored twice."""
    identity = (Run.study_id == study_id, Run.kind == kind, Run.hash == digest)

    def opened() -> Run:
        with session() as db:
            found = db.scalar(select(Run).where(*identity))
            if found is None:
                found = Run(study_id=study_id, kind=kind, hash=digest, **values)
                db.add(found)
                db.flush()
            else:
                found.job_id = values.get("job_id", found.job_id)
            return found

    return _found_or_made(opened)


def run(run_id: int) -> Run:
    with session() as db:
        if (found := db.get(Run, run_id)) is None:
            raise LabError(f"There is no run {run_id}: `python -m core results` lists them.")
        return found


def runs(study_id: int, kind: str | None = None) -> list[Run]:
    """Oldest first."""
    query = select(Run).where(Run.study_id == study_id).order_by(Run.id)
    if kind is not None:
        query = query.where(Run.kind == kind)
    with session() as db:
        return list(db.scalars(query))


def set_run(run_id: int, **values: Any) -> None:
    """Status, summary and finish time of a run; its config never changes."""
    with session() as db:
        db.execute(update(Run).where(Run.id == run_id).values(**values))


# ── completions ─────────────────────────────────────────────────────────────────────────────────


def save_completions(
    run_id: int, completions: Iterable[tuple[records.Completion, records.Score | None]]
) -> None:
    """Store scored completions; one that failed before is replaced, one that is there stays."""
    with session() as db:
        for completion, score in completions:
            key = (
                Completion.run_id == run_id,
                Completion.question_index == completion.question_index,
                Completion.sample_index == completion.sample_index,
            )
            old = db.scalar(select(Completion).where(*key))
            if old is not None and old.error is None:
                continue
            if old is not None:
                db.execute(delete(Completion).where(*key))
            db.add(Completion(run_id=run_id, **asdict(completion), **_verdict(score)))


def _verdict(score: records.Score | None) -> dict[str, Any]:
    if score is None:
        return {"correct": None, "value": None, "span_start": None, "span_end": None}
    return {
        "correct": score.correct,
        "value": score.value,
        "span_start": score.start,
        "span_end": score.end,
    }


def finished_samples(run_id: int) -> set[tuple[int, int]]:
    """(question, sample) of every completion that is there without an error."""
    query = select(Completion.question_index, Completion.sample_index).where(
        Completion.run_id == run_id, Completion.error.is_(None)
    )
    with session() as db:
        return {(q, s) for q, s in db.execute(query)}


def completions(
    run_id: int,
    *,
    correct: bool | None = None,
    truncated: bool | None = None,
    failed: bool | None = None,
    split: str | None = None,
    search: str = "",
    check: str | None = None,
    after_id: int | None = None,
    offset: int = 0,
    limit: int | None = None,
) -> list[Completion]:
    """A run's completions in question order, filtered; `check`: those about which this check speaks up."""
    query = _completions(run_id, correct, truncated, failed, split, search, check)
    if after_id is not None:
        query = query.where(Completion.id > after_id)
    query = query.order_by(Completion.question_index, Completion.sample_index).offset(offset).limit(limit)
    with session() as db:
        return list(db.scalars(query))


def count_completions(run_id: int, **filters: Any) -> int:
    query = _completions(
        run_id,
        *(filters.get(name) for name in ("correct", "truncated", "failed", "split")),
        filters.get("search", ""),
        filters.get("check"),
    )
    with session() as db:
        return db.scalar(select(func.count()).select_from(query.subquery())) or 0


def _completions(run_id, correct, truncated, failed, split, search, check=None) -> Select:
    query = select(Completion).where(Completion.run_id == run_id)
    if correct is not None:
        query = query.where(Completion.correct.is_(correct))
    if truncated is not None:
        is_cut = Completion.finish_reason == "length"
        query = query.where(is_cut if truncated else ~is_cut)
    if failed is not None:
        query = query.where(Completion.error.isnot(None) if failed else Completion.error.is_(None))
    if check:
        query = query.where(Completion.id.in_(checked.flagged(run_id, check, Checked.completion_id)))
    # Questions are searched once each, not once for every completion of theirs.
    dataset_id = select(Study.dataset_id).join(Run, Run.study_id == Study.id).where(Run.id == run_id)
    asked = select(Question.index).where(Question.dataset_id == dataset_id.scalar_subquery())
    if split:
        query = query.where(Completion.question_index.in_(asked.where(Question.split == split)))
    if search:
        found = asked.where(Question.text.icontains(search, autoescape=True))
        query = query.where(
            or_(
                Completion.question_index.in_(found),
                Completion.rationale.icontains(search, autoescape=True),
            )
        )
    return query


def latest_completions(run_id: int, limit: int = 5) -> list[Completion]:
    """The last ones written, newest first: the live stream."""
    query = select(Completion).where(Completion.run_id == run_id).order_by(Completion.id.desc()).limit(limit)
    with session() as db:
        return list(db.scalars(query))


def completion(completion_id: int) -> Completion:
    with session() as db:
        if (found := db.get(Completion, completion_id)) is None:
            raise LabError(f"There is no completion {completion_id}: go back to the list of rationales.")
        return found


def completion_counts(run_id: int) -> dict[str, int]:
    """n, correct, truncated, failed of a run's completions."""
    query = select(
        func.count(),
        func.count().filter(Completion.correct.is_(True)),
        func.count().filter(Completion.finish_reason == "length"),
        func.count().filter(Completion.error.isnot(None)),
    ).where(Completion.run_id == run_id)
    with session() as db:
        return dict(zip(("n", "correct", "truncated", "failed"), db.execute(query).one(), strict=True))


def completion_calls(run_id: int) -> dict[str, int]:
    """calls, prompt_tokens, completion_tokens that a run's completions stand for, kept replies counted."""
    query = select(
        func.count() + func.count().filter(Completion.answer_prompt != ""),
        func.coalesce(func.sum(Completion.prompt_tokens), 0),
        func.coalesce(func.sum(Completion.completion_tokens), 0),
    ).where(Completion.run_id == run_id, Completion.error.is_(None))
    with session() as db:
        found = db.execute(query).one()
        return dict(zip(("calls", "prompt_tokens", "completion_tokens"), map(int, found), strict=True))


def completion_of(run_id: int, question_index: int, sample_index: int = 0) -> Completion:
    query = select(Completion).where(
        Completion.run_id == run_id,
        Completion.question_index == question_index,
        Completion.sample_index == sample_index,
    )
    with session() as db:
        if (found := db.scalar(query)) is None:
            raise LabError(f"Run {run_id} has no sample {sample_index} of question {question_index}.")
        return found


def sample_verdicts(run_id: int) -> list[tuple[int, int, bool]]:
    """(question, sample, correct) of every completion that is there, in question order; no texts."""
    query = select(Completion.question_index, Completion.sample_index, Completion.correct).where(
        Completion.run_id == run_id, Completion.error.is_(None)
    )
    with session() as db:
        found = db.execute(query.order_by(Completion.question_index, Completion.sample_index))
        return [(question, sample, bool(correct)) for question, sample, correct in found]


def samples_of(run_id: int, question_index: int) -> list[Completion]:
    """A question's completions in a run, in sample order."""
    query = select(Completion).where(Completion.run_id == run_id, Completion.question_index == question_index)
    with session() as db:
        return list(db.scalars(query.order_by(Completion.sample_index)))


def rationales(run_id: int) -> Iterator[tuple[int, list[str]]]:
    """(question, its rationales in sample order) of everything that was written, in question order."""
    query = select(Completion.question_index, Completion.rationale).where(
        Completion.run_id == run_id, Completion.error.is_(None)
    )
    with session() as db:
        found = db.execute(query.order_by(Completion.question_index, Completion.sample_index)).all()
    for question, rows in groupby(found, key=lambda row: row[0]):
        yield question, [text for _, text in rows]


def save_diversity(run_id: int, measured: Sequence[dict[str, Any]]) -> None:
    """Store the measures of a run's questions; saved again, they are replaced whole."""
    with session() as db:
        db.execute(delete(Diversity).where(Diversity.run_id == run_id))
        if measured:
            db.execute(insert(Diversity), [row | {"run_id": run_id} for row in measured])


def diversity_page(run_id: int, offset: int = 0, limit: int | None = None) -> list[Diversity]:
    """The measures of a run's questions, the least diverse first."""
    query = select(Diversity).where(Diversity.run_id == run_id)
    query = (
        query.order_by(Diversity.effective, Diversity.texts, Diversity.question_index)
        .offset(offset)
        .limit(limit)
    )
    with session() as db:
        return list(db.scalars(query))


def count_diversity(run_id: int) -> int:
    with session() as db:
        return db.scalar(select(func.count()).where(Diversity.run_id == run_id)) or 0


def diversity_of(run_id: int, question_index: int) -> Diversity | None:
    """The measures of one question; None where they were not taken."""
    with session() as db:
        return db.get(Diversity, (run_id, question_index))


# ── the cluster map ─────────────────────────────────────────────────────────────────────────────


def save_points(run_id: int, points: Sequence[dict[str, Any]]) -> None:
    """Store the map of an exemplars run; saved again, it is replaced whole."""
    with session() as db:
        db.execute(delete(Point).where(Point.run_id == run_id))
        db.execute(insert(Point), [point | {"run_id": run_id} for point in points])


def points(run_id: int, *, qualified: bool | None = None) -> list[Point]:
    """The questions of a map by cluster, nearest to its centre first."""
    query = select(Point).where(Point.run_id == run_id).order_by(Point.cluster, Point.rank)
    with session() as db:
        return [p for p in db.scalars(query) if qualified is None or (not p.failures) == qualified]


# ── training ────────────────────────────────────────────────────────────────────────────────────


def save_training_set(
    study_id: int, method: str, made: records.TrainingSet, completion_ids: dict[tuple[int, int], int]
) -> str:
    """Store an immutable training set under its hash; the same rows are stored once."""
    with session() as db:
        if db.get(TrainingSet, made.hash) is None:
            db.add(
                TrainingSet(
                    hash=made.hash, study_id=study_id, method=method, dropped=made.dropped, n=len(made.rows)
                )
            )
            db.flush()
            db.bulk_insert_mappings(
                TrainingRow,
                [
                    asdict(row)
                    | {
                        "training_set": made.hash,
                        "position": position,
                        "completion_id": completion_ids.get((row.question_index, row.sample_index)),
                    }
                    for position, row in enumerate(made.rows)
                ],
            )
        return made.hash


def training_set(digest: str) -> TrainingSet:
    with session() as db:
        return db.get_one(TrainingSet, digest)


def training_rows(digest: str, offset: int = 0, limit: int | None = None) -> list[TrainingRow]:
    query = (
        select(TrainingRow)
        .where(TrainingRow.training_set == digest)
        .order_by(TrainingRow.position)
        .offset(offset)
        .limit(limit)
    )
    with session() as db:
        return list(db.scalars(query))


def save_metrics(run_id: int, rows: Sequence[dict[str, Any]]) -> None:
    """Points of the live curves, {name, step, epoch, value}; a point that is there is kept once."""
    with session() as db:
        for row in rows:
            db.merge(Metric(run_id=run_id, **{k: row[k] for k in ("name", "step", "epoch", "value")}))


def metrics(run_id: int) -> list[Metric]:
    query = select(Metric).where(Metric.run_id == run_id).order_by(Metric.name, Metric.step)
    with session() as db:
        return list(db.scalars(query))


# ── predictions ─────────────────────────────────────────────────────────────────────────────────


def save_predictions(run_id: int, scored: Iterable[tuple[records.Prediction, records.Score]]) -> None:
    """Store scored predictions; `(run, question)` is there exactly once."""
    with session() as db:
        for prediction, score in scored:
            db.merge(Prediction(run_id=run_id, **asdict(prediction), **_verdict(score)))


def predictions(
    run_id: int, *, correct: bool | None = None, offset: int = 0, limit: int | None = None
) -> list[Prediction]:
    """A run's predictions in question order."""
    query = select(Prediction).where(Prediction.run_id == run_id).order_by(Prediction.question_index)
    if correct is not None:
        query = query.where(Prediction.correct.is_(correct))
    with session() as db:
        return list(db.scalars(query.offset(offset).limit(limit)))


def verdicts(run_id: int) -> dict[int, bool]:
    """question index → right or wrong."""
    query = select(Prediction.question_index, Prediction.correct).where(Prediction.run_id == run_id)
    with session() as db:
        return {index: correct for index, correct in db.execute(query)}


def counts() -> dict[str, int]:
    """How much the lab holds, for the first page."""
    tables = {
        "studies": Study,
        "completions": Completion,
        "students": Run,
        "predictions": Prediction,
    }
    with session() as db:
        return {
            name: db.scalar(
                select(func.count())
                .select_from(table)
                .where(*([Run.kind == "train"] if table is Run else []))
            )
            or 0
            for name, table in tables.items()
        }


# ── what the pages look up ──────────────────────────────────────────────────────────────────────


def datasets() -> list[Dataset]:
    """Every benchmark that was read, newest first."""
    with session() as db:
        return list(db.scalars(select(Dataset).order_by(Dataset.id.desc())))


def _questions(dataset_id: int, split: str | None, search: str) -> Select:
    query = select(Question).where(Question.dataset_id == dataset_id)
    if split:
        query = query.where(Question.split == split)
    if search:
        found = (column.icontains(search, autoescape=True) for column in (Question.text, Question.answer))
        query = query.where(or_(*found))
    return query


def question_page(
    dataset_id: int, split: str | None = None, search: str = "", offset: int = 0, limit: int | None = None
) -> list[records.Question]:
    """Questions in index order whose text or answer contains `search` (case does not matter)."""
    query = _questions(dataset_id, split, search).order_by(Question.index).offset(offset).limit(limit)
    with session() as db:
        return [_question(row) for row in db.scalars(query)]


def count_questions(dataset_id: int, split: str | None = None, search: str = "") -> int:
    """How many questions `question_page` would give without a limit."""
    query = select(func.count()).select_from(_questions(dataset_id, split, search).subquery())
    with session() as db:
        return db.scalar(query) or 0


def split_counts(dataset_id: int) -> dict[str, int]:
    """split → number of questions."""
    query = select(Question.split, func.count()).where(Question.dataset_id == dataset_id)
    with session() as db:
        return {split: n for split, n in db.execute(query.group_by(Question.split))}


def question_lengths(dataset_id: int, bin_words: int = 5) -> list[tuple[str, int, int]]:
    """(split, shortest length of the bin in words, questions): the histogram of question lengths."""
    words = func.length(Question.text) - func.length(func.replace(Question.text, " ", "")) + 1
    lower = (words // bin_words) * bin_words
    query = select(Question.split, lower, func.count()).where(Question.dataset_id == dataset_id)
    with session() as db:
        return [(s, int(low), n) for s, low, n in db.execute(query.group_by(Question.split, lower))]


def answer_counts(dataset_id: int, limit: int = 20) -> list[tuple[str, int]]:
    """The most frequent gold answers, (answer, questions), most frequent first."""
    query = (
        select(Question.answer, func.count())
        .where(Question.dataset_id == dataset_id)
        .group_by(Question.answer)
        .order_by(func.count().desc(), Question.answer)
        .limit(limit)
    )
    with session() as db:
        return [(answer, n) for answer, n in db.execute(query)]


def questions_by_index(dataset_id: int, indices: Iterable[int]) -> dict[int, records.Question]:
    """index → question, for the few that a page shows."""
    query = select(Question).where(Question.dataset_id == dataset_id, Question.index.in_(list(indices)))
    with session() as db:
        return {row.index: _question(row) for row in db.scalars(query)}


def prediction(run_id: int, question_index: int) -> Prediction:
    """One student output."""
    with session() as db:
        if (found := db.get(Prediction, (run_id, question_index))) is None:
            raise LabError(f"Run {run_id} has no prediction for question {question_index}: resume it.")
        return found


def predictions_of(run_id: int, indices: Iterable[int]) -> dict[int, Prediction]:
    """question index → prediction, for the few that a page shows."""
    query = select(Prediction).where(
        Prediction.run_id == run_id, Prediction.question_index.in_(list(indices))
    )
    with session() as db:
        return {row.question_index: row for row in db.scalars(query)}


def count_predictions(run_id: int, correct: bool | None = None) -> int:
    query = select(func.count()).where(Prediction.run_id == run_id)
    if correct is not None:
        query = query.where(Prediction.correct.is_(correct))
    with session() as db:
        return db.scalar(query) or 0


def count_training_rows(digest: str, search: str = "") -> int:
    """Rows of a training set whose input or label contains `search`."""
    with session() as db:
        return db.scalar(select(func.count()).select_from(_rows(digest, search).subquery())) or 0


def training_page(
    digest: str, search: str = "", offset: int = 0, limit: int | None = None
) -> list[TrainingRow]:
    """Rows of a training set in order, whose input or label contains `search`."""
    query = _rows(digest, search).order_by(TrainingRow.position).offset(offset).limit(limit)
    with session() as db:
        return list(db.scalars(query))


def _rows(digest: str, search: str) -> Select:
    query = select(TrainingRow).where(TrainingRow.training_set == digest)
    if search:
        found = (c.icontains(search, autoescape=True) for c in (TrainingRow.input, TrainingRow.label))
        query = query.where(or_(*found))
    return query


def ledger_totals(run_id: int) -> dict[str, float]:
    """What a run's calls came to: calls, cached, failed, prompt_tokens, completion_tokens, cost (USD).

    Cost and tokens are of fresh calls; a cached reply was paid for before. Calls that only checked an
    answer (step "check") made none of its completions and are left out.
    """
    fresh = LedgerEntry.cached.is_(False)
    query = select(
        func.count().filter(fresh),
        func.count().filter(LedgerEntry.cached.is_(True)),
        func.count().filter(LedgerEntry.error.isnot(None)),
        func.coalesce(func.sum(LedgerEntry.prompt_tokens).filter(fresh), 0),
        func.coalesce(func.sum(LedgerEntry.completion_tokens).filter(fresh), 0),
        func.coalesce(func.sum(LedgerEntry.cost).filter(fresh), 0.0),
    ).where(LedgerEntry.run_id == run_id, LedgerEntry.step != CHECK)
    names = ("calls", "cached", "failed", "prompt_tokens", "completion_tokens", "cost")
    with session() as db:
        return dict(zip(names, db.execute(query).one(), strict=True))


def second_calls(run_id: int, teacher: str = "") -> tuple[int, float, float]:
    """(calls, mean prompt tokens, mean completion tokens) of the second calls that a run made.

    With a `teacher`, those of all its runs. Cached ones count: they took as many when they were made.
    """
    whose = LedgerEntry.teacher == teacher if teacher else LedgerEntry.run_id == run_id
    query = select(
        func.count(),
        func.coalesce(func.avg(LedgerEntry.prompt_tokens), 0),
        func.coalesce(func.avg(LedgerEntry.completion_tokens), 0),
    ).where(whose, LedgerEntry.step.in_(("answer", CHECK)), LedgerEntry.error.is_(None))
    with session() as db:
        n, read, written = db.execute(query).one()
    return n, float(read), float(written)


def answer_counts_of(run_id: int) -> dict[str, int]:
    """Of a run's completions without an error: n, `marked` (an explicit marker is in the rationale) and
    `extracted` (the answer was read from it, so that no second call was made)."""
    marked = or_(Completion.rationale.icontains("answer is"), Completion.rationale.icontains("answer:"))
    query = select(
        func.count(), func.count().filter(marked), func.count().filter(*_extracted())
    ).where(Completion.run_id == run_id, Completion.error.is_(None))  # fmt: skip
    with session() as db:
        return dict(zip(("n", "marked", "extracted"), db.execute(query).one(), strict=True))


def extracted_samples(run_id: int) -> list[tuple[int, int]]:
    """(question, sample) of every completion whose answer was read from its rationale, in order."""
    query = select(Completion.question_index, Completion.sample_index).where(
        Completion.run_id == run_id, Completion.error.is_(None), *_extracted()
    )
    with session() as db:
        found = db.execute(query.order_by(Completion.question_index, Completion.sample_index))
        return [(question, sample) for question, sample in found]


def _extracted() -> tuple[Any, Any]:
    return Completion.answer_prompt == "", Completion.answer_text != ""


# ── results ─────────────────────────────────────────────────────────────────────────────────────


def evaluation_cells(study_name: str) -> list[Any]:
    """The finished evaluations of a study as `core.results.table.Cell`s, oldest first.

    Where the same arm and seed was evaluated again (other rationales, edits, another setting), the
    newest stands for the arm and the others say so in their variant, so that both can be compared.
    """
    from core.results.table import EARLIER, Cell, rationales

    if (found := study_by_name(study_name)) is None:
        raise LabError(f"There is no study “{study_name}”: `python -m core studies` lists them.")
    key = dataset(found.dataset_id).key
    by_id = {row.id: row for row in runs(found.id)}
    done = [row for row in by_id.values() if row.kind == "evaluate" and row.status == "done"]
    several = len({row.config.get("recipe") for row in done if row.parents}) > 1
    # Finished last, not opened last: where an edit was undone, the run of before stands again.
    newest = {_arm(row, several): row.id for row in sorted(done, key=lambda row: row.finished or row.created)}
    return [
        Cell(
            run_id=row.id,
            method=row.method,
            student=row.student,
            teacher=row.teacher,
            seed=row.seed,
            benchmark=key,
            question_set=row.config["question_set"],
            correct=verdicts(row.id),
            samples=row.config.get("samples", 1),
            variant=_variant(row, several) if newest[_arm(row, several)] == row.id else f"{EARLIER} {row.id}",
            rationales=rationales([by_id[i].summary for i in _generations(row, by_id)]),
        )
        for row in done
    ]


def generations(study_id: int, only: Iterable[int] | None = None) -> list[Any]:
    """The finished generations of a study as `core.results.teachers.Generation`s, oldest first.

    `only`: those with these ids.
    """
    from core.results.teachers import Generation

    return [
        Generation(
            row.id,
            row.method,
            row.teacher,
            row.config.get("split", ""),
            teacher_verdicts(row.id),
            shown=len(row.config.get("prompting", {}).get("exemplars", ())),
            **{name: value for name, value in ledger_totals(row.id).items() if name != "failed"},
        )
        for row in runs(study_id, "generate")
        if row.status == "done" and (only is None or row.id in only)
    ]


def teacher_verdicts(run_id: int) -> dict[int, tuple[bool | None, ...]]:
    """question → the verdicts of its samples in order, None where the teacher failed."""
    query = select(Completion.question_index, Completion.correct, Completion.error.is_(None)).where(
        Completion.run_id == run_id
    )
    found: dict[int, list[bool | None]] = {}
    with session() as db:
        for question, correct, there in db.execute(
            query.order_by(Completion.question_index, Completion.sample_index)
        ):
            found.setdefault(question, []).append(bool(correct) if there else None)
    return {question: tuple(verdicts) for question, verdicts in found.items()}


def _generations(row: Run, by_id: dict[int, Run]) -> list[int]:
    """The generations that a run stands on, its own first: those that its exemplars are of come after."""
    found: list[int] = []
    waiting = list(row.parents)
    while waiting:
        parent = by_id[waiting.pop(0)]
        if parent.kind == "generate" and parent.id not in found:
            found.append(parent.id)
        waiting += parent.parents
    return found


def _variant(row: Run, several_recipes: bool) -> str:
    """What sets an evaluation apart besides its arm: recipe, LoRA, filters of its training set."""
    from core.methods.filters import label

    recipe = row.config.get("recipe", "") if several_recipes and row.parents else ""
    lora = "LoRA" if row.config.get("tuning") == "lora" else ""
    return ", ".join(filter(None, (recipe, lora, label(row.config.get("filters", {})))))


def _arm(row: Run, several_recipes: bool) -> tuple[Any, ...]:
    return (
        row.method, row.student, row.teacher, row.config.get("samples", 1), row.seed,
        _variant(row, several_recipes),
    )  # fmt: skip
