"""Measures of likeness, and the filters that make a set more diverse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.quality import diversity as d

LONG = "Debby has 32 pieces and her sister has 42. 32 + 42 = 74. They ate 35, so 74 - 35 = 39 are left."
OTHER = "First they ate 35. Together they had 32 + 42 - 35 = 39 pieces in the end."
MENTAL = "There are 39 left."


def test_paths_are_the_equations():
    """Two wordings of one calculation are one path (Yuan et al. 2023)."""
    assert d.path(LONG) == ("32+42=74", "74-35=39")
    assert d.path("32 pieces + 42 pieces = 74 pieces, then 74 − 35 = 39") == d.path(LONG)
    assert d.path(MENTAL) == ("39",)


def test_without_a_number_a_path_is_its_words():
    heads, tails = "The coin is heads up.", "The coin is tails up."
    assert d.diversity([heads, tails, heads.lower()]).paths == 2
    assert d.without_same_path([heads, tails, heads.lower()]).kept == (0, 1)


def test_the_same_text_ten_times_is_one_rationale():
    got = d.diversity([LONG] * 9 + [LONG.upper().replace(" ", "  ")])
    assert (got.n, got.texts, got.paths) == (10, 1, 1)
    assert got.similarity == pytest.approx(1) and got.effective == pytest.approx(1)


def test_vendi_score_of_the_papers_extremes():
    """Friedman and Dieng 2023: n for n orthogonal items, m for m equally large groups of copies."""
    assert d.effective_number(np.eye(5)) == pytest.approx(5)
    assert d.effective_number(np.ones((5, 5))) == pytest.approx(1)
    blocks = np.kron(np.eye(3), np.ones((4, 4)))
    assert d.effective_number(blocks) == pytest.approx(3)


def test_measures_of_a_mixed_set():
    got = d.diversity([LONG, LONG, OTHER, MENTAL])
    assert (got.texts, got.paths) == (3, 3)
    assert 0 < got.similarity < 1 and 1 < got.effective < 4
    assert d.diversity([]) == d.Diversity(0, 0, 0, None, 0.0)
    assert d.diversity([LONG]).similarity is None
    assert d.mean([got, d.diversity([LONG])]).n == 2.5
    assert d.mean([]) is None


def test_duplicates_go_and_name_their_twin():
    texts = [LONG, OTHER, LONG.lower(), OTHER + " ", MENTAL]
    assert d.without_duplicates(texts) == d.Kept((0, 1, 4), {2: 0, 3: 1})
    again = LONG.replace("so 74", "so: 74").replace("has 42.", "has 42!")
    assert d.without_near_duplicates([LONG, OTHER, again]) == d.Kept((0, 1), {2: 0})
    assert d.without_same_path([LONG, OTHER, "74 = 32 + 42", again]).dropped == {3: 0}
    assert d.without_near_duplicates([]) == d.Kept((), {})


def test_maximal_marginal_relevance_step_by_step():
    """Three directions; the two near one another are not both taken while the third is there."""
    vectors = np.array([[1, 0, 0], [0.9, 0.1, 0], [0, 1, 0], [0, 0, 1]])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    similar = vectors @ vectors.T
    assert d.most_marginal(similar, 3) == (1, 3, 2)  # the most typical, then the least like those taken
    assert d.most_marginal(similar, 9) == (1, 3, 2, 0)
    assert d.diverse_subset([], 3) == () and d.diverse_subset([LONG, OTHER], 0) == ()


def test_a_diverse_subset_is_more_diverse_than_the_first_ones():
    texts = [LONG, LONG + " So 39.", LONG + " Yes, 39.", OTHER, MENTAL]
    chosen = [texts[i] for i in d.diverse_subset(texts, 3)]
    assert d.diversity(chosen).effective > d.diversity(texts[:3]).effective


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(max_size=40), max_size=8), st.integers(0, 9))
def test_any_texts(texts, k):
    got = d.diversity(texts)
    assert got.n == len(texts) and got.texts <= got.n
    assert (0 if not texts else 1) - 1e-6 <= got.effective <= len(texts) + 1e-6
    for kept in (d.without_duplicates(texts), d.without_near_duplicates(texts), d.without_same_path(texts)):
        assert sorted([*kept.kept, *kept.dropped]) == list(range(len(texts)))
        assert all(twin in kept.kept and twin < i for i, twin in kept.dropped.items())
    subset = d.diverse_subset(texts, k)
    assert len(set(subset)) == len(subset) == min(k, len(texts))
