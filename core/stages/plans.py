"""What each kind of run is made of, typed: the run's config is its plan, and the plan's hash its identity.

    plan = GenerationPlan(method="fine-tune-cot", teaching=…, questions=…, …)
    run = opened(study_id, plan, job_id=…)      the run with this identity, made on first use
    plan_of(run).teaching.samples               what a stored run was asked for

Everything in a plan counts unless it is marked as not counting. A run whose plan would now be another one is
stale. Lineage counts by content: parents by the hashes of their runs, students by that of their weights.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated, Any, ClassVar

from pydantic import Field, JsonValue

from core.models.sources import content
from core.parts import NotCounted, Part
from core.records import Exemplar, content_hash
from core.store import queries
from core.store.models import Run
from core.students.config import TrainConfig
from core.students.part import Asking, Learning
from core.teachers.part import Teaching


class Plan(Part):
    """What every run says."""

    method: str
    kind: ClassVar[str] = ""


class ShowingPlan(Plan):
    """Prompts with exemplars in view."""

    shown: Annotated[tuple[dict[str, str], ...], Field(strict=False)] = ()

    @property
    def exemplars(self) -> tuple[Exemplar, ...]:
        return tuple(Exemplar(**one) for one in self.shown)


class GenerationPlan(ShowingPlan):
    """What teachers are asked, or which recording was brought in (`content`, `file`)."""

    kind = "generate"
    teaching: Teaching
    split: str = "train"
    limit: int | None = None
    rules: str
    benchmark: str  # the hash of its questions
    content: str = ""  # of an imported file
    file: Annotated[str, NotCounted] = ""


class ExemplarsPlan(Plan):
    """How exemplars are chosen from a generation's rationales."""

    kind = "exemplars"
    settings: dict[str, JsonValue]  # rules, k, seed, n_init, encoder, text, own
    rationales: str  # the hash of the completions that are chosen from

    def identity(self) -> dict[str, Any]:
        values = super().identity()
        if encoder := self.settings.get("encoder"):
            values["settings"] = values["settings"] | {"encoder": content(str(encoder))}
        return values


class TrainingPlan(Plan):
    """What a student learns and how. `base` is the hash of the weights that it begins with."""

    kind = "train"
    student: Annotated[str, NotCounted]
    role: str = "student"
    base: str
    tested: str = ""  # the hash of the test questions, where they choose the epoch
    samples: int = 1
    filters: dict[str, JsonValue] = {}
    config: TrainConfig
    learning: Annotated[Learning, NotCounted]  # as it was asked for, to run it again
    asking: Annotated[Asking, NotCounted]


class EvaluationPlan(ShowingPlan):
    """What students are asked. `students` has the hash of each role's weights."""

    kind = "evaluate"
    student: Annotated[str, NotCounted]
    students: dict[str, str]
    rules: str
    question_set: str
    sampling: dict[str, Any]
    precision: str
    max_input_tokens: int
    # of the training behind it
    recipe: Annotated[str, NotCounted] = ""
    tuning: Annotated[str, NotCounted] = "full"
    samples: Annotated[int, NotCounted] = 1
    filters: Annotated[dict[str, JsonValue], NotCounted] = {}
    seed: int = 0
    batch_size: Annotated[int, NotCounted] = 64


PLANS: dict[str, type[Plan]] = {
    plan.kind: plan for plan in (GenerationPlan, ExemplarsPlan, TrainingPlan, EvaluationPlan)
}


def plan_of(run: Run) -> Any:
    """The plan of a stored run, of its kind's class."""
    return PLANS[run.kind].read(run.config)


def digest(plan: Plan, parents: tuple[Run, ...] = ()) -> str:
    """The identity of a run: its plan's, and the identities of the runs that it was made from."""
    return content_hash([plan.identity(), [parent.hash for parent in parents]])


def opened(
    study_id: int, plan: Plan, parents: tuple[Run, ...] = (), packages: tuple[str, ...] = (), **columns: Any
) -> Run:
    """The run with this plan and these parents, made on first use."""
    return queries.open_run(
        study_id,
        plan.kind,
        digest(plan, parents),
        method=plan.method,
        config=plan.dump(),
        versions={name: version(name) for name in packages},
        parents=[parent.id for parent in parents],
        **columns,
    )
