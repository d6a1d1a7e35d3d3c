"""Methods: how rationales are got and how the student is trained. One file a method, one row each.

for completion in generate(asked, METHODS["fine-tune-cot"], ask): …    what the teacher writes
training_set(questions, completions, scores, method, form)             what the student learns
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.errors import LabError, RefusedError
from core.methods import filters as filtering
from core.methods.base import Examples, Method, Removed
from core.methods.few_shot_cot import FEW_SHOT_COT
from core.methods.fine_tune import FINE_TUNE
from core.methods.fine_tune_cot import FINE_TUNE_COT
from core.methods.new_fine_tune_cot import CLUSTER_EXEMPLARS, HEURISTIC_CORRECTION, NEW_FINE_TUNE_COT
from core.methods.zero_shot import ZERO_SHOT
from core.records import (
    Completion,
    Dropped,
    Question,
    Reply,
    Request,
    Sampling,
    Score,
    TrainingRow,
    TrainingSet,
)
from core.students.formats import Format
from core.teachers.base import Prices, count_tokens
from core.teachers.estimate import Estimate
from core.teachers.estimate import estimate as bounds

if TYPE_CHECKING:
    from core.teachers import Ask

__all__ = ["METHODS", "Method", "estimate", "generate", "requests", "training_set"]

METHODS: dict[str, Method] = {
    row.key: row
    for row in (
        ZERO_SHOT,
        FEW_SHOT_COT,
        FINE_TUNE,
        FINE_TUNE_COT,
        CLUSTER_EXEMPLARS,
        HEURISTIC_CORRECTION,
        NEW_FINE_TUNE_COT,
    )
}


def requests(
    asked: Iterable[tuple[Question, int]], method: Method, options: Mapping[str, Any] | None = None
) -> Iterator[Request]:
    """The first request for each (question, sample index)."""
    if method.prompt is None:
        raise LabError(f"{method.title} asks no teacher: choose another method to generate rationales.")
    chosen = _options(method, options)
    for question, sample_index in asked:
        yield Request(method.prompt(question.text, chosen), question.index, sample_index)


def generate(
    asked: Iterable[tuple[Question, int]],
    method: Method,
    ask: Ask,
    options: Mapping[str, Any] | None = None,
) -> Iterator[Completion]:
    """One completion for each (question, sample index), as they finish.

    `ask(requests, then)` is a teacher's, such as `asking(teacher, sampling, run_id)`. The second call
    of a question starts as soon as its first is back. A call that failed gives a completion with `error`.
    """
    chosen = _options(method, options)
    first: dict[tuple[int, int], Reply] = {}

    def then(reply: Reply) -> list[Request]:
        if method.answer_prompt is None or reply.request.step == "answer" or reply.error:
            return []
        if method.answer_in is not None and method.answer_in(reply.text, chosen) is not None:
            return []
        request = reply.request
        first[request.question_index, request.sample_index] = reply
        prompt = method.answer_prompt(request.prompt, reply.text, chosen)
        return [
            Request(prompt, request.question_index, request.sample_index, "answer", method.answer_sampling)
        ]

    for reply in ask(requests(asked, method, options), then):
        if reply.request.step == "answer":
            rationale = first.pop((reply.request.question_index, reply.request.sample_index))
            yield _completion(rationale, reply)
        elif (reply.request.question_index, reply.request.sample_index) not in first:
            said = method.answer_in(reply.text, chosen) if method.answer_in and not reply.error else None
            yield replace(_completion(reply, None), answer_text=said or "")


def training_set(
    questions: Sequence[Question],
    completions: Sequence[Completion],
    scores: Sequence[Score | None],
    method: Method,
    form: Format,
    *,
    samples: int | None = None,
    filters: Mapping[str, Any] | None = None,
    shown: Collection[str] = (),
    may_be_empty: bool = False,
) -> TrainingSet:
    """What a student of this format learns by this method, in question order; train split only.

    `scores` go with `completions`, one each. Of every question at most `samples` rationales count
    (D of diverse reasoning). `filters` (core.methods.filters) are of rationales, so a method without a
    teacher has none; `shown` are the questions that the teacher was shown as exemplars. RefusedError
    when nothing is left to learn, unless it may be so.
    """
    if method.choose is None:
        raise LabError(f"{method.title} trains no student: choose a method that does.")
    train = [question for question in sorted(questions, key=lambda q: q.index) if question.split == "train"]
    kept, further = [], []
    for completion, score in zip(completions, scores, strict=True):
        if samples is None or completion.sample_index < samples:
            kept.append((completion, score is not None and score.correct))
        else:
            further.append(Dropped(completion.question_index, completion.sample_index, "further samples"))
    examples, dropped = method.choose(train, kept)
    if examples and method.needs_teacher and filters:
        examples, filtered = _filtered(examples, completions, filters, shown)
        if not examples and not may_be_empty:
            on = filtering.label(filtering.chosen(filters))
            raise RefusedError(f"The filters ({on}) leave no training row: loosen one of them.")
        dropped |= filtered
    if not examples and not may_be_empty:
        raise RefusedError(
            f"{method.title} has no training rows here: it needs "
            + ("correct completions of train questions." if method.needs_teacher else "train questions.")
        )
    removed = [one for group in ({"further samples": further} | dropped).values() for one in group]
    rows = (
        TrainingRow(
            form.input(question.text), form.label(rationale, question.answer), question.index, sample_index
        )
        for question, sample_index, rationale in examples
    )
    return TrainingSet(tuple(rows), dict(Counter(one.reason for one in removed)), tuple(removed))


def _filtered(
    examples: Examples, completions: Sequence[Completion], filters: Mapping[str, Any], shown: Collection[str]
) -> tuple[Examples, Removed]:
    """The examples that the filters leave, and what each dropped."""
    cut = {(c.question_index, c.sample_index) for c in completions if c.finish_reason == "length"}
    asked = {text.strip() for text in shown}
    candidates = {
        (question.index, sample): filtering.Candidate(
            question.index,
            sample,
            text or "",
            (question.index, sample) in cut,
            question.text.strip() in asked,
        )
        for question, sample, text in examples
    }
    left, dropped = filtering.apply(list(candidates.values()), filters)
    kept = {(one.question_index, one.sample_index) for one in left}
    return [example for example in examples if (example[0].index, example[1]) in kept], dropped


def estimate(
    questions: Sequence[Question],
    method: Method,
    prices: Prices,
    sampling: Sampling | None = None,
    *,
    samples: int = 1,
    context: int | None = None,
    options: Mapping[str, Any] | None = None,
    count: Callable[[str], int] = count_tokens,
) -> Estimate:
    """Upper bounds of calls, tokens and US dollars before the start, with nothing in the cache.

    `count` is a `token_counter` where the model's tokenizer is known.
    """

    prompts = (request.prompt for request in requests(((q, 0) for q in questions), method, options))
    return bounds(
        prices,
        prompts,
        sampling or method.sampling,
        answer_sampling=method.answer_sampling,
        samples=samples,
        context=context,
        count=count,
    )


def _options(method: Method, options: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if unknown := sorted(set(options or {}) - set(method.options)):
        known = ", ".join(method.options) or "none"
        raise LabError(f"{method.title} has no option {', '.join(unknown)}: its options are {known}.")
    return {**method.options, **(options or {})}


def _completion(first: Reply, last: Reply | None) -> Completion:
    replies = [first] if last is None else [first, last]
    failed = next((reply.error for reply in replies if reply.error), None)
    return Completion(
        question_index=first.request.question_index,
        sample_index=first.request.sample_index,
        prompt=first.request.prompt,
        rationale=first.text,
        finish_reason="error" if failed else first.finish_reason,
        answer_prompt=last.request.prompt if last else "",
        answer_text=last.text if last else "",
        prompt_tokens=sum(reply.prompt_tokens for reply in replies),
        completion_tokens=sum(reply.completion_tokens for reply in replies),
        cost=sum(reply.cost for reply in replies),
        calls=sum(not reply.cached for reply in replies),
        cached=all(reply.cached for reply in replies),
        error=failed,
    )
