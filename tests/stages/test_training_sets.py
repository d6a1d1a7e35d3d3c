"""Filters through the stages: exemplars of a generation, the run's record, arms of the results."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import stages, studies
from core.records import Score
from core.stages import evaluation, finished, training, training_sets
from core.store import queries
from core.students.formats import FORMATS
from tests import runs
from tests.performing import Silent, plain

METHOD = "new-fine-tune-cot"


@pytest.fixture
def study(lab_home: Path) -> tuple[int, studies.Study]:
    """Worked solutions of generated questions; the teacher was shown the second one as an exemplar."""
    spec = studies.Study(
        name="S", benchmark="arithmetic_generated", options={"size": 20, "seed": 0}, students=["T5 small"]
    )
    study_id = studies.open_study(spec)
    stages.generate(Silent(), {"study_id": study_id, "spec": spec.dump(), "split": "all"}, plain)
    (zero_shot,) = queries.runs(study_id, "generate")
    question = studies.questions(study_id, "train")[1]
    chosen = runs.chosen(zero_shot, question.index)
    request = {"study_id": study_id, "spec": spec.dump(), "method": METHOD, "exemplars": chosen.id}
    stages.generate(Silent(), request | {"split": "all"}, plain)
    return study_id, spec


def filtered(spec: studies.Study, **filters: object) -> studies.Study:
    return spec.but(learning=spec.learning.but(filters=filters))


def built(study_id: int, spec: studies.Study) -> training_sets.Built:
    return training_sets.built(study_id, METHOD, spec.teaching, spec.learning, FORMATS["t5"])


def signature(study_id: int, spec: studies.Study) -> list[object]:
    return training_sets.signature(study_id, METHOD, spec.teaching, spec.learning)


def test_the_exemplars_of_the_generation_are_left_out(study):
    study_id, spec = study
    whole, without = built(study_id, spec), built(study_id, filtered(spec, exemplars="exclude"))
    shown = studies.questions(study_id, "train")[1].index
    assert [row for row in whole.made.rows if row.question_index != shown] == list(without.made.rows)
    assert without.steps[-1] == training_sets.Step("exemplar", len(whole.made.rows), 1)
    only = built(study_id, filtered(spec, exemplars="only"))
    assert [row.question_index for row in only.made.rows] == [shown]


def test_steps_lead_from_all_completions_to_the_rows(study):
    study_id, spec = study
    made = built(study_id, filtered(spec, steps=True, first=1))
    assert made.steps[0].before == training_sets.size(study_id, METHOD, spec.teaching) == 20
    assert [one.after for one in made.steps[:-1]] == [one.before for one in made.steps[1:]]
    assert made.steps[-1].after == len(made.made.rows)
    assert [one.reason for one in made.steps[-2:]] == ["wrong step", "beyond the first"]


def test_a_signature_changes_with_what_the_set_depends_on(study):
    study_id, spec = study
    before = signature(study_id, spec)
    assert before == signature(study_id, spec) == signature(study_id, filtered(spec, steps=False))
    assert before != signature(study_id, filtered(spec, steps=True))


def test_arms_with_other_filters_stand_beside_each_other(study, student):
    """Filters that drop nothing leave the same rows; the arm that asked for them is there all the same."""
    study_id, spec = study
    made = []
    for one in (spec, filtered(spec, max_words=9999), filtered(spec, exemplars="exclude")):
        arm = (study_id, METHOD, student, 0, one.parts)
        trained, _ = training.plan(*arm, "student", "job")
        run_id, _ = evaluation.plan(*arm, {"student": trained}, "job")
        asked = studies.questions(study_id, "test")
        queries.save_completions(run_id, [(runs.written(q.index, ""), Score(False, None)) for q in asked])
        queries.set_run(run_id, status="done")
        made.append((trained, run_id))
    sets = [queries.run(trained).training_set for trained, _ in made]
    assert sets[0] == sets[1] != sets[2]
    cells = finished.evaluations("S")
    assert [(cell.run_id, cell.variant) for cell in cells] == [
        (made[0][1], ""),
        (made[1][1], "max_words=9999"),
        (made[2][1], "exemplars=exclude"),
    ]
