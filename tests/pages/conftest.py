"""A filled lab for the pages, with the small slice's rationales.

filled   a study with one generation, one training run and two evaluations
app      the app, opened through its frame
"""

from __future__ import annotations

import runpy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from streamlit.runtime.scriptrunner import script_runner
from streamlit.testing.v1 import AppTest

from core import settings, studies
from core.records import AnswerPlace, question_set_hash
from core.stages import evaluation, generation, training
from core.stages.scoring import scorer
from core.store import queries
from core.store.models import Run, now
from core.students.formats import ANSWER_MARK, FORMATS
from tests import runs, small
from tests.performing import Silent

STUDENT = "T5 small"


@dataclass(frozen=True)
class Filled:
    """Ids of what the filled lab holds."""

    study: str
    study_id: int
    generation: int
    train: int
    evaluations: tuple[int, int]


@pytest.fixture
def filled(lab_home: Path) -> Filled:
    """One study on sums whose rationales were imported from a file."""
    study_id = _study(lab_home / "completions.json")
    study = queries.study(study_id)
    teaching, learning, _ = studies.Study.read(study.config).parts
    made, run = training.build_set(study_id, "fine-tune-cot", teaching, learning, FORMATS["t5"])
    digest = queries.save_training_set(study_id, "fine-tune-cot", made)
    train = runs.training(study_id, "fine-tune-cot", STUDENT, training_set=digest, parents=(run,))
    queries.set_run(train.id, status="done", finished=now(), teacher=run.teacher)
    train = queries.run(train.id)
    lengths = [len(row.label.split()) for row in made.rows[:40]]
    queries.save_metrics(
        train.id,
        [
            {"name": "loss", "step": i, "epoch": i / 20, "value": n / lengths[0]}
            for i, n in enumerate(lengths)
        ],
    )
    texts = {row.question_index: row for row in queries.completions(run.id) if row.sample_index == 0}
    ended = {i: f"{c.rationale} {ANSWER_MARK} {c.steps[-1]['text']}" for i, c in texts.items()}
    with_rationale = _evaluate(study_id, "fine-tune-cot", ended, train)
    bare = _evaluate(study_id, "fine-tune", {i: c.rationale for i, c in texts.items()}, train)
    return Filled(study.name, study_id, run.id, train.id, (with_rationale, bare))


def _study(path: Path) -> int:
    small.write_completions(path, small.sums(small.SUMS))
    spec = studies.Study(
        name="Sums", benchmark="arithmetic_generated", options={"size": small.SUMS, "seed": 0},
        teacher={"key": "recorded", "path": str(path)}, methods=("fine-tune", "fine-tune-cot"),
        students=(STUDENT,),
    )  # fmt: skip
    study_id = studies.open_study(spec)
    generation.import_file(study_id, path, "fine-tune-cot")
    return study_id


def _evaluate(study_id: int, method: str, texts: dict[int, str], trained: Run) -> int:
    """An evaluation in which the trained student answers the test questions with these texts."""
    questions = studies.questions(study_id, "test")
    run = runs.evaluation(
        study_id, method, STUDENT, parents=(trained,), teacher=trained.teacher,
        question_set=question_set_hash(questions),
    )  # fmt: skip
    queries.set_run(run.id, training_set=trained.training_set)
    own, place = scorer(study_id), AnswerPlace(prefix=ANSWER_MARK)
    for question in questions:
        said = runs.written(question.index, texts.get(question.index, ""), prompt=question.text, answer=place)
        queries.save_completions(run.id, [(said, own.completion(said))])
    evaluation.close(Silent(), run.id)
    return run.id


@pytest.fixture
def app(lab_home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """open(page, **query) → the page, run through the frame.

    AppTest forgets between two runs that the app has a frame, which a server does not.
    """
    monkeypatch.setattr(script_runner, "_mpa_v1", lambda path: runpy.run_path(path, run_name="__main__"))

    def open_page(page: str = "overview", **query: str) -> AppTest:
        test = AppTest.from_file(str(settings.ROOT / "app.py"), default_timeout=30)
        for name, value in query.items():
            test.query_params[name] = value
        test.run()
        if page != "overview":
            test.switch_page(f"pages/{page}.py")
            for name, value in query.items():
                test.query_params[name] = value
            test.run()
        assert not test.exception, test.exception
        return test

    return open_page
