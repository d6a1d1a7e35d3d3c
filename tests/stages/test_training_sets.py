"""Filters through the stages: exemplars of a generation, the run's record, arms of the results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core import stages, studies
from core.records import Score
from core.stages import evaluation, finished, generation, training, training_sets
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


def test_equal_rows_of_two_studies_have_each_their_own_lineage(study, student, tmp_path):
    """What was dropped, and which rationales the rows are made of, is said by each training run itself."""
    worked_id, worked = study
    asked = {q.index: q for split in ("train", "test") for q in studies.questions(worked_id, split)}
    lines = [
        {"index": q.index, "sample": sample, "rationale": q.solution, "answer": q.answer}
        for q in asked.values()
        for sample in (0, 1)
    ]
    file = tmp_path / "two.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    imported = worked.but(name="Imported")
    imported_id = studies.open_study(imported)
    made = generation.import_file(imported_id, file, "jsonl")

    found = []
    for study_id, spec in ((worked_id, worked), (imported_id, imported)):
        run_id, _ = training.plan(study_id, "fine-tune-cot", student, 0, spec.parts, "student", "job")
        found.append(queries.run(run_id))
    first, second = found
    assert first.training_set == second.training_set and first.id != second.id
    tests = len(studies.questions(worked_id, "test"))
    assert first.summary["dropped"] == {"other split": tests}
    assert second.summary["dropped"] == {"further samples": len(asked), "other split": tests}
    assert second.parents == [made["run"]] != first.parents
    for run in found:
        for row in queries.training_rows(run.training_set):
            stored = queries.completion_of(run.parents[0], row.question_index, row.sample_index)
            assert stored.run_id == run.parents[0] and stored.rationale.strip() in row.label
