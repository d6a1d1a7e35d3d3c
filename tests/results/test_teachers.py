"""What the teachers got right: worked examples, failed items, and what is not compared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import RefusedError
from core.results import statistics
from core.results.teachers import Generation, alone, beside, difference_text, table, to_text


def generation(run_id: int, right: set[int], n: int = 60, failed: set[int] = frozenset()) -> Generation:
    verdicts = {i: (None if i in failed else i in right,) for i in range(n)}
    return Generation(run_id, "fine-tune-cot", "teacher", "train", verdicts, calls=n)


BARE, SHOWN = generation(1, {0, 1, 2}), generation(3, {2, 3, 4, 5, 6, 7, 8})  # 3 of 60, 7 of 60


def test_accuracy_with_its_wilson_interval():
    row = alone(SHOWN)
    # Wilson 1927 by hand: (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n) at 7 of 60.
    p, z, n = 7 / 60, 1.959964, 60
    middle, reach = p + z * z / (2 * n), z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    assert row.n == 60 and row.failed == 0 and row.accuracy == pytest.approx(100 * 7 / 60)
    assert row.low == pytest.approx(100 * (middle - reach) / (1 + z * z / n), abs=1e-3)
    assert row.high == pytest.approx(100 * (middle + reach) / (1 + z * z / n), abs=1e-3)


def test_the_paired_difference_is_exact_mcnemar_with_its_interval():
    row = beside(alone(SHOWN), BARE)
    assert (row.gained, row.lost, row.pairs) == (6, 2, 60)
    assert row.p == pytest.approx(2 * sum((1, 8, 28)) / 2**8)  # two-sided binomial of 2 in 8
    expected = statistics.difference([[i in range(2, 9) for i in range(60)]], [[i < 3 for i in range(60)]])
    assert row.difference == pytest.approx(100 * 4 / 60)
    assert (row.difference_low, row.difference_high) == (100 * expected.low, 100 * expected.high)


def test_answers_that_stood_in_the_prompt_are_told_apart():
    """A teacher that only copies what it is shown has learnt nothing: 3 right with, 0 without."""
    copied = replace(generation(3, {10, 11, 12}), seen=frozenset({10, 11, 12, 99}), shown=3)
    row = table([BARE, copied], 1)[1]
    assert row.n == 60 and row.accuracy == pytest.approx(5) and row.difference == pytest.approx(0)
    assert row.unseen.n == row.unseen.pairs == 57 and row.unseen.accuracy == 0
    assert row.unseen.difference == pytest.approx(-100 * 3 / 57) and row.unseen.lost == 3
    assert row.as_dict()["unseen"]["n"] == 57 and "seen" not in row.as_dict()
    assert "without questions shown in the prompt: 0.0" in to_text([row])
    assert table([BARE, SHOWN], 1)[1].unseen is None and alone(copied).unseen is None
    both = table([copied, SHOWN], 3)[1]
    assert both.unseen.n == 57, "nor those that the baseline was shown"


def test_p_values_are_adjusted_over_the_generations():
    others = [SHOWN, generation(5, {3, 4, 5, 6, 7, 8, 9, 10}), generation(6, {0, 1})]
    rows = table([BARE, *others], 1)
    assert rows[0].p_adjusted is None
    assert [r.p_adjusted for r in rows[1:]] == statistics.adjust([r.p for r in rows[1:]])
    assert rows[1].as_dict()["p_adjusted"] > rows[1].p
    fdr = table([BARE, *others], 1, "benjamini-hochberg")
    assert [r.p_adjusted for r in fdr[1:]] == statistics.adjust([r.p for r in rows[1:]], "benjamini-hochberg")
    assert "adjusted" in to_text(rows)


def test_failed_items_are_counted_and_left_out_of_the_pairs():
    some = generation(4, {2, 3, 4, 5}, failed={6, 7})
    row = beside(alone(some), BARE)
    assert (row.n, row.failed, row.pairs) == (58, 2, 58)
    assert row.accuracy == pytest.approx(100 * 4 / 58)
    assert (row.gained, row.lost) == (3, 2)


def test_different_questions_are_refused_in_one_sentence_and_never_intersected():
    fewer = generation(9, {0}, n=50)
    with pytest.raises(RefusedError, match=r"Runs 1 and 9 .* different questions \(60 and 50\)"):
        beside(alone(fewer), BARE)
    rows = table([BARE, SHOWN, fewer], baseline=1)
    assert [row.difference is None for row in rows] == [True, False, True]
    assert rows[2].accuracy == 2 and rows[2].refused and difference_text(rows[2]) == "not comparable"
    assert to_text(rows).splitlines()[-1] == rows[2].refused


def test_several_rationales_a_question_count_by_question():
    several = Generation(5, "m", "t", "train", {0: (True, False), 1: (True, True), 2: (False, False)})
    row = alone(several)
    assert (row.n, row.samples) == (3, 2) and row.accuracy == pytest.approx(50)
    one = Generation(6, "m", "t", "train", {0: (False,), 1: (True,), 2: (False,)})
    compared = beside(row, one)
    assert compared.difference == pytest.approx(100 * 0.5 / 3) and compared.p == 1 and compared.gained is None


def test_a_run_whose_items_all_failed_says_so():
    none = generation(7, set(), n=3, failed={0, 1, 2})
    row = alone(none)
    assert (row.n, row.failed, row.accuracy) == (0, 3, None)
    with pytest.raises(RefusedError, match="no answered question in common"):
        beside(row, generation(8, {1}, n=3))
