"""Intervals and paired tests for accuracies on one set of questions.

Results of an arm are a matrix of booleans, one row a run (seed), one column a question:

    [[True, False, True],     seed 0
     [True, True,  True]]     seed 1     → per question 1.0, 0.5, 1.0; accuracy 0.833

**Several seeds.** The same question asked of several students is not several observations, so the
question stays the unit: each question's results are averaged over the seeds of an arm first, then
the arms are paired question by question. `accuracy` is a Wilson interval at the effective sample
size of those averages, `difference` joins two of them by the square-and-add rule, and `paired_p` is
an exact test in which, under the null, each question's difference could as well have had the other
sign. With one run an arm these are the Wilson interval, Newcombe's method 10 and exact McNemar, to
the digit. What they say holds for the seeds that were run: how much training itself varies is shown
by the rows per seed, not hidden in an interval.

All figures here are fractions, 0 to 1. Sources: Wilson 1927; Newcombe, Stat. Med. 17 (1998) 857 and
2635; Zou and Donner, Stat. Med. 27 (2008) 1693; Holm 1979; Benjamini and Hochberg 1995; Cohen 1960.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

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
    """Accuracy of `a` minus that of `b` on the same questions: Newcombe's square-and-add interval.

    Method 10 of Newcombe 1998 (p. 2639): two Wilson intervals joined with the correlation between
    the arms, its numerator moved towards zero by a continuity correction where it is positive.
    """
    first, second = accuracy(a), accuracy(b)
    phi = _correlation(_question_means(a), _question_means(b))
    value = first.value - second.value

    def reach(x: float, y: float) -> float:
        return math.sqrt(max(x * x - 2 * phi * x * y + y * y, 0.0))

    low = value - reach(first.value - first.low, second.high - second.value)
    high = value + reach(first.high - first.value, second.value - second.low)
    return Estimate(value, max(low, -1.0), min(high, 1.0))


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
    unit = math.lcm(len(a), len(b))
    differences = [
        sum(x) * (unit // len(a)) - sum(y) * (unit // len(b))
        for x, y in zip(_columns(a), _columns(b), strict=True)
    ]
    return _sign_flip_p(differences)


def adjust(p_values: Sequence[float], method: str = "holm") -> list[float]:
    """p-values adjusted for being read together. `method`: a key of ADJUSTMENTS."""
    from statsmodels.stats.multitest import multipletests

    if not p_values:
        return []
    return [float(p) for p in multipletests(list(p_values), method=ADJUSTMENTS[method])[1]]


def cohens_kappa(a: Sequence[Hashable], b: Sequence[Hashable]) -> Estimate | None:
    """Agreement of two reviewers beyond chance, with its large-sample 95 % interval.

    None where it is undefined: no items, or both gave every item the same one label. Where one of them gave
    every item one label it is 0 whatever the other said, without a spread: its interval is the whole range.
    """
    import numpy as np
    from statsmodels.stats.inter_rater import cohens_kappa as kappa

    labels = {label: i for i, label in enumerate(dict.fromkeys([*a, *b]))}
    if len(labels) < 2:
        return None
    if len(set(a)) == 1 or len(set(b)) == 1:
        return Estimate(0.0, -1.0, 1.0)
    table = [[0] * len(labels) for _ in labels]
    for x, y in zip(a, b, strict=True):
        table[labels[x]][labels[y]] += 1
    with np.errstate(divide="ignore", invalid="ignore"):  # in its z value, which is not used
        result = kappa(table)
    low, high = max(float(result.kappa_low), -1.0), min(float(result.kappa_upp), 1.0)
    return Estimate(float(result.kappa), low, high)


def _columns(results: Results) -> list[tuple[bool, ...]]:
    if not results or not len(results[0]):
        raise ValueError("need at least one run and one question")
    return list(zip(*results, strict=True))


def _question_means(results: Results) -> list[float]:
    return [sum(column) / len(column) for column in _columns(results)]


def _correlation(x: Sequence[float], y: Sequence[float]) -> float:
    n = len(x)
    mean_x, mean_y = math.fsum(x) / n, math.fsum(y) / n
    spread = math.fsum((v - mean_x) ** 2 for v in x) * math.fsum((v - mean_y) ** 2 for v in y)
    if spread <= 0:
        return 0.0
    together = math.fsum((v - mean_x) * (w - mean_y) for v, w in zip(x, y, strict=True))
    if together > 0:
        together = max(together - 0.5, 0.0)  # Newcombe's n/2, in units of n
    return together / math.sqrt(spread)


def _sign_flip_p(differences: Sequence[int]) -> float:
    """P(|Σ ±dᵢ| >= |Σ dᵢ|): one binomial for each size of difference, convolved."""
    import numpy as np
    from scipy.stats import binom

    sizes = [abs(d) for d in differences if d]
    observed = abs(sum(differences))
    if not observed:
        return 1.0
    chances = np.ones(1)  # of the sums -total … total
    for size in sorted(set(sizes)):
        k = sizes.count(size)
        step = np.zeros(2 * size * k + 1)
        step[:: 2 * size] = binom.pmf(np.arange(k + 1), k, 0.5)
        chances = np.convolve(chances, step)
    total = sum(sizes)
    return min(1.0, 2 * float(chances[total + observed :].sum()))
