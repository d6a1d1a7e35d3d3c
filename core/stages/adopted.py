"""Runs of an older lab (up to revision 0006): their configs become plans, and they are known by content.

Called once, by the migration that makes them so. A run folder is renamed, and its old name leads there, since
a study may have taken the student in it for its own. All of it can be done again: a migration that was killed
begins anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from core import settings
from core.errors import LabError
from core.models import sources
from core.records import content_hash
from core.stages.plans import PLANS, Plan, TrainingPlan
from core.students.config import RECIPES, TrainConfig
from core.students.folder import RunFolder, read_lines
from core.students.table import STUDENTS
from core.studies import Study

Row = Any
Values = dict[str, Any]

UNREADABLE = "unreadable"  # kind of a run whose config, or that of one it was made from, says nothing usable
RUN = sa.table(
    "run",
    *map(
        sa.column, ("id", "study_id", "kind", "method", "student", "seed", "status", "hash", "training_set")
    ),
    *(sa.column(name, sa.JSON()) for name in ("config", "parents", "summary")),
    *(sa.column(name, sa.DateTime()) for name in ("created", "finished")),
)
STUDY = sa.table("study", sa.column("id"), sa.column("dataset_id"), sa.column("config", sa.JSON()))
DATASET = sa.table("dataset", sa.column("id"), sa.column("hash"))
SET = sa.table("training_set", sa.column("hash"), sa.column("dropped", sa.JSON()))
COMPLETION = sa.table(
    "completion",
    *map(
        sa.column, ("id", "run_id", "question_index", "sample_index", "rationale", "finish_reason", "error")
    ),
    sa.column("correct", sa.Boolean()),
    sa.column("steps", sa.JSON()),
)


def adopt(db: sa.Connection) -> None:
    """Rewrite the config of every study, and config and hash of every run, parents before their children."""
    for study in db.execute(sa.select(STUDY)).all():
        _change(db, STUDY, study.id, config=_study(study.config))
    runs = list(db.execute(sa.select(RUN).order_by(RUN.c.id)).all())
    depth: dict[int, int] = {}
    for run in runs:
        depth[run.id] = 1 + max((depth.get(parent, 0) for parent in run.parents), default=0)
    # A lab that was moved did some work twice: the runs whose results stand now come first.
    runs.sort(key=lambda run: (run.finished or run.created, run.id), reverse=True)
    runs.sort(key=lambda run: (depth[run.id], run.status != "done"))
    hashes: dict[int, str] = {}
    taken: set[tuple[int, str, str]] = set()
    for run in runs:
        try:
            plan: Plan = PLANS[run.kind].read(CONVERT[run.kind](db, run, hashes))
            digest = content_hash([plan.identity(), [hashes[parent] for parent in run.parents]])
        except (LabError, KeyError, TypeError, AttributeError):
            _change(db, RUN, run.id, kind=UNREADABLE, hash=content_hash([run.kind, run.hash]))
            continue
        if (key := (run.study_id, run.kind, digest)) in taken:
            digest = content_hash([digest, run.hash])
        taken.add(key)
        hashes[run.id] = digest
        _change(db, RUN, run.id, config=plan.dump(), hash=digest, method=plan.method)
        if isinstance(plan, TrainingPlan):
            summary = {name: value for name, value in run.summary.items() if name not in ("task", "student")}
            dropped = db.scalar(sa.select(SET.c.dropped).where(SET.c.hash == run.training_set))
            _change(db, RUN, run.id, summary={"dropped": dropped or {}} | summary)
            _name_folder(run.id, digest, plan.config)


def _change(db: sa.Connection, table: sa.TableClause, own: int, **values: Any) -> None:
    db.execute(sa.update(table).where(table.c.id == own).values(**values))


def _study(config: Values) -> Values:
    """A study's config in parts; as it is where it says something impossible."""
    training = {name: value for name, value in config.get("training", {}).items() if name in FIELDS}
    try:
        return Study.read(config | {"training": training}).dump()
    except LabError:
        return config


# ── a run's config as a plan of its kind ────────────────────────────────────────────────────────


def _generation(db: sa.Connection, run: Row, hashes: dict[int, str]) -> Values:
    old = run.config
    prompting, imported = old.get("prompting", {}), "sampling" not in old
    several = {"temperature": 0.7} if imported and old["samples"] > 1 else {}
    of_study = sa.select(STUDY.c.dataset_id).where(STUDY.c.id == run.study_id).scalar_subquery()
    return {
        "method": run.method,
        "teaching": {
            "teachers": {"teacher": old["teacher"]},
            "sampling": old.get("sampling", several),
            "samples": max(1, old["samples"]),
            "prompting": {k: v for k, v in prompting.items() if k not in ("kind", "rules", "exemplars")},
        },
        "split": old.get("split", "train"),
        "limit": old.get("limit"),
        "rules": old["rules"],
        "benchmark": db.scalar(sa.select(DATASET.c.hash).where(DATASET.c.id == of_study)),
        "shown": prompting.get("exemplars", []),
        "content": _content(db, run.id) if imported else "",
        "file": old.get("file", ""),
    }


def _exemplars(db: sa.Connection, run: Row, hashes: dict[int, str]) -> Values:
    """`queries.completion_counts` of the rationales that they are chosen from count."""
    right = COMPLETION.c.correct.is_(True)
    counts = {
        "n": sa.func.count(),
        "correct": sa.func.count().filter(right),
        "truncated": sa.func.count().filter(COMPLETION.c.finish_reason == "length"),
        "failed": sa.func.count(COMPLETION.c.error),
    }
    found = db.execute(sa.select(*counts.values()).where(COMPLETION.c.run_id == run.parents[0])).one()
    settings_ = {"rules": "paper"} | run.config
    return {
        "method": "",
        "settings": settings_,
        "rationales": content_hash(dict(zip(counts, found, strict=True))),
    }


def _training(db: sa.Connection, run: Row, hashes: dict[int, str]) -> Values:
    old, config = run.config, _config(run)
    recipe = RECIPES[config.recipe]
    preset, own = TrainConfig.from_recipe(recipe.key, student=config.student).dump(), config.dump()
    changes = {name: own[name] for name in TUNED if own[name] != preset[name]}
    longest = changes.pop("max_new_tokens", None)
    return {
        "method": run.method,
        "student": run.student,
        "base": _weights(run.student),
        "samples": old.get("samples", 1),
        "filters": old.get("filters", {}),
        "config": own,
        "learning": {"recipe": recipe.key, "training": changes, "filters": old.get("filters", {})},
        "asking": {"max_new_tokens": longest},
    }


def _evaluation(db: sa.Connection, run: Row, hashes: dict[int, str]) -> Values:
    old, config = run.config, _config(run)
    return {
        "method": run.method,
        "student": run.student,
        "students": {"student": hashes[run.parents[0]] if run.parents else _weights(run.student)},
        "rules": config.rules,
        "question_set": old.get("question_set", ""),
        "sampling": {
            "temperature": config.temperature,
            "top_p": config.top_p,
            "max_tokens": config.max_new_tokens,
            "stop": list(config.stop),
            "seed": config.seed if config.temperature else None,
        },
        "precision": config.precision,
        "max_input_tokens": config.max_input_tokens,
        "shown": _own_exemplars(db, run) if run.method == "few-shot-cot" else [],
        "recipe": config.recipe,
        "tuning": config.tuning,
        "samples": old.get("samples", 1),
        "filters": old.get("filters", {}),
        "seed": run.seed,
        "batch_size": config.eval_batch_size,
    }


CONVERT: dict[str, Callable[[sa.Connection, Row, dict[int, str]], Values]] = {
    "generate": _generation,
    "exemplars": _exemplars,
    "train": _training,
    "evaluate": _evaluation,
}
FIELDS = TrainConfig.model_fields
# what a study may change of a recipe; the arm says the others
TUNED = [
    name
    for name in FIELDS
    if name not in ("student", "recipe", "format", "seed", "stop", "answer_kind", "rules", "answer_prefix")
    and name not in ("method", "teacher", "dataset", "training_set", "note")
]


def _config(run: Row) -> TrainConfig:
    """How a student was trained or asked, without what is no field any more; `student` is its name."""
    known = {name: value for name, value in run.config.items() if name in FIELDS}
    return TrainConfig.read(known | {"student": run.student})


def _weights(student: str) -> str:
    """The hash of a student's weights; of its name where they are not here. Nothing is downloaded."""
    source = STUDENTS[student].source if student in STUDENTS else student
    try:
        kind = sources.kind(source)
        folder = sources.cached(source) if kind == "hub" else sources.locate(source, kind)
    except LabError:
        folder = None
    return sources.fingerprint(folder) if folder else content_hash(["weights of", student])


def _content(db: sa.Connection, run_id: int) -> str:
    """What `generation.import_file` says of a file's completions."""
    columns = [COMPLETION.c[name] for name in ("question_index", "sample_index", "rationale", "steps")]
    rows = db.execute(sa.select(*columns).where(COMPLETION.c.run_id == run_id).order_by(COMPLETION.c.id))
    return content_hash([[q, s, said, *(step["text"] for step in steps)] for q, s, said, steps in rows])


def _own_exemplars(db: sa.Connection, run: Row) -> list[dict[str, str]]:
    """Those in the prompt that a student read; before its first answer, the study's own."""
    first = sa.select(COMPLETION.c.steps).where(COMPLETION.c.run_id == run.id).limit(1)
    if steps := db.scalar(first):
        found = re.findall(
            r"Q: (.*?)\nA: (.*?) The answer is (.*?)\.\n\n(?=Q: )", steps[0]["prompt"], re.DOTALL
        )
        return [dict(zip(("question", "rationale", "answer"), one, strict=True)) for one in found]
    config = db.scalar(sa.select(STUDY.c.config).where(STUDY.c.id == run.study_id))
    own = Study.read(config).teaching.exemplars
    return [{name: str(value).strip() for name, value in one.items()} for one in own]


# ── run folders ─────────────────────────────────────────────────────────────────────────────────


def _name_folder(run_id: int, digest: str, config: TrainConfig) -> None:
    """Name a training's folder by its content, if it is this run's: another lab's may have its number."""
    old, new = RunFolder(settings.folder("runs") / str(run_id)), settings.folder("runs") / digest
    if not new.exists():
        if not _is_of(old, config):
            return
        old.say(config)
        old.path.rename(new)
    if not old.path.exists():
        old.path.symlink_to(digest)


def _is_of(folder: RunFolder, config: TrainConfig) -> bool:
    """Whether a folder is of a training so configured: its config and its rows say so."""
    try:
        said = json.loads((folder.path / "config.json").read_text(encoding="utf-8"))
        rows = read_lines(folder.path / "rows.jsonl")
        same = TrainConfig.read({name: value for name, value in said.items() if name in FIELDS})
        return (
            same.identity() == config.identity()
            and content_hash([[row["input"], row["label"]] for row in rows]) == config.training_set
        )
    except (OSError, ValueError, AttributeError, KeyError, LabError):
        return False
