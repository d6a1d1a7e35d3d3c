"""Clusters and maps computed once: kept in LAB_HOME/embeddings/made as .npz, by what they were made from.

The name of a file is the hash of the embeddings, the settings and the library's version, so that a slider
moved back, or a page opened again, reads what is there. No pickle; written whole or not at all.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from core import settings
from core.exemplars import clustering
from core.exemplars.clustering import N_INIT, SEED, Clusters, Curve, cluster
from core.exemplars.projection import Projection, project
from core.records import content_hash

if TYPE_CHECKING:
    import numpy as np

Arrays = dict[str, Any]  # of NumPy arrays


def clustered(embeddings: np.ndarray, k: int, seed: int = SEED, n_init: int = N_INIT) -> Clusters:
    """`cluster`, computed once."""
    import numpy as np

    def compute() -> Arrays:
        made = cluster(embeddings, k, seed, n_init)
        return {
            "labels": made.labels,
            "distances": made.distances,
            "centres": made.centres,
            "inertia": np.array(made.inertia),
        }

    found = _kept(embeddings, ["clusters", version("scikit-learn"), k, seed, n_init], compute)
    return Clusters(k, found["labels"], found["distances"], found["centres"], float(found["inertia"]))


def curve(embeddings: np.ndarray, k: int, seed: int = SEED, n_init: int = N_INIT) -> Curve:
    """`clustering.curve`, computed once."""
    import numpy as np

    def compute() -> Arrays:
        made = clustering.curve(embeddings, k, seed, n_init)
        # No silhouette is kept as not-a-number.
        return {
            "values": np.array(
                [made.inertia, np.nan if made.silhouette is None else made.silhouette, made.sample]
            )
        }

    found = _kept(embeddings, ["curve", version("scikit-learn"), k, seed, n_init], compute)
    inertia, silhouette, sample = found["values"].tolist()
    return Curve(k, inertia, None if silhouette != silhouette else silhouette, int(sample))


def projected(embeddings: np.ndarray, seed: int = SEED) -> Projection:
    """`project`, computed once."""
    import numpy as np

    def compute() -> Arrays:
        made = project(embeddings, seed)
        return {"points": made.points, "words": np.array([made.method, made.note])}

    found = _kept(embeddings, ["map", version("umap-learn"), seed], compute)
    method, note = found["words"].tolist()
    return Projection(found["points"], method, note)


def _kept(embeddings: np.ndarray, settings_: list[Any], compute: Callable[[], Arrays]) -> Arrays:
    import numpy as np

    rows = np.ascontiguousarray(embeddings, np.float32)
    digest = hashlib.sha256(rows.tobytes()).hexdigest()
    shelf = settings.folder("embeddings") / "made"
    shelf.mkdir(exist_ok=True)
    file = shelf / f"{content_hash([digest, list(rows.shape), *settings_])[:40]}.npz"
    if not file.is_file():
        made = shelf / f".{uuid4().hex}"
        with made.open("wb") as out:
            np.savez(out, **compute())
        os.replace(made, file)
    with np.load(file, allow_pickle=False) as kept:
        return dict(kept)
