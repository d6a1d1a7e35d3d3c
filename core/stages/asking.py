"""Questions to models and back: programs of a method run with teachers or students, scored and stored.

Every completion is stored as it is finished; what is there is not asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from core.jobs.progress import Progress
from core.methods import driver
from core.methods.base import Given, Program
from core.records import Completion, Question, Sampling
from core.stages.scoring import scorer
from core.store import queries
from core.store.models import Run
from core.teachers.base import Teacher
from core.teachers.desk import Desk

BATCH = 256  # questions in a durable step; every reply is kept as it arrives, so a step may be long

Samples = list[tuple[Question, int]]


def batches(n: int) -> list[tuple[int, int]]:
    """n questions cut into durable steps, [first, last) each."""
    return [(first, min(first + BATCH, n)) for first in range(0, n, BATCH)]


def missing(run_id: int, questions: Sequence[Question], samples: int) -> Samples:
    """(question, sample) of what a run lacks."""
    finished = queries.finished_samples(run_id)
    return [(q, sample) for q in questions for sample in range(samples) if (q.index, sample) not in finished]


def ask(
    progress: Progress,
    run: Run,
    stage: str,
    lacking: Samples,
    total: int,
    make: Callable[[Question, Given], Program],
    given: Given,
    sampling: Sampling,
    panel: Mapping[str, Teacher],
) -> int:
    """Have the models of the panel, by role, answer what is lacking. Returns how many are written."""
    with Desk(panel, run.id, progress.holder, progress.check) as desk:
        return store(
            progress, run, stage, total, driver.run(driver.started(lacking, make, given, sampling), desk)
        )


def store(progress: Progress, run: Run, stage: str, total: int, written: Iterable[Completion]) -> int:
    """Score and store completions as they come. Returns how many."""
    own, before = scorer(run.study_id), len(queries.finished_samples(run.id))
    done = before
    progress.at(stage, done, total)
    for done, completion in enumerate(written, before + 1):
        queries.save_completions(run.id, [(completion, own.completion(completion))])
        progress.at(stage, done, total)
    return done - before
