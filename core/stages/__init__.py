"""The stages of a study, as durable steps over the store. One function a kind of job.

generate   teacher → completions
train      completions → training set → student → its evaluation
evaluate   student → predictions
study      all of it, arm by arm

A stage is called with a voice (`Progress`), what was asked for, and `step`, which runs a function
once and remembers its result. Everything inside a step is idempotent: it does what is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core import studies
from core.jobs.progress import Progress
from core.stages import evaluation, generation, training

Step = Callable[..., Any]
Request = dict[str, Any]


def generate(progress: Progress, request: Request, step: Step) -> int:
    """Have the teacher write what is missing. Returns the run's id."""
    spec = studies.from_dict(request["spec"])
    asked = {name: request[name] for name in ("method", "split", "limit") if request.get(name) is not None}
    run_id, batches = step(
        "plan rationales", generation.plan, request["study_id"], spec, asked, progress.job_id
    )
    for first, last in batches:
        step(f"rationales {first}–{last}", generation.batch, progress, run_id, first, last)
    step("close rationales", generation.close, progress, run_id)
    return run_id


def arm(progress: Progress, request: Request, step: Step) -> int:
    """One row of the results table: training set, student, predictions. Returns the evaluation's id."""
    from core.methods import METHODS

    method = METHODS[request["method"]]
    study_id, spec = request["study_id"], studies.from_dict(request["spec"])
    trained = None
    if method.trains:
        if method.needs_teacher and not step("find rationales", generation.latest, study_id):
            generate(progress, {"study_id": study_id, "spec": request["spec"]}, step)
        trained, epochs = step(
            "training set",
            training.plan,
            study_id,
            spec,
            method.key,
            request["student"],
            request["seed"],
            progress.job_id,
        )
        for epoch in range(1, epochs + 1):
            step(f"epoch {epoch}", training.epoch, progress, trained, epoch, epochs)
        step("save student", training.close, progress, trained)
    run_id, shards = step(
        "plan evaluation",
        evaluation.plan,
        study_id,
        spec,
        method.key,
        request["student"],
        request["seed"],
        trained,
        progress.job_id,
    )
    for shard in range(shards):
        step(f"evaluation shard {shard + 1}", evaluation.shard, progress, run_id, shard, shards)
    step("close evaluation", evaluation.close, progress, run_id)
    return run_id


def study(progress: Progress, request: Request, step: Step) -> None:
    """Rationales, then every arm: methods × students × seeds."""
    from core.methods import METHODS

    spec = studies.from_dict(request["spec"])
    if any(METHODS[name].needs_teacher for name in spec.methods):
        generate(progress, request, step)
    for method, student, seed in studies.arms(spec):
        arm(progress, request | {"method": method, "student": student, "seed": seed}, step)


KINDS = {"generate": generate, "train": arm, "evaluate": arm, "study": study}
