"""Diversity of a generation: measured when it closes, stored by question, measured later where it was not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core import stages, studies
from core.quality.diversity import diversity
from core.stages import generation
from core.stages.diversity import measure
from core.store import queries
from tests.performing import Silent, plain

SAME = "Ann has 2 + 3 = 5 apples."
OTHER = "Five: three more than the two that she began with."


def lines(rationales: dict[int, list[str]]) -> str:
    rows = [
        {"index": index, "sample": sample, "rationale": text, "answer": "5"}
        for index, texts in rationales.items()
        for sample, text in enumerate(texts)
    ]
    return "\n".join(map(json.dumps, rows))


@pytest.fixture
def imported(lab_home: Path, tmp_path: Path) -> int:
    """A generation with three, two and one rationale of three questions."""
    spec = studies.Study(name="Several", benchmark="arithmetic_generated", options={"size": 20, "seed": 0})
    file = tmp_path / "several.jsonl"
    file.write_text(lines({0: [SAME, OTHER, "Ann?"], 1: [SAME, SAME.upper()], 2: [SAME]}))
    return generation.import_file(studies.open_study(spec), file, "jsonl")["run"]


def test_the_run_and_each_question_are_measured_when_it_closes(imported: int):
    first, second = queries.diversity_page(imported)
    assert (first.question_index, first.n, first.texts, first.paths) == (1, 2, 1, 1)
    assert first.effective == pytest.approx(1) and first.similarity == pytest.approx(1)
    expected = diversity([SAME, OTHER, "Ann?"])
    assert (second.texts, second.paths) == (expected.texts, expected.paths)
    assert second.effective == pytest.approx(expected.effective)
    said = queries.run(imported).summary["diversity"]
    assert said["questions"] == 2 and said["n"] == 2.5
    assert said["effective"] == pytest.approx((1 + expected.effective) / 2)
    assert queries.diversity_of(imported, 2) is None, "one rationale differs from none"
    assert len(queries.diversity_page(imported, 1, 5)) == 1 == queries.count_diversity(imported) - 1


def test_measured_again_it_is_the_same(imported: int):
    before = [(row.question_index, row.effective) for row in queries.diversity_page(imported)]
    summary = queries.run(imported).summary
    queries.set_run(imported, summary={"n": 6})
    job = {"study_id": queries.run(imported).study_id, "run": imported}
    stages.KINDS["diversity"](Silent(), job, plain)
    assert [(row.question_index, row.effective) for row in queries.diversity_page(imported)] == before
    assert queries.run(imported).summary == {"n": 6, "diversity": summary["diversity"]}


def test_a_run_of_one_rationale_a_question_is_not_measured(lab_home: Path, tmp_path: Path):
    spec = studies.Study(name="One", benchmark="arithmetic_generated", options={"size": 20, "seed": 0})
    file = tmp_path / "one.jsonl"
    file.write_text(lines({0: [SAME], 1: [OTHER]}))
    run = generation.import_file(studies.open_study(spec), file, "jsonl")["run"]
    assert measure(run) == {} and queries.count_diversity(run) == 0
    assert "diversity" not in queries.run(run).summary
