"""The intervals and tests against the examples of the papers they come from."""

from __future__ import annotations

import pytest
from hypothesis import given
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
    """Bentur et al. 2009 as analysed by Fagerland, Lydersen and Laake 2014: counts 1, 1, 7, 12."""
    a, b = paired(1, 1, 7, 12)
    assert s.mcnemar(a, b) == s.McNemar(1, 7, pytest.approx(0.0703125))
    got = s.difference([a], [b])
    assert got.value == pytest.approx(-6 / 21)
    assert (round(got.low, 3), round(got.high, 3)) == (-0.507, -0.026)


def test_newcombes_first_paired_example():
    """Newcombe 1998, paired, table II: 36, 12, 2, 0 has the interval 0.0569 to 0.3404 by method 10."""
    a, b = paired(36, 12, 2, 0)
    got = s.difference([a], [b])
    assert (round(got.value, 4), round(got.low, 4), round(got.high, 4)) == (0.2, 0.0569, 0.3404)


def test_the_fifteen_hypotheses_of_benjamini_and_hochberg():
    """Their 1995 paper, section 3.2: four are rejected at 0.05, three by Bonferroni's kind of control."""
    p = [.0001, .0004, .0019, .0095, .0201, .0278, .0298, .0344, .0459, .3240, .4262, .5719, .6528, .7590, 1.0]  # fmt: skip  # noqa: E501
    assert sum(q <= 0.05 for q in s.adjust(p, "benjamini-hochberg")) == 4
    assert sum(q <= 0.05 for q in s.adjust(p, "holm")) == 3
    assert s.adjust([]) == []


def test_kappa_of_two_reviewers():
    """Fifty items: 20 both accept, 15 both reject, 5 and 10 in dispute: κ = 0.4."""
    a = ["accept"] * 25 + ["reject"] * 25
    b = ["accept"] * 20 + ["reject"] * 5 + ["accept"] * 10 + ["reject"] * 15
    got = s.cohens_kappa(a, b)
    assert got.value == pytest.approx(0.4)
    assert got.low == pytest.approx(0.1511, abs=1e-4)
    assert got.high == pytest.approx(0.6489, abs=1e-4)


def test_kappa_is_undefined_where_chance_explains_everything():
    assert s.cohens_kappa(["accept"] * 5, ["accept"] * 5) is None
    assert s.cohens_kappa([], []) is None
    assert s.cohens_kappa(["a", "b", "a"], ["a", "b", "a"]).value == 1.0


@pytest.mark.parametrize("other", [["accept", "accept", "reject"], ["accept"] * 3])
def test_kappa_tells_nothing_where_one_reviewer_says_the_same_of_all(other: list[str]):
    for a, b in ((["reject"] * 3, other), (other, ["reject"] * 3)):
        assert s.cohens_kappa(a, b) == s.Estimate(0.0, -1.0, 1.0)


RUN = st.lists(st.booleans(), min_size=12, max_size=12)


@given(RUN, RUN)
def test_one_run_an_arm_is_wilson_and_mcnemar(a, b):
    got, wilson = s.accuracy([a]), s.wilson(sum(a), len(a))
    assert (got.value, got.low, got.high) == pytest.approx((wilson.value, wilson.low, wilson.high))
    assert s.paired_p([a], [b]) == pytest.approx(s.mcnemar(a, b).p)


@given(RUN, RUN, st.integers(1, 4))
def test_running_the_same_seed_again_is_no_new_evidence(a, b, times):
    assert s.paired_p([a] * times, [b] * times) == pytest.approx(s.paired_p([a], [b]))
    assert s.accuracy([a] * times).low == pytest.approx(s.accuracy([a]).low)


@given(st.lists(RUN, min_size=1, max_size=4), st.lists(RUN, min_size=1, max_size=3))
def test_intervals_hold_their_value_and_swap_with_the_arms(a, b):
    one, other = s.difference(a, b), s.difference(b, a)
    assert -1 <= one.low <= one.value + 1e-12 and one.value - 1e-12 <= one.high <= 1
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
    assert s.paired_p(a, b) == pytest.approx(s.paired_p(b, a))
    assert 0 < s.paired_p(a, b) <= 1


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
