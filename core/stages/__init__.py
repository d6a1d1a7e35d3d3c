"""The stages of a study, as durable steps over the store. One function for each kind of job.

generate   teacher → completions, checked
diversity  completions → how alike they are, by question
check      completions → what the quality checks say about each
exemplars  completions → clusters, one exemplar each, reviewed by people
train      completions → training set → student → its evaluation
evaluate   student → predictions
study      all of it, arm by arm
check-answers  adaptive answers → a sample of them asked for a second time, and compared
rerun      what depends on a review: generations shown other exemplars, arms that learn other texts

A stage is called with its job's `Progress`, what was asked for, and `step`, which runs a function
once and remembers its result. Everything inside a step is idempotent: it does what is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any

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
from core.students.part import Asking, Learning
from core.studies import Study, arms, generations
from core.teachers.part import Teaching

Step = Callable[..., Any]
Request = dict[str, Any]


def generate(progress: Progress, request: Request, step: Step) -> int:
    """Have the teachers write what is missing. Returns the run's id."""
    study_id, method = request["study_id"], request.get("method", exemplars.ZERO_SHOT)
    chosen = request.get("exemplars")
    if METHODS[method].exemplars == "chosen" and chosen is None:
        # The teacher first answers without exemplars; they are chosen from what it wrote.
        plainly = request | {"method": exemplars.ZERO_SHOT, "diverse": False}
        teaching = _parts(plainly)[0]
        if not step("find rationales", generation.latest, study_id, exemplars.ZERO_SHOT, teaching):
            generate(progress, plainly, step)
        chosen = choose_exemplars(progress, request, step)
    asked = (request.get("split") or "train", request.get("limit"))
    run_id, batches = step(
        "plan rationales",
        generation.plan, study_id, method, _parts(request)[0], *asked, chosen, progress.job_id,
    )  # fmt: skip
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
    """Cluster the questions and choose one exemplar for each: as a method wants, else as was asked.

    Returns the run's id.
    """
    teaching = _parts(request | {"diverse": False})[0]
    if "method" in request:  # the request's seed is then a student's
        rules = METHODS[request["method"]].exemplar_rules
        own = {"rules": rules} if rules else {}
    else:
        own = {name: request[name] for name in exemplars.SETTINGS if request.get(name) is not None}
    asked = teaching.clusters | own
    run_id = step("plan exemplars", exemplars.plan, request["study_id"], asked, progress.job_id, teaching)
    with _alone(progress, run_id):
        step("choose exemplars", exemplars.choose, progress, run_id)
    return run_id


def arm(progress: Progress, request: Request, step: Step) -> int:
    """One row of the results table: training sets, students, predictions. Returns the evaluation's id."""
    method, study_id, parts = METHODS[request["method"]], request["study_id"], _parts(request)
    chosen = (study_id, method.key, request["student"], request["seed"], parts)
    trained: dict[str, int] = {}
    if method.trains:
        if method.needs_teacher and not step(
            "find rationales", generation.latest, study_id, method.key, parts[0]
        ):
            generate(progress, request, step)
        for role in method.students:
            trained[role], epochs = step(
                f"training set, {role}", training.plan, *chosen, role, progress.job_id
            )
            with _alone(progress, trained[role]):
                for epoch in range(1, epochs + 1):
                    step(f"epoch {epoch}, {role}", training.epoch, progress, trained[role], epoch, epochs)
                step(f"save {role}", training.close, progress, trained[role])
    run_id, batches = step("plan evaluation", evaluation.plan, *chosen, trained, progress.job_id)
    with _alone(progress, run_id):
        for first, last in batches:
            step(f"answers {first}–{last}", evaluation.batch, progress, run_id, first, last)
        step("close evaluation", evaluation.close, progress, run_id)
    return run_id


def study(progress: Progress, request: Request, step: Step) -> None:
    """Rationales by each method that needs them, then every arm: methods × students × seeds.

    An arm that has nothing to learn is left out and said at the end; the others are run.
    """
    asked = Study.read(request["spec"])
    for method, diverse in generations(asked):
        # What is refused here is said where its arm is tried.
        with suppress(RefusedError):
            generate(progress, request | {"method": method, "diverse": diverse}, step)
    refused: list[str] = []
    for one in arms(asked):
        try:
            arm(progress, request | one.request, step)
        except RefusedError as reason:
            progress.say(str(reason))
            refused.append(str(reason))
    if refused:
        raise RefusedError(f"{len(refused)} of {len(arms(asked))} arms are missing: {refused[0]}")


def _parts(request: Request) -> tuple[Teaching, Learning, Asking]:
    """How the request's arm is taught, trained and asked: as it says itself, else as its study does."""
    if "parts" in request:
        teaching, learning, asking = request["parts"]
        return Teaching.read(teaching), Learning.read(learning), Asking.read(asking)
    asked = Study.read(request["spec"])
    return (asked.diversely() if request.get("diverse") else asked).parts


def _alone(progress: Progress, run_id: int) -> AbstractContextManager[None]:
    """Hold the work of a run, so that no other job does it at the same time."""
    return progress.claim(f"run:{queries.run(run_id).hash}")


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
