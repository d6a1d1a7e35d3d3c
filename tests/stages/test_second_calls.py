"""Adaptive answers asked for a second time: calls counted at a real server, and on recorded rationales."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from core import stages, studies
from core.answers import same
from core.answers.asserted import MARKER, asserted
from core.errors import LabError
from core.exemplars.adaptive import Ledger, Saving, SecondCall, sample
from core.records import Question, Score
from core.stages import generation, second_calls
from core.store import models, queries, session
from tests import runs
from tests.answering import answering
from tests.performing import Silent, done
from tests.recordings import DAVINCI

N, MARKED = 30, 10  # every third question says its answer behind a marker
pytestmark = pytest.mark.usefixtures("queued")


def said(body: dict[str, Any]) -> str:
    """7 behind a marker for every third question; asked again, 8 for every ninth, else 7."""
    asked = int(re.findall(r"Add (\d+)", body["prompt"])[-1])
    if body["prompt"].endswith("the answer is"):
        return " 8." if asked % 9 == 0 else " 7."
    return " 3 + 4 = 7." + (" The answer is 7." if asked % 3 == 0 else "")


def study(url: str) -> int:
    """A study of 30 additions, its adaptive generation finished. Returns the run's id."""
    teacher = {"key": "llama.cpp", "base_url": url, "model": "any", "price_in": 10.0, "price_out": 20.0}
    spec = studies.Study(name="S", benchmark="addsub", methods=("new-fine-tune-cot",), teacher=teacher)
    dataset = queries.add_dataset("addsub", {}, [_question(i) for i in range(N)])
    queries.add_study("S", dataset, spec.rules, spec.dump())
    return generated(spec)


def generated(spec: studies.Study, **request: Any) -> int:
    """Have the study's teacher write with one exemplar in view. Returns the run's id."""
    study_id = queries.study_by_name(spec.name).id
    zero_shot = runs.generation(study_id)
    queries.save_completions(zero_shot.id, [(runs.written(0, " It is."), Score(True, "7"))])
    request |= {"method": "new-fine-tune-cot", "exemplars": runs.chosen(zero_shot, 0).id}
    done(studies.submit("generate", "t", spec, request))
    return queries.runs(study_id, "generate")[-1].id


def _question(i: int) -> Question:
    return Question(i, f"Add {i} apples.", "7")


def ledger_lines(run_id: int) -> list[tuple[str, bool]]:
    with session() as db:
        rows = db.scalars(select(models.LedgerEntry).where(models.LedgerEntry.run_id == run_id))
        return [(row.step, row.cached) for row in rows]


def test_a_check_asks_for_its_sample_once_and_changes_nothing(lab_home: Path):
    with answering(said, usage=(100, 5)) as server:
        run_id = study(server.url)
        assert len(server.prompts) == N + (N - MARKED), "n and the misses"
        before = [(c.rationale, c.steps, c.value, c.calls) for c in queries.completions(run_id)]
        totals = queries.ledger_totals(run_id)

        done(second_calls.submit(run_id, size=6, seed=1))
        assert len(server.prompts) == 2 * N - MARKED + 6
        found = queries.run(run_id).summary["check"]
        keys = sample([(i, 0) for i in range(0, N, 3)], 6, 1)
        assert [(item["question"], item["sample"]) for item in found["items"]] == keys
        differing = [item["question"] for item in found["items"] if not item["agree"]]
        assert differing == [i for i, _ in keys if i % 9 == 0]
        assert (found["compared"], found["disagree"], found["failed"]) == (6, len(differing), 0)
        assert [(c.rationale, c.steps, c.value, c.calls) for c in queries.completions(run_id)] == before
        assert queries.ledger_totals(run_id) == totals, "a check is no cost of the completions"
        assert ledger_lines(run_id).count(("check", False)) == 6

        done(second_calls.submit(run_id, size=6, seed=1))
        assert len(server.prompts) == 2 * N - MARKED + 6, "the same check asks nothing"
        done(second_calls.submit(run_id, size=50, seed=1))
        assert len(server.prompts) == 2 * N - MARKED + MARKED, "a larger one asks what is missing"
        assert queries.run(run_id).summary["check"]["disagree"] == 4  # 0, 9, 18 and 27
        assert queries.run(run_id).summary["n"] == N

        generation.close(Silent(), run_id)
        assert queries.run(run_id).summary["check"]["compared"] == MARKED, "a resumed run keeps its check"


def test_the_ledger_says_what_second_calls_would_have_taken(lab_home: Path):
    with answering(said, usage=(100, 5)) as server:
        run_id = study(server.url)
    spared = second_calls.ledger(queries.run(run_id))
    assert spared.saving == Saving(N, MARKED) and spared.saving.calls == 2 * N - MARKED
    assert spared.marker_share == pytest.approx(1 / 3)
    assert spared.second == SecondCall(N - MARKED, 100.0, 5.0, pytest.approx(1.1e-3))
    assert spared.tokens_saved == MARKED * 105
    assert spared.cost_saved == pytest.approx(MARKED * (100 * 10 + 5 * 20) / 1e6)


def test_nothing_is_estimated_where_no_second_call_is_known():
    spared = Ledger(Saving(3, 3), 3)
    assert spared.tokens_saved is None and spared.cost_saved is None


def test_a_failed_second_call_is_counted_and_asked_again(lab_home: Path):
    with answering(said, usage=(100, 5)) as server:
        run_id = study(server.url)
        broken = []

        def once(body: dict[str, Any]) -> str | None:
            """One of the check's calls is refused, once."""
            if not broken:
                broken.append(body)
                return None
            return said(body)

        server.answer = once
        asked = len(server.prompts)
        done(second_calls.submit(run_id, size=10))
        found = queries.run(run_id).summary["check"]
        assert (found["compared"], found["failed"]) == (9, 1)
        done(second_calls.submit(run_id, size=10))
        found = queries.run(run_id).summary["check"]
        assert (found["compared"], found["failed"]) == (10, 0)
        assert len(server.prompts) - asked == 10, "nine at first, the failed one after it"


def test_what_cannot_be_checked_says_so(lab_home: Path):
    dataset = queries.add_dataset("addsub", {}, [_question(0)])
    study_id = queries.add_study("S", dataset, "fine-tune-cot", {})
    bare = runs.generation(study_id)
    with pytest.raises(LabError, match="made no adaptive answers"):
        second_calls.submit(bare.id)
    none = runs.generation(study_id, "new-fine-tune-cot")
    with pytest.raises(LabError, match="nothing to check"):
        second_calls.submit(none.id)
    with pytest.raises(LabError, match="at least 1"):
        second_calls.submit(none.id, size=0)


def test_a_sample_is_its_seeds_whatever_the_order():
    keys = [(i, 0) for i in range(100)]
    assert sample(keys, 10, 3) == sample(keys[::-1], 10, 3) != sample(keys, 10, 4)
    assert sample(keys[:4], 10, 0) == keys[:4]


@pytest.mark.parametrize(
    ("first", "second", "kind", "agree"),
    [
        ("7", "7", "decimal", True),
        ("7.0", "7", "decimal", True),
        ("7.0", "7", "integer", False),  # Fine-tune-CoT's rules compare these as strings
        ("7", None, "decimal", False),
        ("7", "8", "decimal", False),
    ],
)
def test_two_answers_are_compared_under_the_rules(first, second, kind, agree):
    assert same(first, second, kind=kind, rules="fine-tune-cot") is agree


# Of text-davinci-002's zero-shot rationales so many hold a marker.
@pytest.mark.parametrize(("key", "percent"), [("single_eq", 1.2), ("addsub", 3.0), ("multiarith", 1.3)])
def test_the_recorded_marker_rates(lab_home: Path, recorded: Path, key: str, percent: float):
    path = recorded / DAVINCI / f"D_{key}.json"
    if not path.is_file():
        pytest.skip(f"the recorded {key} rationales are not here")
    study_id = studies.open_study(studies.Study(name="S", benchmark=key))
    made = generation.import_file(study_id, path, "fine-tune-cot")
    spared = second_calls.ledger(queries.run(made["run"]))
    assert spared.saving.questions == made["records"]
    rows = queries.completions(made["run"])
    assert spared.marked == sum(bool(MARKER.search(row.rationale)) for row in rows)
    first = [bool(MARKER.search(row.rationale)) for row in rows if row.sample_index == 0]  # the greedy ones
    assert round(100 * sum(first) / len(first), 1) == percent
    assert spared.saving.extracted == 0, "they were asked twice"


def test_recorded_second_calls_are_compared_with_what_the_rationales_say(lab_home: Path, recorded: Path):
    """Of davinci's recorded AddSub rationales those that say their answer, and the second answer of each."""
    path = recorded / DAVINCI / "D_addsub.json"
    teacher = {"key": "recorded", "path": str(path)}
    spec = studies.Study(name="S", benchmark="addsub", methods=("new-fine-tune-cot",), teacher=teacher)
    studies.open_study(spec)
    run = queries.run(generated(spec, split="all"))
    assert second_calls.ledger(run).saving == Saving(395, 0), "a recording is taken as it is: asked twice"
    with pytest.raises(LabError, match="nothing to check"):
        second_calls.submit(run.id)
    said = {
        row.question_index: (found.value, row.value)
        for row in queries.completions(run.id)
        if (found := asserted(row.rationale, "decimal", "fine-tune-cot"))
    }
    assert 0 < len(said) <= second_calls.ledger(run).marked == 12
    for first, second in said.values():
        assert same(first, second, kind="decimal", rules="fine-tune-cot") == (float(first) == float(second))


def test_the_job_is_one_of_the_kinds():
    assert stages.KINDS[second_calls.KIND] is stages.check_answers
