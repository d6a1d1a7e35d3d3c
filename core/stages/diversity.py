"""How alike a generation's rationales are: measured once, when it closes, and stored by question.

measure(run)   {"diversity": {"questions": 276, "n": 8.0, "texts": 6.1, "paths": 2.3, "similarity": 0.64,
                "effective": 3.2}}       averages over the questions that have several rationales
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from core.jobs.progress import Progress
from core.progress import Report, silent
from core.quality import diversity
from core.quality.diversity import Diversity
from core.stages import plans
from core.store import queries

STAGE = "Measures how similar the rationales are"
DIGITS = 6


def measure(run_id: int, at: Report = silent) -> dict[str, Any]:
    """Store the measures of every question with several rationales. Returns what the run's summary says.

    Nothing for a run that asks for one rationale per question.
    """
    if plans.plan_of(queries.run(run_id)).teaching.samples < 2:
        return {}
    several = [(index, texts) for index, texts in queries.rationales(run_id) if len(texts) > 1]
    measured: dict[int, Diversity] = {}
    for index, texts in several:
        at(STAGE, len(measured), len(several))
        measured[index] = _rounded(diversity.diversity(texts))
    queries.save_diversity(run_id, [{"question_index": i, **asdict(one)} for i, one in measured.items()])
    average = diversity.mean(list(measured.values()))
    return {"diversity": {"questions": len(measured)} | (asdict(average) if average else {})}


def _rounded(one: Diversity) -> Diversity:
    """Without the noise of floating point, so that equally diverse questions are in order."""
    alike = None if one.similarity is None else round(one.similarity, DIGITS)
    return replace(one, similarity=alike, effective=round(one.effective, DIGITS))


def again(progress: Progress, run_id: int) -> None:
    """Measure a generation that closed without."""
    summary = queries.run(run_id).summary
    queries.set_run(run_id, summary=summary | measure(run_id, progress.at))
    progress.say("The rationales are measured.")
