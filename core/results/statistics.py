"""Intervals and paired tests for accuracies on one set of questions.

Results of an arm are a matrix of booleans, one row a run (seed), one column a question:

    [[True, False, True],     seed 0
     [True, True,  True]]     seed 1     → per question 1.0, 0.5, 1.0; accuracy 0.833

**Several seeds.** The same question asked of several students is not several observations, so the
question stays the unit: each question's results are averaged over the seeds of an arm first, then
the arms are paired question by question. `accuracy` is a Wilson interval at the effective sample size of
those averages. `paired_p` is an exact test in which, under the null, each question's difference could as
well have had the other sign, and `difference` the interval that inverts it: it leaves 0 out exactly where
p <= 0.05. With one run an arm they are exact McNemar, to the digit, and the interval of Fay and Lumbard.
What they say holds for the seeds that were run: how much training itself varies is shown by the rows per
seed, and tested by `runs_p`, whose unit is the training run.

All figures here are fractions, 0 to 1. Sources: Wilson 1927; Fay and Lumbard, Stat. Med. 40 (2021) 1147;
Holm 1979; Benjamini and Hochberg 1995; Cohen 1960.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

Results = Sequence[Sequence[bool]]  # runs × questions

CONFIDENCE = 0.95
ADJUSTMENTS = {"holm": "holm", "benjamini-hochberg": "fdr_bh"}  # our name → statsmodels' name


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class McNemar:
    """Questions only the first run has right, only the second has right, and the two-sided exact p."""

    gained: int
    lost: int
    p: float


def wilson(correct: float, n: float) -> Estimate:
    """`correct / n` with Wilson's score interval; `n` may be an effective sample size."""
    from statsmodels.stats.proportion import proportion_confint

    if n <= 0 or not 0 <= correct <= n:
        raise ValueError(f"need 0 <= correct <= n and n > 0, got {correct} of {n}")
    low, high = proportion_confint(correct, n, alpha=1 - CONFIDENCE, method="wilson")
    value = correct / n
    return Estimate(value, min(max(float(low), 0.0), value), max(min(float(high), 1.0), value))


def accuracy(results: Results) -> Estimate:
    """Mean accuracy over runs and questions, the question being the unit (see the module's head)."""
    means = _question_means(results)
    n, p = len(means), math.fsum(means) / len(means)
    if p <= 0 or p >= 1:
        return wilson(n * round(p), n)
    variance = math.fsum((x - p) ** 2 for x in means) / n
    # One run has variance p(1-p), so exactly n; averages vary less and count for more, never for more
    # than all the predictions there are.
    effective = min(n * p * (1 - p) / variance, n * len(results)) if variance else n * len(results)
    return wilson(p * effective, effective)


def difference(a: Results, b: Results) -> Estimate:
    """Accuracy of `a` minus that of `b` on the same questions, with the interval that inverts `paired_p`."""
    return pooled_difference([(a, b)])


def pooled_difference(strata: Sequence[tuple[Results, Results]]) -> Estimate:
    """The difference over all questions of some sets, each answered by two arms. Its interval leaves 0 out
    exactly where `pooled_p` is at most 0.05.

    Fay and Lumbard 2021 (their "melded" interval): exact limits for the share of differing questions won,
    the number of them given, and for the share of questions that differ; joined so that the second changes
    the interval's length and never its sign. Where several runs make differences of several sizes, the
    first limits are those of the weighted sign test, and the sizes' sum stands for the number that differ.
    """
    parts, unit = _differences(strata)
    value = sum(parts) / (unit * len(parts))
    counts = Counter(parts)
    low = _lower_limit(frozenset(counts.items()), unit)
    high = -_lower_limit(frozenset((-part, k) for part, k in counts.items()), unit)
    return Estimate(value, max(min(low, value), -1.0), min(max(high, value), 1.0))


def mcnemar(a: Sequence[bool], b: Sequence[bool]) -> McNemar:
    """Exact two-sided McNemar test of two runs on the same questions, in the same order."""
    from statsmodels.stats.contingency_tables import mcnemar as test

    pairs = list(zip(a, b, strict=True))
    gained, lost = sum(x and not y for x, y in pairs), sum(y and not x for x, y in pairs)
    both, neither = sum(x and y for x, y in pairs), sum(not x and not y for x, y in pairs)
    return McNemar(gained, lost, float(test([[both, gained], [lost, neither]], exact=True).pvalue))


def paired_p(a: Results, b: Results) -> float:
    """Exact two-sided p that `a` and `b` differ, paired by question, runs averaged first.

    The sign-flip (Fisher–Pitman) test: the chance, over all equally likely signs of the questions'
    differences, of a sum at least as large as the one seen. Differences are counted in units of
    1 / lcm(runs of a, runs of b), so that the sums are whole numbers and the test is exact.
    """
    return pooled_p([(a, b)])


def pooled_p(strata: Sequence[tuple[Results, Results]]) -> float:
    """`paired_p` over the questions of several sets: signs are flipped within a question, so that neither the
    pairing nor what makes one set harder than another is lost. With one run an arm it is the exact test of
    matched pairs stratified by set (Mantel and Haenszel's, conditional)."""
    return _sign_flip_p(_differences(strata)[0])


def runs_p(pairs: Sequence[tuple[Results, Results]]) -> float:
    """Exact two-sided p with the training run as the unit: pairs of one run each, whose signs are flipped
    whole. It covers students yet to be trained; six pairs are the fewest that can give p < 0.05."""
    return _sign_flip_p([sum(a) - sum(b) for (a,), (b,) in pairs])


def adjust(p_values: Sequence[float], method: str = "holm") -> list[float]:
    """p-values adjusted for being read together. `method`: a key of ADJUSTMENTS."""
    from statsmodels.stats.multitest import multipletests

    if not p_values:
        return []
    return [float(p) for p in multipletests(list(p_values), method=ADJUSTMENTS[method])[1]]


def cohens_kappa(a: Sequence[Hashable], b: Sequence[Hashable]) -> Estimate | None:
    """Agreement of two reviewers beyond chance, with its 95 % interval.

    The interval is Wilson's for the share of items agreed on, chance taken as seen: Cohen's own standard
    error (1960) without its collapse where few items were rated or all were agreed on.

    None where it is undefined: no items, or both gave every item the same one label. Where one of them gave
    every item one label it is 0 whatever the other said, without a spread: its interval is the whole range.
    """
    labels = set(a) | set(b)
    if len(labels) < 2:
        return None
    if len(set(a)) == 1 or len(set(b)) == 1:
        return Estimate(0.0, -1.0, 1.0)
    n = len(a)
    agreed = wilson(sum(x == y for x, y in zip(a, b, strict=True)), n)
    chance = sum(list(a).count(label) * list(b).count(label) for label in labels) / n**2
    value, low, high = ((share - chance) / (1 - chance) for share in (agreed.value, agreed.low, agreed.high))
    return Estimate(value, max(low, -1.0), high)


def _columns(results: Results) -> list[tuple[bool, ...]]:
    if not results or not len(results[0]):
        raise ValueError("need at least one run and one question")
    return list(zip(*results, strict=True))


def _question_means(results: Results) -> list[float]:
    return [sum(column) / len(column) for column in _columns(results)]


def _differences(strata: Sequence[tuple[Results, Results]]) -> tuple[list[int], int]:
    """Each question's difference between two arms, in whole parts of a question; how many parts one has."""
    unit = math.lcm(*(len(arm) for pair in strata for arm in pair))
    parts = [
        sum(x) * (unit // len(a)) - sum(y) * (unit // len(b))
        for a, b in strata
        for x, y in zip(_columns(a), _columns(b), strict=True)
    ]
    shared = math.gcd(unit, *parts)
    return [part // shared for part in parts], unit // shared


def _sign_flip_p(differences: Sequence[int]) -> float:
    """P(|Σ ±dᵢ| >= |Σ dᵢ|), each sign as likely as the other."""
    observed = abs(sum(differences))
    return min(1.0, 2 * _tail(Counter(map(abs, differences)), observed, 0.5)) if observed else 1.0


def _tail(sizes: Mapping[int, int], least: int, share: float) -> float:
    """P(Σ ±size >= least) where a sign is plus with this chance: a binomial for each size, convolved."""
    import numpy as np
    from scipy.signal import convolve
    from scipy.stats import binom

    chances = np.ones(1)  # of what the plus signs sum to, 0 … total
    for size, k in sizes.items():
        if size:
            step = np.zeros(size * k + 1)
            step[::size] = binom.pmf(np.arange(k + 1), k, share)
            chances = convolve(chances, step)
    first = -(-(least + len(chances) - 1) // 2)  # Σ ± = 2 plus - total
    return min(1.0, float(chances[first:].sum()))


@lru_cache(maxsize=4096)
def _lower_limit(counts: frozenset[tuple[int, int]], unit: int) -> float:
    """The lower limit of `pooled_difference`, from (difference in parts, how many questions have it): the
    value below which (2 won - 1) · differing lies with a chance of 2.5 %, both drawn from the distributions
    whose quantiles are their exact limits."""
    import numpy as np
    from scipy.interpolate import PchipInterpolator
    from scipy.optimize import brentq
    from scipy.stats import beta

    sizes: Counter[int] = Counter()
    for part, k in counts:
        sizes[abs(part)] += k
    n, chance = sizes.total(), (1 - CONFIDENCE) / 2
    least, total = sum(d * k for d, k in counts), sum(d * k for d, k in sizes.items())
    middle = (1 + least / total) / 2 if total else 0.0
    spread = math.sqrt(sum(d * d * k for d, k in sizes.items())) / (2 * total) if total else 0.0
    shares = np.unique([0, 0.5, 1, *np.clip(middle + spread * np.linspace(-6, 6, 61), 0, 1)])
    won = PchipInterpolator(shares, [_tail(sizes, least, share) for share in shares])
    positive = won(0.5) <= chance
    ends = (total / unit, n - total / unit + 1) if positive else (total / unit + 1, n - total / unit)
    differing = beta.ppf((np.arange(1000) + 0.5) / 1000, *ends) if ends[1] else np.ones(1)

    def excess(limit: float) -> float:
        share = (1 + limit / differing) / 2
        return float(np.where(share < 0, 0, won(np.clip(share, 0, 1))).mean()) - chance

    if positive:
        return float(brentq(excess, 0, 1))
    return float(brentq(excess, -1, 0)) if excess(-1) < 0 else -1.0
