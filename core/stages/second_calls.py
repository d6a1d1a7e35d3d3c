"""Adaptive answers checked: on a sample of the questions that one call answered, the second call too.

    question 12   "… The answer is 23."   read 23   the second call says " 23."   they agree

The completions stay as they are. The calls are kept and cached like all others, in the ledger as step
"check", so that a job that is resumed pays for nothing twice. The result is in the run's summary:
{"check": {"size": 50, "seed": 0, "compared": 50, "disagree": 2, "failed": 0, "items": […]}}
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from core import answers, jobs, teachers
from core.errors import LabError
from core.exemplars.adaptive import Ledger, Saving, SecondCall, sample
from core.jobs.progress import Progress
from core.methods import METHODS
from core.methods.driver import Running
from core.records import Request
from core.stages import plans
from core.stages.generation import given, run_questions
from core.stages.scoring import scorer
from core.store import queries
from core.store.models import Run
from core.teachers import TEACHERS, prices
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
    uses_device = TEACHERS[plans.plan_of(run).teaching.teacher["key"]].uses_device
    return jobs.submit(KIND, title, request, run.study_id, queue="device" if uses_device else "endpoint")


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


def second_request(run: Run, question_index: int, sample_index: int) -> Request:
    """The call that was spared: what the method asks after the same first step where it does not adapt."""
    made, row = plans.plan_of(run), queries.completion_of(run.id, question_index, sample_index)
    question = queries.question(queries.study(run.study_id).dataset_id, question_index)
    always = given(run.study_id, run.method, made.teaching.prompting | {ADAPTIVE: False}, made.exemplars)
    program = METHODS[run.method].asking()(question, always)
    sampling = plans.sampling_of(made.teaching.sampling)
    running = Running(question_index, sample_index, program, sampling, queries.record(row).steps)
    return replace(running.start()[0], step=queries.CHECK)


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
    with Desk(panel, run_id, progress.holder, progress.check) as desk:
        desk.ask([second_request(run, *key) for key in keys])
        while len(items) < len(keys):
            for reply in desk.replies():
                key = reply.request.question_index, reply.request.sample_index
                row = first[key]
                items[key] = {
                    "question": key[0],
                    "sample": key[1],
                    "first": row.value,
                    "correct": row.correct,
                }
                if reply.error:
                    items[key]["error"] = reply.error
                else:
                    verdict = answers.score(
                        reply.text,
                        own.golds[key[0]],
                        kind=own.kind,
                        rules=own.rules,
                        asked=reply.request.prompt,
                    )
                    items[key] |= {
                        "second": verdict.value,
                        "second_correct": verdict.correct,
                        "text": reply.text,
                        "agree": answers.same(row.value, verdict.value, kind=own.kind, rules=own.rules),
                    }
                progress.at(STAGE, len(items), len(keys))
    result = summed(size, seed, [items[key] for key in sorted(items)])
    queries.set_run(run_id, summary=queries.run(run_id).summary | {"check": result})
    progress.say(f"The two answers differ on {result['disagree']} of {result['compared']} questions.")
    if result["failed"]:
        progress.say(f"{result['failed']} second calls failed: start the check again to ask for them.")
    return result


def summed(size: int, seed: int, items: list[dict[str, Any]]) -> dict[str, Any]:
    """The counts over a check's items, and the items."""
    compared = [item for item in items if "error" not in item]
    return {
        "size": size,
        "seed": seed,
        "compared": len(compared),
        "disagree": sum(not item["agree"] for item in compared),
        "failed": len(items) - len(compared),
        "items": items,
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
