"""Fine-tuning: from scored completions to an immutable training set, and from that to a student."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from core import methods, studies
from core.errors import LabError
from core.jobs.progress import Progress
from core.records import Completion, Score, TrainingSet, content_hash
from core.stages import children
from core.stages.generation import latest, versions
from core.stages.scoring import scorer
from core.store import models, queries
from core.store.models import now
from core.students import folder
from core.students.config import TrainConfig
from core.students.formats import FORMATS, Format
from core.students.table import resolve
from core.studies import Spec


def build_set(
    study_id: int, spec: Spec, method_key: str, form: Format
) -> tuple[TrainingSet, models.Run | None]:
    """A method's training set over the study's rationales, and the generation it was made from."""
    method = methods.METHODS[method_key]
    questions = studies.questions(study_id, "train")
    run = None
    completions: list[Completion] = []
    scores: list[Score | None] = []
    if method.needs_teacher:
        if (run_id := latest(study_id, method_key, spec)) is None:
            raise LabError("The study has no rationales yet: generate or import them first.")
        run = queries.run(run_id)
        for row in queries.completions(run_id):
            completions.append(_record(row))
            scores.append(None if row.correct is None else Score(row.correct, row.value))
    made = methods.training_set(questions, completions, scores, method, form, samples=spec.samples)
    return made, run


def config_of(study_id: int, spec: Spec, method_key: str, student: str, seed: int) -> TrainConfig:
    """How a student of the study is trained: the recipe, what the study changes, and what is scored."""
    method, row, own = methods.METHODS[method_key], resolve(student), scorer(study_id)
    return TrainConfig.from_recipe(
        spec.recipe,
        **{
            "max_new_tokens": spec.max_new_tokens,
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
    base = config_of(study_id, spec, method_key, student, seed)
    config = TrainConfig.from_dict(base.as_dict() | {"teacher": teacher, "training_set": digest})
    run = queries.open_run(
        study_id,
        "train",
        # D is part of it: a filter may leave of D samples the same rows as of one.
        content_hash([config.identity, digest, *([spec.samples] if spec.samples > 1 else [])]),
        method=method_key,
        teacher=teacher,
        student=student,
        seed=seed,
        config=config.as_dict() | {"samples": spec.samples if method.needs_teacher else 1},
        versions=versions("torch", "transformers", "accelerate", "peft"),
        parents=[generation.id] if generation else [],
        training_set=digest,
        job_id=job_id,
    )
    path = children.folder(run.id).path
    if not (path / "config.json").is_file():
        tested = test_items(study_id, method, form) if config.selection == "test" else []
        folder.write_lines(path / "rows.jsonl", [asdict(row) for row in made.rows])
        folder.write_lines(path / "eval.jsonl", tested)
        folder.write(path / "config.json", json.dumps(config.as_dict(), indent=1))
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


def _record(row: models.Completion) -> Completion:
    return Completion(**{name: getattr(row, name) for name in Completion.__dataclass_fields__})


def test_items(study_id: int, method: methods.Method, form: Format) -> list[dict[str, Any]]:
    """The study's test questions as an evaluation file has them."""
    return [
        {"question_index": q.index, "prompt": method.input(q.text, form, ()), "answer": q.answer}
        for q in studies.questions(study_id, "test")
    ]
