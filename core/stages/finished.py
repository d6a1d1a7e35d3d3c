"""What is finished of a study, as `core.results` compares it.

table(evaluations("Demo"))               the students: a row an arm
teachers.table(generations(study_id))    the teachers: a row a generation
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from core.methods.filters import label
from core.results.table import EARLIER, Cell, rationales
from core.results.teachers import Generation
from core.stages.generation import shown
from core.store import queries
from core.store.models import Run


def evaluations(study_name: str) -> list[Cell]:
    """The finished evaluations of a study, oldest first. LabError where there is no such study.

    Where the same arm and seed was evaluated again (other rationales, edits, another setting), the
    newest stands for the arm and the others say so in their variant, so that both can be compared.
    """
    found = queries.study_named(study_name)
    key = queries.dataset(found.dataset_id).key
    by_id = {row.id: row for row in queries.runs(found.id)}
    done = [row for row in by_id.values() if row.kind == "evaluate" and row.status == "done"]
    several = len({row.config.get("recipe") for row in done if row.parents}) > 1
    # Finished last, not opened last: where an edit was undone, the run of before stands again.
    newest = {_arm(row, several): row.id for row in sorted(done, key=lambda row: row.finished or row.created)}
    return [
        Cell(
            run_id=row.id,
            method=row.method,
            student=row.student,
            teacher=row.teacher,
            seed=row.seed,
            benchmark=key,
            question_set=row.config["question_set"],
            correct=queries.verdicts(row.id),
            samples=row.config.get("samples", 1),
            variant=_variant(row, several) if newest[_arm(row, several)] == row.id else f"{EARLIER} {row.id}",
            rationales=rationales([by_id[i].summary for i in _generations(row, by_id)]),
        )
        for row in done
    ]


def generations(study_id: int, only: Iterable[int] | None = None) -> list[Generation]:
    """The finished generations of a study, oldest first; of those with the ids in `only`, if given."""
    return [
        Generation(
            row.id,
            row.method,
            row.teacher,
            row.config.get("split", ""),
            queries.teacher_verdicts(row.id),
            shown=len(shown(row)),
            **{name: value for name, value in queries.ledger_totals(row.id).items() if name != "failed"},
        )
        for row in queries.runs(study_id, "generate")
        if row.status == "done" and (only is None or row.id in only)
    ]


def _generations(row: Run, by_id: dict[int, Run]) -> list[int]:
    """The generations that a run stands on, its own first: those that its exemplars are of come after."""
    found: list[int] = []
    waiting = list(row.parents)
    while waiting:
        parent = by_id[waiting.pop(0)]
        if parent.kind == "generate" and parent.id not in found:
            found.append(parent.id)
        waiting += parent.parents
    return found


def _variant(row: Run, several_recipes: bool) -> str:
    """What sets an evaluation apart besides its arm: recipe, LoRA, filters of its training set."""
    recipe = row.config.get("recipe", "") if several_recipes and row.parents else ""
    lora = "LoRA" if row.config.get("tuning") == "lora" else ""
    return ", ".join(filter(None, (recipe, lora, label(row.config.get("filters", {})))))


def _arm(row: Run, several_recipes: bool) -> tuple[Any, ...]:
    return (
        row.method, row.student, row.teacher, row.config.get("samples", 1), row.seed,
        _variant(row, several_recipes),
    )  # fmt: skip
