"""Methods: how rationales are written and how the student is trained. One file for each method.

A file of this package that has a METHOD is a row of METHODS: pages, commands, README and tests show it.

driver.run(driver.started(asked, method.teach, given, sampling), desk)    what the teachers write
training_set(questions, completions, scores, method, given)               what the students learn
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from core.errors import LabError, RefusedError
from core.methods import filters as filtering
from core.methods.base import Ask, Given, Method, Program, Written
from core.records import Completion, Dropped, Question, Sampling, Score, Step, TrainingRow, TrainingSet
from core.teachers.base import Prices, count_tokens
from core.teachers.estimate import Estimate, bounds, unwritten

__all__ = ["METHODS", "Given", "Method", "estimate", "first_ask", "method_title", "options", "training_set"]


def _rows() -> dict[str, Method]:
    modules = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
    rows = [module.METHOD for module in modules if hasattr(module, "METHOD")]
    return {row.key: row for row in sorted(rows, key=lambda row: (row.order, row.key))}


METHODS: dict[str, Method] = _rows()


def method_title(key: str) -> str:
    """How a method is called where people read it; one that is gone by its key."""
    return METHODS[key].title if key in METHODS else key


def options(method: Method, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """A method's options with those that were chosen; a study's other methods may have more.

    LabError for one that no method has.
    """
    known = sorted({name for row in METHODS.values() for name in row.options})
    if unknown := sorted(set(chosen) - set(known)):
        raise LabError(f"No method has an option {', '.join(unknown)}: the options are {', '.join(known)}.")
    return {name: chosen.get(name, default) for name, default in method.options.items()}


def training_set(
    questions: Sequence[Question],
    completions: Sequence[Completion],
    scores: Sequence[Score | None],
    method: Method,
    given: Given,
    *,
    role: str = "student",
    samples: int | None = None,
    filters: Mapping[str, Any] | None = None,
    shown: Collection[str] = (),
    may_be_empty: bool = False,
) -> TrainingSet:
    """What a student learns by this method, in question order; train split only.

    Of the teacher's completions those count whose answer is right (`scores` go with them, one each), of
    every question at most `samples` (D of diverse reasoning). `filters` (core.methods.filters) judge
    rationales, so a method without a teacher has none; `shown` are the questions that the teacher was shown
    as exemplars. RefusedError when nothing is left to learn, unless it may be so.
    """
    if method.lessons is None:
        raise LabError(f"{method.title} trains no student: choose a method that does.")
    train = {q.index: q for q in sorted(questions, key=lambda q: q.index) if q.split == "train"}
    if method.teach is None:
        learnt, dropped = [Completion(index, 0, "") for index in train], dict[str, list[Dropped]]()
    else:
        learnt, dropped = _right(train, completions, scores, samples)
    lessons = {
        (one.question_index, one.sample_index): list(method.lessons(train[one.question_index], one, given))
        for one in learnt
    }
    if learnt and method.teach is not None and filters:
        asked, candidates = {text.strip() for text in shown}, []
        for one in learnt:
            key = one.question_index, one.sample_index
            text = lessons[key][0].text if lessons[key] else ""
            was_shown = train[one.question_index].text.strip() in asked
            candidates.append(filtering.Candidate(*key, text, one.finish_reason == "length", was_shown))
        left, filtered = filtering.apply(candidates, filters)
        if not left and not may_be_empty:
            on = filtering.label(filtering.chosen(filters))
            raise RefusedError(f"The filters ({on}) leave no training row: loosen one of them.")
        kept = {(one.question_index, one.sample_index) for one in left}
        lessons = {key: rows for key, rows in lessons.items() if key in kept}
        dropped |= filtered
    if not lessons and not may_be_empty:
        raise RefusedError(
            f"{method.title} has no training rows here: it needs "
            + ("correct completions of train questions." if method.needs_teacher else "train questions.")
        )
    removed = [one for group in dropped.values() for one in group]
    learnt_rows = (
        TrainingRow(lesson.input, lesson.label, *key)
        for key, own in lessons.items()
        for lesson in own
        if lesson.role == role
    )
    return TrainingSet(tuple(learnt_rows), dict(Counter(one.reason for one in removed)), tuple(removed))


def _right(
    train: Mapping[int, Question],
    completions: Sequence[Completion],
    scores: Sequence[Score | None],
    samples: int | None,
) -> tuple[list[Completion], dict[str, list[Dropped]]]:
    """Completions with the right answer, by question and sample; the rationale itself is not judged."""
    right: list[Completion] = []
    dropped: dict[str, list[Dropped]] = {
        reason: [] for reason in ("further samples", "other split", "failed", "wrong answer")
    }
    pairs = zip(completions, scores, strict=True)
    for one, score in sorted(pairs, key=lambda pair: (pair[0].question_index, pair[0].sample_index)):
        if samples is not None and one.sample_index >= samples:
            reason = "further samples"
        elif one.question_index not in train:
            reason = "other split"
        elif one.error is not None:
            reason = "failed"
        elif score is None or not score.correct:
            reason = "wrong answer"
        else:
            right.append(one)
            continue
        why = (one.error or "") if reason == "failed" else ""
        dropped[reason].append(Dropped(one.question_index, one.sample_index, reason, why))
    return right, dropped


# ── dry runs ────────────────────────────────────────────────────────────────────────────────────


def dry_run(program: Program, sampling: Sampling) -> tuple[list[tuple[Ask, Sampling]], Written | None]:
    """What a program asks for where nothing that is written ends it early, and its result.

    None where it cannot do with what it reads; LabError where it asks nothing at all.
    """
    asked: list[tuple[Ask, Sampling]] = []
    try:
        wanted = next(program)
        while True:
            several = [wanted] if isinstance(wanted, Ask) else list(wanted)
            steps = []
            for ask in several:
                steps.append(Step(ask.name, ask.prompt, unwritten(len(asked)), ask.role))
                asked.append((ask, ask.sampled(sampling)))
            wanted = program.send(steps[0] if isinstance(wanted, Ask) else steps)
    except StopIteration as end:
        return asked, end.value
    except LabError:
        if not asked:
            raise
        return asked, None


def first_ask(method: Method, question: Question, given: Given) -> tuple[str, str | None]:
    """(the first prompt of a student, what its answer stands behind) by a method."""
    asked, written = dry_run(method.solve(question, given), method.sampling)
    return asked[0][0].prompt, written.answer.prefix if written else None


def estimate(
    questions: Sequence[Question],
    method: Method,
    prices: Prices | Mapping[str, Prices],
    sampling: Sampling | None = None,
    *,
    given: Given | None = None,
    samples: int = 1,
    context: int | None = None,
    count: Callable[[str], int] = count_tokens,
) -> Estimate:
    """Upper bounds of calls, tokens and US dollars before the start, with nothing in the cache.

    `prices` of all roles or by role; `count` is a `token_counter` where the model's tokenizer is known.
    """
    given = given or Given(options=method.options)
    runs = [
        dry_run(method.asking()(question, given), sampling or method.sampling)[0] for question in questions
    ]
    return bounds(runs, prices, samples=samples, context=context, count=count)
