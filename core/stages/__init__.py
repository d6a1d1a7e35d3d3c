"""The stages of a study, as durable steps over the store. One function a kind of job.

generate   teacher → completions, checked
diversity  completions → how alike they are, by question
check      completions → what the quality checks say about each
exemplars  completions → clusters, one exemplar each, reviewed by people
train      completions → training set → student → its evaluation
evaluate   student → predictions
study      all of it, arm by arm
check-answers  adaptive answers → a sample of them asked for a second time, and compared
rerun      what depends on a review: generations shown other exemplars, arms that learn other texts

A stage is called with a voice (`Progress`), what was asked for, and `step`, which runs a function
once and remembers its result. Everything inside a step is idempotent: it does what is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any

from core import studies
from core.errors import RefusedError
from core.jobs.progress import Progress
from core.methods import METHODS
from core.stages import (
    checking,
    corrections,
    diversity,
    evaluation,
    exemplars,
    generation,
    second_calls,
    training,
)
from core.store import queries

Step = Callable[..., Any]
Request = dict[str, Any]

ZERO_SHOT_COT = "fine-tune-cot"  # the method whose rationales exemplars are chosen from


def generate(progress: Progress, request: Request, step: Step) -> int:
    """Have the teacher write what is missing. Returns the run's id."""
    spec = _spec(request)
    asked = {name: request.get(name) for name in ("method", "split", "limit", "exemplars")}
    asked = {name: value for name, value in asked.items() if value is not None}
    given = "exemplars" in asked or "exemplars" in spec.prompting
    if METHODS[asked.get("method", ZERO_SHOT_COT)].chosen_exemplars and not given:
        # The teacher first answers without exemplars; they are chosen from what it wrote.
        plainly = request | {"method": ZERO_SHOT_COT, "diverse": False}
        if not step("find rationales", generation.latest, request["study_id"], ZERO_SHOT_COT, _spec(plainly)):
            generate(progress, plainly, step)
        asked["exemplars"] = choose_exemplars(progress, request, step)
    run_id, batches = step(
        "plan rationales", generation.plan, request["study_id"], spec, asked, progress.job_id
    )
    with _alone(progress, run_id):
        for first, last in batches:
            step(f"rationales {first}–{last}", generation.batch, progress, run_id, first, last)
        step("close rationales", generation.close, progress, run_id)
    check(progress, {"run_id": run_id}, step)
    return run_id


def check(progress: Progress, request: Request, step: Step) -> int:
    """Have the quality checks look at every rationale of a generation. Returns the run's id."""
    run_id, flagged = request["run_id"], 0
    with _alone(progress, run_id):
        total, batches = step("plan checks", checking.plan, run_id)
        for number, (first, last) in enumerate(batches):
            place = (first, last, number * checking.BATCH, total)
            flagged += step(f"checks {first}–{last}", checking.batch, progress, run_id, *place)
        step("close checks", checking.close, progress, run_id, total, flagged)
    return run_id


def measure_diversity(progress: Progress, request: Request, step: Step) -> None:
    """Measure how alike a generation's rationales are, where that was not done when it closed."""
    with _alone(progress, request["run"]):
        step("measure", diversity.again, progress, request["run"])


def choose_exemplars(progress: Progress, request: Request, step: Step) -> int:
    """Cluster the questions and choose an exemplar a cluster: as a method wants, else as was asked.

    Returns the run's id.
    """
    spec = studies.from_dict(request["spec"])
    if "method" in request:  # the request's seed is then a student's
        rules = METHODS[request["method"]].exemplar_rules
        own = {"rules": rules} if rules else {}
    else:
        own = {name: request[name] for name in exemplars.SETTINGS if request.get(name) is not None}
    asked = spec.clusters | own
    run_id = step("plan exemplars", exemplars.plan, request["study_id"], asked, progress.job_id, spec)
    with _alone(progress, run_id):
        step("choose exemplars", exemplars.choose, progress, run_id)
    return run_id


def arm(progress: Progress, request: Request, step: Step) -> int:
    """One row of the results table: training set, student, predictions. Returns the evaluation's id."""
    method = METHODS[request["method"]]
    study_id, spec = request["study_id"], _spec(request)
    chosen = (study_id, spec, method.key, request["student"], request["seed"])
    trained = None
    if method.trains:
        if method.needs_teacher and not step(
            "find rationales", generation.latest, study_id, method.key, spec
        ):
            generate(progress, request, step)
        trained, epochs = step("training set", training.plan, *chosen, progress.job_id)
        with _alone(progress, trained):
            for epoch in range(1, epochs + 1):
                step(f"epoch {epoch}", training.epoch, progress, trained, epoch, epochs)
            step("save student", training.close, progress, trained)
    run_id, shards = step("plan evaluation", evaluation.plan, *chosen, trained, progress.job_id)
    with _alone(progress, run_id):
        for shard in range(shards):
            step(f"evaluation shard {shard + 1}", evaluation.shard, progress, run_id, shard, shards)
        step("close evaluation", evaluation.close, progress, run_id)
    return run_id


def study(progress: Progress, request: Request, step: Step) -> None:
    """Rationales by each method that needs them, then every arm: methods × students × seeds.

    An arm that has nothing to learn is left out and said at the end; the others are run.
    """
    spec = studies.from_dict(request["spec"])
    for method, diverse in studies.generations(spec):
        # What is refused here is said where its arm is tried.
        with suppress(RefusedError):
            generate(progress, request | {"method": method, "diverse": diverse}, step)
    refused: list[str] = []
    for one in studies.arms(spec):
        try:
            arm(progress, request | one.request, step)
        except RefusedError as reason:
            progress.say(str(reason))
            refused.append(str(reason))
    if refused:
        raise RefusedError(f"{len(refused)} of {len(studies.arms(spec))} arms are missing: {refused[0]}")


def _alone(progress: Progress, run_id: int) -> AbstractContextManager[None]:
    """Hold the work of a run, so that no other job does it at the same time."""
    return progress.claim(f"run:{queries.run(run_id).hash}")


def _spec(request: Request) -> studies.Spec:
    """The study as the request's arm wants it."""
    spec = studies.from_dict(request["spec"])
    return spec.diversely() if request.get("diverse") else spec


def check_answers(progress: Progress, request: Request, step: Step) -> None:
    """A seeded sample of a run's adaptive answers, asked for a second time."""
    with _alone(progress, request["run"]):
        step("check answers", second_calls.check, progress, request["run"], request["size"], request["seed"])


def rerun(progress: Progress, request: Request, step: Step) -> None:
    """Exactly what depends on a review, as `corrections.plan` found it."""
    waiting = list(request["arms"])
    for asked in request["generations"]:
        generate(progress, request | asked, step)
        # At once: a student learns from the generation that finished last.
        for one in [one for one in waiting if one["after"] == asked["replaces"]]:
            waiting.remove(one)
            arm(progress, request | one, step)
    for one in waiting:
        arm(progress, request | one, step)


KINDS = {
    "generate": generate,
    "diversity": measure_diversity,
    "check": check,
    "exemplars": choose_exemplars,
    "train": arm,
    "evaluate": arm,
    "study": study,
    second_calls.KIND: check_answers,
    corrections.KIND: rerun,
}
