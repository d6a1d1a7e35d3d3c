"""The ablation on its pages: the button that runs the four arms, and their table beside the paper's."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core import jobs, studies
from core.datasets.part import Benchmark
from core.records import Score, question_set_hash
from core.results.ablation import ARMS, AUDIT
from core.store import queries
from core.teachers.part import Teaching
from tests import runs
from tests.pages.conftest import Filled  # noqa: F401  the type of a fixture
from tests.pages.test_pages import shown

Open = Callable[..., AppTest]
SPEC = studies.Study(
    name="Sums", benchmark="arithmetic_generated", options={"size": 40}, train=12, test=4,
    teacher={"key": "local"}, methods=("fine-tune",), students=("T5 small",), clusters={"rules": "custom"},
)  # fmt: skip
TAKEN = {"calls": 24, "prompt_tokens": 900, "completion_tokens": 100, "cost": 0.5}


def test_one_click_queues_the_four_arms(app: Open, queued: list[str]):
    study = studies.open_study(SPEC)
    opened = app("train")
    assert "24 students trained and evaluated; at most 648 calls" in shown(opened)
    opened.button(key="ablation").click().run()
    assert not opened.exception and not opened.error
    (job,) = jobs.jobs()
    asked = studies.Study.read(job.request["spec"])
    assert (job.kind, asked.methods, asked.seeds) == ("study", ("fine-tune", *ARMS), (0, 1, 2))
    assert asked.diverse == {"samples": 8, "temperature": 0.7, "top_p": 1.0} and asked.teaching.clusters == {}
    assert queries.study(study).config["methods"] == list(asked.methods)
    assert len(queued) == 1
    assert app("train").multiselect(key=f"train{study}_methods").value == list(asked.methods)


def test_without_diverse_reasoning_half_of_it(app: Open, queued: list[str]):
    study = studies.open_study(SPEC)
    opened = app("train")
    opened.toggle(key=f"ablation{study}_diverse").set_value(False)
    opened.multiselect(key=f"ablation{study}_seeds").set_value([4]).run()
    assert "at most 72 calls to the teacher for 12 training questions" in shown(opened)
    opened.button(key="ablation").click().run()
    asked = studies.Study.read(jobs.jobs()[0].request["spec"])
    assert (asked.diverse, asked.seeds) == ({}, (4,))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"teachers": {"teacher": {"key": "worked"}}}, "choose a teacher that writes"),
    ],
)
def test_where_the_arms_could_not_differ_it_says_why(app: Open, queued: list[str], changes, sentence):
    studies.open_study(SPEC.but(teaching=SPEC.teaching.but(**changes)))
    opened = app("train")
    assert opened.button(key="ablation").disabled
    assert sentence in shown(opened).replace("\\", "")


def fill(samples: tuple[int, ...] = (1, 8)) -> None:
    """Every arm evaluated with two seeds: the n-th arm is right on n of four test questions."""
    study = studies.open_study(SPEC.but(name="AddSub", benchmark=Benchmark(key="addsub", train=12, test=4)))
    questions = studies.questions(study, "test")
    for number, method in enumerate(ARMS):
        for d in samples:
            drawn = Teaching(samples=d, sampling={"temperature": 0.7} if d > 1 else {})
            made = runs.generation(study, method, teaching=drawn)
            summary = {"n": 12 * d, "correct": 3 * d, "paid_calls": 10, "paid_cost": 0.25} | TAKEN
            queries.set_run(made.id, status="done", teacher="SmolLM2", summary=summary)
            for seed in (0, 1):
                trained = runs.training(study, method, "T5 small", seed, parents=(made,), samples=d)
                run = runs.evaluation(
                    study, method, "T5 small", seed, parents=(trained,), teacher="SmolLM2", samples=d,
                    question_set=question_set_hash(questions),
                )  # fmt: skip
                answers = [
                    (runs.written(q.index, ""), Score(i < number, None)) for i, q in enumerate(questions)
                ]
                queries.save_completions(run.id, answers)
                queries.set_run(run.id, status="done")


def test_the_papers_figures_of_other_questions_have_a_table_of_their_own(app: Open, small: object):
    fill()
    opened = app("results", table="ablation")
    assert not opened.error
    ours, own, printed = (frame.value for frame in opened.dataframe[:3])
    assert len(ours) == 8 * 3, "four arms, twice, each with its mean and two seeds"
    assert list(ours["D"])[:12] == ["1"] * 12 and list(ours["seed"])[:3] == ["mean of 2", "0", "1"]
    assert (
        set(ours["calls"]) == {"24"} and set(ours["tokens"]) == {"1,000"} and set(ours["cost"]) == {"$0.5000"}
    )
    assert set(ours["rationales right"]) == {"3 of 12", "24 of 96"}
    assert [bool(cell) for cell in ours["difference"]] == ([False] * 3 + [True] * 9) * 2
    assert set(ours["n"]) == {4} and set(ours["split"]) == {"default"}
    assert set(ours["epoch"]) == {"dev questions"} and not any("†" in name for name in ours)
    assert list(own["+ adaptive answers"]) == ["25.0", "25.0", "75.0", "75.0"]
    assert list(zip(own["split"], own["n"], strict=True)) == [
        ("train", "12"), ("train", "96"), ("default", "4"), ("default", "4"),
    ]  # fmt: skip
    printed = printed.set_index(["accuracy %", "D"])
    assert printed.loc[("the teacher's rationales", "1"), "+ exemplars of the clusters"] == "83.54 †"
    assert printed.loc[("t5-small", "8"), "+ adaptive answers"] == "10.1 †"
    assert printed.loc[("gpt2", "1"), "+ exemplars of the clusters"] == "6.7 †"
    assert list(printed.loc[("t5-small", "8"), ["split", "n"]]) == ["default", "119"]
    assert set(printed["+ exemplars left out: wrong answer"]) == {"—"}, (
        "the paper prints it only with adaptive answers"
    )
    said = shown(opened).replace("\\", "")
    assert all(fact in said for fact in AUDIT)
    assert "80 calls and $2.0000" in said
    assert "not measured here" in said


def test_all_arms_come_first_and_the_chart_tells_them_apart(app: Open, small: object):
    fill()
    opened = app("results")
    assert len(opened.dataframe) >= 1 and "Beside the paper" not in shown(opened)
    assert opened.selectbox(key="baseline").value == "none"
    bars = opened.get("plotly_chart")[0]
    assert all(f"D={d}" in str(bars.proto) for d in (8,))
