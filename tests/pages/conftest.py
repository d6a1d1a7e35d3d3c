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
from core.records import content_hash, question_set_hash
from core.stages import evaluation, generation, scoring, training
from core.store import queries
from core.store.models import now
from core.students.formats import FORMATS
from tests import small

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
    spec = studies.Study.read(study.config)
    made, run = training.build_set(study_id, spec, "fine-tune-cot", FORMATS["t5"])
    rows = queries.completions(run.id)
    ids = {(row.question_index, row.sample_index): row.id for row in rows}
    digest = queries.save_training_set(study_id, "fine-tune-cot", made, ids)
    train = _run(
        study_id, "train", "fine-tune-cot", training_set=digest, parents=[run.id], teacher=run.teacher
    )
    lengths = [len(row.label.split()) for row in made.rows[:40]]
    queries.save_metrics(
        train,
        [
            {"name": "loss", "step": i, "epoch": i / 20, "value": n / lengths[0]}
            for i, n in enumerate(lengths)
        ],
    )
    texts = {row.question_index: row for row in rows if row.sample_index == 0}
    with_rationale = _evaluate(
        study_id, "fine-tune-cot", {i: f"{c.rationale} --> {c.answer_text}" for i, c in texts.items()}, train
    )
    bare = _evaluate(study_id, "fine-tune", {i: c.rationale for i, c in texts.items()}, train)
    return Filled(study.name, study_id, run.id, train, (with_rationale, bare))


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


def _run(study_id: int, kind: str, method: str, **values: object) -> int:
    config = {
        "recipe": "default",
        "epochs": 2,
        "samples": 1,
        "question_set": _questions_hash(study_id),
        **values,
    }
    fields = {name: values[name] for name in ("training_set", "parents", "teacher") if name in values}
    run = queries.open_run(
        study_id,
        kind,
        content_hash([method, config]),
        method=method,
        student=STUDENT,
        config=config,
        **fields,
    )
    queries.set_run(run.id, status="done", finished=now())
    return run.id


def _questions_hash(study_id: int) -> str:
    return question_set_hash(studies.questions(study_id, "test"))


def _evaluate(study_id: int, method: str, texts: dict[int, str], train: int) -> int:
    """An evaluation whose predictions are the recorded texts of the test questions."""
    prefix = "-->"
    parent = queries.run(train)
    run_id = _run(
        study_id, "evaluate", method,
        prefix=prefix, parents=[train], training_set=parent.training_set, teacher=parent.teacher,
    )  # fmt: skip
    lines = [
        {"question_index": q.index, "prompt": q.text, "text": texts.get(q.index, "")}
        | {"finish_reason": "stop", "tokens": 0}
        for q in studies.questions(study_id, "test")
    ]  # fmt: skip
    evaluation.save(run_id, scoring.scorer(study_id), prefix, lines)
    return run_id


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
