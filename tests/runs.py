"""Runs that a test puts in the store by hand, with whole plans: only what a test is about is said."""

from __future__ import annotations

from typing import Any

from core.records import Completion, Step
from core.stages import plans
from core.stages.plans import EvaluationPlan, ExemplarsPlan, GenerationPlan, TrainingPlan
from core.store import queries
from core.store.models import Run, now
from core.students.config import TrainConfig
from core.students.part import Asking, Learning
from core.teachers.part import Teaching

RULES = "fine-tune-cot"


def generation(study_id: int, method: str = "fine-tune-cot", **changes: Any) -> Run:
    """A generation; `parents` are its exemplars, other fields are of its plan."""
    parents = changes.pop("parents", ())
    values = {"teaching": Teaching(), "rules": RULES, "benchmark": "questions"}
    return plans.opened(study_id, GenerationPlan(method=method, **values | changes), parents)


def exemplars(study_id: int, parents: tuple[Run, ...], **settings: Any) -> Run:
    """Exemplars chosen from the rationales of the generation `parents[0]`."""
    plan = ExemplarsPlan(method="", settings={"rules": "paper"} | settings, rationales="rationales")
    return plans.opened(study_id, plan, parents)


def chosen(generation: Run, *indices: int, **settings: Any) -> Run:
    """Finished exemplars: these questions of the generation, the first sample of each, a cluster each."""
    run = exemplars(generation.study_id, (generation,), **settings)
    queries.save_points(run.id, [point(index, cluster) for cluster, index in enumerate(indices)])
    queries.set_run(run.id, status="done", finished=now(), summary={"k": len(indices)})
    return queries.run(run.id)


def point(index: int, cluster: int = 0, rank: int = 1, **fields: Any) -> dict[str, Any]:
    """A question's place on the map; it qualifies, unless said otherwise."""
    place = {"question_index": index, "sample_index": 0, "cluster": cluster, "rank": rank}
    rest = {"distance": 0.0, "x": 0.0, "y": 0.0, "correct": True, "words": 2, "failures": []}
    return place | rest | {"duplicate": None} | fields


def training(study_id: int, method: str, student: str, seed: int = 0, **changes: Any) -> Run:
    """A training run; `training_set` and `parents` are its own, other fields are of its plan."""
    parents, digest = changes.pop("parents", ()), changes.pop("training_set", "rows")
    config = TrainConfig(student=student, seed=seed, training_set=digest)
    values = {"base": student, "config": config, "learning": Learning(), "asking": Asking()}
    made = TrainingPlan(method=method, student=student, **values | changes)
    return plans.opened(study_id, made, parents, student=student, seed=seed, training_set=digest)


def evaluation(study_id: int, method: str, student: str, seed: int = 0, **changes: Any) -> Run:
    """An evaluation; `parents` and `teacher` are its own, other fields are of its plan."""
    parents, teacher = changes.pop("parents", ()), changes.pop("teacher", "")
    values = {
        "students": {"student": student},
        "rules": RULES,
        "question_set": "questions",
        "sampling": {},
        "precision": "fp32",
        "max_input_tokens": 512,
        "seed": seed,
    }
    made = EvaluationPlan(method=method, student=student, **values | changes)
    return plans.opened(study_id, made, parents, student=student, seed=seed, teacher=teacher)


def written(question: int, text: str, sample: int = 0, prompt: str = "Q", **fields: Any) -> Completion:
    """What was written to one prompt."""
    return Completion(question, sample, text, (Step("rationale", prompt, text),), **fields)
