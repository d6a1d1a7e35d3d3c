"""The finished evaluations and generations of a study, as the rows that `core.results` compares."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from core.errors import LabError
from core.store.models import Run
from core.store.queries._benchmarks import dataset
from core.store.queries._calls import ledger_totals
from core.store.queries._completions import teacher_verdicts
from core.store.queries._predictions import verdicts
from core.store.queries._studies import runs, study_by_name

__all__ = ["evaluation_cells", "generations"]


def evaluation_cells(study_name: str) -> list[Any]:
    """The finished evaluations of a study as `core.results.table.Cell`s, oldest first.

    Where the same arm and seed was evaluated again (other rationales, edits, another setting), the
    newest stands for the arm and the others say so in their variant, so that both can be compared.
    """
    from core.results.table import EARLIER, Cell, rationales

    if (found := study_by_name(study_name)) is None:
        raise LabError(f"There is no study “{study_name}”: `python -m core studies` lists them.")
    key = dataset(found.dataset_id).key
    by_id = {row.id: row for row in runs(found.id)}
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
            correct=verdicts(row.id),
            samples=row.config.get("samples", 1),
            variant=_variant(row, several) if newest[_arm(row, several)] == row.id else f"{EARLIER} {row.id}",
            rationales=rationales([by_id[i].summary for i in _generations(row, by_id)]),
        )
        for row in done
    ]


def generations(study_id: int, only: Iterable[int] | None = None) -> list[Any]:
    """The finished generations of a study as `core.results.teachers.Generation`s, oldest first.

    `only`: those with these ids.
    """
    from core.results.teachers import Generation

    return [
        Generation(
            row.id,
            row.method,
            row.teacher,
            row.config.get("split", ""),
            teacher_verdicts(row.id),
            shown=len(row.config.get("prompting", {}).get("exemplars", ())),
            **{name: value for name, value in ledger_totals(row.id).items() if name != "failed"},
        )
        for row in runs(study_id, "generate")
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
    from core.methods.filters import label

    recipe = row.config.get("recipe", "") if several_recipes and row.parents else ""
    lora = "LoRA" if row.config.get("tuning") == "lora" else ""
    return ", ".join(filter(None, (recipe, lora, label(row.config.get("filters", {})))))


def _arm(row: Run, several_recipes: bool) -> tuple[Any, ...]:
    return (
        row.method, row.student, row.teacher, row.config.get("samples", 1), row.seed,
        _variant(row, several_recipes),
    )  # fmt: skip
