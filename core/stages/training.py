"""Fine-tuning: from scored completions to an immutable training set, and from that to a student."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core import methods, studies
from core.errors import LabError
from core.jobs.progress import Progress
from core.methods import filters
from core.records import Completion, Dropped, Exemplar, Score, TrainingSet, content_hash
from core.review import desk
from core.stages import children
from core.stages.generation import latest, shown, versions
from core.stages.scoring import record, scorer
from core.store import models, queries
from core.store.models import now
from core.students import folder
from core.students.config import TrainConfig
from core.students.formats import FORMATS, Format
from core.students.table import resolve
from core.studies import Spec

REJECTED = "rejected in review"
# fields of TrainConfig that are not the study's to change: the arm, and how its answers are read, say them
GIVEN = (
    "student", "task", "recipe", "seed", "stop", "answer_kind", "rules", "answer_prefix",
    "method", "teacher", "dataset", "training_set",
)  # fmt: skip


def build_set(
    study_id: int, spec: Spec, method_key: str, form: Format, *, may_be_empty: bool = False
) -> tuple[TrainingSet, models.Run | None]:
    """A method's training set over the study's rationales, and the generation it was made from."""
    method = methods.METHODS[method_key]
    questions = studies.questions(study_id, "train")
    run = None
    completions: list[Completion] = []
    scores: list[Score | None] = []
    rejected: tuple[Dropped, ...] = ()
    if method.needs_teacher:
        if (run_id := latest(study_id, method_key, spec)) is None:
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
    made = methods.training_set(
        questions, completions, scores, method, form,
        samples=spec.samples, filters=spec.filters, shown=seen, may_be_empty=may_be_empty,
    )  # fmt: skip
    if rejected:
        dropped = {REJECTED: len(rejected)} | made.dropped
        made = replace(made, dropped=dropped, removed=rejected + made.removed)
    return made, run


def as_reviewed(run_id: int, stored: list[models.Completion]) -> Iterator[tuple[Completion, Score | None]]:
    """A generation's completions as its reviewers left them: edited ones scored anew, rejected ones out."""
    board, own = desk.board(run_id), None
    for row in stored:
        item = board.item((row.question_index, row.sample_index))
        if item.queue == "rejected":
            continue
        if item.text is None or item.text == row.rationale:
            yield record(row), None if row.correct is None else Score(row.correct, row.value)
            continue
        own = own or scorer(queries.run(run_id).study_id)
        yield own.reviewed(record(row), item.text)


def config_of(study_id: int, spec: Spec, method_key: str, student: str, seed: int) -> TrainConfig:
    """How a student of the study is trained: the recipe, what the study changes, and what is scored."""
    method, row, own = methods.METHODS[method_key], resolve(student), scorer(study_id)
    return TrainConfig.from_recipe(
        spec.recipe,
        **{
            "max_new_tokens": spec.max_new_tokens,
            **({"max_input_tokens": method.max_input_tokens} if method.max_input_tokens else {}),
            **spec.training,
            "student": student,
            "seed": seed,
            "answer_kind": own.kind,
            "rules": own.rules,
            "stop": () if method.trains else method.sampling.stop,
            "answer_prefix": FORMATS[row.format].prefix(method.template),
            "method": method.title,
            "dataset": spec.benchmark,
        },
    )


def plan(study_id: int, spec: Spec, method_key: str, student: str, seed: int, job_id: str) -> tuple[int, int]:
    """Store the training set, open the run and write its folder. Returns the run's id and its epochs."""
    method = methods.METHODS[method_key]
    form = FORMATS[resolve(student).format]
    made, generation = build_set(study_id, spec, method_key, form)
    rows = queries.completions(generation.id) if generation else []
    ids = {(row.question_index, row.sample_index): row.id for row in rows}
    digest = queries.save_training_set(study_id, method_key, made, ids)
    teacher = generation.teacher if generation else ""
    on = filters.chosen(spec.filters) if method.needs_teacher else {}
    base = config_of(study_id, spec, method_key, student, seed)
    config = TrainConfig.from_dict(base.as_dict() | {"teacher": teacher, "training_set": digest})
    run = queries.open_run(
        study_id,
        "train",
        # D and filters are part of it: filters may leave of D samples the rows that there are without them.
        content_hash(
            [config.identity, digest, *([on] if on else []), *([spec.samples] if spec.samples > 1 else [])]
        ),
        method=method_key,
        teacher=teacher,
        student=student,
        seed=seed,
        config=config.as_dict()
        | {
            "samples": spec.samples if method.needs_teacher else 1,
            "filters": on,
        },
        versions=versions("torch", "transformers", "accelerate", "peft"),
        parents=[generation.id] if generation else [],
        training_set=digest,
        job_id=job_id,
    )
    files = children.folder(run.id)
    if not files.filled:
        tested = test_items(study_id, method, form) if config.selection == "test" else []
        files.fill(config, tested, made.rows)
    queries.set_run(run.id, status="running", job_id=job_id)
    return run.id, config.epochs


def epoch(progress: Progress, run_id: int, number: int, epochs: int) -> None:
    """Train until this epoch's checkpoint is there."""
    files = children.folder(run_id)
    run = queries.run(run_id)
    curve = Curve(run_id)

    def tell() -> None:
        curve.copy()
        stage, done, total = children.status(files)
        progress.at(f"{run.student}, {run.method}: {stage or f'epoch {number} of {epochs}'}", done, total)

    children.follow(progress, files.path, lambda: max(files.epochs(), default=0) >= number, tell)
    curve.copy()


def close(progress: Progress, run_id: int) -> None:
    """Wait for the student to be saved; keep what it says of itself."""
    files = children.folder(run_id)
    children.finish(progress, files)
    Curve(run_id).copy()
    done = json.loads((files.path / "done.json").read_text(encoding="utf-8"))
    queries.set_run(run_id, status="done", summary=done, finished=now())


@dataclass
class Curve:
    """Copies a run's new points from its folder to the store."""

    run_id: int
    copied: int = 0

    def copy(self) -> None:
        rows = folder.read_lines(children.folder(self.run_id).path / "metrics.jsonl")
        if fresh := rows[self.copied :]:
            queries.save_metrics(self.run_id, fresh)
            self.copied = len(rows)


def test_items(
    study_id: int, method: methods.Method, form: Format, exemplars: Sequence[Exemplar] = ()
) -> list[dict[str, Any]]:
    """The study's test questions as an evaluation file has them."""
    return [
        {"question_index": q.index, "prompt": method.input(q.text, form, exemplars), "answer": q.answer}
        for q in studies.questions(study_id, "test")
    ]
