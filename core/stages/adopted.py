"""Runs of a lab of before (up to revision 0006): their configs become plans, their identities content.

Called once, by the migration that makes them so. A run whose config cannot be understood keeps it, and its
identity: it can still be looked at, and what is asked for anew is made anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, text

from core import settings
from core.errors import LabError
from core.models.sources import fingerprint
from core.records import content_hash
from core.stages.plans import PLANS, Plan, TrainingPlan
from core.students.config import TrainConfig
from core.students.folder import RunFolder
from core.students.table import location, resolve

Row = Any
Values = dict[str, Any]


def adopt(db: Connection) -> None:
    """Rewrite config and hash of every run, oldest first, so that parents come before their children."""
    hashes: dict[int, str] = {}
    taken: set[tuple[int, str, str]] = set()
    for run in db.execute(text("SELECT * FROM run ORDER BY id")).all():
        config, parents = _json(run.config), _json(run.parents)
        try:
            plan: Plan = PLANS[run.kind].read(CONVERT[run.kind](db, run, config, hashes))
        except (LabError, KeyError, TypeError):
            hashes[run.id] = run.hash
            continue
        digest = content_hash([plan.identity(), [hashes[parent] for parent in parents]])
        if (run.study_id, run.kind, digest) in taken:  # the same work, made twice by a lab that was moved
            digest = content_hash([digest, run.hash])
        taken.add((run.study_id, run.kind, digest))
        hashes[run.id] = digest
        db.execute(
            text("UPDATE run SET config = :config, hash = :hash, method = :method WHERE id = :id"),
            {"config": json.dumps(plan.dump()), "hash": digest, "method": plan.method, "id": run.id},
        )
        if isinstance(plan, TrainingPlan):
            dropped = _dropped(db, run.training_set)
            summary = {"dropped": dropped} | _json(run.summary)
            db.execute(
                text("UPDATE run SET summary = :summary WHERE id = :id"),
                {"summary": json.dumps(summary), "id": run.id},
            )
            _move(run.id, digest, plan)


def _generation(db: Connection, run: Row, old: Values, hashes: dict[int, str]) -> Values:
    prompting = dict(old.get("prompting", {}))
    shown = prompting.pop("exemplars", [])
    imported = "sampling" not in old
    sampling = {"temperature": 0.7} if imported and old["samples"] > 1 else old.get("sampling", {})
    return {
        "method": old["method"],
        "teaching": {
            "teachers": {"teacher": old["teacher"]},
            "sampling": sampling,
            "samples": max(1, old["samples"]),
            "prompting": {k: v for k, v in prompting.items() if k not in ("kind", "rules")},
        },
        "split": old.get("split", "train"),
        "limit": old.get("limit"),
        "rules": old["rules"],
        "benchmark": _dataset(db, run)[0],
        "shown": shown,
        "content": _content(db, run.id) if imported else "",
        "file": old.get("file", ""),
    }


def _exemplars(db: Connection, run: Row, old: Values, hashes: dict[int, str]) -> Values:
    return {"method": "", "settings": old, "rationales": content_hash(_counts(db, _json(run.parents)[0]))}


def _training(db: Connection, run: Row, old: Values, hashes: dict[int, str]) -> Values:
    config = {name: value for name, value in old.items() if name in TrainConfig.model_fields}
    preset = TrainConfig.from_recipe(config["recipe"], student=config["student"]).dump()
    own = TrainConfig.read(config).dump()
    tuned = {name: value for name, value in own.items() if name in TUNED and preset[name] != value}
    longest = tuned.pop("max_new_tokens", None)
    return {
        "method": run.method,
        "student": run.student,
        "base": fingerprint(location(resolve(run.student))),
        "samples": old.get("samples", 1),
        "filters": old.get("filters", {}),
        "config": own,
        "learning": {"recipe": config["recipe"], "training": tuned, "filters": old.get("filters", {})},
        "asking": {"max_new_tokens": longest},
    }


def _evaluation(db: Connection, run: Row, old: Values, hashes: dict[int, str]) -> Values:
    parents = _json(run.parents)
    config = TrainConfig.from_recipe("default", **_known(old) | {"student": run.student})
    weights = hashes[parents[0]] if parents else fingerprint(location(resolve(run.student)))
    return {
        "method": run.method,
        "student": run.student,
        "students": {"student": weights},
        "rules": old["rules"],
        "question_set": old["question_set"],
        "sampling": {
            "temperature": config.temperature,
            "top_p": config.top_p,
            "max_tokens": config.max_new_tokens,
            "stop": list(config.stop),
            "seed": config.seed if config.temperature else None,
        },
        "precision": config.precision,
        "max_input_tokens": config.max_input_tokens,
        "shown": _own_exemplars(db, run),
        "recipe": config.recipe,
        "tuning": config.tuning,
        "samples": old.get("samples", 1),
        "filters": old.get("filters", {}),
        "seed": run.seed,
        "batch_size": config.eval_batch_size,
    }


CONVERT: dict[str, Callable[[Connection, Row, Values, dict[int, str]], Values]] = {
    "generate": _generation,
    "exemplars": _exemplars,
    "train": _training,
    "evaluate": _evaluation,
}
# what a study may change of a recipe
TUNED = set(TrainConfig.model_fields) - {
    "student", "recipe", "seed", "stop", "answer_kind", "rules", "answer_prefix", "method", "teacher",
    "dataset", "training_set", "format",
}  # fmt: skip


def _known(old: Values) -> Values:
    return {k: v for k, v in old.items() if k in TrainConfig.model_fields and k != "student"}


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _dataset(db: Connection, run: Row) -> Row:
    query = "SELECT dataset.hash, dataset.key FROM dataset JOIN study ON study.dataset_id = dataset.id"
    return db.execute(text(f"{query} WHERE study.id = :id"), {"id": run.study_id}).one()


def _own_exemplars(db: Connection, run: Row) -> list[dict[str, str]]:
    if run.method != "few-shot-cot":
        return []
    config = _json(db.execute(text("SELECT config FROM study WHERE id = :id"), {"id": run.study_id}).scalar())
    return [{name: value.strip() for name, value in one.items()} for one in config.get("exemplars", [])]


def _content(db: Connection, run_id: int) -> str:
    query = (
        "SELECT question_index, sample_index, rationale, steps FROM completion WHERE run_id = :id ORDER BY id"
    )
    rows = db.execute(text(query), {"id": run_id})
    return content_hash(
        [[q, s, said, *(step["text"] for step in _json(steps))] for q, s, said, steps in rows]
    )


def _counts(db: Connection, run_id: int) -> dict[str, int]:
    query = (
        "SELECT count(*), count(CASE WHEN correct THEN 1 END), "
        "count(CASE WHEN finish_reason = 'length' THEN 1 END), count(error) "
        "FROM completion WHERE run_id = :id"
    )
    found = db.execute(text(query), {"id": run_id}).one()
    return dict(zip(("n", "correct", "truncated", "failed"), found, strict=True))


def _dropped(db: Connection, digest: str | None) -> Values:
    found = db.execute(text("SELECT dropped FROM training_set WHERE hash = :hash"), {"hash": digest}).scalar()
    return _json(found) if found else {}


def _move(run_id: int, digest: str, plan: TrainingPlan) -> None:
    """Name the run's folder by its content, if it is this run's: another lab's may stand under its number."""
    old, new = settings.folder("runs") / str(run_id), settings.folder("runs") / digest
    if not (old / "config.json").is_file() or new.exists():
        return
    said = json.loads((old / "config.json").read_text(encoding="utf-8"))
    mine = plan.config.dump()
    if all(said.get(name) == mine[name] for name in ("student", "seed", "recipe", "training_set")):
        old.rename(new)
        RunFolder(new).say(plan.config)
