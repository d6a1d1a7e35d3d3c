"""A training set before anything is trained: what each filter drops, its rows, and its hash.

built(study_id, "fine-tune-cot", teaching, learning, FORMATS["t5"])
    steps   wrong answer  395 → 294    truncated  294 → 290    wrong step  290 → 281
    hash    3f0c… as the training run will have it
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from core import studies
from core.methods import METHODS
from core.methods.filters import FILTERS, chosen
from core.records import TrainingSet
from core.stages.generation import latest
from core.stages.training import build_set
from core.store import decisions, queries
from core.students.formats import Format
from core.students.part import Learning
from core.teachers.part import Teaching


@dataclass(frozen=True, slots=True)
class Step:
    """What one reason took away: `before` were there, `before - dropped` are left."""

    reason: str
    before: int
    dropped: int

    @property
    def after(self) -> int:
        return self.before - self.dropped


@dataclass(frozen=True, slots=True)
class Built:
    """A training set that may be empty, and the generation it was made from, if any."""

    made: TrainingSet
    hash: str
    generation: int | None
    steps: tuple[Step, ...]


def built(study_id: int, method: str, teaching: Teaching, learning: Learning, form: Format) -> Built:
    """The set that training by this method would use now. LabError where there are no rationales yet."""
    made, run = build_set(study_id, method, teaching, learning, form, may_be_empty=True)
    filters = learning.filters if METHODS[method].needs_teacher else {}
    return Built(made, made.hash, run.id if run else None, tuple(steps(made, filters)))


def steps(made: TrainingSet, filters: Mapping[str, Any]) -> list[Step]:
    """Reason by reason what was dropped: the method's own, then every filter that is on, in its order."""
    last = [FILTERS[key].reason for key in chosen(filters)]
    found, left = [], len(made.rows) + len(made.removed)
    for reason in [*(reason for reason in made.dropped if reason not in last), *last]:
        found.append(Step(reason, left, made.dropped.get(reason, 0)))
        left = found[-1].after
    return found


def signature(study_id: int, method: str, teaching: Teaching, learning: Learning) -> list[Any]:
    """What the set depends on besides its format, without reading it: equal signature, equal set."""
    study = queries.study(study_id)
    run_id = latest(study_id, method, teaching) if METHODS[method].needs_teacher else None
    run = queries.run(run_id) if run_id else None
    said = [run.id, str(run.finished), decisions.last()] if run else []
    asked = [len(studies.questions(study_id, "train")), method, teaching.samples, chosen(learning.filters)]
    return [study_id, str(study.created), *asked, *said]


def size(study_id: int, method: str, teaching: Teaching) -> int:
    """How many completions a method's set is made from."""
    run_id = latest(study_id, method, teaching) if METHODS[method].needs_teacher else None
    return queries.run(run_id).summary.get("n", 0) if run_id else 0


def lines(made: TrainingSet) -> Iterable[str]:
    """The rows as JSONL, one per line."""
    return (json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in made.rows)
