"""One comparison over several benchmarks and seeds: every set of questions a stratum, and all together.

    addsub     119 questions   3 seeds   +4.2 (-0.8 to +9.3)   p 0.11
    single_eq  152 questions   3 seeds   +3.9 (-0.4 to +8.4)   p 0.08
    together   271 questions             +4.1 (+0.7 to +7.4)   p 0.02    over 6 pairs of runs p 0.03

The pairing is kept throughout: a question counts once in each stratum, as the mean over its seeds, and only
signs within a question are flipped (`statistics.pooled_p`). That p holds for the students that were trained;
`p_runs` asks the same of students yet to be trained, its unit the pair of training runs with one seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.errors import LabError, RefusedError
from core.results import export, statistics
from core.results.table import Arm, Baseline, Cell, baseline_of, matrix


@dataclass(frozen=True, slots=True)
class Stratum:
    """One set of questions; `seeds` of the arm and of its baseline. Differences in points."""

    benchmark: str
    split: str
    n: int
    seeds: tuple[int, int]
    difference: float
    low: float
    high: float
    p: float


@dataclass(frozen=True, slots=True)
class Pooled:
    """An arm against its baseline over all strata; `pairs` of training runs stand behind `p_runs`, which is
    None where the baseline has not the arm's seeds."""

    arm: Arm
    baseline: Arm
    strata: tuple[Stratum, ...]
    n: int
    difference: float
    low: float
    high: float
    p: float
    pairs: int
    p_runs: float | None
    p_adjusted: float | None = None


def pooled(cells: Sequence[Cell], baseline: Baseline, adjustment: str = "holm") -> tuple[Pooled, ...]:
    """Each arm that has the baseline beside it, over every set of questions on which both were run.

    The arms' benchmark is empty. Runs of one benchmark over the same questions are seeds of one stratum; over
    other questions RefusedError, since splits share questions. LabError where nothing can be compared.
    """
    sets: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        sets.setdefault((cell.benchmark, cell.question_set), []).append(cell)
    found: dict[tuple[Arm, Arm], list[tuple[list[Cell], list[Cell]]]] = {}
    for members in sets.values():
        arms: dict[Arm, list[Cell]] = {}
        for cell in members:
            arms.setdefault(cell.arm, []).append(cell)
        for arm, own in arms.items():
            if against := baseline_of(arm, arms, baseline):
                key = replace(arm, benchmark=""), replace(against, benchmark="")
                found.setdefault(key, []).append((own, arms[against]))
    if not found:
        raise LabError(
            f"Nothing can be pooled: no arm stands beside “{baseline.method}” on the same questions."
        )
    for pairs in found.values():
        benchmarks = [own[0].benchmark for own, _ in pairs]
        if twice := next((name for name in benchmarks if benchmarks.count(name) > 1), None):
            raise RefusedError(
                f"{twice} was asked with different questions: pool studies with one split of it."
            )
    rows = [_pooled(*names, pairs) for names, pairs in found.items()]
    adjusted = statistics.adjust([row.p for row in rows], adjustment)
    return tuple(replace(row, p_adjusted=p) for row, p in zip(rows, adjusted, strict=True))


def _pooled(arm: Arm, baseline: Arm, sets: Sequence[tuple[list[Cell], list[Cell]]]) -> Pooled:
    strata = [(matrix(own), matrix(theirs)) for own, theirs in sets]
    together = statistics.pooled_difference(strata)
    return Pooled(
        arm,
        baseline,
        tuple(_stratum(own, theirs) for own, theirs in sets),
        sum(len(own[0].correct) for own, _ in sets),
        *_points(together),
        statistics.pooled_p(strata),
        *_by_runs(sets),
    )


def _by_runs(sets: Sequence[tuple[list[Cell], list[Cell]]]) -> tuple[int, float | None]:
    """How many pairs of runs have one seed, and their p; None where a run is left without its own partner."""
    pairs: list[tuple[statistics.Results, statistics.Results]] = []
    for own, theirs in sets:
        ours, others = ({cell.seed: cell for cell in cells} for cells in (own, theirs))
        if ours.keys() != others.keys() or len(ours) < len(own) or len(others) < len(theirs):
            return len(pairs), None
        pairs += [(matrix([ours[seed]]), matrix([others[seed]])) for seed in ours]
    return len(pairs), statistics.runs_p(pairs)


def _stratum(own: Sequence[Cell], theirs: Sequence[Cell]) -> Stratum:
    first, both = own[0], (matrix(own), matrix(theirs))
    found = statistics.difference(*both)
    seeds = len(own), len(theirs)
    asked = first.benchmark, first.split, len(first.correct)
    return Stratum(*asked, seeds, *_points(found), statistics.paired_p(*both))


def _points(found: statistics.Estimate) -> tuple[float, float, float]:
    return 100 * found.value, 100 * found.low, 100 * found.high


def lines(row: Pooled) -> list[dict[str, str]]:
    """The strata and then all together, as a table shows them."""
    strata = [
        {
            "questions": f"{one.benchmark}, {one.split} split",
            "n": str(one.n),
            "seeds": " and ".join(dict.fromkeys(map(str, one.seeds))),
            "difference": export.points_text(one.difference, one.low, one.high),
            "p": export.p_text(one.p),
        }
        for one in row.strata
    ]
    together = {
        "questions": "together",
        "n": str(row.n),
        "seeds": "",
        "difference": export.points_text(row.difference, row.low, row.high),
        "p": export.p_text(row.p),
    }
    return [*strata, together]


def by_runs(row: Pooled) -> str:
    """What the test with the training run as its unit says."""
    if row.p_runs is None:
        return "Not every run has one of the baseline with its seed, so training runs cannot be the unit."
    few = "; six pairs are the fewest that can give p < 0.05" if row.pairs < 6 else ""
    return f"With the training run as the unit, {row.pairs} pairs: p {export.p_text(row.p_runs)}{few}."


def to_text(row: Pooled) -> str:
    """The strata of an arm for a terminal."""
    head = f"{row.arm} against {row.baseline}, p adjusted {export.p_text(row.p_adjusted)}"
    return "\n".join([head, export.columns(lines(row)), by_runs(row)])
