"""Checks: every rationale of a generation is looked at once, in batches, and what is said is kept.

A generation is checked when it closes; an older one, or one of other checks, by a job of its own. A batch
that is there is not done again.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.jobs.progress import Progress
from core.quality import checks
from core.quality.version import version
from core.records import Exemplar, Question
from core.stages.generation import shown
from core.store import checked, queries
from core.store.models import Completion, Run

BATCH = 500  # rationales in a durable step, about a second
STAGE = "Checks every rationale"


def seen(run: Run) -> bool:
    """Whether the checks as they are now have looked at all rationales of a generation."""
    return run.summary.get("checked") == version()


def plan(run_id: int) -> tuple[int, list[tuple[int, int]]]:
    """How many completions these checks have not seen, and their ids in batches [first, last]."""
    ids = checked.missing(run_id)
    batches = [ids[start : start + BATCH] for start in range(0, len(ids), BATCH)]
    return len(ids), [(some[0], some[-1]) for some in batches]


def batch(progress: Progress, run_id: int, first: int, last: int, done: int, total: int) -> int:
    """Check what is missing from `first` to `last`. Returns how many rationales are flagged."""
    progress.at(STAGE, done, total)
    flagged = _look(run_id, first, last)
    progress.at(STAGE, min(done + BATCH, total), total)
    return flagged


def close(progress: Progress, run_id: int, total: int, flagged: int) -> None:
    """Say in the run's summary by which checks it was seen."""
    _mark(run_id)
    if total:
        progress.say(f"{total} rationales checked, {flagged} of them flagged.")


def at_once(run_id: int) -> None:
    """All of it here and now, for commands."""
    for first, last in plan(run_id)[1]:
        _look(run_id, first, last)
    _mark(run_id)


def _look(run_id: int, first: int, last: int) -> int:
    run = queries.run(run_id)
    used, rows = shown(run), checked.waiting(run_id, first, last)
    indices = {row.question_index for row in rows}
    asked = {q.index: q for q in queries.questions_of(queries.study(run.study_id).dataset_id, indices)}
    found = {row.id: tuple(checks.problems(item(asked[row.question_index], row, used=used))) for row in rows}
    checked.save(found)
    return sum(bool(flags) for flags in found.values())


def _mark(run_id: int) -> None:
    queries.set_run(run_id, summary=queries.run(run_id).summary | {"checked": version()})


def item(
    question: Question, completion: Completion, text: str | None = None, used: Sequence[Exemplar] = ()
) -> checks.Rationale:
    """A rationale as the checks take it; `text` stands in for what the teacher wrote."""
    unchanged = text is None or text == completion.rationale
    return checks.Rationale(
        question.text,
        completion.rationale if text is None else text,
        completion.value,
        question.answer,
        tuple(used),
        completion.finish_reason if unchanged else "stop",
        completion.correct,
    )
