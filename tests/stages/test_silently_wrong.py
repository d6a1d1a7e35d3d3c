"""Another database over the same LAB_HOME: a table shows what its own student wrote, never another's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core import jobs, store
from core.jobs import engine
from core.models import loading
from core.models.generation import generate
from core.records import Sampling
from core.stages import children
from core.store import queries
from core.studies import submit
from tests.performing import done
from tests.stages.test_study import spec
from tests.students.tiny import tiny_student

pytestmark = pytest.mark.usefixtures("queued")


def written(student: str) -> dict[str, list[str]]:
    """Run a study with this student from the start. Returns its answers by method, in question order."""
    job_id = done(
        submit("study", "t", spec(student, methods=["zero-shot", "fine-tune"], training={"epochs": 1}))
    )
    found = {}
    for run in queries.runs(jobs.job(job_id).study_id, "evaluate"):
        rows = queries.completions(run.id)
        found[run.method] = [row.rationale for row in rows]
        folder = children.student(queries.run(run.parents[0])) if run.parents else Path(student)
        assert json.loads((folder / "config.json").read_text())["model_type"] == Path(student).name
        assert found[run.method] == says(folder, [row.steps[0]["prompt"] for row in rows])
    return found


def says(folder: Path, prompts: list[str]) -> list[str]:
    """What the model in a folder answers, greedily."""
    model, tokenizer = loading.load_model(folder), loading.load_tokenizer(folder)
    made = {one.index: one.text for one in generate(model, tokenizer, prompts, Sampling(max_tokens=8))}
    return [made[number] for number in range(len(prompts))]


def test_each_database_shows_its_own_students_answers(
    lab_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Run folders named by a run's number would be taken for those of another database's first runs."""
    first = written(str(tiny_student(tmp_path / "gpt2", "gpt2")))

    # As the lab itself advises where a database is damaged: move it away, begin anew.
    store.engine().dispose()
    for known in (store._engine, engine._client):  # of this process, which outlives the file
        known.cache_clear()
    for file in lab_home.glob("lab.db*"):
        file.rename(tmp_path / file.name)
    second = written(str(tiny_student(tmp_path / "llama", "llama")))

    monkeypatch.setenv("LAB_DATABASE_URL", f"sqlite:///{tmp_path / 'another.db'}")
    third = written(str(tiny_student(tmp_path / "t5", "t5")))
    for method in first:
        assert len({tuple(found[method]) for found in (first, second, third)}) == 3
    assert len(list((lab_home / "runs").iterdir())) == 3, "the students of before are where they were"
