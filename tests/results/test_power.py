"""Power before a run: against simulated trials, and monotone where it must be."""

from __future__ import annotations

import numpy as np
import pytest

from core.results import power, statistics
from core.results.table import Cell


def cell(run: int, answers: list[bool], seed: int = 0, method: str = "fine-tune") -> Cell:
    return Cell(run, method, "t5-small", "", seed, "addsub", "q", dict(enumerate(answers)))


@pytest.mark.parametrize(
    ("n", "discordance", "difference"), [(119, 0.2, 0.12), (60, 0.4, 0.2), (500, 0.1, 0.04)]
)
def test_power_is_the_share_of_trials_that_mcnemar_rejects(n, discordance, difference):
    draw, trials = np.random.default_rng(0), 2000
    rejected = 0
    for _ in range(trials):
        won, lost, _ = draw.multinomial(
            n, [(discordance + difference) / 2, (discordance - difference) / 2, 1 - discordance]
        )
        rejected += statistics.mcnemar([True] * won + [False] * lost, [False] * won + [True] * lost).p <= 0.05
    assert power.power(n, discordance, difference) == pytest.approx(rejected / trials, abs=0.03)


def test_a_test_of_119_questions_needs_ten_to_thirteen_points():
    assert 0.10 < power.smallest(119, 0.15) < power.smallest(119, 0.2) < power.smallest(119, 0.23) < 0.13
    assert power.power(119, 0.2, power.smallest(119, 0.2)) == pytest.approx(0.8, abs=1e-3)


def test_what_can_never_be_seen_is_none():
    assert power.smallest(60, 0.1) is None and power.power(5, 1, 1) == 0
    assert power.least(5) is None and power.questions(1e-5, 0.2) is None
    assert power.sight(5).blind and "no difference at all" in power.sentence(power.sight(5))
    with pytest.raises(ValueError):
        power.power(10, 0.1, 0.2)


def test_questions_and_the_smallest_difference_are_each_others_inverse():
    n = power.questions(0.05, 0.2)
    assert power.smallest(n, 0.2) == pytest.approx(0.05, abs=0.001)


@pytest.mark.parametrize("k", [3, 5])
def test_seeds_see_what_they_are_said_to_see(k):
    """Questions with a chance of their own, a better arm, k seeds of each, the sign-flip test."""
    draw, n, trials = np.random.default_rng(1), 119, 400
    chances = 0.9 * draw.beta(0.4, 0.6, n)
    lifted = chances + (1 - chances) * 0.12

    def differ(p, q):
        return float((p * (1 - q) + q * (1 - p)).mean())

    noise = (differ(chances, chances) + differ(lifted, lifted)) / 2
    told = power.smallest(n, differ(chances, lifted), noise, k)
    scale = told / float((lifted - chances).mean())
    assert 0.5 < scale < 1.5, "the sketch is near what it is about"
    lifted = chances + (lifted - chances) * scale
    rejected = sum(
        statistics.paired_p((draw.random((k, n)) < lifted).tolist(), (draw.random((k, n)) < chances).tolist())
        <= 0.05
        for _ in range(trials)
    )
    assert rejected / trials == pytest.approx(0.8, abs=0.08)


def test_what_was_seen():
    cells = [
        cell(1, [True, True, False, False]), cell(2, [True, False, False, False], seed=1),
        cell(3, [False, False, False, False], method="fine-tune-cot"),
    ]  # fmt: skip
    assert power.seen(cells) == power.Seen(discordance=0.5, noise=0.25)
    assert power.seen(cells[:1]) == power.Seen()
    shown = power.of(cells, 400, seeds=3)
    assert (shown.n, shown.seeds, shown.discordance, shown.noise, shown.assumed) == (400, 3, 0.5, 0.25, False)
    assert "as seen so far" in power.sentence(shown)


def test_what_a_wanted_difference_takes():
    one = power.sight(119, 0.2, noise=0.15)
    wanted = power.takes(one, 7)
    assert wanted.seeds is not None and wanted.seeds > 1 and wanted.questions > 119
    assert power.wish(wanted) == (
        f"A difference of 7 points takes {wanted.questions:,} test questions, "
        f"or {wanted.seeds} seeds over these."
    )
    assert power.takes(power.sight(119, 0.2), 7).seeds is None
