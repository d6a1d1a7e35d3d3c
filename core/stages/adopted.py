"""Runs of an older lab (up to revision 0006): their configs become plans, and they are known by content.

Called by the migration that makes them so. A run folder is renamed, and its old name leads there, since a
study may have taken the student in it for its own. All of it can be done again: a migration that was killed
starts from the beginning.
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
from core.records import Question, content_hash, question_set_hash
from core.stages.plans import PLANS, Plan, TrainingPlan
from core.store import models
from core.students.config import RECIPES, TrainConfig
from core.students.folder import RunFolder, read_lines
from core.students.table import STUDENTS
from core.studies import Study, at_most

Row = Any
Values = dict[str, Any]

UNREADABLE = "unreadable"  # kind of a run whose config, or that of one it was made from, says nothing usable


class Lab:
    """The tables as they are while they are migrated, and what the runs are called now, by id."""

    def __init__(self, db: sa.Connection) -> None:
        tables = sa.MetaData()
        tables.reflect(db)
        self.db, self.tables, self.hashes = db, tables.tables, dict[int, str]()

    def change(self, name: str, own: int, **values: Any) -> None:
        table = self.tables[name]
        self.db.execute(sa.update(table).where(table.c.id == own).values(**values))

    def row(self, name: str, own: int) -> Row:
        table = self.tables[name]
        return self.db.execute(sa.select(table).where(table.c.id == own)).one()


def adopt(db: sa.Connection) -> None:
    """Rewrite the config of every study, and config and hash of every run, parents before their children."""
    lab = Lab(db)
    for study in db.execute(sa.select(lab.tables["study"])).all():
        lab.change("study", study.id, config=_study(study.config))
    run_, training_set = lab.tables["run"], lab.tables["training_set"]
    runs = list(db.execute(sa.select(run_).order_by(run_.c.id)).all())
    depth: dict[int, int] = {}
    for run in runs:
        depth[run.id] = 1 + max((depth.get(parent, 0) for parent in run.parents), default=0)
    # A lab that was moved did some work twice: the runs whose results stand now come first.
    runs.sort(key=lambda run: (run.finished or run.created, run.id), reverse=True)
    runs.sort(key=lambda run: (depth[run.id], run.status != "done"))
    taken: set[tuple[int, str, str]] = set()
    trainings: list[tuple[int, str, TrainConfig]] = []
    for run in runs:
        try:
            plan: Plan = PLANS[run.kind].read(CONVERT[run.kind](lab, run))
            digest = content_hash([plan.identity(), [lab.hashes[parent] for parent in run.parents]])
        except (LabError, KeyError, TypeError, AttributeError):
            lab.change("run", run.id, kind=UNREADABLE, hash=content_hash([run.kind, run.hash]))
            continue
        if (key := (run.study_id, run.kind, digest)) in taken:
            digest = content_hash([digest, run.hash])
        taken.add(key)
        lab.hashes[run.id] = digest
        lab.change("run", run.id, config=plan.dump(), hash=digest, method=plan.method)
        if isinstance(plan, TrainingPlan):
            summary = {name: value for name, value in run.summary.items() if name not in ("task", "student")}
            own = training_set.c.hash == run.training_set
            dropped = db.scalar(sa.select(training_set.c.dropped).where(own))
            lab.change("run", run.id, summary={"dropped": dropped or {}} | summary)
            trainings.append((run.id, digest, plan.config))
    for training in trainings:
        _name_folder(*training)


def name_folders(db: sa.Connection) -> None:
    """Name the run folders that an older lab left in this LAB_HOME: of several machines one migrates."""
    runs = settings.folder("runs")
    for run in db.execute(sa.select(models.Run).where(models.Run.kind == "train")).all():
        if (path := runs / str(run.id)).is_dir() and not path.is_symlink():
            _name_folder(run.id, run.hash, TrainingPlan.read(run.config).config)


def _study(config: Values) -> Values:
    """A study's config in parts; as it is where it says something impossible."""
    try:
        return Study.read(config).dump()
    except LabError:
        return config


# ── a run's config as a plan of its kind ────────────────────────────────────────────────────────


def _generation(lab: Lab, run: Row) -> Values:
    old = run.config
    prompting, imported = old.get("prompting", {}), "sampling" not in old
    several = {"temperature": 0.7} if imported and old["samples"] > 1 else {}
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
        "benchmark": lab.row("dataset", lab.row("study", run.study_id).dataset_id).hash,
        "shown": prompting.get("exemplars", []),
        "content": _content(lab, run.id) if imported else "",
        "file": old.get("file", ""),
    }


def _exemplars(lab: Lab, run: Row) -> Values:
    """`queries.completion_counts` of the rationales that they are chosen from count."""
    columns = lab.tables["completion"].c
    counts = sa.select(
        sa.func.count().label("n"),
        sa.func.count().filter(columns.correct.is_(True)).label("correct"),
        sa.func.count().filter(columns.finish_reason == "length").label("truncated"),
        sa.func.count(columns.error).label("failed"),
    ).where(columns.run_id == run.parents[0])
    rationales = content_hash(dict(lab.db.execute(counts).mappings().one()))
    return {"method": "", "settings": {"rules": "paper"} | run.config, "rationales": rationales}


def _training(lab: Lab, run: Row) -> Values:
    old, config = run.config, _config(run)
    recipe = RECIPES[config.recipe]
    preset, own = TrainConfig.from_recipe(recipe.key, student=config.student).dump(), config.dump()
    changes = {name: own[name] for name in FIELDS if name not in OF_ARM and own[name] != preset[name]}
    longest = changes.pop("max_new_tokens", None)
    return {
        "method": run.method,
        "student": run.student,
        "base": _weights(run.student),
        "tested": _tested(lab, run.study_id) if config.selection == "test" else "",
        "samples": old.get("samples", 1),
        "filters": old.get("filters", {}),
        "config": own,
        "learning": {"recipe": recipe.key, "training": changes, "filters": old.get("filters", {})},
        "asking": {"max_new_tokens": longest},
    }


def _evaluation(lab: Lab, run: Row) -> Values:
    old, config = run.config, _config(run)
    return {
        "method": run.method,
        "student": run.student,
        "students": {"student": lab.hashes[run.parents[0]] if run.parents else _weights(run.student)},
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
        "shown": _own_exemplars(lab, run) if run.method == "few-shot-cot" else [],
        "recipe": config.recipe,
        "tuning": config.tuning,
        "samples": old.get("samples", 1),
        "filters": old.get("filters", {}),
        "seed": run.seed,
        "batch_size": config.eval_batch_size,
    }


CONVERT: dict[str, Callable[[Lab, Row], Values]] = {
    "generate": _generation,
    "exemplars": _exemplars,
    "train": _training,
    "evaluate": _evaluation,
}
FIELDS = TrainConfig.model_fields
# What a study does not change of a recipe: the arm says it.
OF_ARM = {"student", "recipe", "seed", "stop", "answer_kind", "rules", "answer_prefix"}
OF_ARM |= {"method", "teacher", "dataset", "training_set", "note"}


def _config(run: Row) -> TrainConfig:
    """How a student was trained or asked, without what is no field any more; `student` is its name."""
    known = {name: value for name, value in run.config.items() if name in FIELDS}
    return TrainConfig.read(known | {"student": run.student})


def _weights(student: str) -> str:
    """The hash of a student's weights; of its name where they are not here. Nothing is downloaded."""
    source = STUDENTS[student].source if student in STUDENTS else student
    unknown = content_hash(["weights of", student])
    try:
        kind = sources.kind(source)
        folder = sources.cached(source) if kind == "hub" else sources.locate(source, kind)
        return sources.fingerprint(folder) if folder else unknown
    except (LabError, OSError):
        return unknown


def _tested(lab: Lab, study_id: int) -> str:
    """The hash of a study's test questions."""
    study, columns = lab.row("study", study_id), lab.tables["question"].c
    query = sa.select(columns.idx, columns.text, columns.answer).order_by(columns.idx)
    rows = lab.db.execute(query.where(columns.dataset_id == study.dataset_id, columns.split == "test"))
    tested = Study.read(study.config).benchmark.test
    return question_set_hash(at_most([Question(*row) for row in rows], tested))


def _content(lab: Lab, run_id: int) -> str:
    """What `generation.import_file` says of a file's completions."""
    columns = lab.tables["completion"].c
    query = sa.select(columns.question_index, columns.sample_index, columns.rationale, columns.steps)
    rows = lab.db.execute(query.where(columns.run_id == run_id).order_by(columns.id))
    return content_hash([[q, s, said, *(step["text"] for step in steps)] for q, s, said, steps in rows])


def _own_exemplars(lab: Lab, run: Row) -> list[dict[str, str]]:
    """Those in the prompt that a student read; before its first answer, the study's own."""
    columns = lab.tables["completion"].c
    if steps := lab.db.scalar(sa.select(columns.steps).where(columns.run_id == run.id).limit(1)):
        found = re.findall(
            r"Q: (.*?)\nA: (.*?) The answer is (.*?)\.\n\n(?=Q: )", steps[0]["prompt"], re.DOTALL
        )
        return [dict(zip(("question", "rationale", "answer"), one, strict=True)) for one in found]
    own = Study.read(lab.row("study", run.study_id).config).teaching.exemplars
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
