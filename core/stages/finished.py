"""What is finished of a study, as `core.results` compares it.

table(evaluations("Demo"))     the students: one row per arm
teacher_table(study_id)        the teachers: one row per generation
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.errors import LabError
from core.exemplars.prompt import parse
from core.methods.filters import label
from core.results import teachers
from core.results.table import EARLIER, Cell, rationales
from core.results.teachers import Generation
from core.review import desk
from core.stages import plans
from core.stages.generation import shown
from core.stages.plans import EvaluationPlan
from core.store import queries
from core.store.models import Run


def evaluations(study_name: str) -> list[Cell]:
    """The finished evaluations of a study, oldest first. LabError where there is no such study.

    Where the same arm and seed was evaluated again (other rationales, edits, another setting), the
    newest stands for the arm and the others say so in their variant, so that both can be compared.
    """
    found = queries.study_named(study_name)
    dataset = queries.dataset(found.dataset_id)
    by_id = {row.id: row for row in queries.runs(found.id)}
    done = queries.finished(found.id, "evaluate")
    made: dict[int, EvaluationPlan] = {row.id: plans.plan_of(row) for row in done}
    several = len({made[row.id].recipe for row in done if row.parents}) > 1
    variants = {row.id: _variant(made[row.id], several and bool(row.parents)) for row in done}
    chosen = {row.id: _selection(row, by_id) for row in done}
    arms = {
        row.id: (row.method, row.student, row.teacher, made[row.id].samples, row.seed)
        + (variants[row.id], chosen[row.id])
        for row in done
    }
    # Finished last, not opened last: where an edit was undone, the earlier run counts again.
    newest = {arms[row.id]: row.id for row in done}
    return [
        Cell(
            run_id=row.id,
            method=row.method,
            student=row.student,
            teacher=row.teacher,
            seed=row.seed,
            benchmark=dataset.key,
            question_set=made[row.id].question_set,
            correct=queries.verdicts(row.id),
            samples=made[row.id].samples,
            variant=variants[row.id] if newest[arms[row.id]] == row.id else f"{EARLIER} {row.id}",
            selection=chosen[row.id],
            split=str(dataset.options.get("split", "default")),
            rationales=rationales([by_id[i].summary for i in _generations(row, by_id)]),
        )
        for row in sorted(done, key=lambda row: row.id)
    ]


def generations(study_id: int, only: Iterable[int] | None = None) -> list[Generation]:
    """The finished generations of a study, oldest first; of those with the ids in `only`, if given."""
    return [
        Generation(
            row.id,
            row.method,
            row.teacher,
            plans.plan_of(row).split,
            queries.teacher_verdicts(row.id),
            shown=len(shown(row)),
            edited=edited(row),
            seen=_seen(row),
            **{name: value for name, value in queries.ledger_totals(row.id).items() if name != "failed"},
        )
        for row in queries.runs(study_id, "generate")
        if row.status == "done" and (only is None or row.id in only)
    ]


def _seen(run: Run) -> frozenset[int]:
    """The study's questions that the teacher was shown with their answers."""
    if not (texts := {one.question.strip() for one in shown(run)}):
        return frozenset()
    questions = queries.questions(queries.study(run.study_id).dataset_id)
    return frozenset(q.index for q in questions if q.text.strip() in texts)


def edited(run: Run) -> int:
    """How many of a generation's exemplars reviewers had changed."""
    if not run.parents:
        return 0
    decided = [item for item in desk.board(run.parents[0]).items.values() if item.original is not None]
    dataset_id = queries.study(run.study_id).dataset_id
    questions = queries.questions_by_index(dataset_id, {item.key[0] for item in decided}) if decided else {}
    written = {questions[item.key[0]].text.strip(): item.original or "" for item in decided}
    return sum(
        one != parse(one.question, written[one.question]) for one in shown(run) if one.question in written
    )


def teacher_table(
    study_id: int, baseline: int | None = None, adjustment: str = "holm"
) -> tuple[teachers.TeacherRow, ...]:
    """What the teachers got right, one row per generation. Baseline: this run, else `usual_baseline`."""
    runs = [run for run in queries.runs(study_id, "generate") if run.status == "done"]
    if baseline is not None and baseline not in (run.id for run in runs):
        known = ", ".join(str(run.id) for run in runs) or "none yet"
        raise LabError(f"Run {baseline} is no finished generation of this study: they are {known}.")
    against = usual_baseline(runs) if baseline is None else baseline
    return teachers.table(generations(study_id), against, adjustment)


def usual_baseline(runs: Sequence[Run]) -> int | None:
    """What others stand beside: of the generations shown no exemplar the newest with the fewest samples."""
    bare = [run for run in runs if not shown(run)]
    return min(bare, key=lambda run: (plans.plan_of(run).teaching.samples, -run.id)).id if bare else None


def _selection(row: Run, by_id: dict[int, Run]) -> str:
    """How the epoch of an evaluation's student was chosen; empty where it was not trained."""
    trained = [by_id[i] for i in row.parents if by_id[i].kind == "train"]
    return plans.plan_of(trained[0]).config.selection if trained else ""


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


def _variant(made: EvaluationPlan, name_recipe: bool) -> str:
    """What sets an evaluation apart besides its arm: recipe, LoRA, filters of its training set."""
    recipe = made.recipe if name_recipe else ""
    lora = "LoRA" if made.tuning == "lora" else ""
    return ", ".join(filter(None, (recipe, lora, label(made.filters))))
