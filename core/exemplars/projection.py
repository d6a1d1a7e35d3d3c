"""The map: embeddings in two dimensions by UMAP (McInnes et al. 2018), by PCA where they are few.

Equal texts are laid out once and share their place; rows are taken in the order of their bytes, so the
map does not depend on the order of the questions.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.exemplars.clustering import SEED, as_bytes

if TYPE_CHECKING:
    import numpy as np

NEIGHBOURS = 15  # UMAP's default; with no more distinct points than this it has nothing to choose from


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """points (n, 2), float32; `method` is "UMAP" or "PCA"; `note` says why it is not UMAP."""

    points: np.ndarray
    method: str
    note: str = ""


def project(embeddings: np.ndarray, seed: int = SEED) -> Projection:
    """Where each row of `embeddings` (n, d) is shown."""
    import numpy as np

    values = np.ascontiguousarray(embeddings, np.float32)
    # Sorted, so that nothing depends on the order of the rows.
    _, first, inverse = np.unique(as_bytes(values), return_index=True, return_inverse=True)
    distinct = values[first]
    if len(distinct) <= NEIGHBOURS + 1:
        note = f"Shown by PCA: UMAP needs more than {NEIGHBOURS + 1} distinct questions, not {len(distinct)}."
        return Projection(_pca(distinct)[inverse], "PCA", note)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that Tensorflow is not installed
        from umap import UMAP

        # A fixed seed needs one thread.
        model = UMAP(n_neighbors=NEIGHBOURS, n_components=2, metric="cosine", random_state=seed, n_jobs=1)
        points = model.fit_transform(distinct)
    return Projection(np.asarray(points, np.float32)[inverse], "UMAP")


def _pca(values: np.ndarray) -> np.ndarray:
    """The first two principal components; zeros where there are fewer."""
    import numpy as np
    from sklearn.decomposition import PCA

    if len(values) < 2:
        return np.zeros((len(values), 2), np.float32)
    parts = PCA(min(2, *values.shape)).fit_transform(values)
    return np.pad(parts, ((0, 0), (0, 2 - parts.shape[1])))
