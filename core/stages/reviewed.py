"""What is reviewed: a row for each kind of run in which people decide on texts.

    original(run_id, (12, 0))          the text before anybody decided on it
    REVIEWED[run.kind].label(run)      "7: exemplars of 6 clusters, paper"
    REVIEWED[run.kind].find(scorer, question, completion, text)      the answer in a text as it stands

On a review depends every run that has the reviewed one among its parents (core.stages.corrections).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from core.errors import LabError
from core.exemplars.candidates import exemplar, from_completion
from core.exemplars.prompt import parse, revised
from core.exemplars.selection import RULES
from core.methods import METHODS
from core.records import Exemplar, Question
from core.review.fold import Key
from core.stages import plans
from core.stages.scoring import Scorer, answer_span, rationale_step
from core.store import queries
from core.store.models import Completion, Run
from core.students.formats import spoken

FEW = 20  # rationales, below which each is read by itself


@dataclass(frozen=True, slots=True)
class Found:
    """The answer of a text as it stands, and its place there: None where a later step said it."""

    answer: str | None
    span: tuple[int, int] | None
    correct: bool


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One row of REVIEWED.

    kind      of run
    label     how a run is called where one is chosen; it never changes
    source    the run that holds the completions of which its texts are made
    original  a completion's text before anybody decided on it
    find      the answer in such a text as it stands
    check     refuses what may not stand there after an edit
    early     whether it is reviewed while the run still goes on
    """

    kind: str
    label: Callable[[Run], str]
    source: Callable[[Run], int]
    original: Callable[[Question, Completion], str]
    find: Callable[[Scorer, Question, Completion, str], Found]
    check: Callable[[Run, Scorer, Question, str], object] = lambda *_: None
    early: bool = False


def reviewed_run(run_id: int) -> tuple[Run, Reviewed]:
    """A run and its row. LabError where nothing is reviewed in it."""
    run = queries.run(run_id)
    if run.kind not in REVIEWED:
        raise LabError(f"Run {run_id} ({run.kind}) is not reviewed: choose exemplars or a generation.")
    return run, REVIEWED[run.kind]


def original(run_id: int, key: Key) -> str:
    """The text as the teacher wrote it. LabError where the run holds no such rationale."""
    run, row = reviewed_run(run_id)
    stored = queries.completion_of(row.source(run), *key)
    return row.original(queries.question(queries.study(run.study_id).dataset_id, key[0]), stored)


def originals(run_id: int, keys: Collection[Key]) -> dict[Key, str]:
    """`original` of many rationales, read together; those that the run does not hold are left out."""
    if len(keys) < FEW:
        return {key: original(run_id, key) for key in keys}
    (run, row), wanted = reviewed_run(run_id), set(keys)
    asked = {one.index: one for one in queries.questions(queries.study(run.study_id).dataset_id)}
    return {
        (stored.question_index, stored.sample_index): row.original(asked[stored.question_index], stored)
        for stored in queries.completions(row.source(run), failed=False)
        if (stored.question_index, stored.sample_index) in wanted
    }


# ── a generation: students learn its rationales ─────────────────────────────────────────────────


def _by_teacher(run: Run) -> str:
    method = METHODS[run.method].title if run.method in METHODS else run.method
    return f"{run.id}: {method}, {run.teacher}, all rationales"


def _find_learnt(own: Scorer, question: Question, completion: Completion, text: str) -> Found:
    """The answer as students will learn it."""
    written = queries.record(completion)
    if text == written.rationale:
        span = answer_span(completion, rationale_step(written))
        return Found(completion.value, span, bool(completion.correct))
    made, verdict = own.reviewed(written, text)
    if verdict is None:
        return Found(None, None, False)
    span = None
    if verdict.step == rationale_step(made) and verdict.start is not None and verdict.end is not None:
        span = verdict.start, verdict.end
    return Found(verdict.value, span, verdict.correct)


# ── exemplars: teachers are shown them ──────────────────────────────────────────────────────────


def _by_clusters(run: Run) -> str:
    settings = plans.plan_of(run).settings
    clusters = run.summary.get("k", settings.get("k", "?"))
    return f"{run.id}: exemplars of {clusters} clusters, {settings['rules']}"


def _spoken(question: Question, stored: Completion) -> str:
    return spoken(exemplar(from_completion(question, stored)))


def _find_shown(own: Scorer, question: Question, completion: Completion, text: str) -> Found:
    """The answer as the teacher will be shown it."""
    from core.answers import score

    try:
        answer = parse("", text).answer
    except LabError:
        return Found(None, None, False)
    start = text.rfind(answer)
    if text == _spoken(question, completion):
        right = bool(completion.correct)
    else:
        right = score(answer, question.answer, kind=own.kind, rules=own.rules).correct
    return Found(answer, (start, start + len(answer)), right)


def _check_shown(run: Run, own: Scorer, question: Question, text: str) -> Exemplar:
    """LabError for an exemplar that has lost its answer, or whose answer the run's rules do not allow."""
    settings = plans.plan_of(run).settings
    correct = (settings.get("own") or {}).get("correct", RULES[settings["rules"]].limits.correct)
    gold = own.golds[question.index]
    return revised(question.text, text, gold, kind=own.kind, rules=own.rules, correct_only=correct)


REVIEWED: dict[str, Reviewed] = {
    row.kind: row
    for row in (
        Reviewed("exemplars", _by_clusters, lambda run: run.parents[0], _spoken, _find_shown, _check_shown),
        Reviewed(
            "generate",
            _by_teacher,
            lambda run: run.id,
            lambda _, stored: stored.rationale,
            _find_learnt,
            early=True,
        ),
    )
}
