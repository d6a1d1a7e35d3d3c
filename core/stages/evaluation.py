"""Evaluation: students answer the study's test questions, as teachers answer theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

from core import studies
from core.exemplars.own import whole
from core.jobs.progress import Progress
from core.methods import METHODS
from core.models.sources import fingerprint
from core.records import Sampling, question_set_hash
from core.stages import asking, children, generation, plans
from core.stages.plans import EvaluationPlan, TrainingPlan
from core.stages.training import config_of
from core.store import queries
from core.store.models import Run, now
from core.students.formats import FORMATS
from core.students.part import Asking, Learning
from core.students.table import location, resolve
from core.teachers.local import Student
from core.teachers.part import Teaching

STAGE = "{}, {}: answers the test questions"


def plan(
    study_id: int,
    method_key: str,
    student: str,
    seed: int,
    parts: tuple[Teaching, Learning, Asking],
    trained: Mapping[str, int],
    job_id: str,
) -> tuple[int, list[tuple[int, int]]]:
    """Open the run over trained students (role → run). Returns its id and the batches of its questions."""
    method, study = METHODS[method_key], queries.study(study_id)
    teaching, learning, asked = parts
    shown = whole(teaching.exemplars) if method.exemplars == "own" else ()
    config = config_of(study_id, learning, asked, method_key, student, seed)
    parents = tuple(queries.run(run_id) for run_id in trained.values())
    training: TrainingPlan | None = plans.plan_of(parents[0]) if parents else None
    weights = {role: run.hash for role, run in zip(trained, parents, strict=True)}
    base = fingerprint(location(resolve(student))) if not parents else ""
    drawn = seed if config.temperature else None
    sampling = Sampling(config.temperature, config.top_p, config.max_new_tokens, config.stop, drawn)
    questions = studies.questions(study_id, "test")
    made = EvaluationPlan(
        method=method_key,
        student=student,
        students=weights or dict.fromkeys(method.students, base),
        rules=study.rules,
        question_set=question_set_hash(questions),
        sampling=sampling.as_dict(),
        precision=config.precision,
        max_input_tokens=config.max_input_tokens,
        shown=tuple(asdict(one) for one in shown),
        recipe=config.recipe,
        tuning=config.tuning,
        samples=training.samples if training else 1,
        filters=training.filters if training else {},
        seed=seed,
        batch_size=config.eval_batch_size,
    )
    run = plans.opened(
        study_id,
        made,
        parents,
        ("torch", "transformers"),
        teacher=parents[0].teacher if parents else "",
        student=student,
        seed=seed,
        training_set=parents[0].training_set if parents else None,
        job_id=job_id,
    )
    if run.status != "done":
        queries.set_run(run.id, status="running", job_id=job_id)
    return run.id, asking.batches(len(questions))


def batch(progress: Progress, run_id: int, first: int, last: int) -> int:
    """Have the students answer what is missing of test questions [first, last)."""
    run = queries.run(run_id)
    made: EvaluationPlan = plans.plan_of(run)
    method, form = METHODS[run.method], FORMATS[resolve(run.student).format]
    questions = studies.questions(run.study_id, "test")
    lacking = asking.missing(run_id, questions[first:last], 1)
    if not lacking:
        return 0
    folders = {role: _weights(run, place) for place, role in enumerate(method.students)}
    panel = {
        role: Student(run.student, folder, made.precision, made.max_input_tokens, made.batch_size)
        for role, folder in folders.items()
    }
    given = replace(generation.given(run.study_id, run.method, {}, made.exemplars), form=form)
    stage = STAGE.format(run.student, method.title)
    sampling = Sampling(**made.sampling | {"stop": tuple(made.sampling["stop"])})
    written = asking.ask(progress, run, stage, lacking, len(questions), method.solve, given, sampling, panel)
    cut = sum(student.cut_prompts for student in panel.values())
    if cut:
        progress.say(f"{cut} prompts are longer than the student reads, and were cut: use fewer exemplars.")
    return written


def _weights(run: Run, place: int) -> Path:
    """The folder of a role's student: trained by the run's parent, else as it came."""
    if run.parents:
        return children.student(queries.run(run.parents[place]))
    return location(resolve(run.student))


def close(progress: Progress, run_id: int) -> None:
    """Sum the run up."""
    verdicts = queries.verdicts(run_id)
    correct = sum(verdicts.values())
    summary = {"n": len(verdicts), "correct": correct, "accuracy": 100 * correct / max(len(verdicts), 1)}
    queries.set_run(run_id, status="done", summary=summary, finished=now())
    run = queries.run(run_id)
    progress.say(
        f"{run.student}, {METHODS[run.method].title}, seed {run.seed}: {correct} of {len(verdicts)} right."
    )
