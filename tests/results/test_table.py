"""The table: pairing, seeds, baselines, and what it refuses."""

from __future__ import annotations

import pytest

from core.errors import LabError, RefusedError
from core.results import statistics
from core.results.table import TEST_SELECTED, Baseline, Cell, baselines, flips, table


def cell(run: int, method: str, right: set[int], **values) -> Cell:
    n = values.pop("n", 10)
    defaults = {"student": "t5-small", "teacher": "worked", "seed": 0, "benchmark": "addsub"}
    correct = {i: i in right for i in range(n)}
    return Cell(run, method, question_set=f"set of {n}", correct=correct, **{**defaults, **values})


FT = cell(1, "fine-tune", {0, 1, 2})
COT = cell(2, "fine-tune-cot", {0, 1, 3, 4, 5, 6})


def test_an_arm_against_its_baseline():
    first, second = table([FT, COT], Baseline("fine-tune"))
    assert (first.accuracy, first.n, first.baseline, first.p) == (30.0, 10, None, None)
    assert second.baseline == FT.arm
    assert (second.gained, second.lost) == (4, 1)
    assert second.p == second.p_adjusted == pytest.approx(0.375)  # exact McNemar, 4 against 1
    assert second.difference == pytest.approx(30)
    assert second.difference_low < 30 < second.difference_high
    assert second.low < second.accuracy < second.high


def test_without_a_baseline_nothing_is_compared():
    assert [row.difference for row in table([FT, COT])] == [None, None]
    assert table([]) == ()


def test_published_figures_stand_beside_the_same_questions_with_the_same_d():
    row = table([cell(1, "fine-tune-cot", {1}, n=119)])[0]
    assert {(f.source, f.accuracy) for f in row.published} == {
        ("notebook", 5.04),
        ("new-fine-tune-cot", 5.04),
    }
    diverse = table([cell(1, "fine-tune-cot", {1}, n=119, samples=8)])[0]
    assert {f.accuracy for f in diverse.published} == {7.56}
    for other in ({"samples": 4}, {"n": 12}, {"split": "template"}, {"student": "SmolLM2-135M"}):
        assert table([cell(1, "fine-tune-cot", {1}, **{"n": 119} | other)])[0].published == ()


def test_how_the_epoch_was_chosen_sets_arms_apart_and_is_named_where_it_was_on_the_test_questions():
    cells = [
        cell(1, "fine-tune-cot", {0}, selection="dev"),
        cell(2, "fine-tune-cot", {0, 1}, selection="test"),
    ]
    rows = table(cells)
    assert [(r.arm.selection, r.split, r.n) for r in rows] == [
        ("dev", "default", 10),
        ("test", "default", 10),
    ]
    assert [TEST_SELECTED in str(r.arm) for r in rows] == [False, True]
    found = baselines([FT, *cells])
    assert list(found)[1:] == [
        "fine-tune-cot",
        "fine-tune-cot · D=1 · dev questions · worked",
        "fine-tune-cot · D=1 · test questions · worked",
    ]
    dev = found["fine-tune-cot · D=1 · dev questions · worked"]
    assert [r.baseline for r in table(cells, dev)] == [None, cells[0].arm]


def test_several_seeds_have_a_mean_and_a_row_each():
    cells = [
        cell(1, "fine-tune", {0, 1}, seed=0),
        cell(2, "fine-tune", {0, 1, 2}, seed=1),
        cell(3, "fine-tune-cot", {0, 1, 2, 3, 4}, seed=0),
        cell(4, "fine-tune-cot", {0, 1, 2, 3, 4, 5}, seed=1),
    ]
    rows = table(cells, Baseline("fine-tune"))
    assert [(r.arm.method, r.seed) for r in rows] == [
        ("fine-tune", None),
        ("fine-tune", 0),
        ("fine-tune", 1),
        ("fine-tune-cot", None),
        ("fine-tune-cot", 0),
        ("fine-tune-cot", 1),
    ]
    mean, zero, one = rows[3:]
    assert mean.accuracy == pytest.approx(55)
    assert mean.runs == (3, 4) and mean.n == 10
    assert mean.difference == pytest.approx(30)
    matrix = [[c.correct[i] for i in range(10)] for c in cells]
    assert mean.p == statistics.paired_p(matrix[2:], matrix[:2])
    assert (zero.gained, one.gained) == (3, 3)  # each against its own seed
    assert mean.p_adjusted is not None and zero.p_adjusted is None
    assert mean.gained is None


def test_a_seedless_baseline_serves_every_seed():
    zero = cell(1, "zero-shot", {0}, teacher="")
    rows = table([zero, *(cell(2 + s, "fine-tune-cot", {0, 1, 2 + s}, seed=s) for s in (1, 2))],
                 Baseline("zero-shot"))  # fmt: skip
    assert [r.baseline for r in rows] == [None, zero.arm, zero.arm, zero.arm]
    assert [r.gained for r in rows] == [None, None, 2, 2]


def test_each_student_is_compared_with_itself():
    cells = [
        cell(run, method, {0}, student=student)
        for run, (method, student) in enumerate((m, s) for m in ("fine-tune", "fine-tune-cot") for s in "ab")
    ]
    rows = {(r.arm.method, r.arm.student): r for r in table(cells, Baseline("fine-tune"))}
    assert rows["fine-tune-cot", "b"].baseline.student == "b"
    rows = {(r.arm.method, r.arm.student): r for r in table(cells, Baseline("fine-tune", student="a"))}
    assert rows["fine-tune-cot", "b"].baseline.student == "a"
    assert rows["fine-tune", "b"].baseline.student == "a"


def test_the_same_teacher_is_the_nearer_baseline():
    cells = [
        cell(1, "fine-tune-cot", {0}, teacher="x"),
        cell(2, "fine-tune-cot", {1}, teacher="y"),
        cell(3, "new-fine-tune-cot", {2}, teacher="y"),
        cell(4, "new-fine-tune-cot", {2}, teacher="z"),
    ]
    assert table(cells[:3], Baseline("fine-tune-cot"))[2].baseline.teacher == "y"
    with pytest.raises(LabError, match="name its teacher"):
        table(cells, Baseline("fine-tune-cot"))


def test_one_d_against_another():
    cells = [cell(1, "fine-tune-cot", {0}), cell(2, "fine-tune-cot", {0, 1}, samples=8)]
    assert table(cells, Baseline("fine-tune-cot", samples=1))[1].baseline.samples == 1


def test_a_filtered_arm_against_the_same_method_unfiltered():
    filtered = cell(3, "fine-tune-cot", {0, 1, 3, 4}, variant="steps")
    found = baselines([FT, COT, filtered])
    assert list(found) == [
        "fine-tune",
        "fine-tune-cot",
        "fine-tune-cot · D=1 · worked",
        "fine-tune-cot · D=1 · steps · worked",
    ]
    plain, _, against = table([COT, FT, filtered], found["fine-tune-cot · D=1 · worked"])
    assert plain.baseline is None
    assert (against.baseline, against.gained, against.lost) == (COT.arm, 0, 2)
    assert all(table([FT, COT, filtered], baseline) for baseline in found.values())


def test_a_filtered_arm_stands_against_the_plain_baseline_rather_than_an_earlier_one():
    earlier = cell(3, "fine-tune-cot", {0}, variant="earlier, run 3")
    filtered = cell(4, "new-fine-tune-cot", {0, 1}, variant="steps")
    assert table([COT, earlier, filtered], Baseline("fine-tune-cot"))[-1].baseline == COT.arm


def test_the_family_is_the_arms():
    cells = [FT, *(cell(i, "fine-tune-cot", set(range(3, 3 + i)), variant=str(i)) for i in (4, 5, 6))]
    rows = table(cells, Baseline("fine-tune"))
    assert [r.p_adjusted for r in rows[1:]] == statistics.adjust([r.p for r in rows[1:]])
    fdr = table(cells, Baseline("fine-tune"), "benjamini-hochberg")
    assert all(x.p_adjusted <= y.p_adjusted for x, y in zip(fdr[1:], rows[1:], strict=True))


def test_different_questions_are_refused():
    short = cell(2, "fine-tune-cot", {0}, n=7)
    with pytest.raises(RefusedError, match="Runs 2 and 1 were asked different questions of addsub"):
        table([FT, short], Baseline("fine-tune"))
    with pytest.raises(RefusedError):
        table([FT, cell(3, "fine-tune", {0}, n=7, seed=1)])  # nor is there a mean over them
    with pytest.raises(RefusedError):
        flips(FT, short)
    with pytest.raises(RefusedError, match="different benchmarks"):
        flips(FT, cell(2, "fine-tune", {0}, benchmark="svamp"))
    assert len(table([FT, short])) == 2  # side by side they may stand


def test_an_unfinished_run_is_refused():
    half = Cell(9, "x", "t5-small", "worked", 0, "addsub", FT.question_set, {0: True})
    with pytest.raises(RefusedError, match="Run 9 has no prediction yet"):
        flips(FT, half)


def test_benchmarks_are_kept_apart():
    cells = [FT, cell(5, "fine-tune", {0}, benchmark="svamp", n=6), COT]
    rows = table(cells, Baseline("fine-tune"))
    assert [(r.arm.benchmark, r.runs[0]) for r in rows] == [("addsub", 1), ("addsub", 2), ("svamp", 5)]


def test_an_unknown_baseline_is_named():
    with pytest.raises(LabError, match="fine-tune, fine-tune-cot"):
        table([FT, COT], Baseline("nothing"))


def test_flips():
    got = flips(FT, COT)
    assert (got.gained, got.lost) == ((3, 4, 5, 6), (2,))
