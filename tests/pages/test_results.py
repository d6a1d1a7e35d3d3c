"""Results and Train: what every figure says of itself, what a comparison can see, and pooling."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core import studies
from core.datasets.part import Benchmark
from core.records import Score, question_set_hash
from core.store import queries
from core.store.models import now
from core.students.config import TrainConfig
from tests import runs
from tests.pages.test_pages import shown

Open = Callable[..., AppTest]


@pytest.fixture
def study(lab_home, small: object) -> int:
    """Fine-tune and Fine-tune-CoT with two seeds by dev questions, and one run by the test questions."""
    spec = studies.Study(
        name="AddSub", benchmark=Benchmark(key="addsub", train=12, test=4), students=("T5 small",),
        methods=("fine-tune", "fine-tune-cot"),
    )  # fmt: skip
    study_id = studies.open_study(spec)
    for seed in (0, 1):
        evaluate(study_id, "fine-tune", seed, "dev", {0})
        evaluate(study_id, "fine-tune-cot", seed, "dev", {0, 1, 2})
    evaluate(study_id, "fine-tune-cot", 0, "test", {0, 1, 2, 3})
    return study_id


def evaluate(study_id: int, method: str, seed: int, selection: str, right: set[int]) -> None:
    config = TrainConfig(student="T5 small", seed=seed, selection=selection, training_set=f"{method} rows")
    trained = runs.training(study_id, method, "T5 small", seed, config=config)
    queries.set_run(trained.id, status="done", finished=now())
    questions = studies.questions(study_id, "test")
    made = runs.evaluation(
        study_id, method, "T5 small", seed, parents=(trained,), question_set=question_set_hash(questions),
        students={"student": f"{method} {selection}"},
    )  # fmt: skip
    answers = [(runs.written(q.index, ""), Score(i in right, None)) for i, q in enumerate(questions)]
    queries.save_completions(made.id, answers)
    queries.set_run(made.id, status="done", finished=now())


def test_every_row_says_d_split_n_and_epoch_and_test_selected_figures_are_marked(app: Open, study: int):
    opened = app("results", baseline="fine-tune")
    assert not opened.error and not opened.exception
    table = opened.dataframe[0].value
    assert set(table["D"]) == {"1"} and set(table["n"]) == {4} and set(table["split"]) == {"default"}
    assert list(table["epoch"])[-1] == "test questions" and set(table["epoch"][:-1]) == {"dev questions"}
    assert [text.endswith("‡") for text in table["accuracy %"]] == [False] * 6 + [True]
    assert [text.endswith("‡") for text in table["difference"]] == [False] * 6 + [True]
    assert not any(name.startswith("†") for name in table), "nothing was printed of these four questions"
    assert "Epoch chosen on the test questions themselves: optimistic" in shown(opened).replace("\\", "")


def test_what_the_papers_print_has_its_own_table(app: Open, study: int):
    printed = next(f.value for f in app("results").dataframe if "note" in f.value)
    assert {"D", "split", "n", "epoch", "accuracy", "source"} <= set(printed)
    assert all("†" in text and "," not in text for text in printed["accuracy"])
    assert "chance" in set(printed["method"])


def test_a_small_test_warns_by_itself_before_and_after(app: Open, study: int):
    after = app("results")
    assert any("4 test questions" in warning.value for warning in after.warning)
    before = app("train")
    assert any("4 test questions" in info.value and "seen so far" in info.value for info in before.info)
    assert "A difference of 5 points takes" in shown(before)


def test_pooling_shows_every_set_of_questions(app: Open, study: int):
    opened = app("results", pool="true")
    if not any("questions" in frame.value for frame in opened.dataframe):
        opened.session_state["pool"] = True
        opened.run()
    assert not opened.error and not opened.exception
    pooled = [frame.value for frame in opened.dataframe if "questions" in frame.value]
    assert pooled and list(pooled[0]["questions"]) == ["addsub, default split", "together"]
