"""Correction pays? What depends on a review, how it is run again, and what the edits changed.

plan(run)    of the run under review → Rerun: generations to ask again, arms to train and evaluate again
submit(run)  one job that does exactly that; the same again finds nothing to do
pairs(study) before and after: two generations that differ in reviewed exemplars only, or two training
             sets of one generation that differ by its reviewed rationales

An exemplar that was edited or rejected changes what the teacher is shown, so a generation, and with it the
training sets and students made of it. A rationale that was edited or rejected in a generation changes the
training sets made of it alone. Nothing is overwritten: the runs of before stay, to be compared with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from core import jobs, methods
from core.errors import LabError
from core.exemplars.prompt import parse
from core.methods import METHODS
from core.records import content_hash
from core.results import table as results
from core.results import teachers
from core.results.corrections import Change, changes, exemplar_changes
from core.review import desk
from core.review.fold import Board
from core.stages import exemplars, finished, plans
from core.stages.generation import given, latest, run_questions, shown
from core.stages.plans import GenerationPlan, TrainingPlan
from core.stages.training import build_set
from core.store import queries
from core.store.models import Run
from core.students.formats import FORMATS
from core.students.table import resolve
from core.teachers import TEACHERS, prices
from core.teachers.part import Teaching

KIND = "rerun"
BEFORE, AFTER = "before the corrections", "after them"


# ── what would run again ────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Rerun:
    """What depends on a review and is not made yet, as requests of the stages; `calls` at most."""

    run_id: int
    generations: tuple[dict[str, Any], ...] = ()
    arms: tuple[dict[str, Any], ...] = ()
    unchanged: int = 0  # arms (method, student, seed, D) of the study that stay as they are
    calls: int = 0

    @property
    def empty(self) -> bool:
        return not self.generations and not self.arms


def plan(run_id: int) -> Rerun:
    """What depends on the review of a run as it stands. LabError where the run is not reviewed."""
    run = queries.run(run_id)
    if run.kind not in ("exemplars", "generate"):
        raise LabError(f"Run {run_id} ({run.kind}) is not reviewed: choose exemplars or a generation.")
    everyone = _arms(run.study_id)
    generations, calls = _generations(run) if run.kind == "exemplars" else ([], 0)
    replaced = {family(queries.run(asked["replaces"])): asked["replaces"] for asked in generations}
    own = {family(one) for one in _made_of(run)}
    again, arms = [], []
    for one in everyone:
        kin = family(queries.run(one.generation))
        if kin in replaced or (kin in own and _is_stale(one)):
            again.append(one)
            arms.append(_request(one) | {"after": replaced.get(kin)})
    done = {_name(plans.plan_of(r), r) for r in _done(run.study_id, "evaluate")}
    others = len(done) - len({_name(plans.plan_of(one.train), one.train) for one in again})
    return Rerun(run_id, tuple(generations), tuple(arms), others, calls)


def _made_of(run: Run) -> list[Run]:
    """The generation under review itself, or those that were shown exemplars of the run under review."""
    if run.kind == "generate":
        return [run]
    return [one for one in _done(run.study_id, "generate") if run.id in one.parents]


def _name(made: Any, run: Run) -> tuple[str, str, int, int]:
    return run.method, run.student, run.seed, made.samples


def submit(run_id: int) -> str:
    """Queue one job that runs what depends on the review. Returns its id; LabError where nothing does."""
    made = plan(run_id)
    if made.empty:
        raise LabError("Nothing depends on what changed: every result was made from the current texts.")
    study_id = queries.run(run_id).study_id
    request = {"run": run_id, "generations": list(made.generations), "arms": list(made.arms)}
    needs_device = made.arms or any(
        TEACHERS[str(config["key"])].uses_device
        for asked in made.generations
        for config in _teaching(asked).teachers.values()
    )
    title = f"After the review of run {run_id}: {said(made)}"
    queue = "device" if needs_device else "endpoint"
    return jobs.submit(KIND, title, request | {"study_id": study_id}, study_id, queue=queue)


def said(made: Rerun) -> str:
    """ "1 generation of at most 120 calls, 2 arms"."""
    generations, arms = len(made.generations), len(made.arms)
    parts = [
        f"{generations} generation{'' if generations == 1 else 's'} of at most {made.calls:,} calls",
        f"{arms} arm{'' if arms == 1 else 's'}",
    ]
    return ", ".join(part for part, n in zip(parts, (generations, arms), strict=True) if n) or "nothing"


def _generations(chosen: Run) -> tuple[list[dict[str, Any]], int]:
    """(requests, calls at most) of the generations that were shown other exemplars of this run than now."""
    newest: dict[str, Run] = {}
    for run in _made_of(chosen):
        newest[family(run)] = run
    if not newest:
        return [], 0
    standing = tuple(exemplars.as_reviewed(chosen.id))
    found, calls = [], 0
    for run in newest.values():
        made: GenerationPlan = plans.plan_of(run)
        if made.exemplars == standing:
            continue
        teaching, method = made.teaching, METHODS[run.method]
        if all(TEACHERS[str(config["key"])].writes for config in teaching.teachers.values()):
            calls += methods.estimate(
                run_questions(run),
                method,
                {role: prices(config) for role, config in teaching.teachers.items()},
                plans.sampling_of(teaching.sampling),
                given=given(run.study_id, run.method, teaching.prompting, standing),
                samples=teaching.samples,
            ).calls
        found.append(
            {
                "parts": [teaching.dump(), {}, {}],
                "method": run.method,
                "split": made.split,
                "limit": made.limit,
                "exemplars": chosen.id,
                "replaces": run.id,
            }
        )
    return found, calls


def _teaching(request: dict[str, Any]) -> Teaching:
    return Teaching.read(request["parts"][0])


def family(run: Run) -> str:
    """What a generation shares with those that differ from it in the exemplars shown, and in nothing else."""
    return content_hash([plans.plan_of(run).but(shown=()).identity(), run.parents])


def _done(study_id: int, kind: str) -> list[Run]:
    """Finished runs, the one that finished last at the end."""
    done = [run for run in queries.runs(study_id, kind) if run.status == "done"]
    return sorted(done, key=lambda run: (run.finished or run.created, run.id))


# ── arms ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Arm:
    """A trained arm of a study: its evaluation that stands, and what it goes back to."""

    evaluation: Run
    train: Run
    generation: int

    @property
    def plan(self) -> TrainingPlan:
        return plans.plan_of(self.train)

    @property
    def key(self) -> str:
        """Method, student, seed, recipe, filters and D: everything but the texts."""
        made = self.plan
        return content_hash(
            [self.train.student, made.but(config=made.config.but(training_set="")).identity()]
        )

    @property
    def teaching(self) -> Teaching:
        """How its rationales were asked for; of an imported file as many of each question as it used."""
        asked: Teaching = plans.plan_of(queries.run(self.generation)).teaching
        return asked if self.plan.samples == asked.samples else asked.but(samples=self.plan.samples)


def _lineages(study_id: int) -> list[Arm]:
    """Every finished evaluation of a student trained on rationales, the last finished at the end."""
    found = []
    for run in _done(study_id, "evaluate"):
        train = queries.run(run.parents[0]) if run.parents else None
        if train is not None and train.parents:
            found.append(Arm(run, train, train.parents[0]))
    return found


def _arms(study_id: int) -> list[Arm]:
    """The newest of each arm."""
    return list({one.key: one for one in _lineages(study_id)}.values())


def _is_stale(one: Arm) -> bool:
    """Whether it would now learn from another training set, of the same generation or one of its kin."""
    study_id, method, teaching = one.train.study_id, one.train.method, one.teaching
    newest = latest(study_id, method, teaching)
    if newest is None or family(queries.run(newest)) != family(queries.run(one.generation)):
        return False
    form = FORMATS[resolve(one.train.student).format]
    made, _ = build_set(study_id, method, teaching, one.plan.learning, form, role=one.plan.role)
    return made.hash != one.train.training_set


def _request(one: Arm) -> dict[str, Any]:
    """The arm as a stage is asked for it, trained as it was before."""
    return {
        "parts": [one.teaching.dump(), one.plan.learning.dump(), one.plan.asking.dump()],
        "method": one.train.method,
        "student": one.train.student,
        "seed": one.train.seed,
    }


# ── the teachers ────────────────────────────────────────────────────────────────────────────────


def teacher_table(study_id: int, baseline: int | None = None) -> tuple[teachers.TeacherRow, ...]:
    """What the teachers got right, a row a generation. Baseline: this run, else `usual_baseline`."""
    runs = [run for run in queries.runs(study_id, "generate") if run.status == "done"]
    if baseline is not None and baseline not in (run.id for run in runs):
        known = ", ".join(str(run.id) for run in runs) or "none yet"
        raise LabError(f"Run {baseline} is no finished generation of this study: they are {known}.")
    return teachers.table(generations(study_id), usual_baseline(runs) if baseline is None else baseline)


def generations(study_id: int) -> list[teachers.Generation]:
    """The finished generations of a study, with how many of their exemplars reviewers had changed."""
    by_id = {run.id: run for run in queries.runs(study_id, "generate")}
    return [replace(one, edited=edited(by_id[one.run_id])) for one in finished.generations(study_id)]


def usual_baseline(runs: Sequence[Run]) -> int | None:
    """What others stand beside: of the generations shown no exemplar the newest with the fewest samples."""
    bare = [run for run in runs if not shown(run)]
    return min(bare, key=lambda run: (plans.plan_of(run).teaching.samples, -run.id)).id if bare else None


# ── before and after ────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Pair:
    """Two states of one method's rationales: generations `before` and `after`, the same one where only
    reviewed rationales differ; of each arm the evaluations of both, where they are there."""

    before: int
    after: int
    evaluations: tuple[tuple[int, int], ...] = ()

    @property
    def key(self) -> str:
        """How the pair is called in an address."""
        return f"{self.before}-{self.after}"


def pairs(study_id: int) -> list[Pair]:
    """The corrections of a study that were run again, the newest first."""
    everyone = _lineages(study_id)
    found = []
    families: dict[str, list[Run]] = {}
    for run in _done(study_id, "generate"):
        if run.parents:
            families.setdefault(family(run), []).append(run)
    for members in families.values():
        for place, after in enumerate(members[1:], 1):
            before, earlier = members[place - 1], {run.id for run in members[:place]}
            old = {one.key: one.evaluation.id for one in everyone if one.generation in earlier}
            new = {one.key: one.evaluation.id for one in everyone if one.generation == after.id}
            both = tuple((old[key], new[key]) for key in old if key in new)
            found.append(Pair(before.id, after.id, both))
    for generation in {one.generation: None for one in everyone}:
        if not desk.board(generation).items:
            continue
        own: dict[str, list[Arm]] = {}
        for one in everyone:
            if one.generation == generation:
                own.setdefault(one.key, []).append(one)
        both = tuple(
            (arm[-2].evaluation.id, arm[-1].evaluation.id)
            for arm in own.values()
            if len(arm) > 1 and arm[-2].train.training_set != arm[-1].train.training_set
        )
        if both:
            found.append(Pair(generation, generation, both))
    return sorted(found, key=lambda pair: (pair.after, pair.before), reverse=True)


@dataclass(frozen=True, slots=True)
class Effect:
    """What corrections did: what changed, the teacher's row beside the one before, the students' rows."""

    pair: Pair
    changes: tuple[Change, ...]
    teacher: teachers.TeacherRow | None
    students: tuple[results.ArmRow, ...]


def effect(study_id: int, pair: Pair) -> Effect:
    """The difference that a pair's corrections made, each with its interval and paired test."""
    cells = {cell.run_id: cell for cell in finished.evaluations(queries.study(study_id).name)}
    chosen = [
        replace(cells[run_id], variant=f"{name}{_setting(run_id)}")
        for both in pair.evaluations
        for run_id, name in zip(both, (BEFORE, AFTER), strict=True)
    ]
    return Effect(pair, tuple(_changes(pair)), _teacher(study_id, pair), _students(chosen))


def _setting(run_id: int) -> str:
    """What sets arms apart that share method, student and seed."""
    made = plans.plan_of(queries.run(run_id))
    return f", {made.recipe}{', LoRA' if made.tuning == 'lora' else ''}"


def _students(cells: Sequence[results.Cell]) -> tuple[results.ArmRow, ...]:
    """The arms after beside the same arms before, one table for each recipe."""
    rows: list[results.ArmRow] = []
    for setting in dict.fromkeys(cell.variant.partition(", ")[2] for cell in cells):
        own = [cell for cell in cells if cell.variant.partition(", ")[2] == setting]
        for method in dict.fromkeys(cell.method for cell in own):
            some = [cell for cell in own if cell.method == method]
            baseline = results.Baseline(method, variant=f"{BEFORE}, {setting}")
            rows += results.table(some, baseline)
    return tuple(rows)


def _teacher(study_id: int, pair: Pair) -> teachers.TeacherRow | None:
    if pair.before == pair.after:
        return None
    known = {one.run_id: one for one in finished.generations(study_id, (pair.before, pair.after))}
    return teachers.table([known[pair.before], known[pair.after]], pair.before)[1]


def _changes(pair: Pair) -> list[Change]:
    if pair.before != pair.after:
        return exemplar_changes(*(shown(queries.run(run_id)) for run_id in (pair.before, pair.after)))
    old, new = (_rows(run_id) for run_id in pair.evaluations[0])
    return changes(old, new)


def _rows(evaluation: int) -> dict[Any, str]:
    """(question, sample) → label of the rows that a student learnt."""
    digest = queries.run(evaluation).training_set
    rows = queries.training_rows(digest) if digest else []
    return {(row.question_index, row.sample_index): row.label for row in rows}


def edited(run: Run) -> int:
    """How many of a generation's exemplars reviewers had changed."""
    if not run.parents:
        return 0
    chosen = queries.run(run.parents[0])
    decided = [item for item in desk.board(chosen.id).items.values() if item.original is not None]
    if not decided:
        return 0
    dataset_id = queries.study(run.study_id).dataset_id
    questions = queries.questions_by_index(dataset_id, {item.key[0] for item in decided})
    written = {questions[item.key[0]].text.strip(): item.original or "" for item in decided}
    return sum(
        one != parse(one.question, written[one.question]) for one in shown(run) if one.question in written
    )


def reviewed(board: Board) -> int:
    """How many rationales reviewers have edited or rejected, as their review stands."""
    return sum(item.queue == "rejected" or item.text != item.original for item in board.items.values())
