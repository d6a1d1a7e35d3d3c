"""k-means over the questions' embeddings, the same for any order of the rows.

Rows are fitted in the order of their bytes and mapped back, in one thread, so that the sums, and with
them the clusters, are the same every time. Auto-CoT (run_demo.py) takes seed 192 and scikit-learn's
other defaults of its day, of which n_init = 10 has since become 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import LabError

if TYPE_CHECKING:
    import numpy as np

SEED = 192  # Auto-CoT's
N_INIT = 10  # scikit-learn's default until 1.4
SILHOUETTE_SAMPLE = 2000  # points; the silhouette compares every pair of them


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """labels (n,) in 0 … k-1; distances (n,) to the own centre; inertia.

    Where there are fewer distinct points than k, the last clusters are empty.
    """

    k: int
    labels: np.ndarray
    distances: np.ndarray
    inertia: float


@dataclass(frozen=True, slots=True)
class Curve:
    """How well k clusters fit. `silhouette` is None for one cluster; `sample` points were compared."""

    k: int
    inertia: float
    silhouette: float | None
    sample: int


def cluster(embeddings: np.ndarray, k: int, seed: int = SEED, n_init: int = N_INIT) -> Clusters:
    """k clusters of the rows of `embeddings` (n, d). 1 ≤ k ≤ n. LabError for a bad seed."""
    import numpy as np
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    if not 0 <= seed < 2**32:
        raise LabError(f"The seed is {seed}: choose one between 0 and {2**32 - 1}.")
    if n_init < 1:
        raise LabError(f"n_init is {n_init}: let k-means start at least once.")
    points = np.ascontiguousarray(embeddings, np.float32)
    order = canonical_order(points)
    with threadpool_limits(1):
        model = KMeans(min(k, len(np.unique(as_bytes(points)))), random_state=seed, n_init=n_init).fit(
            points[order]
        )
        distances = model.transform(points[order])[np.arange(len(points)), model.labels_]
    back = order.argsort()
    labels, distances = model.labels_.astype(np.int64)[back], distances.astype(np.float64)[back]
    return Clusters(k, labels, distances, float(model.inertia_))


def curve(embeddings: np.ndarray, k: int, seed: int = SEED, n_init: int = N_INIT) -> Curve:
    """Inertia and mean silhouette of k clusters; the silhouette of at most SILHOUETTE_SAMPLE points."""
    import numpy as np
    from sklearn.metrics import silhouette_score

    order = canonical_order(np.ascontiguousarray(embeddings, np.float32))
    chosen = np.random.RandomState(seed).permutation(order)[:SILHOUETTE_SAMPLE]
    made = cluster(embeddings, k, seed, n_init)
    labels = made.labels[chosen]
    comparable = 2 <= len(set(labels.tolist())) < len(chosen)
    value = float(silhouette_score(embeddings[chosen], labels)) if comparable else None
    return Curve(k, made.inertia, value, len(chosen))


def canonical_order(points: np.ndarray) -> np.ndarray:
    """The order of the rows by their bytes: the same set of rows gives the same sequence."""
    return as_bytes(points).argsort(kind="stable")


def as_bytes(points: np.ndarray) -> np.ndarray:
    """Each row of (n, d) as one value, (n,), which is compared by its bytes."""
    return points.view(f"V{points.itemsize * points.shape[1]}").ravel()
