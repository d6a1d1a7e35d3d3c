"""The intervals and tests against the examples of the papers they come from."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.results import statistics as s


@pytest.mark.parametrize(
    ("correct", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_newcombes_table(correct, n, low, high):
    """Newcombe 1998, 'Two-sided confidence intervals for the single proportion', table I, method 3."""
    got = s.wilson(correct, n)
    assert (round(got.low, 4), round(got.high, 4)) == (low, high)


def paired(both: int, first: int, second: int, neither: int) -> tuple[list[bool], list[bool]]:
    a = [True] * both + [True] * first + [False] * second + [False] * neither
    b = [True] * both + [False] * first + [True] * second + [False] * neither
    return a, b


def test_airway_hyperresponsiveness_before_and_after_transplantation():
    """Bentur et al. 2009 as analysed by Fagerland, Lydersen and Laake 2014: counts 1, 1, 7, 12. Exact McNemar
    does not reject; an interval that inverts it holds 0, as Newcombe's (-0.507 to -0.026) did not."""
    a, b = paired(1, 1, 7, 12)
    assert s.mcnemar(a, b) == s.McNemar(1, 7, pytest.approx(0.0703125))
    got = s.difference([a], [b])
    assert got.value == pytest.approx(-6 / 21)
    assert got.low < 0 < got.high


@pytest.mark.parametrize("table", [(36, 12, 2, 0), (141, 9, 2, 9), (3, 0, 8, 0), (20, 0, 0, 5), (0, 8, 0, 0)])
def test_the_interval_is_fay_and_lumbards(table):
    """Their definition (Stat. Med. 40, 2021), by simulation: exact limits for the share of differing pairs
    won, times exact limits for the share that differ, whichever of these reaches further."""
    import numpy as np

    draw = np.random.default_rng(0)
    n, won, differ, many = sum(table), table[1], table[1] + table[2], 400_000

    def beta(x, y):
        return draw.beta(x, y, many) if x and y else np.full(many, float(y == 0))

    shares = beta(differ, n - differ + 1), beta(differ + 1, n - differ)
    low = min(np.quantile((2 * beta(won, differ - won + 1) - 1) * share, 0.025) for share in shares)
    high = max(np.quantile((2 * beta(won + 1, differ - won) - 1) * share, 0.975) for share in shares)
    a, b = paired(*table)
    got = s.difference([a], [b])
    assert (got.low, got.high) == pytest.approx((low, high), abs=0.003)


def test_the_fifteen_hypotheses_of_benjamini_and_hochberg():
    """Their 1995 paper, section 3.2: four are rejected at 0.05, three by Bonferroni's kind of control."""
    p = [.0001, .0004, .0019, .0095, .0201, .0278, .0298, .0344, .0459, .3240, .4262, .5719, .6528, .7590, 1.0]  # fmt: skip  # noqa: E501
    assert sum(q <= 0.05 for q in s.adjust(p, "benjamini-hochberg")) == 4
    assert sum(q <= 0.05 for q in s.adjust(p, "holm")) == 3
    assert s.adjust([]) == []


def test_kappa_of_two_reviewers():
    """Fifty items: 20 both accept, 15 both reject, 5 and 10 in dispute: κ = 0.4, from 35 of 50 agreed on."""
    a = ["accept"] * 25 + ["reject"] * 25
    b = ["accept"] * 20 + ["reject"] * 5 + ["accept"] * 10 + ["reject"] * 15
    got, agreed = s.cohens_kappa(a, b), s.wilson(35, 50)
    assert got.value == pytest.approx(0.4)
    assert (got.low, got.high) == pytest.approx((2 * agreed.low - 1, 2 * agreed.high - 1))


def test_kappa_is_the_librarys():
    from statsmodels.stats.inter_rater import cohens_kappa

    a, b = list("aabbcabca"), list("abbbcacca")
    counts = [[sum(p == (x, y) for p in zip(a, b, strict=True)) for y in "abc"] for x in "abc"]
    assert s.cohens_kappa(a, b).value == pytest.approx(cohens_kappa(counts).kappa)


@pytest.mark.parametrize(("n", "at_most"), [(3, 0.0), (10, 0.6), (100, 0.95)])
def test_perfect_agreement_is_as_sure_as_the_items_are_many(n: int, at_most: float):
    labels = ["accept" if i % 2 else "reject" for i in range(n)]
    got = s.cohens_kappa(labels, labels)
    assert (got.value, got.high) == (1.0, 1.0) and got.low < at_most


def test_kappa_is_undefined_where_chance_explains_everything():
    assert s.cohens_kappa(["accept"] * 5, ["accept"] * 5) is None
    assert s.cohens_kappa([], []) is None
    assert s.cohens_kappa(["a", "b", "a"], ["a", "b", "a"]).value == 1.0


@pytest.mark.parametrize("other", [["accept", "accept", "reject"], ["accept"] * 3])
def test_kappa_tells_nothing_where_one_reviewer_says_the_same_of_all(other: list[str]):
    for a, b in ((["reject"] * 3, other), (other, ["reject"] * 3)):
        assert s.cohens_kappa(a, b) == s.Estimate(0.0, -1.0, 1.0)


RUN = st.lists(st.booleans(), min_size=12, max_size=12)


@settings(deadline=None)
@given(RUN, RUN)
def test_one_run_an_arm_is_wilson_and_mcnemar(a, b):
    got, wilson = s.accuracy([a]), s.wilson(sum(a), len(a))
    assert (got.value, got.low, got.high) == pytest.approx((wilson.value, wilson.low, wilson.high))
    assert s.paired_p([a], [b]) == pytest.approx(s.mcnemar(a, b).p)


@settings(deadline=None)
@given(RUN, RUN, st.integers(1, 4))
def test_running_the_same_seed_again_is_no_new_evidence(a, b, times):
    assert s.paired_p([a] * times, [b] * times) == pytest.approx(s.paired_p([a], [b]))
    assert s.accuracy([a] * times).low == pytest.approx(s.accuracy([a]).low)


@settings(deadline=None)
@given(st.lists(RUN, min_size=1, max_size=4), st.lists(RUN, min_size=1, max_size=3))
def test_intervals_hold_their_value_and_swap_with_the_arms(a, b):
    one, other = s.difference(a, b), s.difference(b, a)
    assert -1 <= one.low <= one.value + 1e-12 and one.value - 1e-12 <= one.high <= 1
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
    assert s.paired_p(a, b) == pytest.approx(s.paired_p(b, a))
    assert 0 < s.paired_p(a, b) <= 1


@settings(deadline=None)
@given(st.lists(RUN, min_size=1, max_size=3), st.lists(RUN, min_size=1, max_size=3))
def test_the_interval_leaves_0_out_exactly_where_the_test_rejects(a, b):
    got = s.difference(a, b)
    assert (got.low > 0 or got.high < 0) == (s.paired_p(a, b) <= 0.05)


@settings(deadline=None)
@given(RUN, RUN, RUN, RUN)
def test_pooling_single_runs_is_mcnemar_over_all_questions(a, b, c, d):
    assert s.pooled_p([([a], [b]), ([c], [d])]) == pytest.approx(s.mcnemar(a + c, b + d).p)
    got, joined = s.pooled_difference([([a], [b]), ([c], [d])]), s.difference([a + c], [b + d])
    assert (got.low, got.high) == pytest.approx((joined.low, joined.high))


def test_runs_as_the_unit_by_enumeration():
    """Three pairs of runs, 2, 1 and -1 questions apart: of eight sign patterns six sum to 2 or more."""
    pairs = [([[True, True]], [[False, False]]), ([[True, False]], [[False, False]]),
             ([[False, False]], [[True, False]])]  # fmt: skip
    assert s.runs_p(pairs) == pytest.approx(6 / 8)
    assert s.runs_p([pairs[1]] * 6) == pytest.approx(2 / 64)


def test_several_seeds_by_enumeration():
    """Two seeds against one, all eight sign patterns written out."""
    a, b = [[True, True, False], [True, False, False]], [[False, False, True]]
    sizes, seen = [2, 1, 2], 2 + 1 - 2  # halves of a question
    sums = [sum(z * d for z, d in zip(signs, sizes, strict=True)) for signs in _signs(3)]
    assert s.paired_p(a, b) == pytest.approx(sum(abs(t) >= seen for t in sums) / 8)


def _signs(n: int) -> list[tuple[int, ...]]:
    return [()] if n == 0 else [(z, *rest) for z in (-1, 1) for rest in _signs(n - 1)]


def test_questions_must_match():
    with pytest.raises(ValueError):
        s.mcnemar([True], [True, False])
    with pytest.raises(ValueError):
        s.accuracy([])
    with pytest.raises(ValueError):
        s.wilson(3, 2)
