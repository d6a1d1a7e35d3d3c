"""Correction pays? An edit, and exactly what depends on it run again; before and after, compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import jobs, studies
from core.errors import LabError
from core.records import AnswerPlace, Completion, Exemplar, Score, Step, TrainingSet
from core.review import desk
from core.stages import corrections, evaluation, exemplars, finished, generation, plans, training
from core.stages.scoring import Scorer
from core.store import queries
from core.store.models import Run
from core.students.formats import FORMATS
from core.teachers.part import Teaching
from tests import runs
from tests.performing import done
from tests.stages.test_study import spec

TRAIN = 24
pytestmark = pytest.mark.usefixtures("queued")


def run(kind: str, asked: studies.Study, **request) -> int:
    """Perform a job to its end. Returns the study's id."""
    return jobs.job(done(studies.submit(kind, "t", asked, request))).study_id


def rerun(run_id: int) -> None:
    done(corrections.submit(run_id))


def kinds(study: int) -> list[tuple[str, str]]:
    return [(r.kind, r.method) for r in queries.runs(study)]


def edit(run_id: int, key: tuple[int, int], before: str, after: str) -> None:
    seen = desk.item(run_id, key).last
    desk.decide(run_id, key, "edit", "ana", seen=seen, before=before, after=after)


# ── a rationale of a generation ─────────────────────────────────────────────────────────────────


@pytest.fixture
def written(lab_home: Path) -> tuple[int, int, studies.Study]:
    """(study, generation, spec): 24 coin flips with their worked solutions as rationales."""
    asked = spec("any", methods=["fine-tune-cot"])
    study = run("generate", asked)
    return study, queries.runs(study, "generate")[0].id, asked


def learnt(study: int, asked: studies.Study) -> TrainingSet:
    made, _ = training.build_set(study, "fine-tune-cot", asked.teaching, asked.learning, FORMATS["t5"])
    return made


def test_an_edited_rationale_is_learnt_as_edited_and_a_rejected_one_is_left_out(written):
    study, made, asked = written
    before = learnt(study, asked)
    first, second = queries.completions(made)[:2]
    edit(made, (first.question_index, 0), first.rationale, "Heads stays <b>up</b>.")
    desk.decide(
        made, (second.question_index, 0), "reject", "ana", seen=0, before=second.rationale, reason="unclear"
    )
    after = learnt(study, asked)
    assert after.rows[0].label.startswith("Heads stays <b>up</b>. --> ")
    assert [r.question_index for r in after.rows] == [
        r.question_index for r in before.rows if r.question_index != second.question_index
    ]
    assert after.rows[1:] == before.rows[2:]
    assert after.dropped == {"rejected in review": 1} and before.dropped == {}
    desk.undo(made, "ana")
    desk.undo(made, "ana")
    assert learnt(study, asked) == before, "what was taken back is learnt as it was"


@pytest.mark.parametrize(
    ("text", "value", "correct"),
    [
        (" 3 + 4 = 7. The answer is 7.", "7", True),  # said behind a marker: read there
        (" 3 + 4 = 9. The answer is 9.", "9", False),
        (" 3 + 4 = 7.", "8", False),  # without one, what the second call said stands
    ],
)
def test_an_edited_rationale_is_scored_anew(text, value, correct):
    own = Scorer("decimal", "fine-tune-cot", {0: "7"})
    steps = (Step("rationale", "p", " 3 + 4 = 8."), Step("answer", "q", " 8."))
    asked_twice = Completion(0, 0, " 3 + 4 = 8.", steps, AnswerPlace(step=1))
    edited, score = own.reviewed(asked_twice, text)
    assert edited.rationale == text
    assert (score.value, score.correct) == (value, correct)


def test_an_edited_one_call_answer_is_read_in_its_own_text():
    own = Scorer("decimal", "fine-tune-cot", {0: "7"})
    said = runs.written(0, "It is. The answer is 8.", answer=AnswerPlace(after=20))
    assert own.reviewed(said, "It is. The answer is 7.")[1] == Score(
        True, "7", 21, 22, contains_answer=True, correct_format=True
    )


def test_a_reviewed_rationale_runs_its_students_again_and_no_teacher(flips):
    study, student = flips
    (made,) = (r.id for r in queries.runs(study, "generate"))
    assert corrections.plan(made).empty
    with pytest.raises(LabError, match="Nothing depends"):
        corrections.submit(made)
    before = kinds(study)
    row = queries.completions(made)[0]
    edit(made, (row.question_index, 0), row.rationale, "Nobody flips it.")
    planned = corrections.plan(made)
    assert planned.generations == () and planned.calls == 0 and planned.unchanged == 2
    assert [(one["method"], one["student"], one["seed"]) for one in planned.arms] == [
        ("fine-tune-cot", student, 0)
    ]
    rerun(made)
    assert kinds(study) == [*before, ("train", "fine-tune-cot"), ("evaluate", "fine-tune-cot")]
    old, new = [r for r in queries.runs(study, "train") if r.method == "fine-tune-cot"]
    before, after = (plans.plan_of(one).config.but(training_set="") for one in (old, new))
    assert before == after and old.training_set != new.training_set, "trained as it was, on other texts"
    assert corrections.plan(made).empty

    (pair,) = corrections.pairs(study)
    found = corrections.effect(study, pair)
    assert [(c.kind, c.name) for c in found.changes] == [("edited", (row.question_index, 0))]
    assert found.teacher is None
    compared = [r for r in found.students if r.difference is not None]
    assert len(compared) == 1 and compared[0].n == 8 and compared[0].p is not None
    assert compared[0].difference_low <= compared[0].difference <= compared[0].difference_high


def test_an_arm_is_trained_again_with_all_that_its_study_set(lab_home: Path, student: str):
    asked = spec("any", training={"epochs": 3, "temperature": 0.5, "eval_batch_size": 8}, max_new_tokens=9)
    arm = (run("generate", asked), "fine-tune-cot", student, 1)
    run_id, _ = training.plan(*arm, asked.parts, "student", "")
    evaluated, _ = evaluation.plan(*arm, asked.parts, {"student": run_id}, "")
    studies.open_study(spec("any"))  # the study has changed since
    one = corrections.Arm(queries.run(evaluated), (queries.run(run_id),))
    assert training.plan(*arm, one.parts, "student", "")[0] == run_id
    assert evaluation.plan(*arm, one.parts, {"student": run_id}, "")[0] == evaluated
    said = one.request
    assert (said["method"], said["student"], said["seed"]) == arm[1:]


# ── an exemplar ─────────────────────────────────────────────────────────────────────────────────


def test_an_edited_exemplar_reruns_exactly_what_depends_on_it(clustered_flips):
    study, student = clustered_flips
    chosen = queries.runs(study, "exemplars")[0]
    assert corrections.plan(chosen.id).empty and corrections.pairs(study) == []
    before = kinds(study)

    first, second, *_ = exemplars.standing(chosen.id, desk.board(chosen.id))
    key = (first.point.question_index, first.point.sample_index)
    edit(chosen.id, key, first.text, first.text.replace("The coin starts", "At first the coin is"))
    rejected = (second.point.question_index, second.point.sample_index)
    desk.decide(chosen.id, rejected, "reject", "ana", seen=0, before=second.text)
    assert corrections.reviewed(desk.board(chosen.id)) == 2
    planned = corrections.plan(chosen.id)
    assert [one["method"] for one in planned.generations] == ["new-fine-tune-cot"]
    assert [(one["method"], one["student"], one["seed"]) for one in planned.arms] == [
        ("new-fine-tune-cot", student, 0)
    ]
    assert planned.unchanged == 0 and planned.calls == 0, "worked solutions are no calls"

    rerun(chosen.id)
    # Worked solutions do not depend on the prompt, so the student learns the same rows: nothing to train.
    assert kinds(study) == [*before, ("generate", "new-fine-tune-cot")]
    old, new = [r for r in queries.runs(study, "generate") if r.method == "new-fine-tune-cot"]
    assert old.parents == new.parents == [chosen.id]
    assert finished.edited(old) == 0 and finished.edited(new) == 1
    assert corrections.plan(chosen.id).empty

    (pair,) = corrections.pairs(study)
    assert (pair.before, pair.after) == (old.id, new.id)
    found = corrections.effect(study, pair)
    assert [c.kind for c in found.changes] == ["edited", "left out", "added"]
    assert found.teacher.difference == 0 and found.teacher.p == 1 and found.teacher.pairs == TRAIN

    # Taken back: the generation of before stands again, without a call.
    desk.undo(chosen.id, "ana")
    desk.undo(chosen.id, "ana")
    rerun(chosen.id)
    assert generation.latest(study, "new-fine-tune-cot") == old.id
    assert len(queries.runs(study, "generate")) == 3


def test_the_teachers_of_a_study_in_one_table(written):
    study, made, _ = written
    (row,) = finished.teacher_table(study)
    assert (row.run.run_id, row.n, row.accuracy, row.run.calls) == (made, TRAIN, 100, 0)
    with pytest.raises(LabError, match="no finished generation"):
        finished.teacher_table(study, 99)


def test_only_reviewed_runs_can_be_run_again(written):
    study, *_ = written
    trained = runs.training(study, "fine-tune-cot", "any")
    with pytest.raises(LabError, match="is not reviewed"):
        corrections.plan(trained.id)


def test_what_was_shown_is_read_from_the_run(written):
    study, *_ = written
    one = {"question": "q", "rationale": "r", "answer": "1"}
    made = runs.generation(study, "new-fine-tune-cot", shown=[one])
    assert generation.shown(made) == [Exemplar("q", "r", "1")]


def test_the_usual_baseline_is_the_newest_plain_zero_shot_generation(lab_home: Path):
    study = studies.open_study(spec("any"))

    def made(name: str, samples: int, exemplars: int = 0) -> Run:
        shown = [{"question": "q", "rationale": "r", "answer": "1"}] * exemplars
        teaching = Teaching(samples=samples, sampling={"temperature": 0.7})
        return runs.generation(study, teaching=teaching, shown=shown, content=name)

    one, two, eight, taught = made("a", 1), made("b", 1), made("c", 8), made("d", 1, exemplars=2)
    assert finished.usual_baseline([one, two, eight, taught]) == two.id
    assert finished.usual_baseline([eight]) == eight.id
    assert finished.usual_baseline([taught]) is None
