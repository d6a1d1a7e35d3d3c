"""Fine-tuning: from scored completions to an immutable training set, and from that to a student."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from core import artefacts, methods, studies
from core.errors import LabError
from core.jobs.progress import Progress
from core.methods import METHODS, Method, filters
from core.methods.base import Given
from core.models.sources import fingerprint
from core.records import Completion, Dropped, Exemplar, Question, Score, TrainingSet, question_set_hash
from core.review import desk
from core.stages import children, handover, plans
from core.stages.generation import latest, shown
from core.stages.plans import TrainingPlan
from core.stages.scoring import scorer
from core.store import models, queries
from core.store.models import now
from core.students import folder
from core.students.config import TrainConfig
from core.students.formats import FORMATS, Format
from core.students.part import Asking, Learning
from core.students.table import location, resolve
from core.teachers.part import Teaching

REJECTED = "rejected in review"
KEEPING = ThreadPoolExecutor(1, "keep")  # a checkpoint is kept while its student trains on


def build_set(
    study_id: int,
    method_key: str,
    teaching: Teaching,
    learning: Learning,
    form: Format,
    *,
    role: str = "student",
    may_be_empty: bool = False,
) -> tuple[TrainingSet, models.Run | None]:
    """A method's training set over the study's rationales, and the generation it was made from."""
    method = METHODS[method_key]
    questions = studies.questions(study_id, "train")
    run = None
    completions: list[Completion] = []
    scores: list[Score | None] = []
    rejected: tuple[Dropped, ...] = ()
    if method.needs_teacher:
        if (run_id := latest(study_id, method_key, teaching)) is None:
            raise LabError("The study has no rationales yet: generate or import them first.")
        run = queries.run(run_id)
        stored = queries.completions(run_id)
        kept = list(as_reviewed(run_id, stored))
        completions, scores = [one for one, _ in kept], [score for _, score in kept]
        left = {(one.question_index, one.sample_index) for one in completions}
        rejected = tuple(
            Dropped(row.question_index, row.sample_index, REJECTED)
            for row in stored
            if (row.question_index, row.sample_index) not in left
        )
    seen = {exemplar.question for exemplar in shown(run)} if run else set()
    given = Given(scorer(study_id).kind, form=form, options=method.options)
    made = methods.training_set(
        questions, completions, scores, method, given,
        role=role, samples=teaching.samples, filters=learning.filters, shown=seen, may_be_empty=may_be_empty,
    )  # fmt: skip
    if rejected:
        dropped = {REJECTED: len(rejected)} | made.dropped
        made = replace(made, dropped=dropped, removed=rejected + made.removed)
    return made, run


def as_reviewed(run_id: int, stored: list[models.Completion]) -> Iterator[tuple[Completion, Score | None]]:
    """A generation's completions as its reviewers left them: edited ones scored again, no rejected ones."""
    board, own = desk.board(run_id), None
    for row in stored:
        item = board.item((row.question_index, row.sample_index))
        if item.queue == "rejected":
            continue
        if item.text is None or item.text == row.rationale:
            yield queries.record(row), None if row.correct is None else Score(row.correct, row.value)
            continue
        own = own or scorer(queries.run(run_id).study_id)
        yield own.reviewed(queries.record(row), item.text)


def config_of(
    study_id: int, learning: Learning, asking: Asking, method_key: str, student: str, seed: int
) -> TrainConfig:
    """How a student of the study is trained: the recipe, what the study changes, and what is scored."""
    method, row, own = METHODS[method_key], resolve(student), scorer(study_id)
    study = queries.study(study_id)
    longest = {} if asking.max_new_tokens is None else {"max_new_tokens": asking.max_new_tokens}
    reads = {"max_input_tokens": method.max_input_tokens} if method.max_input_tokens else {}
    return TrainConfig.from_recipe(
        learning.recipe,
        **{
            **reads,
            **longest,
            "temperature": asking.temperature,
            "top_p": asking.top_p,
            **learning.training,
            "student": student,
            "seed": seed,
            "answer_kind": own.kind if len(method.students) == 1 else None,
            "rules": own.rules,
            "stop": () if method.trains else method.sampling.stop,
            "answer_prefix": _asked(study_id, method_key, row.format)[1],
            "method": method.title,
            "dataset": queries.dataset(study.dataset_id).key,
        },
    )


def _asked(study_id: int, method_key: str, form: str) -> tuple[str, str | None]:
    """(a student's first prompt, what its answer stands behind) by a method, for some question."""
    method = METHODS[method_key]
    given = Given(form=FORMATS[form], options=method.options, exemplars=(Exemplar("", "", ""),))
    return methods.first_ask(method, Question(0, "", ""), given)


def plan(
    study_id: int,
    method_key: str,
    student: str,
    seed: int,
    parts: tuple[Teaching, Learning, Asking],
    role: str,
    job_id: str,
) -> tuple[int, int]:
    """Store the training set, open the run and write its folder. Returns its id and the epochs to train."""
    teaching, learning, asking = parts
    method, row = METHODS[method_key], resolve(student)
    form = FORMATS[row.format]
    made, generation = build_set(study_id, method_key, teaching, learning, form, role=role)
    on = filters.chosen(learning.filters) if method.needs_teacher else {}
    teacher = generation.teacher if generation else ""
    config = config_of(study_id, learning, asking, method_key, student, seed)
    config = config.but(teacher=teacher, training_set=made.hash)
    planned = TrainingPlan(
        method=method_key,
        student=student,
        role=role,
        base=fingerprint(location(row)),
        tested=question_set_hash(studies.questions(study_id, "test")) if config.selection == "test" else "",
        # D and filters are part of it: filters may leave of D samples the rows that there are without them.
        samples=teaching.samples if method.needs_teacher else 1,
        filters=on,
        config=config,
        learning=learning,
        asking=asking,
    )
    queries.save_training_set(study_id, method_key, made)
    # A student that learnt these rows is there already, whichever generation of the study they were from.
    run = _with_plan(study_id, planned) or plans.opened(
        study_id,
        planned,
        (generation,) if generation else (),
        ("torch", "transformers", "accelerate", "peft"),
        teacher=teacher,
        student=student,
        seed=seed,
        training_set=made.hash,
        job_id=job_id,
        summary={"dropped": made.dropped},
    )
    if run.status != "done":
        files = children.folder(run)
        if not files.filled:
            tested = test_items(study_id, method, form) if config.selection == "test" else []
            files.fill(config, tested, made.rows)
        queries.set_run(run.id, status="running", job_id=job_id)
    return run.id, config.epochs


def _with_plan(study_id: int, planned: TrainingPlan) -> models.Run | None:
    rows = planned.config.training_set
    runs = (run for run in queries.runs(study_id, "train") if run.training_set == rows)
    return next((run for run in runs if plans.plan_of(run).hash == planned.hash), None)


def epoch(progress: Progress, run_id: int, number: int, epochs: int) -> None:
    """Train until this epoch's checkpoint is there, and keep it where another machine can go on."""
    run = queries.run(run_id)
    if run.status == "done":  # here, or on another machine
        return
    files, curve = children.folder(run), Curve(run_id)
    handover.fetch(run, files)

    def tell() -> None:
        curve.copy()
        stage, done, total = children.status(files)
        progress.at(
            f"{run.student}, {METHODS[run.method].title}: {stage or f'epoch {number} of {epochs}'}",
            done,
            total,
        )

    children.follow(progress, files.path, lambda: files.reached(number), tell)
    if artefacts.used() and number < epochs:
        sent = KEEPING.submit(handover.put_checkpoint, run, files)
        children.follow(progress, files.path, lambda: sent.done() or files.done, tell)
        if (problem := sent.exception()) is not None:
            progress.say(f"Epoch {number} is not kept for other machines: {problem}")
    curve.copy()


def close(progress: Progress, run_id: int) -> None:
    """Wait for the student to be saved; keep it, and what it says of itself."""
    run = queries.run(run_id)
    files = children.folder(run)
    if run.status != "done":
        children.finish(progress, files)
        Curve(run_id).copy()
        done = json.loads((files.path / "done.json").read_text(encoding="utf-8"))
        queries.set_run(run_id, summary=run.summary | done)
    if files.done:
        handover.put_student(run, files)
    queries.set_run(run_id, status="done", finished=now())


@dataclass
class Curve:
    """Copies a run's new points from its folder to the store."""

    run_id: int
    copied: int = 0

    def copy(self) -> None:
        rows = folder.read_lines(children.folder(queries.run(self.run_id)).path / "metrics.jsonl")
        if fresh := rows[self.copied :]:
            queries.save_metrics(self.run_id, fresh)
            self.copied = len(rows)


def test_items(study_id: int, method: Method, form: Format) -> list[dict[str, Any]]:
    """The study's test questions as a training run has them: what the student reads, and the gold answer."""
    given = Given(form=form, options=method.options)
    return [
        {"question_index": q.index, "prompt": methods.first_ask(method, q, given)[0], "answer": q.answer}
        for q in studies.questions(study_id, "test")
    ]
