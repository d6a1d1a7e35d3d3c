"""The four arms through their stages: calls counted at a server, what each takes, and of what it is made."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from core import jobs, stages, studies
from core.exemplars.selection import failures, limits_for
from core.jobs.workflows import perform
from core.records import Score, question_set_hash
from core.results import ablation
from core.results.table import table
from core.review import desk
from core.stages import exemplars, finished, generation, plans, scoring, training
from core.store import queries
from core.store.models import now
from core.students.formats import FORMATS
from tests import runs
from tests.answering import Answering, answering
from tests.performing import Silent

TRAIN, TEST, K, D = 12, 4, 4, 2
PRICES = {"price_in": 2.0, "price_out": 4.0}  # US dollars per million tokens


def said(body: dict[str, Any], golds: dict[str, tuple[int, str]]) -> str:
    """A teacher that is wrong on each third question without exemplars, and right with them in view.

    With exemplars in view it says its answer behind a marker for every second question.
    """
    prompt = body["prompt"]
    number, gold = golds[re.findall(r"Q: (.*?)\nA:", prompt, re.S)[-1]]
    shown = prompt.count("Q: ") > 1
    answer = gold if shown or number % 3 else str(int(gold) + 1)
    if prompt.endswith("the answer is"):
        return f" {answer}."
    return f" It {'may' if body['temperature'] else 'will'} make {answer}." + (
        f" The answer is {answer}." if shown and number % 2 else ""
    )


@pytest.fixture
def golds() -> dict[str, tuple[int, str]]:
    """question → (its place, the answer that the teacher knows)."""
    return {}


@pytest.fixture
def server(golds: dict[str, tuple[int, str]]) -> Iterator[Answering]:
    with answering(lambda body: said(body, golds), usage=(10, 5)) as made:
        yield made


@pytest.fixture
def spec(server: Answering, golds: dict[str, tuple[int, str]], lab_home) -> studies.Study:
    """The ablation of a small study, one student and one seed, its teacher at the server."""
    plain = studies.Study(
        name="Sums", benchmark="arithmetic_generated", options={"size": 40}, train=TRAIN, test=TEST,
        teacher={"key": "llama.cpp", "base_url": server.url, "model": "any"} | PRICES, methods=("fine-tune",),
        students=("T5 small",), clusters={"k": K, "rules": "auto-cot"},
    )  # fmt: skip
    study_id = studies.open_study(plain)
    asked = studies.questions(study_id, "train")
    golds.update({q.text: (number, q.answer) for number, q in enumerate(asked)})
    return studies.ablation(plain, (0,), {"samples": D, "temperature": 0.7})


def step(_name, function, *arguments):
    """A step that is only a call; clusters are dealt out by hand, so that nothing is embedded."""
    if function is exemplars.choose:
        return deal(arguments[1])
    return function(*arguments)


def deal(run_id: int) -> None:
    """The question at each position goes to the next cluster; who qualifies is the rules' to say."""
    run = queries.run(run_id)
    limits = limits_for(
        plans.plan_of(run).settings["rules"], "arithmetic_generated", scoring.scorer(run.study_id).kind
    )
    rows = exemplars.candidates(run)
    points = [
        runs.point(
            one.index, i % K, i // K + 1, distance=float(i), correct=one.correct,
            failures=list(failures(one, limits)),
        )
        for i, (one, _) in enumerate(rows)
    ]  # fmt: skip
    queries.save_points(run_id, points)
    queries.set_run(run_id, status="done", summary={"k": K}, finished=now())


def generate(spec: studies.Study, method: str, diverse: bool = False) -> int:
    request = {"study_id": studies.open_study(spec), "spec": spec.dump(), "method": method}
    return stages.generate(Silent(), request | {"diverse": diverse}, step)


def test_calls_of_the_four_arms_counted_at_the_server(spec, server):
    calls = {}
    for method, diverse in studies.generations(spec):
        before = len(server.prompts)
        run = queries.run(generate(spec, method, diverse))
        assert run.summary["n"] == TRAIN * (D if diverse else 1)
        calls[method, diverse] = (len(server.prompts) - before, run.summary["calls"])
    n, m = 2 * TRAIN, 2 * TRAIN * D
    assert calls["fine-tune-cot", False] == (n, n) and calls["fine-tune-cot", True] == (m, m)
    assert calls["cluster-exemplars", False] == (n, n) and calls["cluster-exemplars", True] == (m, m)
    assert calls["heuristic-correction", False] == (n, n) and calls["heuristic-correction", True] == (m, m)
    # The last arm's prompts are the third's: nothing is asked again, and what it takes is n and the misses.
    asked, stand_for = calls["new-fine-tune-cot", False]
    marked = [c for c in completions(spec, "new-fine-tune-cot") if "answer is" in c.rationale]
    assert asked == 0 and stand_for == TRAIN + (TRAIN - len(marked)) < n
    assert calls["new-fine-tune-cot", True][0] == 0
    assert len(server.prompts) == ablation.calls_at_most(TRAIN, D)


def completions(spec: studies.Study, method: str):
    return queries.completions(generation.latest(studies.open_study(spec), method, spec.teaching))


def test_no_exemplar_is_wrong_with_the_papers_rules_and_both_last_arms_share_them(spec):
    for method in list(ablation.ARMS)[1:]:
        generate(spec, method)
    study = studies.open_study(spec)
    chosen = {plans.plan_of(run).settings["rules"]: run.id for run in queries.runs(study, "exemplars")}
    assert set(chosen) == {"no-correction", "paper"}, "the study's own rules give way to the arms'"
    assert exemplars.newest(study, "no-correction") == chosen["no-correction"] != exemplars.newest(study)
    first = {rules: exemplars.nearest(queries.points(run), desk.board(run)) for rules, run in chosen.items()}
    assert all(point.correct for point in first["paper"]) and len(first["paper"]) == K
    assert not all(point.correct for point in first["no-correction"])
    parents = {run.method: run.parents for run in queries.runs(study, "generate") if run.parents}
    assert parents == {
        "cluster-exemplars": [chosen["no-correction"]],
        "heuristic-correction": [chosen["paper"]],
        "new-fine-tune-cot": [chosen["paper"]],
    }


def test_each_arm_finds_its_own_rationales(spec):
    greedy, diverse = (generate(spec, "fine-tune-cot", way) for way in (False, True))
    study = studies.open_study(spec)
    assert generation.latest(study, "fine-tune-cot") == diverse > greedy
    own, several = spec.teaching, spec.diversely().teaching
    assert generation.latest(study, "fine-tune-cot", own) == greedy
    assert generation.latest(study, "fine-tune-cot", several) == diverse
    made, run = training.build_set(study, "fine-tune-cot", several, spec.learning, FORMATS["t5"])
    assert run.id == diverse and {row.sample_index for row in made.rows} == set(range(D))
    assert plans.plan_of(queries.run(greedy)).teaching.sampling["temperature"] == 0
    assert plans.plan_of(queries.run(diverse)).teaching.sampling["temperature"] == 0.7
    # Exemplars are chosen from what was said greedily.
    chosen = exemplars.plan(study, {"k": K}, "", own)
    assert queries.run(chosen).parents == [greedy]


def evaluated(spec: studies.Study, arm: studies.StudyArm) -> int:
    """An evaluation of an arm over the rationales that are there; its student is not trained."""
    study = studies.open_study(spec)
    own = spec.diversely() if arm.diverse else spec
    chosen = generation.latest(study, arm.method, own.teaching) if arm.method in ablation.ARMS else None
    parents = (queries.run(chosen),) if chosen else ()
    samples = own.teaching.samples
    train = runs.training(study, *arm[:3], samples=samples, parents=parents)
    questions = studies.questions(study, "test")
    run = runs.evaluation(
        study, *arm[:3], parents=(train,), teacher="t", samples=samples,
        question_set=question_set_hash(questions), students={"student": train.hash},
    )  # fmt: skip
    right = [(runs.written(q.index, f"--> {q.answer}"), Score(True, q.answer)) for q in questions]
    queries.save_completions(run.id, right)
    queries.set_run(run.id, status="done")
    return run.id


def test_what_an_arm_takes_counts_the_pass_behind_its_exemplars_and_what_was_kept(spec, server):
    for way in studies.generations(spec):
        generate(spec, *way)
    for arm in studies.arms(spec):
        evaluated(spec, arm)
    cells = finished.evaluations(spec.name)
    by_arm = {(row.arm.method, row.arm.samples): row.rationales for row in table(cells)}
    assert by_arm["fine-tune", 1] is None
    first = by_arm["fine-tune-cot", 1]
    assert (first.n, first.correct) == (TRAIN, sum(c.correct for c in completions(spec, "fine-tune-cot")))
    assert (first.calls, first.paid_calls) == (2 * TRAIN, 2 * TRAIN)
    assert (first.prompt_tokens, first.completion_tokens) == (20 * TRAIN, 10 * TRAIN)
    assert first.cost == pytest.approx((2 * 20 + 4 * 10) * TRAIN / 1e6) == pytest.approx(first.paid_cost)
    third, last = by_arm["heuristic-correction", 1], by_arm["new-fine-tune-cot", 1]
    assert third.calls == 4 * TRAIN, "two for each, and two for each before exemplars could be chosen"
    assert 3 * TRAIN < last.calls < third.calls
    assert last.paid_calls == 2 * TRAIN, "of the last arm only the zero-shot pass was paid"
    assert last.tokens == 15 * last.calls and last.cost > last.paid_cost
    assert by_arm["heuristic-correction", D].calls == 2 * TRAIN * (1 + D)

    rows = ablation.rows(cells)
    assert [(row.arm.method, row.arm.samples) for row in rows] == [
        (method, samples) for samples in (1, D) for method in ablation.ARMS
    ]
    assert [row.baseline and row.baseline.samples for row in rows] == [None, 1, 1, 1, None, D, D, D]
    lines = ablation.own(rows)
    assert {(line.student, line.samples) for line in lines} == {
        (who, samples) for who in (ablation.TEACHER, "T5 small") for samples in (1, D)
    }
    assert lines[0].accuracy["fine-tune-cot"] == 100 * first.correct / first.n


def test_an_arm_that_learns_nothing_is_left_out_and_said(spec, golds, queued):
    golds.update({text: (number, "-1") for text, (number, _) in golds.items()})
    wrong = spec.but(methods=["fine-tune-cot"])
    job_id = studies.submit("study", "t", wrong, {})
    assert perform(job_id, step) == "failed"
    assert "2 of 2 arms are missing: Fine-tune-CoT has no training rows" in (jobs.job(job_id).error or "")
    assert [run.kind for run in queries.runs(studies.open_study(wrong))] == ["generate", "generate"]


def test_where_no_exemplar_qualifies_the_other_arms_are_tried_all_the_same(spec, golds, queued):
    golds.update({text: (number, "-1") for text, (number, _) in golds.items()})
    methods = ["heuristic-correction", "fine-tune-cot"]  # the first is shown correct exemplars only
    wrong = spec.but(methods=methods)
    job_id = studies.submit("study", "t", wrong, {})
    assert perform(job_id, step) == "failed"
    assert "4 of 4 arms are missing: No exemplar qualifies" in (jobs.job(job_id).error or "")
    said = " ".join(line.text for line in jobs.log(job_id))
    assert said.count("Fine-tune-CoT has no training rows") == 2, "with and without diverse reasoning"
