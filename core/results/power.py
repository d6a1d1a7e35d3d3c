"""What a comparison can see, told before it is run.

    smallest(119, 0.2)                        0.118    differences below 11.8 points mostly stay unseen
    smallest(119, 0.2, noise=0.15, seeds=5)   0.071    five seeds an arm average that much luck away
    questions(0.05, 0.2)                      658      test questions that a difference of 5 points takes

The tests are those shown. For one run an arm it is exact McNemar at 5 %; power is the chance that it rejects,
over all counts of differing questions: n questions, of which a share, the discordance, is answered right by
one arm alone; the difference is how much more of them the better arm has. Several seeds average away what
training alone makes differ: the share of questions that two seeds of one arm answer differently (noise). So
of the variance that one run's difference has over the questions, k seeds leave all but noise · (1 - 1/k), and
power is that of the paired test with this variance. All are fractions, 0 to 1.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

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


def smallest(n: int, discordance: float, noise: float | None = None, seeds: int = 1) -> float | None:
    """The smallest difference seen with 80 % power; None where even the largest possible one is not."""
    from scipy.optimize import brentq
    from statsmodels.stats.power import TTestPower

    if seeds > 1:
        variance = discordance - min(noise or 0.0, discordance) * (1 - 1 / seeds)
        effect = TTestPower().solve_power(nobs=n, alpha=ALPHA, power=POWER) if n > 2 else math.inf
        found = math.sqrt(variance / (1 + effect**-2))  # whose share of it is its square
        return found if found < discordance else None
    if power(n, discordance, discordance) < POWER:
        return None
    return float(brentq(lambda d: power(n, discordance, d) - POWER, 0, discordance, xtol=1e-5))


def least(n: int) -> float | None:
    """The smallest difference ever seen with n questions: where all that differ are won by one arm."""
    from scipy.optimize import brentq

    if power(n, 1, 1) < POWER:
        return None
    return float(brentq(lambda d: power(n, d, d) - POWER, 0, 1, xtol=1e-5))


def questions(
    difference: float, discordance: float, noise: float | None = None, seeds: int = 1
) -> int | None:
    """The test questions with which a difference is seen with 80 % power; None beyond MOST."""
    return _first(lambda n: _sees(smallest(n, max(discordance, difference), noise, seeds), difference))


def seeds(n: int, discordance: float, noise: float, difference: float) -> int | None:
    """The seeds with which a difference is seen over n questions; None where seeds alone do not do it."""
    return _first(lambda k: _sees(smallest(n, max(discordance, difference), noise, k), difference), 1000)


def _sees(found: float | None, difference: float) -> bool:
    return found is not None and found <= difference


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
    """The median discordance over all pairs of a student's arms, and the median noise over pairs of seeds."""
    import numpy as np

    answers = {cell.run_id: np.array(matrix([cell])[0]) for cell in cells}
    arms: list[float] = []
    repeats: list[float] = []
    for a, b in combinations(cells, 2):
        alike = (a.question_set, a.student, len(a.correct)) == (b.question_set, b.student, len(b.correct))
        if alike and (a.arm == b.arm or a.seed == b.seed):
            share = float((answers[a.run_id] != answers[b.run_id]).mean())
            (repeats if a.arm == b.arm else arms).append(share)
    return Seen(median(arms) if arms else None, median(repeats) if repeats else None)


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
    found, best = smallest(n, shown, noise, seeds), least(n)
    points = [None if value is None else 100 * value for value in (found, best)]
    return Sight(n, seeds, shown, discordance is None, noise, *points)


def of(cells: Sequence[Cell], n: int | None = None, seeds: int | None = None) -> Sight:
    """What a comparison can show, by what finished ones did; of their questions and seeds unless others are
    given."""
    found, most = seen(cells), max(Counter(cell.arm for cell in cells).values())
    return sight(n or len(cells[0].correct), found.discordance, found.noise, seeds or most)


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


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a wanted difference takes, in points: so many questions with the seeds at hand, or so many seeds
    with the questions at hand; None where no number of them does it or, of seeds, no noise is known."""

    difference: float
    questions: int | None
    seeds: int | None


def takes(one: Sight, points: float) -> Wanted:
    """The questions, or the seeds, that show a difference of so many points."""
    more = seeds(one.n, one.discordance, one.noise, points / 100) if one.noise else None
    return Wanted(points, questions(points / 100, one.discordance, one.noise, one.seeds), more)


def wish(one: Wanted) -> str:
    """`Wanted` in a sentence."""
    more = f"{one.questions:,} test questions" if one.questions else f"more than {MOST:,} test questions"
    runs = f", or {one.seeds} seeds over these" if one.seeds else ""
    return f"A difference of {one.difference:g} points takes {more}{runs}."
