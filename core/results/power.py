"""What a comparison can see, told before it is run.

    smallest(119, 0.2)              0.118    differences below 11.8 points mostly stay unseen
    questions(0.05, 0.2)            658      test questions that a difference of 5 points takes
    sharpened(0.2, 0.1, seeds=5)    0.12     five seeds leave this much of the disagreement

The test is the one shown: exact McNemar at 5 %. Power is the chance that it rejects, over all counts of
differing questions: n questions, of which a share, the discordance, is answered right by one arm alone; the
difference is how much more of them the better arm has. All are fractions, 0 to 1.

Several seeds average away what training alone makes differ. That is the disagreement between two seeds of
one arm (noise), so k seeds leave a discordance of noise / k and the rest: a question's difference has the
variance of one run less noise · (1 - 1/k). The test over several seeds is the sign-flip test.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean

from core.results.table import Cell, matrix

ALPHA = 0.05
POWER = 0.8
USUAL = 0.2  # the discordance where none was seen yet
MOST = 100_000  # questions, and seeds, beyond which no number is told


def power(n: int, discordance: float, difference: float) -> float:
    """The chance that exact McNemar over n questions gives p <= 0.05."""
    import numpy as np
    from scipy.stats import binom

    if not 0 <= difference <= discordance <= 1:
        raise ValueError(f"need 0 <= difference <= discordance <= 1, got {difference} and {discordance}")
    if not discordance:
        return 0.0
    low, high = binom.interval(1 - 1e-9, n, discordance)
    differing = np.arange(int(low), int(high) + 1)
    most = binom.ppf(ALPHA / 2, differing, 0.5) - 1  # lost questions at which it still rejects
    won = (1 + difference / discordance) / 2
    rejects = binom.cdf(most, differing, 1 - won) + binom.cdf(most, differing, won)
    return float((binom.pmf(differing, n, discordance) * rejects).sum())


def smallest(n: int, discordance: float) -> float | None:
    """The smallest difference seen with 80 % power; None where even the largest possible one is not."""
    from scipy.optimize import brentq

    if power(n, discordance, discordance) < POWER:
        return None
    return float(brentq(lambda d: power(n, discordance, d) - POWER, 0, discordance, xtol=1e-5))


def least(n: int) -> float | None:
    """The smallest difference ever seen with n questions: where all that differ are won by one arm."""
    from scipy.optimize import brentq

    if power(n, 1, 1) < POWER:
        return None
    return float(brentq(lambda d: power(n, d, d) - POWER, 0, 1, xtol=1e-5))


def questions(difference: float, discordance: float) -> int | None:
    """The test questions with which a difference is seen with 80 % power; None beyond MOST."""
    return _first(lambda n: power(n, max(discordance, difference), difference) >= POWER)


def seeds(n: int, discordance: float, noise: float, difference: float) -> int | None:
    """The seeds with which a difference is seen over n questions; None where seeds alone do not do it."""
    return _first(
        lambda k: power(n, max(sharpened(discordance, noise, k), difference), difference) >= POWER, 1000
    )


def sharpened(discordance: float, noise: float, seeds: int) -> float:
    """The discordance that the means over several seeds have."""
    return discordance - min(noise, discordance) * (1 - 1 / seeds)


def _first(enough: Callable[[int], bool], most: int = MOST) -> int | None:
    """The first whole number that is enough, by bisection."""
    if not enough(most):
        return None
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


@dataclass(frozen=True, slots=True)
class Seen:
    """What finished evaluations show: the share of questions that two arms of one seed answer differently,
    and that two seeds of one arm do; None where no two were run."""

    discordance: float | None = None
    noise: float | None = None


def seen(cells: Sequence[Cell]) -> Seen:
    """The mean discordance over all pairs of a student's arms, and the mean noise over all pairs of seeds."""
    arms, repeats = [], []
    for a, b in combinations(cells, 2):
        if (a.question_set, a.student, len(a.correct)) == (b.question_set, b.student, len(b.correct)):
            (first,), (second,) = matrix([a]), matrix([b])
            differ = fmean(x != y for x, y in zip(first, second, strict=True))
            if a.arm == b.arm:
                repeats.append(differ)
            elif a.seed == b.seed:
                arms.append(differ)
    return Seen(fmean(arms) if arms else None, fmean(repeats) if repeats else None)


@dataclass(frozen=True, slots=True)
class Sight:
    """What n questions and so many seeds can show; differences in points."""

    n: int
    seeds: int
    discordance: float
    assumed: bool  # no discordance was seen or given
    noise: float | None
    difference: float | None
    least: float | None

    @property
    def blind(self) -> bool:
        """Whether 10 points would mostly stay unseen."""
        return self.difference is None or self.difference > 10


def sight(n: int, discordance: float | None = None, noise: float | None = None, seeds: int = 1) -> Sight:
    """What a comparison over n questions can show."""
    shown = USUAL if discordance is None else discordance
    found, best = smallest(n, sharpened(shown, noise or 0.0, seeds)), least(n)
    points = [None if value is None else 100 * value for value in (found, best)]
    return Sight(n, seeds, shown, discordance is None, noise, *points)


def sentence(one: Sight) -> str:
    """A sentence for a page, before a run."""
    runs = f" and {one.seeds} seeds" if one.seeds > 1 else ""
    given = f"if two arms differ on {100 * one.discordance:.0f} % of the questions" + (
        " (an assumption: none were compared yet)" if one.assumed else ", as seen so far"
    )
    if one.difference is None:
        best = f"no difference below {one.least:.1f} points" if one.least else "no difference at all"
        return f"{one.n} test questions{runs} can show {best}; {given}, none is seen in four of five trials."
    return (
        f"{one.n} test questions{runs} show a difference of {one.difference:.1f} points or more in four of "
        f"five trials, {given}; smaller ones mostly stay unseen."
    )
