"""How alike the rationales of a question are, and how to keep different ones.

    5 samples   "…32 + 42 = 74. 74 - 35 = 39"  ×3   "…32 + 42 - 35 = 39"   "She has 39 left."
                4 distinct texts, 3 distinct paths, mean similarity 0.71, effectively 2.2 of 5

The authors of New-Fine-tune-CoT name likeness of the D samples as their open problem. Measures and
filters are pure; texts are compared by their words and word pairs, weighted by TF-IDF. Everything
keeps the order it is given.

paths               distinct equation lists, as in rejection sampling (Yuan et al., arXiv 2308.01825)
effective number    Vendi score: exp of the entropy of the similarity matrix's eigenvalues
                    (Friedman and Dieng, TMLR 2023); 1 where all are the same, n where none are alike
diverse subset      maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998)
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from core.quality.arithmetic import equations
from core.quality.steps import numbers, words

if TYPE_CHECKING:
    import numpy as np

NEAR = 0.95  # similarity from which two rationales are near-duplicates


@dataclass(frozen=True, slots=True)
class Diversity:
    """Of n rationales of one question (or of a run, averaged over its questions: see `mean`)."""

    n: float
    texts: float  # distinct, apart from blanks and case
    paths: float  # distinct
    similarity: float | None  # mean over pairs, 0 to 1; None for fewer than two
    effective: float  # number of distinct rationales


@dataclass(frozen=True, slots=True)
class Kept:
    """Positions that a filter kept, in order, and for each dropped one the position it was too like."""

    kept: tuple[int, ...]
    dropped: dict[int, int]


def path(rationale: str) -> tuple[str, ...]:
    """The way to the answer: its equations without units and blanks, else the numbers in their order,
    else its words."""
    found = tuple(e.form for e in equations(rationale)) or tuple(str(n.value) for n in numbers(rationale))
    return found or tuple(word for word, _, _ in words(rationale))


def similarity(texts: Sequence[str]) -> np.ndarray:
    """n × n cosine similarities, cut off below 0; 1 on the diagonal and between equal texts."""
    import numpy as np

    vectors = _tf_idf(texts)
    made = np.clip(vectors @ vectors.T, 0.0, 1.0)
    normal = [_normal(text) for text in texts]
    same = np.array([[a == b for b in normal] for a in normal], dtype=bool).reshape(made.shape)
    made[same] = 1.0
    return made


def effective_number(similar: np.ndarray) -> float:
    """Vendi score of an n × n similarity matrix: 1 (all the same) to n (all different); 0 of none."""
    import numpy as np

    n = len(similar)
    if n == 0:
        return 0.0
    shares = np.linalg.eigvalsh(similar / n)
    shares = shares[shares > 1e-12]
    return float(np.exp(-np.sum(shares * np.log(shares))))


def diversity(rationales: Sequence[str]) -> Diversity:
    """The measures of one question's rationales."""
    n = len(rationales)
    similar = similarity(rationales) if n else None
    pairs = (similar.sum() - n) / (n * (n - 1)) if similar is not None and n > 1 else None
    return Diversity(
        n=n,
        texts=len({_normal(text) for text in rationales}),
        paths=len({path(text) for text in rationales}),
        similarity=None if pairs is None else float(pairs),
        effective=0.0 if similar is None else effective_number(similar),
    )


def mean(measures: Sequence[Diversity]) -> Diversity | None:
    """Averages over questions, each question counting once; None of none."""

    def average(name: str) -> Any:
        values = [value for one in measures if (value := getattr(one, name)) is not None]
        return sum(values) / len(values) if values else None

    return Diversity(*(average(one.name) for one in fields(Diversity))) if measures else None


def without_duplicates(rationales: Sequence[str]) -> Kept:
    """The first of each rationale; blanks and case do not count."""
    return _first_of_each([_normal(text) for text in rationales])


def without_near_duplicates(rationales: Sequence[str]) -> Kept:
    """Rationales in order, each kept unless its similarity to one kept before reaches NEAR."""
    if not rationales:
        return Kept((), {})
    similar = similarity(rationales)
    kept: list[int] = []
    dropped = {}
    for i in range(len(rationales)):
        like = max(kept, key=lambda j: (similar[i, j], -j), default=None)
        if like is not None and similar[i, like] >= NEAR:
            dropped[i] = like
        else:
            kept.append(i)
    return Kept(tuple(kept), dropped)


def without_same_path(rationales: Sequence[str]) -> Kept:
    """The first rationale of each path to the answer."""
    return _first_of_each([path(text) for text in rationales])


def _first_of_each(keys: Sequence[Hashable]) -> Kept:
    first: dict[Hashable, int] = {}
    twin = [first.setdefault(key, i) for i, key in enumerate(keys)]
    return Kept(tuple(first.values()), {i: at for i, at in enumerate(twin) if at != i})


def diverse_subset(rationales: Sequence[str], k: int) -> tuple[int, ...]:
    """Positions of at most k rationales, best first, by maximal marginal relevance."""
    return most_marginal(similarity(rationales), k) if rationales else ()


def most_marginal(similar: np.ndarray, k: int) -> tuple[int, ...]:
    """Positions of at most k of n × n similarities: each next one by relevance - similarity to those taken.

    Relevance is the mean similarity to all, so that the first is the most typical and an outlier is not
    taken for its oddness alone. Ties go to the earlier position.
    """
    worth = similar.mean(axis=1)
    left, taken = list(range(len(similar))), list[int]()

    def marginal(i: int) -> float:
        return float(worth[i]) - max((float(similar[i, j]) for j in taken), default=0.0)

    while left and len(taken) < k:
        best = max(left, key=lambda i: (round(marginal(i), 12), -i))
        left.remove(best)
        taken.append(best)
    return tuple(taken)


def _normal(text: str) -> str:
    return " ".join(text.split()).casefold()


def _tf_idf(texts: Sequence[str]) -> np.ndarray:
    """Counts of words, numbers and pairs of them, rarer ones weighing more; n × features of length 1."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    if not any(words(text) for text in texts):
        return np.zeros((len(texts), 1))
    vectors = TfidfVectorizer(
        analyzer="word", tokenizer=lambda text: [word for word, _, _ in words(text)],
        token_pattern=None, lowercase=False, ngram_range=(1, 2),
    )  # fmt: skip
    return vectors.fit_transform(list(texts)).toarray()
