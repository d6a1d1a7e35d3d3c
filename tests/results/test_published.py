"""The printed figures: transcribed right, and told apart from ours."""

from __future__ import annotations

import pytest

from core.datasets import DATASETS, split_sizes
from core.results import published
from core.students.config import SELECTIONS
from core.students.table import STUDENTS


def test_every_student_figure_is_a_whole_number_of_questions():
    """k of n, to the digits printed: a slip in a digit would leave the lattice."""
    off = [r for r in published.rows() if r.student and not _on_lattice(r)]
    assert off == []


def _on_lattice(row: published.Published) -> bool:
    exact = 100 * round(row.accuracy * row.n / 100) / row.n
    digits = 2 if row.source == "notebook" else 1
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
        (
            ("multiarith", "fine-tune-cot", "google/flan-t5-base"),
            [12.22, 21.11, 10.0, 17.22, 16.11, 19.44, 12.22],
            [1, 64, 1, 2, 4, 8, 1],
        ),
        (("tracking_shuffled_objects", "fine-tune", "T5 small"), [94.22], [1]),
        (("addsub", "fine-tune", "SmolLM2-135M"), [], []),
        (("svamp", "fine-tune-cot", "curie"), [12.67, 30.33], [1, 64]),
        (("gsm8k", "fine-tune-cot", "t5-small"), [2.58], [1]),  # diverse: a dash in the table
        (("tracking_shuffled_objects", "new-fine-tune-cot", "flan-t5-base"), [66.7, 72.9], [1, 8]),
        (("coin_flip", "new-fine-tune-cot", ""), [100.0], [1]),
        (("addsub", "cluster-exemplars", ""), [83.54], [1]),
        (("addsub", "cluster-exemplars", "GPT-2 small"), [6.7], [1]),
        (("date_understanding", "cluster-exemplars", "gpt2-medium"), [22.5], [1]),
        (("date_understanding", "chance", ""), [17.12], [1]),
    ],
)
def test_lookup(arm, accuracy, samples):
    found = published.lookup(*arm)
    assert [r.accuracy for r in found] == accuracy
    assert [r.samples for r in found] == samples


@pytest.mark.parametrize(
    ("benchmark", "student", "ours", "theirs"),
    [("single_eq", "t5-small", 7.24, 5.26), ("addsub", "t5-base", 10.08, 10.10)],
)
def test_the_copied_baseline_says_so_and_keeps_its_slips(benchmark, student, ours, theirs):
    found = published.beside(benchmark, "fine-tune-cot", student, 8, "default", published_n(benchmark))
    assert {r.source: r.accuracy for r in found} == {"notebook": ours, "new-fine-tune-cot": theirs}
    assert f"slip in the copy: the notebook has {ours:.2f}" in found[1].note
    copies = [r for r in published.rows() if r.source == published.NEW and "copied" in r.note and r.student]
    assert sum("slip" in r.note for r in copies) == 2
    book = {(r.student, r.benchmark, r.samples): r.accuracy for r in notebook("fine-tune-cot")}
    assert all(("slip" in r.note) == (book[r.student, r.benchmark, r.samples] != r.accuracy) for r in copies)


def published_n(benchmark: str) -> int:
    return split_sizes(DATASETS[benchmark])["test"]


def notebook(method: str) -> list[published.Published]:
    found = [r for r in published.rows() if r.source == "notebook" and r.table.startswith("cells 38")]
    return [r for r in found if r.method == method]


def test_a_star_is_a_rerun_that_fell_short_and_two_exceed_the_notebook():
    starred = [r for r in published.rows() if r.note.startswith("starred")]
    book = {(r.student, r.benchmark, r.samples): r.accuracy for r in notebook("fine-tune-cot")}
    above = [r.accuracy for r in starred if r.accuracy > book[r.student, r.benchmark, r.samples]]
    assert len(starred) == 3 and above == [86.7, 93.3]
    assert all("doubtful" not in r.note for r in published.rows())


@pytest.mark.parametrize(
    ("benchmark", "right", "of"),
    [("single_eq", 464, "all"), ("addsub", 360, "all"), ("multiarith", 412, "train"), ("svamp", 555, "train"),
     ("date_understanding", 203, "train"), ("tracking_shuffled_objects", 331, "train")],
)  # fmt: skip
def test_the_new_teachers_figures_fit_one_set_of_questions_alone(benchmark, right, of):
    """Cut or rounded after two digits; among all, the training, the test questions, and all completions."""
    (new,) = [r for r in published.lookup(benchmark, published.NEW, "")]
    sizes = split_sizes(DATASETS[benchmark])
    stored = next(r.n for r in published.rows() if (r.table, r.benchmark) == ("teacher", benchmark))
    sizes |= {"all": sum(sizes.values())} | ({} if stored in (None, sum(sizes.values())) else {"": stored})
    fits = [
        (k, name) for name, n in sizes.items() for k in range(n + 1)
        if new.accuracy in (round(100 * k / n, 2), int(1e4 * k / n + 1e-6) / 100)
    ]  # fmt: skip
    assert fits == [(right, of)] and f"fits {right} of " in new.note


def test_where_the_new_method_falls():
    printed = [r for r in published.rows() if r.source == published.NEW and r.student]
    before = {(r.benchmark, r.student, r.samples): r.accuracy for r in printed if r.method == "fine-tune-cot"}
    after = {(r.benchmark, r.student, r.samples): r.accuracy for r in printed if r.method == published.NEW}
    falls = {arm: round(after[arm] - before[arm], 2) for arm in after}
    date = "date_understanding"
    assert {arm: fall for arm, fall in falls.items() if fall < -0.05} == {  # printed with one digit
        (date, "t5-small", 8): -2.68, (date, "t5-base", 1): -0.88, ("svamp", "t5-small", 1): -1.66,
        (date, "flan-t5-small", 1): -3.58, (date, "flan-t5-small", 8): -6.28,
        (date, "flan-t5-base", 1): -4.48, (date, "flan-t5-base", 8): -3.58,
    }  # fmt: skip


def test_a_figure_stands_only_beside_the_same_questions_and_the_same_d():
    arm = ("multiarith", "fine-tune-cot", "flan-t5-base")
    assert [r.accuracy for r in published.beside(*arm, 1, "default", 180)] == [12.22, 12.22]
    assert [r.accuracy for r in published.beside(*arm, 2, "default", 180)] == [17.22]
    for other in ((3, "default", 180), (1, "template", 180), (1, "default", 12)):
        assert published.beside(*arm, *other) == ()


def test_every_published_student_but_the_closed_ones_is_a_row_of_students():
    known = {row.source.rsplit("/", 1)[-1] for row in STUDENTS.values()}
    assert {r.student for r in published.rows()} - known == {"", "ada", "babbage", "curie"}


def test_every_row_names_its_source_and_its_caveat():
    for row in published.rows():
        assert row.citation and row.table and row.note and row.method
        assert row.benchmark in DATASETS and row.selection in ("", *SELECTIONS)
        assert bool(row.teacher) == (row.method != "chance") and bool(row.split) == bool(row.student)
        assert 0 <= row.accuracy <= 100


def test_the_notebook_is_cited_as_the_notebook():
    cited = {r.citation for r in published.rows() if r.student in ("gpt2", "t5-small")}
    assert cited == {"results.ipynb of Ho et al.", "New-Fine-tune-CoT, J. Data Acquis. Process. 2024"}
