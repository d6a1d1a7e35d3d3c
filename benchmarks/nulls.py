"""How often each test of core.results rejects where nothing differs, and how often each interval covers.

    python -m benchmarks.nulls [--trials 2000] [--seed 0]

In each trial the questions have chances of their own (a beta distribution), the arms answer by the same
chances, and the test is made as the pages make it. An exact test of counts rejects at most 5 %, less where
few questions differ. With other numbers of seeds an arm the test by questions is not exact, only near it.
"By runs" also draws how good each run is, so that all questions of a run move together: a test by questions
takes that for a difference. "Disagree" counts the tables whose interval and p-value tell different things.
For the intervals the share of trials whose interval holds the true value is printed; 95 % is wanted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core.results import statistics

Rng = np.random.Generator
Arms = tuple[statistics.Results, statistics.Results]


def arms(rng: Rng, n: int, seeds: tuple[int, int] = (1, 1), spread: float = 0.0, gain: float = 0.0) -> Arms:
    """Two arms over n questions; `spread` is how far a whole run is off, `gain` what the first has more."""
    chances = rng.beta(0.5, 1.0, n) * (1 - gain)
    made = [
        [
            (rng.random(n) < np.clip(chances + more + rng.normal(0, spread), 0, 1)).tolist()
            for _ in range(count)
        ]
        for count, more in zip(seeds, (gain, 0.0), strict=True)
    ]
    return made[0], made[1]


TESTS: dict[str, Callable[[Rng], list[Arms]]] = {
    "exact McNemar, 119 questions": lambda rng: [arms(rng, 119)],
    "exact McNemar, 1,000 questions": lambda rng: [arms(rng, 1000)],
    "sign-flip over 3 seeds, 119 questions": lambda rng: [arms(rng, 119, (3, 3))],
    "sign-flip, 3 seeds against 1": lambda rng: [arms(rng, 119, (3, 1))],
    "pooled over 3 benchmarks": lambda rng: [arms(rng, n) for n in (119, 152, 111)],
    "pooled over 3 benchmarks, 3 seeds": lambda rng: [arms(rng, n, (3, 3)) for n in (119, 152, 111)],
}
RUNS = {
    "by runs, 6 pairs": (6, 0.03),
    "by runs, 15 pairs": (15, 0.03),
}


def rates(rng: Rng, make: Callable[[Rng], list[Arms]], trials: int) -> tuple[float, float]:
    """(share of nulls rejected, share of tables whose interval and p disagree)."""
    rejected = disagree = 0
    for _ in range(trials):
        strata = make(rng)
        found, p = statistics.pooled_difference(strata), statistics.pooled_p(strata)
        rejected += p <= 0.05
        disagree += (p <= 0.05) != (found.low > 0 or found.high < 0)
    return rejected / trials, disagree / trials


def by_runs(rng: Rng, pairs: int, spread: float, trials: int) -> tuple[float, float]:
    """(share of nulls rejected with the run as the unit, with the question as the unit)."""
    runs = questions = 0
    for _ in range(trials):
        a, b = arms(rng, 119, (pairs, pairs), spread)
        runs += statistics.runs_p([([x], [y]) for x, y in zip(a, b, strict=True)]) <= 0.05
        questions += statistics.paired_p(a, b) <= 0.05
    return runs / trials, questions / trials


def covered(rng: Rng, n: int, gain: float, trials: int) -> float:
    """The share of intervals that hold the true difference."""
    held = 0
    for _ in range(trials):
        found = statistics.difference(*arms(rng, n, gain=gain))
        held += found.low <= gain <= found.high
    return held / trials


def kappas(rng: Rng, n: int, agree: float, trials: int) -> float:
    """The share of kappa's intervals that hold its true value: two reviewers who accept 60 %."""
    truth = (agree - 0.52) / 0.48
    cells = ((0, 0), (1, 1), (0, 1), (1, 0))
    differ = (1 - agree) / 2
    chances = (0.6 - differ, 0.4 - differ, differ, differ)
    held = told = 0
    for _ in range(trials):
        drawn = [cells[i] for i in rng.choice(4, n, p=chances)]
        found = statistics.cohens_kappa([a for a, _ in drawn], [b for _, b in drawn])
        if found is not None:
            told += 1
            held += found.low <= truth <= found.high
    return held / told


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    print(f"{asked.trials} nulls each, at 5 %")
    for name, make in TESTS.items():
        rejected, disagree = rates(rng, make, asked.trials)
        print(
            f"{name:40} rejects {100 * rejected:4.1f} %   interval and p disagree in {100 * disagree:.1f} %"
        )
    for name, (pairs, spread) in RUNS.items():
        runs, questions = by_runs(rng, pairs, spread, asked.trials)
        print(f"{name:40} rejects {100 * runs:4.1f} %   the test by questions {100 * questions:.1f} %")
    for n, gain in ((119, 0.0), (119, 0.1), (30, 0.3), (1000, 0.05)):
        held = covered(rng, n, gain, asked.trials)
        print(f"interval, {n:,} questions, {100 * gain:.0f} points".ljust(40), f"covers  {100 * held:4.1f} %")
    for n, agree in ((5, 0.95), (20, 0.8), (20, 0.95), (100, 0.8)):
        held = kappas(rng, n, agree, asked.trials)
        print(f"kappa, {n} items, {100 * agree:.0f} % alike".ljust(40), f"covers  {100 * held:4.1f} %")


if __name__ == "__main__":
    main()
