"""Adaptive answers checked: on a sample of the questions that one call answered, the second call too.

    question 12   "… The answer is 23."   read 23   the second call says " 23."   they agree

The completions stay as they are. The calls are kept and cached like all others, in the ledger as step
"check", so that a job that is resumed pays for nothing twice. The result is in the run's summary:
{"check": {"size": 50, "seed": 0, "compared": 50, "disagree": 2, "failed": 0, "items": […]}}
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from core import answers, jobs, records, teachers
from core.errors import LabError
from core.exemplars.adaptive import Ledger, Saving, SecondCall, sample
from core.jobs.progress import Progress
from core.methods import METHODS, driver
from core.methods.driver import Running
from core.records import Request
from core.stages import plans
from core.stages.generation import given, run_questions
from core.stages.scoring import Scorer, scorer
from core.store import queries
from core.store.models import Completion, Run
from core.teachers import prices
from core.teachers.desk import Desk

KIND = "check-answers"
SIZE = 50  # questions of the sample, unless another number is asked for
STAGE = "Asks a second time"
ADAPTIVE = "adaptive"  # the option of a method that spares second calls


def submit(run_id: int, size: int = SIZE, seed: int = 0) -> str:
    """Queue a check. Returns the job's id; LabError where no answer of the run was read from a rationale."""
    run = queries.run(run_id)
    keys = chosen(run, size, seed)
    request = {"run": run_id, "size": size, "seed": seed}
    title = f"Check {len(keys)} adaptive answers of run {run_id}"
    queue = teachers.queue(plans.plan_of(run).teaching.teachers.values())
    return jobs.submit(KIND, title, request, run.study_id, queue=queue)


def chosen(run: Run, size: int, seed: int) -> list[tuple[int, int]]:
    """(question, sample) of what is checked."""
    if run.kind != "generate" or not is_adaptive(run):
        raise LabError(
            f"Run {run.id} made no adaptive answers: choose a generation by New-Fine-tune-CoT, "
            "or have a teacher write one."
        )
    if size < 1:
        raise LabError(f"A sample of {size} checks nothing: ask for at least 1.")
    keys = sample(queries.spared_samples(run.id), size, seed)
    if not keys:
        raise LabError(f"Every rationale of run {run.id} needed its second call: there is nothing to check.")
    return keys


def is_adaptive(run: Run) -> bool:
    """Whether one call could be enough in this generation."""
    method = METHODS.get(run.method)
    made = plans.plan_of(run)
    if method is None or made.content or ADAPTIVE not in method.options:
        return False
    return bool((dict(method.options) | made.teaching.prompting)[ADAPTIVE])


class Checking(Desk):
    """A desk whose calls are in the ledger as checks."""

    def ask(self, requests: Iterable[Request]) -> None:
        super().ask([replace(request, step=queries.CHECK) for request in requests])


def unspared(run: Run, row: Completion) -> Running:
    """What the method asks after the same first step where it does not adapt: the call that was spared."""
    made, method = plans.plan_of(run), METHODS[run.method]
    question = queries.question(queries.study(run.study_id).dataset_id, row.question_index)
    always = given(run.study_id, run.method, made.teaching.prompting | {ADAPTIVE: False}, made.exemplars)
    program, sampling = method.asking()(question, always), made.teaching.sampled(method.sampling)
    return Running(row.question_index, row.sample_index, program, sampling, queries.record(row).steps)


def check(progress: Progress, run_id: int, size: int, seed: int) -> dict[str, Any]:
    """Make the second calls that are missing, compare, and keep the result. The same check is made once."""
    run = queries.run(run_id)
    known = run.summary.get("check", {})
    if (known.get("size"), known.get("seed"), known.get("failed")) == (size, seed, 0):
        return known
    keys = chosen(run, size, seed)
    own, made = scorer(run.study_id), plans.plan_of(run)
    first = {key: queries.completion_of(run_id, *key) for key in keys}
    items: dict[tuple[int, int], dict[str, Any]] = {}
    progress.at(STAGE, 0, len(keys))
    panel = teachers.panel(made.teaching.teachers, run_questions(run), own.kind)
    with Checking(panel, run_id, progress.holder, progress.check) as desk:
        for second in driver.run((unspared(run, row) for row in first.values()), desk):
            key = second.question_index, second.sample_index
            items[key] = _compared(own, first[key], second)
            progress.at(STAGE, len(items), len(keys))
    compared = [item for item in items.values() if "error" not in item]
    result = {
        "size": size,
        "seed": seed,
        "compared": len(compared),
        "disagree": sum(not item["agree"] for item in compared),
        "failed": len(items) - len(compared),
        "items": [items[key] for key in sorted(items)],
    }
    queries.set_run(run_id, summary=queries.run(run_id).summary | {"check": result})
    progress.say(f"The two answers differ on {result['disagree']} of {result['compared']} questions.")
    if result["failed"]:
        progress.say(f"{result['failed']} second calls failed: start the check again to ask for them.")
    return result


def _compared(own: Scorer, row: Completion, second: records.Completion) -> dict[str, Any]:
    """What a kept completion says beside the same one with its second call."""
    item: dict[str, Any] = {"question": row.question_index, "sample": row.sample_index}
    item |= {"first": row.value, "correct": row.correct}
    if (verdict := own.completion(second)) is None:
        return item | {"error": second.error}
    return item | {
        "second": verdict.value,
        "second_correct": verdict.correct,
        "text": second.steps[-1].text,
        "agree": answers.same(row.value, verdict.value, kind=own.kind, rules=own.rules),
    }


def ledger(run: Run) -> Ledger:
    """What adaptive answers spared a run, against two calls for all."""
    counts = queries.answer_counts_of(run.id)
    calls, read, written = queries.second_calls(run.id)
    if not calls:  # none in this run: what this teacher's second calls take elsewhere
        calls, read, written = queries.second_calls(run.id, run.teacher)
    cost = prices(plans.plan_of(run).teaching.teacher).cost(round(read), round(written))
    second = SecondCall(calls, read, written, cost) if calls else None
    return Ledger(Saving(counts["n"], counts["spared"]), counts["marked"], second)
