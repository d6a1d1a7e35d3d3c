"""Filters through the stages: exemplars of a generation, the run's record, arms of the results."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import stages, studies
from core.records import Prediction, Score
from core.stages import evaluation, finished, training, training_sets
from core.store import queries
from core.students.formats import FORMATS
from tests.performing import Silent, plain

METHOD = "new-fine-tune-cot"


@pytest.fixture
def study(lab_home: Path) -> tuple[int, studies.Spec]:
    """Worked solutions of generated questions; the teacher was shown the second one as an exemplar."""
    bare = studies.Spec(name="S", benchmark="arithmetic_generated", options={"size": 20, "seed": 0})
    question = studies.questions(studies.open_study(bare), "train")[1]
    shown = {"question": question.text, "rationale": question.solution, "answer": question.answer}
    given = {"prompting": {"exemplars": [shown]}, "students": ["T5 small"]}
    spec = studies.from_dict(bare.as_dict() | given)
    study_id = studies.open_study(spec)
    request = {"study_id": study_id, "spec": spec.as_dict(), "method": METHOD, "split": "all"}
    stages.generate(Silent(), request, plain)
    return study_id, spec


def filtered(spec: studies.Spec, **filters: object) -> studies.Spec:
    return studies.from_dict(spec.as_dict() | {"filters": filters})


def test_the_exemplars_of_the_generation_are_left_out(study):
    study_id, spec = study
    whole = training_sets.built(study_id, spec, METHOD, FORMATS["t5"])
    built = training_sets.built(study_id, filtered(spec, exemplars="exclude"), METHOD, FORMATS["t5"])
    shown = studies.questions(study_id, "train")[1].index
    assert [row for row in whole.made.rows if row.question_index != shown] == list(built.made.rows)
    assert built.steps[-1] == training_sets.Step("exemplar", len(whole.made.rows), 1)
    only = training_sets.built(study_id, filtered(spec, exemplars="only"), METHOD, FORMATS["t5"])
    assert [row.question_index for row in only.made.rows] == [shown]


def test_steps_lead_from_all_completions_to_the_rows(study):
    study_id, spec = study
    built = training_sets.built(study_id, filtered(spec, steps=True, first=1), METHOD, FORMATS["t5"])
    assert built.steps[0].before == training_sets.size(study_id, spec, METHOD) == 20
    assert [one.after for one in built.steps[:-1]] == [one.before for one in built.steps[1:]]
    assert built.steps[-1].after == len(built.made.rows)
    assert [one.reason for one in built.steps[-2:]] == ["wrong step", "beyond the first"]


def test_a_signature_changes_with_what_the_set_depends_on(study):
    study_id, spec = study
    before = training_sets.signature(study_id, spec, METHOD)
    assert before == training_sets.signature(study_id, spec, METHOD)
    assert before == training_sets.signature(study_id, filtered(spec, steps=False), METHOD)
    assert before != training_sets.signature(study_id, filtered(spec, steps=True), METHOD)


def test_arms_with_other_filters_stand_beside_each_other(study):
    """Filters that drop nothing leave the same rows; the arm that asked for them is there all the same."""
    study_id, spec = study
    runs = []
    for one in (spec, filtered(spec, max_words=9999), filtered(spec, exemplars="exclude")):
        trained, _ = training.plan(study_id, one, METHOD, "T5 small", 0, "job")
        run_id, _ = evaluation.plan(study_id, one, METHOD, "T5 small", 0, trained, "job")
        queries.save_predictions(
            run_id,
            [(Prediction(q.index, "", ""), Score(False, None)) for q in studies.questions(study_id, "test")],
        )
        queries.set_run(run_id, status="done")
        runs.append((trained, run_id))
    sets = [queries.run(trained).training_set for trained, _ in runs]
    assert sets[0] == sets[1] != sets[2]
    cells = finished.evaluations("S")
    assert [(cell.run_id, cell.variant) for cell in cells] == [
        (runs[0][1], ""),
        (runs[1][1], "max_words=9999"),
        (runs[2][1], "exemplars=exclude"),
    ]
