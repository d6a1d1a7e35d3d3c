"""A whole study through its stages, with a tiny student in a real child process."""

from __future__ import annotations

import pytest

from core import jobs, settings, studies
from core.errors import LabError
from core.jobs.workflows import perform
from core.results.table import table
from core.review import desk
from core.stages import children, exemplars, finished, generation, scoring
from core.store import queries
from tests.performing import done, plain

TRAIN, TEST = 24, 8
pytestmark = pytest.mark.usefixtures("queued")


def run(kind: str, spec: studies.Study, **request) -> str:
    return done(studies.submit(kind, "t", spec, request))


def spec(student: str, **changes) -> studies.Study:
    """The demo study, smaller, with another student."""
    values = {
        "name": "Flips", "benchmark": "coin_flip_generated", "options": {"size": 36, "flips": 4},
        "train": TRAIN, "test": TEST, "recipe": "demo", "max_new_tokens": 8, "students": [student],
        "methods": ["zero-shot", "fine-tune", "fine-tune-cot"], "training": {"epochs": 1},
    }  # fmt: skip
    return studies.Study(**values | changes)


def test_every_cell_leads_back_to_predictions_rows_rationales_and_questions(flips):
    study, _ = flips
    (taught,) = queries.runs(study, "generate")
    cells = finished.evaluations(queries.study(study).name)
    assert [(c.method, len(c.correct)) for c in cells] == [
        ("zero-shot", TEST),
        ("fine-tune", TEST),
        ("fine-tune-cot", TEST),
    ]
    evaluated = queries.run(cells[-1].run_id)
    trained = queries.run(evaluated.parents[0])
    assert trained.parents == [taught.id]
    rows = queries.training_rows(trained.training_set)
    assert len(rows) == TRAIN
    for row in rows:
        completion = queries.completion_of(taught.id, row.question_index, row.sample_index)
        question = queries.question(queries.study(study).dataset_id, row.question_index)
        assert completion.correct and completion.question_index == row.question_index
        assert row.label == f" {completion.rationale.strip()} --> {question.answer}"
    assert {m.name for m in queries.metrics(trained.id)} >= {"loss", "learning_rate"}
    card = children.student(trained) / "README.md"
    assert trained.training_set in card.read_text(encoding="utf-8")
    assert len(table(cells)) == 3


def test_the_same_study_again_computes_nothing(flips):
    study, student = flips
    before = [(r.id, r.kind, r.hash) for r in queries.runs(study)]
    folder = settings.folder("runs")
    stamps = {p: p.stat().st_mtime_ns for p in folder.rglob("*.safetensors")}
    run("study", spec(student))
    assert [(r.id, r.kind, r.hash) for r in queries.runs(study)] == before
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("*.safetensors")} == stamps


def test_another_training_makes_another_student_and_the_table_keeps_both(flips):
    study, student = flips
    run("train", spec(student, training={"epochs": 2}), method="fine-tune-cot", student=student, seed=0)
    cells = [c for c in finished.evaluations(queries.study(study).name) if c.method == "fine-tune-cot"]
    assert [c.variant for c in cells] == [f"earlier, run {cells[0].run_id}", ""]
    assert len(table(cells)) == 2, "two settings are two arms, never pooled"


def test_rescoring_reads_the_same_texts_and_makes_no_call(lab_home, student):
    study = jobs.job(run("generate", spec(student))).study_id
    (result,) = scoring.rescore_study(study, "robust")
    assert (result["n"], result["correct_before"], result["correct_after"]) == (TRAIN, TRAIN, TRAIN)
    assert result["flips"] == []


def test_a_child_that_cannot_work_says_one_sentence(lab_home, student):
    asked = spec(student)
    job_id = studies.submit(
        "train", "t", asked, {"method": "fine-tune", "student": "no/such-model", "seed": 0}
    )
    assert perform(job_id, plain) == "failed"
    error = jobs.job(job_id).error or ""
    assert "no/such-model" in error and error.count(". ") == 0


def test_training_without_rationales_writes_them_first(lab_home, student):
    job_id = run("train", spec(student), method="fine-tune-cot", student=student, seed=0)
    assert [r.kind for r in queries.runs(jobs.job(job_id).study_id)] == ["generate", "train", "evaluate"]


def test_new_fine_tune_cot_from_zero_shot_to_student_and_an_edit_reruns_what_depends(clustered_flips):
    study, student = clustered_flips
    kinds = [(r.kind, r.method) for r in queries.runs(study)]
    assert kinds == [
        ("generate", "fine-tune-cot"),
        ("exemplars", ""),  # which several methods share
        ("generate", "new-fine-tune-cot"),
        ("train", "new-fine-tune-cot"),
        ("evaluate", "new-fine-tune-cot"),
    ]
    chosen = queries.runs(study, "exemplars")[0]
    slots = exemplars.standing(chosen.id, desk.board(chosen.id))
    assert len(slots) + len(chosen.summary["gaps"]) == 3
    assert all(slot.point.correct for slot in slots), "with the paper's rules no exemplar is wrong"
    assert len(queries.points(chosen.id)) == TRAIN

    first = slots[0]
    key = (first.point.question_index, first.point.sample_index)
    desk.decide(chosen.id, key, "reject", "ana", seen=0, before=first.text, reason="unclear")
    after = exemplars.standing(chosen.id, desk.board(chosen.id))
    replaced = next(slot for slot in after if slot.point.cluster == first.point.cluster)
    assert replaced.point.rank > first.point.rank

    text = replaced.text.replace("The coin starts", "At first the coin is")
    desk.decide(
        chosen.id, (replaced.point.question_index, replaced.point.sample_index), "edit", "ana",
        seen=0, before=replaced.text, after=text,
    )  # fmt: skip
    run("study", spec(student, methods=["new-fine-tune-cot"], clusters={"rules": "paper", "k": 3}))
    generations = [r for r in queries.runs(study, "generate") if r.method == "new-fine-tune-cot"]
    assert len(generations) == 2, "only what depends on the exemplars is run again"
    assert len(queries.runs(study, "exemplars")) == 1
    assert any("At first the coin is" in one.rationale for one in generation.shown(generations[1]))


def test_exemplars_need_rationales_first(lab_home, student):
    job_id = studies.submit("exemplars", "t", spec(student), {})
    assert perform(job_id, plain) == "failed"
    assert "generate or import them first" in (jobs.job(job_id).error or "")
    with pytest.raises(LabError):
        exemplars.plan(jobs.job(job_id).study_id, {}, job_id)
