"""The printed figures: transcribed right, and told apart from ours."""

from __future__ import annotations

import pytest

from core.datasets import DATASETS, split_sizes
from core.results import published
from core.students.table import STUDENTS


def test_every_student_figure_is_a_whole_number_of_questions():
    """k of n, to the digits printed: a slip in a digit would leave the lattice."""
    off = [r for r in published.rows() if r.student and not _on_lattice(r)]
    assert off == []


def _on_lattice(row: published.Published) -> bool:
    exact = 100 * round(row.accuracy * row.n / 100) / row.n
    digits = 2 if row.source == "fine-tune-cot" else 1
    return abs(exact - row.accuracy) <= 0.5 * 10**-digits + 1e-9


def test_students_answered_the_test_questions_of_the_benchmarks_own_split():
    sizes = {row.benchmark: split_sizes(DATASETS[row.benchmark])["test"] for row in published.rows()}
    assert all(row.n == sizes[row.benchmark] for row in published.rows() if row.student)


def test_teacher_figures_are_over_all_stored_completions():
    """624 of 792, 271 of 401, 307 of 532: the repeats counted."""
    rows = {r.benchmark: r for r in published.rows() if r.table == "teacher"}
    right = {"multiarith": 624, "date_understanding": 271, "last_letter_concatenation": 307}
    for benchmark, correct in right.items():
        row = rows[benchmark]
        assert round(100 * correct / row.n, 2) == row.accuracy
    assert rows["gsm8k"].n is None


@pytest.mark.parametrize(
    ("arm", "accuracy", "samples"),
    [
        (("multiarith", "fine-tune-cot", "google/flan-t5-base", False), [12.22, 10.0, 12.22], [1, 1, 1]),
        (("tracking_shuffled_objects", "fine-tune", "T5 small", None), [94.22], [1]),
        (("addsub", "fine-tune", "SmolLM2-135M", None), [], []),
        (("svamp", "fine-tune-cot", "curie", True), [30.33], [64]),
        (("gsm8k", "fine-tune-cot", "t5-small", True), [], []),  # a dash in the table
        (("tracking_shuffled_objects", "new-fine-tune-cot", "flan-t5-base", True), [72.9], [8]),
        (("coin_flip", "new-fine-tune-cot", "", None), [100.0], [1]),
        (("addsub", "cluster-exemplars", "", None), [83.54], [1]),
    ],
)
def test_lookup(arm, accuracy, samples):
    found = published.lookup(*arm)
    assert [r.accuracy for r in found] == accuracy
    assert [r.samples for r in found] == samples


def test_the_copied_baseline_says_so_and_keeps_its_slip():
    rows = published.lookup("single_eq", "fine-tune-cot", "t5-small", True)
    assert {r.source: r.accuracy for r in rows} == {"fine-tune-cot": 7.24, "new-fine-tune-cot": 5.26}
    assert "copied from Fine-tune-CoT" in next(r.note for r in rows if r.source == "new-fine-tune-cot")


def test_every_published_student_but_the_closed_ones_is_a_row_of_students():
    known = {row.source.rsplit("/", 1)[-1] for row in STUDENTS.values()}
    assert {r.student for r in published.rows()} - known == {"", "ada", "babbage", "curie"}


def test_every_row_names_its_source_and_its_caveat():
    for row in published.rows():
        assert row.citation and row.table and row.note and row.method and row.teacher
        assert row.benchmark in DATASETS
        assert 0 < row.accuracy <= 100
