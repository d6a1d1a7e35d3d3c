"""The text of a rationale before anybody decided on it, by what kind of run is reviewed.

generate    the rationale as the teacher wrote it
exemplars   the exemplar as few-shot-CoT shows it, made of the generation that is the run's first parent
"""

from __future__ import annotations

from collections.abc import Collection

from core.errors import LabError
from core.records import Question
from core.review.fold import Key
from core.store import models, queries

ORIGINALS = ("generate", "exemplars")
FEW = 20  # rationales, below which each is read by itself


def original(run_id: int, key: Key) -> str:
    """The text as the teacher wrote it. LabError where the run holds no such rationale."""
    run = queries.run(run_id)
    if run.kind not in ORIGINALS:
        raise LabError(f"Run {run_id} ({run.kind}) has no rationales to review: choose a generate run.")
    if run.kind == "generate":
        return queries.completion_of(run.id, *key).rationale
    question = queries.question(queries.study(run.study_id).dataset_id, key[0])
    return _spoken(question, queries.completion_of(run.parents[0], *key))


def originals(run_id: int, keys: Collection[Key]) -> dict[Key, str]:
    """`original` of many rationales, read together; those that the run does not hold are left out."""
    run = queries.run(run_id)
    if len(keys) < FEW:
        return {key: original(run_id, key) for key in keys}
    wanted = set(keys)
    rows = queries.completions(run.parents[0] if run.kind == "exemplars" else run.id, failed=False)
    found = {key: row for row in rows if (key := (row.question_index, row.sample_index)) in wanted}
    if run.kind != "exemplars":
        return {key: row.rationale for key, row in found.items()}
    questions = {q.index: q for q in queries.questions(queries.study(run.study_id).dataset_id)}
    return {key: _spoken(questions[row.question_index], row) for key, row in found.items()}


def _spoken(question: Question, stored: models.Completion) -> str:
    from core.exemplars.candidates import exemplar, from_completion
    from core.exemplars.prompt import spoken

    return spoken(exemplar(from_completion(question, stored)))
