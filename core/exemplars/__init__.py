"""Exemplars: which questions the teacher is shown solved, chosen by cluster (Algorithm 1).

    candidates = candidates.read("multiarith.log", "multiarith", "zero-shot-cot")
    made = choose(candidates, rules="paper", dataset="multiarith", k=8)
    made.selection.picks[0]      a candidate: question, rationale, answer; its cluster and rank

encode → cluster → rank → the first that qualifies; `project` draws the same embeddings as a map. Every
step is a function from arrays to arrays, kept on disk by what it was made from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.errors import LabError, find
from core.exemplars.candidates import TEXTS, Candidate
from core.exemplars.clustering import N_INIT, SEED, Clusters
from core.exemplars.encoding import DEFAULT_ENCODER, encode
from core.exemplars.kept import clustered
from core.exemplars.selection import RULES, Limits, Selection, limits_for, select
from core.progress import Report, silent

if TYPE_CHECKING:
    import numpy as np

__all__ = ["RULES", "TEXTS", "Arrangement", "Candidate", "Selection", "choose"]


@dataclass(frozen=True, slots=True, eq=False)
class Arrangement:
    """Everything behind a set of exemplars. Arrays and `candidates` go together, row by row."""

    candidates: tuple[Candidate, ...]
    embeddings: np.ndarray
    clusters: Clusters
    selection: Selection
    limits: Limits
    settings: dict[str, Any]  # rules, text, encoder, k, seed, n_init: as a run records them


def choose(
    candidates: Sequence[Candidate],
    *,
    rules: str,
    dataset: str,
    k: int | None = None,
    seed: int = SEED,
    n_init: int = N_INIT,
    encoder: str = DEFAULT_ENCODER,
    text: str | None = None,
    own: dict[str, Any] | None = None,
    progress: Report = silent,
) -> Arrangement:
    """Encode, cluster and select. The same candidates give the same exemplars in any order: they are taken in
    the order of their content.

    `k` is Auto-CoT's for the benchmark unless given, `text` (a key of TEXTS) the rules'. `own` are limits
    in place of the rules' (fields of Limits). LabError for no candidates, k above their number, or an unknown
    row.
    """
    from core.datasets import find_dataset

    row, benchmark = find(RULES, rules, "set of selection rules"), find_dataset(dataset)
    if not candidates:
        raise LabError("There is no question to choose from: let the teacher answer some first.")
    key = text or row.text
    to_encode = find(TEXTS, key, "text to encode")[1]
    limits = limits_for(rules, dataset, benchmark.kind, **(own or {}))
    k = benchmark.exemplars if k is None else k
    rows = tuple(sorted(candidates, key=lambda candidate: candidate.key))
    if not 1 <= k <= len(rows):
        raise LabError(f"k is {k} and there are {len(rows)} questions: choose k between 1 and {len(rows)}.")
    embeddings = encode([to_encode(row) for row in rows], encoder, progress=progress)
    progress("Clustering", 0, 1)
    clusters = clustered(embeddings, k, seed, n_init)
    progress("Clustering", 1, 1)
    return Arrangement(
        rows,
        embeddings,
        clusters,
        select(rows, clusters.labels, clusters.distances, k, limits),
        limits,
        {"rules": rules, "text": key, "encoder": encoder, "k": k, "seed": seed, "n_init": n_init},
    )
