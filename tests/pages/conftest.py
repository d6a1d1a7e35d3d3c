"""A filled lab for the pages: real recordings where there are any, else a generated benchmark.

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

from core import settings, stages, studies
from core.records import AnswerPlace, question_set_hash
from core.stages import evaluation, generation, training
from core.stages.scoring import scorer
from core.store import queries
from core.store.models import Run, now
from core.students.formats import ANSWER_MARK, FORMATS
from tests import runs
from tests.performing import Silent, plain

STUDENT = "T5 small"
COMPLETIONS = "reasoning-teacher/completion_data"


@dataclass(frozen=True)
class Filled:
    """Ids of what the filled lab holds."""

    study: str
    study_id: int
    generation: int
    train: int
    evaluations: tuple[int, int]


@pytest.fixture
def filled(lab_home: Path, request: pytest.FixtureRequest) -> Filled:
    """One study on AddSub with davinci's recorded rationales, or on generated coin flips."""
    recorded = _addsub_file()
    study_id = _recorded_study(recorded) if recorded else _generated_study()
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


def _addsub_file() -> Path | None:
    folder = settings.data_dir() / COMPLETIONS
    return next(folder.rglob("*addsub*"), None) if folder.is_dir() else None


def _recorded_study(path: Path) -> int:
    spec = studies.Study(
        name="AddSub, davinci", benchmark="addsub", teacher={"key": "recorded", "path": str(path)},
        methods=("fine-tune", "fine-tune-cot"), students=(STUDENT,),
    )  # fmt: skip
    study_id = studies.open_study(spec)
    generation.import_file(study_id, path, "fine-tune-cot")
    return study_id


def _generated_study() -> int:
    spec = studies.Study(
        name="Coin flips", benchmark="coin_flip_generated", options={"size": 60, "seed": 0, "flips": 4},
        methods=("fine-tune", "fine-tune-cot"), students=(STUDENT,),
    )  # fmt: skip
    study_id = studies.open_study(spec)
    request = {"study_id": study_id, "spec": spec.dump(), "split": "all"}
    stages.generate(Silent(), request, plain)
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
