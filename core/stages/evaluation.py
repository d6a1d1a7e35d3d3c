"""Evaluation: a student answers the study's test questions, shard by durable shard."""

from __future__ import annotations

import json
import math
from typing import Any

from core import methods, studies
from core.exemplars.own import whole
from core.jobs.progress import Progress
from core.records import Prediction, content_hash, question_set_hash
from core.stages import children
from core.stages.generation import versions
from core.stages.scoring import Scorer, scorer
from core.stages.training import config_of, test_items
from core.store import queries
from core.store.models import now
from core.students import folder
from core.students.config import TrainConfig
from core.students.formats import FORMATS
from core.students.table import resolve
from core.studies import Spec


def plan(
    study_id: int, spec: Spec, method_key: str, student: str, seed: int, trained: int | None, job_id: str
) -> tuple[int, int]:
    """Open the run and write its folder. Returns the run's id and its number of shards."""
    method, form = methods.METHODS[method_key], FORMATS[resolve(student).format]
    exemplars = whole(spec.exemplars) if method.needs_exemplars and not method.chosen_exemplars else ()
    base = config_of(study_id, spec, method_key, student, seed)
    weights = str(children.folder(trained).student) if trained else student
    config = TrainConfig.from_dict(
        base.as_dict() | {"task": "evaluate", "student": weights, "format": form.key}
    )
    items = test_items(study_id, method, form, exemplars)
    parent = queries.run(trained) if trained else None
    run = queries.open_run(
        study_id,
        "evaluate",
        content_hash([config.as_dict(), parent.hash if parent else None, items]),
        method=method_key,
        teacher=parent.teacher if parent else "",
        student=student,
        seed=seed,
        config=config.as_dict()
        | {
            "prefix": form.prefix(method.template),
            "question_set": question_set_hash(studies.questions(study_id, "test")),
            "samples": parent.config["samples"] if parent else 1,
            "filters": parent.config.get("filters", {}) if parent else {},
        },
        versions=versions("torch", "transformers"),
        parents=[trained] if trained else [],
        training_set=parent.training_set if parent else None,
        job_id=job_id,
    )
    files = children.folder(run.id)
    if not files.filled:
        files.fill(config, items)
    queries.set_run(run.id, status="running", job_id=job_id)
    return run.id, math.ceil(len(items) / config.shard_size)


def shard(progress: Progress, run_id: int, number: int, shards: int) -> None:
    """Wait for this shard's predictions and store them, scored."""
    files = children.folder(run_id)
    run = queries.run(run_id)
    file = files.predictions / f"shard-{number}.jsonl"

    def tell() -> None:
        _, done, total = children.status(files)
        progress.at(f"{run.student}, {run.method}: answers the test questions", done, total)

    children.follow(progress, files.path, file.is_file, tell)
    save(run_id, scorer(run.study_id), run.config.get("prefix"), folder.read_lines(file))


def save(run_id: int, own: Scorer, prefix: str | None, lines: list[dict[str, Any]]) -> None:
    """Store predictions with their verdicts; one that is there is the same."""
    found = [Prediction(**{name: line[name] for name in Prediction.__dataclass_fields__}) for line in lines]
    queries.save_predictions(run_id, [(p, own.prediction(p.question_index, p.text, prefix)) for p in found])


def close(progress: Progress, run_id: int) -> dict[str, Any]:
    """Sum the run up."""
    files = children.folder(run_id)
    children.finish(progress, files)
    done = json.loads((files.path / "done.json").read_text(encoding="utf-8"))
    if cut := done.get("cut_prompts"):
        progress.say(f"{cut} prompts are longer than the student reads, and were cut: use fewer exemplars.")
    verdicts = queries.verdicts(run_id)
    correct = sum(verdicts.values())
    summary = {"n": len(verdicts), "correct": correct, "accuracy": 100 * correct / max(len(verdicts), 1)}
    queries.set_run(run_id, status="done", summary=summary, finished=now())
    run = queries.run(run_id)
    progress.say(f"{run.student}, {run.method}, seed {run.seed}: {correct} of {len(verdicts)} right.")
    return summary
