"""Two machines, one database: a student and a training that goes on are found where LAB_ARTEFACTS says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import fsspec
import pytest
import torch
from safetensors.torch import load_file

from core import artefacts, jobs, store, studies
from core.jobs.workflows import perform
from core.stages import children, handover, training
from core.store import queries
from core.store.models import Run
from core.students.folder import RunFolder
from tests.performing import Silent, done, plain
from tests.stages.test_study import spec

METHOD = "fine-tune"
pytestmark = pytest.mark.usefixtures("queued")


@pytest.fixture(autouse=True)
def machines(lab_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_DATABASE_URL", f"sqlite:///{tmp_path / 'shared.db'}")


def move_to(machine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work on another machine from now on: another LAB_HOME, empty at first."""
    monkeypatch.setenv("LAB_HOME", str(tmp_path / machine))
    return tmp_path / machine


def arm(asked: studies.Study) -> str:
    """Perform a job that trains and evaluates the study's one arm, as far as that is not done."""
    return done(submitted(asked))


def submitted(asked: studies.Study) -> str:
    request = {"method": METHOD, "student": asked.students[0], "seed": 0}
    return studies.submit("evaluate", "t", asked, request)


def plan(asked: studies.Study) -> tuple[Run, RunFolder]:
    """The training of the study's arm, and its folder on this machine."""
    arm = (studies.open_study(asked), METHOD, asked.students[0], 0, asked.parts)
    run = queries.run(training.plan(*arm, "student", "")[0])
    return run, children.folder(run)


def train(asked: studies.Study) -> Run:
    """Train the study's student to the end; nothing is asked of it yet."""
    run, _ = plan(asked)
    epochs = asked.learning.training["epochs"]
    for number in range(1, epochs + 1):
        training.epoch(Silent(), run.id, number, epochs)
    training.close(Silent(), run.id)
    return queries.run(run.id)


def steps(run: Run) -> list[int]:
    """The steps of the run's curve, as the pages draw it."""
    return [point.step for point in queries.metrics(run.id) if point.name == "loss"]


def same(one: Path, other: Path) -> bool:
    a, b = (load_file(folder / "model.safetensors") for folder in (one, other))
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_a_student_is_asked_on_another_machine_and_not_trained_again(student, tmp_path, monkeypatch):
    monkeypatch.setenv("LAB_ARTEFACTS", "memory://kept")
    asked = spec(student, training={"epochs": 2})
    before = train(asked)
    own = children.student(before)
    assert artefacts.names(handover.kept(before)) == ["student"], "its checkpoints are of no use any more"

    home = move_to("b", tmp_path, monkeypatch)
    study = jobs.job(arm(asked)).study_id
    (evaluated,) = queries.runs(study, "evaluate")
    assert evaluated.status == "done" and evaluated.parents == [before.id]
    assert same(own, home / "runs" / before.hash / "student")
    after = queries.run(before.id)
    assert after.summary == before.summary and str(tmp_path) not in json.dumps(after.summary)
    cards = [(path / "README.md").read_text() for path in (own, children.student(after))]
    assert cards[0] == cards[1] and str(tmp_path) not in cards[0]

    # A machine that died before it could say that the student is trained has trained it.
    queries.set_run(before.id, status="running", finished=None)
    other = move_to("c", tmp_path, monkeypatch)
    arm(asked)
    assert queries.run(before.id).status == "done" and queries.run(before.id).summary == before.summary
    for place in (home, other):
        assert not (place / "runs" / before.hash / "checkpoints").exists(), "nothing was trained there"
    fsspec.filesystem("memory").store.clear()


def test_a_student_that_is_nowhere_is_one_sentence_until_it_is_kept(student, tmp_path, monkeypatch):
    asked = spec(student, training={"epochs": 1})
    before = train(asked)
    home = move_to("b", tmp_path, monkeypatch)
    job_id = submitted(asked)
    assert perform(job_id, plain) == "failed"
    said = jobs.job(job_id).error or ""
    assert f"The student of run {before.id} is not on this machine: set LAB_ARTEFACTS" in said
    assert queries.run(before.id).summary == before.summary and not (home / "runs" / before.hash).exists()

    move_to("lab", tmp_path, monkeypatch)
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("LAB_ARTEFACTS", str(tmp_path / "file"))
    assert perform(job_id, plain) == "failed"
    assert "LAB_ARTEFACTS cannot be used" in (jobs.job(job_id).error or "")
    monkeypatch.setenv("LAB_ARTEFACTS", str(tmp_path / "kept"))
    assert perform(job_id, plain) == "done"
    assert artefacts.names(handover.kept(before)) == ["student"], "kept when its arm was run again"

    home = move_to("b", tmp_path, monkeypatch)
    assert perform(job_id, plain) == "done"
    assert not (home / "runs" / before.hash).exists(), "its answers are there already"
    assert children.student(before) == home / "runs" / before.hash / "student"


def test_a_training_goes_on_where_another_machine_left_it(student, tmp_path, monkeypatch):
    monkeypatch.setenv("LAB_ARTEFACTS", str(tmp_path / "kept"))
    asked = spec(student, training={"epochs": 40})
    run, a = plan(asked)
    training.epoch(Silent(), run.id, 1, 40)
    children.stop(a.path)
    (name,) = artefacts.names(handover.kept(run))
    assert name.startswith("step-") and not a.done

    move_to("b", tmp_path, monkeypatch)
    _, b = plan(asked)
    train(asked)
    # All the steps, each once: those before the checkpoint came with it, those behind it are done again.
    assert steps(run) == list(range(1, 121)) and b.path != a.path
    assert artefacts.names(handover.kept(run)) == ["student"]

    monkeypatch.delenv("LAB_ARTEFACTS")
    move_to("c", tmp_path, monkeypatch)
    queries.set_run(run.id, status="queued")
    _, c = plan(asked)
    train(asked)
    assert same(b.student, c.student), "as if it had never been interrupted"
    assert b.epochs() == c.epochs()


def test_a_moved_home_goes_on_with_its_students(student, tmp_path, monkeypatch):
    """The folder is renamed between two runs, its database in it: nothing is trained or asked twice."""
    monkeypatch.delenv("LAB_DATABASE_URL")
    asked = spec(student, training={"epochs": 1})
    before = train(asked)
    store.engine().dispose()
    (tmp_path / "lab").rename(tmp_path / "moved")
    home = move_to("moved", tmp_path, monkeypatch)
    weights = home / "runs" / before.hash / "student" / "model.safetensors"
    stamp = weights.stat().st_mtime_ns
    study = jobs.job(arm(asked)).study_id
    first = [(run.id, run.kind, run.hash) for run in queries.runs(study)]
    assert [kind for _, kind, _ in first] == ["train", "evaluate"] and before.hash == first[0][2]

    copied = str(shutil.copytree(student, tmp_path / "another" / "place"))
    arm(asked.but(students=[copied]))
    assert [(run.id, run.kind, run.hash) for run in queries.runs(study)] == first, (
        "the same weights elsewhere"
    )
    assert weights.stat().st_mtime_ns == stamp
    assert not list(home.glob("runs/*/checkpoints/.*")) and len(list((home / "runs").iterdir())) == 1


def test_a_student_made_elsewhere_is_asked_as_it_is(student, tmp_path):
    """A finished student's folder, copied from another lab: the same hash wherever it lies, asked once."""
    runs = []
    for place in ("here", "there"):
        copied = str(shutil.copytree(student, tmp_path / place))
        asked = spec(copied, methods=["zero-shot"])
        study = jobs.job(done(studies.submit("study", "t", asked))).study_id
        runs.append([(run.id, run.hash, run.finished) for run in queries.runs(study, "evaluate")])
        written = queries.completions(runs[-1][0][0])
        runs[-1].append(tuple((row.id, row.rationale) for row in written))
    assert runs[0][1] == runs[1][1] and runs[0][0][:2] == runs[1][0][:2]
    assert not (tmp_path / "lab" / "runs").exists() or not list((tmp_path / "lab" / "runs").iterdir())
