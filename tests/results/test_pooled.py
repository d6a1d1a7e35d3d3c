"""Pooling: strata, pairing, and what is not pooled."""

from __future__ import annotations

import pytest

from core.errors import LabError, RefusedError
from core.results import statistics
from core.results.pooled import by_runs, lines, pooled, to_text
from core.results.table import Baseline, Cell

AGAINST = Baseline("fine-tune")


def cells(benchmark: str, n: int, right: dict[tuple[str, int], set[int]], first: int = 0) -> list[Cell]:
    """Evaluations of n questions: (method, seed) → the questions that are right."""
    return [
        Cell(first + i, method, "t5-small", "worked", seed, benchmark, f"{benchmark} {n}",
             {q: q in good for q in range(n)})
        for i, ((method, seed), good) in enumerate(right.items())
    ]  # fmt: skip


ADDSUB = cells("addsub", 20, {("fine-tune", 0): {0, 1}, ("fine-tune-cot", 0): {0, 2, 3, 4, 5}})
SVAMP = cells("svamp", 30, {("fine-tune", 0): {9}, ("fine-tune-cot", 0): {4, 5, 6, 9}}, 10)


def test_strata_and_all_together():
    (row,) = pooled([*ADDSUB, *SVAMP], AGAINST)
    assert [(s.benchmark, s.n, s.seeds) for s in row.strata] == [
        ("addsub", 20, (1, 1)),
        ("svamp", 30, (1, 1)),
    ]
    assert row.strata[0].p == statistics.mcnemar([True] * 4 + [False], [False] * 4 + [True]).p
    both = statistics.mcnemar([True] * 7 + [False], [False] * 7 + [True])
    assert row.p == row.p_adjusted == pytest.approx(both.p)
    assert row.difference == pytest.approx(100 * 6 / 50) and row.low < row.difference < row.high
    assert [line["questions"] for line in lines(row)] == [
        "addsub, default split", "svamp, default split", "together",
    ]  # fmt: skip
    assert "six pairs are the fewest" in by_runs(row) and by_runs(row) in to_text(row)


def test_seeds_are_averaged_within_a_question_and_are_the_pairs_of_the_test_by_runs():
    right = {(method, seed): {0, 1} if method == "fine-tune" else {0, 1, 2 + seed}
             for method in ("fine-tune", "fine-tune-cot") for seed in range(6)}  # fmt: skip
    (row,) = pooled(cells("addsub", 12, right), AGAINST)
    assert (row.strata[0].seeds, row.pairs) == ((6, 6), 6)
    assert row.p_runs == pytest.approx(2 / 64), "each of six runs gains a question"
    assert row.p == pytest.approx(2 / 64), "and each of six questions is gained by one of six runs"
    (alone,) = pooled(cells("addsub", 12, {**right, ("fine-tune-cot", 6): set()}), AGAINST)
    assert alone.p_runs is None and "no" in by_runs(alone).lower()


def test_the_same_questions_in_two_studies_are_seeds_of_one_stratum():
    again = cells("addsub", 20, {("fine-tune", 1): {0, 1}, ("fine-tune-cot", 1): {0, 2, 3, 4, 5}}, 20)
    (row,) = pooled([*ADDSUB, *again], AGAINST)
    assert [s.seeds for s in row.strata] == [(2, 2)]
    assert row.p == pytest.approx(pooled(ADDSUB, AGAINST)[0].p), "no new evidence"


def test_other_questions_of_one_benchmark_are_refused_and_nothing_is_told_so():
    other = cells("addsub", 21, {("fine-tune", 0): {0}, ("fine-tune-cot", 0): {1}}, 20)
    with pytest.raises(RefusedError, match="pool studies with one split"):
        pooled([*ADDSUB, *other], AGAINST)
    with pytest.raises(LabError, match="Nothing can be pooled"):
        pooled(ADDSUB[1:], AGAINST)
