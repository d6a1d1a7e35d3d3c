"""Clusters and the map do not depend on the order of the rows, and take any number of points."""

from __future__ import annotations

import numpy as np
import pytest

from core.datasets.duplicates import duplicates
from core.exemplars import clustering, kept, projection
from core.exemplars.clustering import cluster, curve
from core.exemplars.projection import project


def points(n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.RandomState(seed)
    centres = rng.normal(size=(4, 16))
    rows = centres[rng.randint(4, size=n)] + 0.3 * rng.normal(size=(n, 16))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("seed", range(5))
def test_row_order_changes_nothing(seed):
    rows = points(200)
    shuffled = np.random.RandomState(seed).permutation(200)
    a, b = cluster(rows, 4), cluster(rows[shuffled], 4)
    assert np.array_equal(a.labels[shuffled], b.labels)
    assert np.array_equal(a.distances[shuffled], b.distances)
    assert a.inertia == b.inertia


def test_distances_are_to_the_nearest_centre():
    rows = points(100)
    made = cluster(rows, 5, seed=3)
    centres = np.array([rows[made.labels == number].mean(axis=0) for number in range(5)])
    all_distances = np.linalg.norm(rows[:, None] - centres[None], axis=2)
    assert np.array_equal(made.labels, all_distances.argmin(axis=1))
    np.testing.assert_allclose(made.distances, all_distances.min(axis=1), atol=1e-3)


def test_n_init_never_makes_it_worse():
    rows = points(150)
    assert cluster(rows, 8, n_init=10).inertia <= cluster(rows, 8, n_init=1).inertia


def test_only_duplicates_leave_clusters_empty():
    made = cluster(np.repeat(points(2), 5, axis=0), 4)
    assert list(np.bincount(made.labels)) == [5, 5]


def test_as_many_clusters_as_points():
    made = cluster(points(7), 7)
    assert sorted(made.labels) == list(range(7))


def test_curve():
    found = [curve(points(120), k, n_init=2) for k in range(1, 7)]
    assert [c.k for c in found] == [1, 2, 3, 4, 5, 6]
    assert found[0].silhouette is None
    assert max(found[1:], key=lambda c: c.silhouette).k in (3, 4)
    assert all(a.inertia >= b.inertia for a, b in zip(found, found[1:], strict=False))


def test_curve_of_duplicates_only():
    assert [curve(np.repeat(points(1), 4, axis=0), k).silhouette for k in (1, 2)] == [None, None]


def test_map_does_not_depend_on_row_order():
    rows = np.concatenate([points(60), points(60)[:5]])
    shuffled = np.random.RandomState(1).permutation(len(rows))
    a, b = project(rows), project(rows[shuffled])
    assert a.method == "UMAP" and a.points.shape == (65, 2) and not a.note
    assert np.array_equal(a.points[shuffled], b.points)
    assert np.array_equal(a.points[:5], a.points[60:])  # equal texts share a place


@pytest.mark.parametrize("n", [0, 1, 2, 3, 16])
def test_few_points_fall_back_to_pca_and_say_so(n):
    made = project(points(30)[:n])
    assert made.method == "PCA" and f"not {n}" in made.note
    assert made.points.shape == (n, 2) and np.isfinite(made.points).all()


def test_map_of_duplicates_only():
    made = project(np.repeat(points(2), 50, axis=0))
    assert made.method == "PCA" and len({tuple(p) for p in made.points}) == 2


def test_duplicates():
    texts = ["Ann has 9  marbles.", "ann has 9 marbles.", "Ann has 12,000 marbles.", "Bob has 9 marbles."]
    assert duplicates(texts) == [(0, 1, 2)]


def test_what_was_computed_is_read_again(lab_home, monkeypatch):
    rows = points(40)
    first = (kept.clustered(rows, 3), kept.curve(rows, 3), kept.curve(rows, 1), kept.projected(rows[:9]))
    for module in (clustering, projection):
        monkeypatch.setattr(module, "as_bytes", lambda _: pytest.fail("computed again"))
    again = (kept.clustered(rows, 3), kept.curve(rows, 3), kept.curve(rows, 1), kept.projected(rows[:9]))
    assert np.array_equal(first[0].labels, again[0].labels)
    assert np.array_equal(first[0].distances, again[0].distances)
    assert first[1:3] == again[1:3] and again[2].silhouette is None
    assert np.array_equal(first[3].points, again[3].points)
    assert (again[3].method, again[3].note) == (first[3].method, first[3].note)
    assert again[0].inertia == first[0].inertia
