"""Exemplars: the questions clustered and drawn as a map, one chosen per cluster, as reviewed by people.

An exemplars run keeps a Point for each question. Which questions are exemplars is never stored: it is the
first of each cluster that qualifies and is not rejected, so a decision takes effect at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from math import isqrt
from typing import Any

from core import exemplars, process, studies
from core.errors import LabError, RefusedError
from core.exemplars.candidates import Candidate, exemplar, from_completion
from core.exemplars.prompt import parse
from core.jobs.progress import Progress
from core.records import Exemplar, Question, content_hash
from core.review.fold import Board, ReviewItem
from core.stages import plans
from core.stages.generation import latest
from core.stages.plans import ExemplarsPlan
from core.store import queries
from core.store.models import Completion, Point, Run, now
from core.students.formats import spoken
from core.teachers.part import Teaching

ZERO_SHOT = "fine-tune-cot"  # the method whose rationales exemplars are chosen from: its teacher saw none
SETTINGS = ("rules", "k", "seed", "n_init", "encoder", "text", "own")
# Numbers of clusters whose inertia and silhouette a run keeps: of the larger ones as many as the root of
# the number of questions asks for.
COMPARED, LARGER = tuple(range(1, 17)), (20, 24, 32, 40, 48, 64)
NEAR = range(-4, 5)  # and those around the k that was chosen


def plan(study_id: int, asked: dict[str, Any], job_id: str, teaching: Teaching | None = None) -> int:
    """Open the run over the newest zero-shot rationales, asked for as `teaching` says if given.

    Returns its id.
    """
    if (parent_id := latest(study_id, ZERO_SHOT, teaching)) is None:
        raise LabError("There are no zero-shot rationales to choose from: generate or import them first.")
    parent = queries.run(parent_id)
    settings = {"rules": "paper"} | {name: asked[name] for name in SETTINGS if asked.get(name) is not None}
    made = ExemplarsPlan(
        method="", settings=settings, rationales=content_hash(queries.completion_counts(parent_id))
    )
    run = plans.opened(
        study_id,
        made,
        (parent,),
        ("sentence-transformers", "scikit-learn", "umap-learn"),
        teacher=parent.teacher,
        seed=settings.get("seed", exemplars.SEED),
        job_id=job_id,
    )
    if run.status != "done":
        queries.set_run(run.id, status="running", job_id=job_id)
    return run.id


def choose(progress: Progress, run_id: int) -> dict[str, Any]:
    """Encode, cluster, project and select, in a process of its own so that memory is given back."""
    run = queries.run(run_id)
    if run.status == "done":
        return run.summary
    rows = candidates(run)
    dataset = queries.dataset(queries.study(run.study_id).dataset_id).key
    progress.at("Embeds and clusters the questions", 0, len(rows))
    with process.pool() as pool:
        future = pool.submit(
            _arranged, [candidate for candidate, _ in rows], dataset, plans.plan_of(run).settings
        )
        try:
            points, summary = process.result(pool, future, progress.check)
        except BrokenProcessPool:
            raise LabError(
                "The clustering process died, probably for lack of memory: resume the job."
            ) from None
    samples = {candidate.index: sample for candidate, sample in rows}
    queries.save_points(
        run_id, [point | {"sample_index": samples[point["question_index"]]} for point in points]
    )
    queries.set_run(run_id, status="done", summary=summary, finished=now())
    progress.at("Embeds and clusters the questions", len(rows), len(rows))
    progress.say(
        f"{summary['picks']} exemplars from {summary['k']} clusters of {summary['records']} questions."
    )
    for sentence in summary["gaps"]:
        progress.say(sentence)
    return summary


def candidates(run: Run) -> list[tuple[Candidate, int]]:
    """What an exemplars run chooses from: (candidate, its sample), train questions only.

    The papers cluster all questions; an exemplar is checked against its gold answer, so the test
    questions are left out here.
    """
    questions = {q.index: q for q in studies.questions(run.study_id, "train")}
    first: dict[int, Completion] = {}
    for row in queries.completions(run.parents[0], failed=False):
        if row.question_index in questions:
            first.setdefault(row.question_index, row)
    return [(from_completion(questions[i], row), row.sample_index) for i, row in first.items()]


def _arranged(
    rows: list[Candidate], dataset: str, config: dict[str, Any]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The points and the summary of an arrangement, as plain values. Runs in its own process."""
    from core.datasets.duplicates import duplicates
    from core.exemplars.kept import curve, projected
    from core.exemplars.selection import failures, rank

    made = exemplars.choose(rows, dataset=dataset, **config)
    shown = projected(made.embeddings, made.settings["seed"])
    groups = duplicates([c.question for c in made.candidates])
    group = {position: number for number, members in enumerate(groups) for position in members}
    places = {
        position: place
        for members in rank(made.clusters.labels, made.clusters.distances, made.clusters.k)
        for place, position in enumerate(members, 1)
    }
    points = [
        {
            "question_index": candidate.index,
            "cluster": int(made.clusters.labels[i]),
            "rank": places[i],
            "distance": float(made.clusters.distances[i]),
            "x": float(shown.points[i, 0]),
            "y": float(shown.points[i, 1]),
            "correct": candidate.correct,
            "words": len(candidate.question.split()),
            "failures": list(failures(candidate, made.limits)),
            "duplicate": group.get(i),
        }
        for i, candidate in enumerate(made.candidates)
    ]
    chosen = made.selection
    summary = made.settings | {
        "records": chosen.records,
        "eligible": chosen.eligible,
        "correct_among_eligible": chosen.accuracy,
        "picks": len(chosen.picks),
        "gaps": [gap.sentence for gap in chosen.gaps],
        "inertia": made.clusters.inertia,
        "curves": [
            asdict(curve(made.embeddings, k, made.settings["seed"], 1))
            for k in compared(len(made.candidates), made.clusters.k)
        ],
        "map": shown.method,
        "note": shown.note,
    }
    return points, summary


def compared(n: int, k: int) -> list[int]:
    """The numbers of clusters whose fit is shown beside the chosen k of n questions, in order."""
    asked = {*COMPARED, *(more for more in LARGER if more <= isqrt(n)), *(k + step for step in NEAR)}
    return sorted(number for number in asked if 1 <= number <= n)


@dataclass(frozen=True, slots=True)
class Slot:
    """The exemplar of one cluster as it stands: its place on the map, its question and its review."""

    point: Point
    question: Question
    text: str  # what the teacher is shown after "A: "
    original: str
    item: ReviewItem

    def exemplar(self) -> Exemplar:
        """The triple; LabError where an edit removed the answer."""
        return parse(self.question.text.strip(), self.text)


def standing(run_id: int, board: Board) -> list[Slot]:
    """The exemplars that stand, in the order of their clusters; rejected ones have made room."""
    return [slot(run_id, point, board) for point in nearest(queries.points(run_id), board)]


def nearest(points: Iterable[Point], board: Board) -> list[Point]:
    """Of each cluster the point nearest to its centre that qualifies and is not rejected."""
    rejected = {key for key, item in board.items.items() if item.queue == "rejected"}
    best: dict[int, Point] = {}
    for point in points:
        if point.failures or (point.cluster in best and best[point.cluster].rank <= point.rank):
            continue
        if (point.question_index, point.sample_index) not in rejected:
            best[point.cluster] = point
    return [best[number] for number in sorted(best)]


def slot(run_id: int, point: Point, board: Board) -> Slot:
    """One question of an exemplars run as a card shows it."""
    run = queries.run(run_id)
    question = queries.question(queries.study(run.study_id).dataset_id, point.question_index)
    stored = queries.completion_of(run.parents[0], point.question_index, point.sample_index)
    original = spoken(exemplar(from_completion(question, stored)))
    item = board.item((point.question_index, point.sample_index))
    return Slot(point, question, original if item.text is None else item.text, original, item)


def newest(study_id: int, rules: str | None = None) -> int | None:
    """The study's newest finished exemplars run, if any; by these rules, if given."""
    done = [
        run.id
        for run in queries.runs(study_id, "exemplars")
        if run.status == "done" and rules in (None, plans.plan_of(run).settings["rules"])
    ]
    return done[-1] if done else None


def as_reviewed(run_id: int) -> list[Exemplar]:
    """What the teacher is shown: the exemplars that stand, with the reviewers' edits."""
    from core.review import desk

    found = [one.exemplar() for one in standing(run_id, desk.board(run_id))]
    if not found:
        raise RefusedError(
            "No exemplar qualifies: choose other rules or fewer clusters, or bring back a rejected one."
        )
    return found
