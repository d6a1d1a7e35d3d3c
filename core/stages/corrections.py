"""Correction pays? What depends on a review, how it is run again, and what the edits changed.

plan(run)    of the run under review → Rerun: generations to ask again, arms to train and evaluate again
submit(run)  one job that does exactly that; the same again finds nothing to do
pairs(study) before and after: two generations that differ in reviewed exemplars only, or two training
             sets of one generation that differ by its reviewed rationales

An exemplar that was edited or rejected changes what the teacher is shown, so a generation, and with it the
training sets and students made of it. A rationale that was edited or rejected in a generation changes the
training sets made of it alone. Nothing is overwritten: the earlier runs stay, to be compared with.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass, replace
from typing import Any

from core import jobs, methods
from core.errors import LabError
from core.methods import METHODS
from core.records import content_hash
from core.results import table as results
from core.results import teachers
from core.results.corrections import Change, changes, exemplar_changes
from core.review import desk
from core.review.fold import Board
from core.stages import exemplars, finished, plans
from core.stages.generation import given, latest, run_questions, shown
from core.stages.plans import EvaluationPlan, GenerationPlan, TrainingPlan
from core.stages.reviewed import reviewed_run
from core.stages.training import build_set
from core.store import queries
from core.store.models import Run
from core.students.formats import FORMATS
from core.students.part import Asking, Learning
from core.students.table import resolve
from core.teachers import TEACHERS, prices, queue
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
    run, _ = reviewed_run(run_id)
    generations = queries.finished(run.study_id, "generate")
    newest = {family(one): one for one in generations if run_id in one.parents}  # that were shown it
    stale = {kin: now for kin, one in newest.items() if (now := _planned(one)) != plans.plan_of(one)}
    own = {family(one) for one in generations if one.id == run_id} | newest.keys()
    again, arms = [], []
    for one in {one.key: one for one in _arms(run.study_id)}.values():
        kin = family(queries.run(one.generation))
        if kin in stale or (kin in own and _is_stale(one)):
            again.append(one.evaluation)
            arms.append(one.request | {"after": newest[kin].id if kin in stale else None})
    requests = [_request(newest[kin], now) for kin, now in stale.items()]
    calls = sum(_calls(newest[kin], now) for kin, now in stale.items())
    others = {*map(_name, queries.finished(run.study_id, "evaluate"))} - {*map(_name, again)}
    return Rerun(run_id, tuple(requests), tuple(arms), len(others), calls)


def _name(evaluation: Run) -> tuple[str, str, int, int]:
    return evaluation.method, evaluation.student, evaluation.seed, plans.plan_of(evaluation).samples


def submit(run_id: int) -> str:
    """Queue one job that runs what depends on the review. Returns its id; LabError where nothing does."""
    made = plan(run_id)
    if made.empty:
        raise LabError("Nothing depends on what changed: every result was made from the current texts.")
    study_id = queries.run(run_id).study_id
    request = {"run": run_id, "generations": list(made.generations), "arms": list(made.arms)}
    asked = [config for one in made.generations for config in one["parts"][0]["teachers"].values()]
    title = f"After the review of run {run_id}: {said(made)}"
    where = "device" if made.arms else queue(asked)
    return jobs.submit(KIND, title, request | {"study_id": study_id}, study_id, queue=where)


def said(made: Rerun) -> str:
    """ "1 generation of at most 120 calls, 2 arms"."""
    generations, arms = len(made.generations), len(made.arms)
    parts = [
        f"{generations} generation{'' if generations == 1 else 's'} of at most {made.calls:,} calls",
        f"{arms} arm{'' if arms == 1 else 's'}",
    ]
    return ", ".join(part for part, n in zip(parts, (generations, arms), strict=True) if n) or "nothing"


# ── generations ─────────────────────────────────────────────────────────────────────────────────


def _planned(run: Run) -> GenerationPlan:
    """The plan that a generation would have now, with the exemplars as its reviewers have left them."""
    made: GenerationPlan = plans.plan_of(run)
    return made.but(shown=[asdict(one) for one in exemplars.as_reviewed(run.parents[0])])


def _request(run: Run, now: GenerationPlan) -> dict[str, Any]:
    """A generation as a stage is asked for it."""
    asked = {"method": now.method, "split": now.split, "limit": now.limit}
    parts = [now.teaching.dump(), {}, {}]
    return {"parts": parts, **asked, "exemplars": run.parents[0], "replaces": run.id}


def _calls(run: Run, now: GenerationPlan) -> int:
    """Calls that it takes at most."""
    teaching = now.teaching
    if not all(TEACHERS[str(config["key"])].writes for config in teaching.teachers.values()):
        return 0
    return methods.estimate(
        run_questions(run),
        METHODS[now.method],
        {role: prices(config) for role, config in teaching.teachers.items()},
        teaching.sampled(METHODS[now.method].sampling),
        given=given(run.study_id, now.method, teaching.prompting, now.exemplars),
        samples=teaching.samples,
    ).calls


def family(run: Run) -> str:
    """What a generation shares with those that differ from it in the exemplars shown, and in nothing else."""
    return content_hash([plans.plan_of(run).but(shown=()).identity(), run.parents])


# ── arms ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Arm:
    """A finished evaluation, and the training of its students, role by role, on what a generation wrote."""

    evaluation: Run
    trained: tuple[Run, ...]

    @property
    def generation(self) -> int:
        return self.trained[0].parents[0]

    @property
    def rows(self) -> tuple[str | None, ...]:
        """The hashes of what its students learnt."""
        return tuple(run.training_set for run in self.trained)

    @property
    def key(self) -> str:
        """Method, student, seed, recipe, filters and D: everything but the texts."""
        made: list[TrainingPlan] = [plans.plan_of(run) for run in self.trained]
        return content_hash([one.but(config=one.config.but(training_set="")).identity() for one in made])

    @property
    def parts(self) -> tuple[Teaching, Learning, Asking]:
        """How it was taught, trained and asked; of an imported file as many of each question as it used."""
        made: TrainingPlan = plans.plan_of(self.trained[0])
        taught: Teaching = plans.plan_of(queries.run(self.generation)).teaching
        return taught.but(samples=made.samples), made.learning, made.asking

    @property
    def request(self) -> dict[str, Any]:
        """The arm as a stage is asked for it."""
        run = self.evaluation
        named = {"method": run.method, "student": run.student, "seed": run.seed}
        return {"parts": [part.dump() for part in self.parts], **named}


def _arms(study_id: int) -> list[Arm]:
    """Every finished evaluation of students that learnt from rationales, the last finished at the end."""
    arms = [Arm(run, tuple(map(queries.run, run.parents))) for run in queries.finished(study_id, "evaluate")]
    return [one for one in arms if one.trained and one.trained[0].parents]


def _is_stale(one: Arm) -> bool:
    """Whether its students would now learn other rows, of the same generation or of one of its kin."""
    run, (teaching, learning, _) = one.evaluation, one.parts
    newest = latest(run.study_id, run.method, teaching)
    if newest is None or family(queries.run(newest)) != family(queries.run(one.generation)):
        return False
    form = FORMATS[resolve(run.student).format]
    roles = (plans.plan_of(trained).role for trained in one.trained)
    sets = (build_set(run.study_id, run.method, teaching, learning, form, role=role)[0] for role in roles)
    return any(made.hash != rows for made, rows in zip(sets, one.rows, strict=True))


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
    everyone = _arms(study_id)
    found = []
    families: dict[str, list[int]] = defaultdict(list)
    for run in queries.finished(study_id, "generate"):
        if run.parents:
            families[family(run)].append(run.id)
    for members in families.values():
        for place, after in enumerate(members[1:], 1):
            old = {one.key: one.evaluation.id for one in everyone if one.generation in members[:place]}
            new = {one.key: one.evaluation.id for one in everyone if one.generation == after}
            both = tuple((old[key], new[key]) for key in old if key in new)
            found.append(Pair(members[place - 1], after, both))
    for generation in {one.generation: None for one in everyone}:
        if not desk.board(generation).items:
            continue
        own: dict[str, list[Arm]] = defaultdict(list)
        for one in everyone:
            if one.generation == generation:
                own[one.key].append(one)
        last = [arms[-2:] for arms in own.values() if len(arms) > 1 and arms[-2].rows != arms[-1].rows]
        if last:
            both = tuple((before.evaluation.id, after.evaluation.id) for before, after in last)
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
    alike: dict[tuple[str, str], list[results.Cell]] = defaultdict(list)  # of one method, trained one way
    for both in pair.evaluations:
        for run_id, name in zip(both, (BEFORE, AFTER), strict=True):
            made: EvaluationPlan = plans.plan_of(queries.run(run_id))
            setting = f"{made.recipe}{', LoRA' if made.tuning == 'lora' else ''}"
            cell = replace(cells[run_id], variant=f"{name}, {setting}")
            alike[setting, cell.method].append(cell)
    students = [
        row
        for (setting, method), some in alike.items()
        for row in results.table(some, results.Baseline(method, variant=f"{BEFORE}, {setting}"))
    ]
    if pair.before == pair.after:
        learnt = (_rows(run_id) for run_id in pair.evaluations[0])
        return Effect(pair, tuple(changes(*learnt)), None, tuple(students))
    changed = exemplar_changes(*(shown(queries.run(run_id)) for run_id in (pair.before, pair.after)))
    known = {one.run_id: one for one in finished.generations(study_id, (pair.before, pair.after))}
    teacher = teachers.table([known[pair.before], known[pair.after]], pair.before)[1]
    return Effect(pair, tuple(changed), teacher, tuple(students))


def _rows(evaluation: int) -> dict[Any, str]:
    """(question, sample) → label of the rows that a student learnt."""
    digest = queries.run(evaluation).training_set
    rows = queries.training_rows(digest) if digest else []
    return {(row.question_index, row.sample_index): row.label for row in rows}


def reviewed(board: Board) -> int:
    """How many rationales reviewers have edited or rejected, as their review stands."""
    return sum(item.queue == "rejected" or item.text != item.original for item in board.items.values())
