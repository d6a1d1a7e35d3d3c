"""Clusters and maps computed once: kept by joblib in LAB_HOME/embeddings/made, by what they were made from.

A slider moved back, or a page opened again, reads what is there; with another version of the library, or of
the function, it is computed again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from importlib.metadata import version
from typing import ParamSpec, TypeVar

from core import settings
from core.exemplars import clustering, projection

P = ParamSpec("P")
T = TypeVar("T")


def _kept(compute: Callable[P, T], library: str) -> Callable[P, T]:
    """The function, its results kept for one version of the library that it calls."""

    @wraps(compute)
    def read(*args: P.args, **kwargs: P.kwargs) -> T:
        from joblib import Memory

        shelf = settings.folder("embeddings") / "made" / f"{library}-{version(library)}"
        return Memory(shelf, verbose=0).cache(compute)(*args, **kwargs)

    return read


clustered = _kept(clustering.cluster, "scikit-learn")
curve = _kept(clustering.curve, "scikit-learn")
projected = _kept(projection.project, "umap-learn")
