"""The results table: one row an arm, beside its baseline and what the papers printed.

Cell  run 12  fine-tune-cot  t5-small  seed 0  addsub  {3: True, 8: False, …}     one evaluation
ArmRow   fine-tune-cot  t5-small  addsub  119 questions  14.3 % (9.1–21.7)  +8.4 (2.9–14.6)  p 0.006

An arm is a method with its teacher, student, number of rationales per question and how the epoch was
chosen, on one benchmark. Where it was run with several seeds it has a row for the mean and a row for each
seed; how the mean is tested is told in `statistics`. Percentages throughout, as the papers print them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.errors import LabError, RefusedError
from core.results import published, statistics


@dataclass(frozen=True, slots=True)
class Rationales:
    """What an arm's students were taught with: how many rationales, how many right, and what they take.

    Calls, tokens and US dollars are of everything that the rationales stand on, so of the zero-shot
    pass behind chosen exemplars too, and a kept reply counts as the call that it stands for. What was
    really paid is less where arms share replies. All None for a teacher that makes no call.
    """

    n: int
    correct: int
    calls: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost: float | None = None
    paid_calls: int | None = None
    paid_cost: float | None = None

    @property
    def tokens(self) -> int | None:
        return None if self.calls is None else (self.prompt_tokens or 0) + (self.completion_tokens or 0)


# How the epoch was chosen, in a few words: core.students.config.SELECTIONS says it in more.
CHOSEN = {"dev": "dev questions", "last": "last epoch", "test": "test questions", "": ""}
TEST_SELECTED = "epoch chosen on the test questions"
EARLIER = "earlier, run"  # how the variant of an evaluation begins that a newer one stands before
TAKEN = ("calls", "prompt_tokens", "completion_tokens", "cost", "paid_calls", "paid_cost")


def rationales(summaries: Sequence[Mapping[str, Any]]) -> Rationales | None:
    """From the summaries of an arm's generations, its own first; None where there is no teacher."""
    if not summaries:
        return None
    own, known = summaries[0], all("calls" in summary for summary in summaries)
    taken = {name: sum(summary[name] for summary in summaries) for name in TAKEN} if known else {}
    return Rationales(own["n"], own["correct"], **taken)


@dataclass(frozen=True, slots=True)
class Cell:
    """One evaluation: one student's verdicts on one set of test questions.

    `question_set` is records.question_set_hash of all the questions it was asked; `split` is the benchmark's
    split that they are the test questions of. `selection` says how the epoch was chosen, a key of
    core.students.config.SELECTIONS, empty for a student that was not trained. `variant` names whatever else
    sets it apart from runs of the same method ("steps", "few-shot 8").
    """

    run_id: int
    method: str
    student: str
    teacher: str
    seed: int
    benchmark: str
    question_set: str
    correct: Mapping[int, bool]  # question index → right
    samples: int = 1  # D, rationales per training question
    variant: str = ""
    selection: str = ""
    split: str = "default"
    rationales: Rationales | None = None

    @property
    def arm(self) -> Arm:
        return Arm(**{name: getattr(self, name) for name in Arm.__dataclass_fields__})


@dataclass(frozen=True, slots=True)
class Arm:
    """What is compared: everything about an evaluation but its seed."""

    benchmark: str
    method: str
    student: str
    teacher: str = ""
    samples: int = 1
    variant: str = ""
    selection: str = ""

    def __str__(self) -> str:
        diverse = f"D={self.samples}" if self.samples > 1 else ""
        tested = TEST_SELECTED if self.selection == "test" else ""
        named = (self.method, diverse, self.variant, tested, self.student, self.teacher)
        return " · ".join(filter(None, named))


@dataclass(frozen=True, slots=True)
class Baseline:
    """The arm that others are compared with. None stands for "the same as the row's"."""

    method: str
    student: str | None = None
    teacher: str | None = None
    samples: int | None = None
    variant: str | None = None
    selection: str | None = None


@dataclass(frozen=True, slots=True)
class ArmRow:
    """One line of the table. Accuracies and intervals (95 %) in percent, differences in points.

    `seed` is None for the mean over several. `gained` and `lost` count the questions right here and
    wrong in the baseline, and the other way round, where one run stands against one. `p_adjusted`
    is over all arms of the table; rows of single seeds are not part of that family.
    """

    arm: Arm
    seed: int | None
    runs: tuple[int, ...]
    split: str
    n: int
    accuracy: float
    low: float
    high: float
    baseline: Arm | None = None
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    gained: int | None = None
    lost: int | None = None
    p: float | None = None
    p_adjusted: float | None = None
    published: tuple[published.Published, ...] = ()
    rationales: Rationales | None = None  # of its newest run


@dataclass(frozen=True, slots=True)
class Flips:
    """Question indices on which two evaluations disagree."""

    gained: tuple[int, ...]  # wrong in the first, right in the second
    lost: tuple[int, ...]


def table(
    cells: Sequence[Cell], baseline: Baseline | None = None, adjustment: str = "holm"
) -> tuple[ArmRow, ...]:
    """The rows of some evaluations, in the order in which their arms first appear, by benchmark.

    With a baseline, each arm stands against it, seed by seed where both have the seed, and
    p-values are adjusted over the arms. Raises RefusedError where runs that are to be averaged or
    compared were not asked the same questions, LabError where no arm is the baseline.
    """
    order = {name: i for i, name in enumerate(dict.fromkeys(cell.benchmark for cell in cells))}
    arms: dict[Arm, list[Cell]] = {}
    for cell in sorted(cells, key=lambda cell: order[cell.benchmark]):
        arms.setdefault(cell.arm, []).append(cell)
    if baseline is not None and arms and not any(_is_baseline(arm, arm, baseline) for arm in arms):
        known = ", ".join(sorted({arm.method for arm in arms}))
        raise LabError(f"No run is the baseline “{baseline.method}”: choose one of {known}.")
    rows: list[ArmRow] = []
    for arm, members in arms.items():
        against = baseline_of(arm, arms, baseline) if baseline else None
        others = arms[against] if against else []
        rows.append(_row(arm, members, others))
        if len(members) > 1:
            rows += [_row(arm, [cell], _same_seed(cell, others), alone=True) for cell in members]
    return _adjusted(rows, adjustment)


def baselines(cells: Sequence[Cell]) -> dict[str, Baseline]:
    """What arms can be compared with, by name: each method, and each setting of one that has several.

    "fine-tune-cot" leaves teacher, D and variant to the row; "fine-tune-cot · D=2 · steps" is that arm.
    """
    found: dict[str, Baseline] = {}
    for method in dict.fromkeys(cell.method for cell in cells):
        found[method] = Baseline(method)
        arms = [cell.arm for cell in cells if cell.method == method]
        settings = dict.fromkeys((arm.teacher, arm.samples, arm.variant, arm.selection) for arm in arms)
        if len(settings) > 1:
            chosen = len({selection for *_, selection in settings}) > 1
            for teacher, samples, variant, selection in settings:
                epoch = CHOSEN[selection] if chosen else ""
                name = " · ".join(filter(None, (method, f"D={samples}", variant, epoch, teacher)))
                found[name] = Baseline(method, None, teacher, samples, variant, selection)
    return found


def flips(a: Cell, b: Cell) -> Flips:
    """The questions that changed from `a` to `b`: two runs, or one run under two rule sets."""
    _require_same_questions([a, b])
    return Flips(
        tuple(sorted(i for i in a.correct if b.correct[i] and not a.correct[i])),
        tuple(sorted(i for i in a.correct if a.correct[i] and not b.correct[i])),
    )


def _row(arm: Arm, members: list[Cell], others: list[Cell], alone: bool = False) -> ArmRow:
    _require_same_questions(members + others)
    first, results, theirs = members[0], matrix(members), matrix(others)
    mean = statistics.accuracy(results)
    asked = first.split, len(first.correct)
    printed = published.beside(arm.benchmark, arm.method, arm.student, arm.samples, *asked)
    row = ArmRow(
        arm=arm,
        seed=first.seed if len(members) == 1 else None,
        runs=tuple(cell.run_id for cell in members),
        split=first.split,
        n=len(first.correct),
        accuracy=100 * mean.value,
        low=100 * mean.low,
        high=100 * mean.high,
        published=() if alone else printed,
        rationales=members[-1].rationales,
    )
    if not others:
        return row
    return replace(row, baseline=others[0].arm, **compared(results, theirs))


def compared(results: statistics.Results, theirs: statistics.Results) -> dict[str, Any]:
    """A row's fields on its difference to a baseline: in points, paired by question."""
    difference = statistics.difference(results, theirs)
    single = statistics.mcnemar(results[0], theirs[0]) if len(results) == len(theirs) == 1 else None
    return {
        "difference": 100 * difference.value,
        "difference_low": 100 * difference.low,
        "difference_high": 100 * difference.high,
        "gained": single.gained if single else None,
        "lost": single.lost if single else None,
        "p": single.p if single else statistics.paired_p(results, theirs),
    }


def matrix(cells: Sequence[Cell]) -> list[list[bool]]:
    """Runs × questions, the questions in index order."""
    return [[cell.correct[i] for i in sorted(cell.correct)] for cell in cells]


def _same_seed(cell: Cell, others: list[Cell]) -> list[Cell]:
    return [other for other in others if other.seed == cell.seed] or others


def _is_baseline(candidate: Arm, row: Arm, baseline: Baseline) -> bool:
    wanted = {
        "benchmark": row.benchmark,
        "method": baseline.method,
        "student": row.student if baseline.student is None else baseline.student,
        "teacher": baseline.teacher,
        "samples": baseline.samples,
        "variant": baseline.variant,
        "selection": baseline.selection,
    }
    return all(value is None or getattr(candidate, name) == value for name, value in wanted.items())


def baseline_of(row: Arm, arms: Mapping[Arm, list[Cell]], baseline: Baseline) -> Arm | None:
    """The row's baseline arm; None for the baseline itself and where it was not run.

    What the baseline leaves open is taken from the row where an arm agrees with it: the same
    teacher before another, then the same D, then the same variant, then an epoch chosen the same way.
    """
    found = [arm for arm in arms if _is_baseline(arm, row, baseline)]
    if row in found or not found:
        return None

    def nearness(arm: Arm) -> tuple[bool, ...]:
        same = arm.teacher == row.teacher, arm.samples == row.samples, arm.variant == row.variant
        return *same, not arm.variant, arm.selection == row.selection

    best = max(nearness(arm) for arm in found)
    nearest = [arm for arm in found if nearness(arm) == best]
    if len(nearest) > 1:
        listed = "; ".join(str(arm) for arm in nearest)
        raise LabError(
            f"Several runs could be the baseline of “{row}” ({listed}): "
            "name its teacher, its D, its variant or how its epoch was chosen too."
        )
    return nearest[0]


def _require_same_questions(cells: Sequence[Cell]) -> None:
    first = cells[0]
    for cell in cells[1:]:
        if cell.benchmark != first.benchmark:
            raise RefusedError(
                f"Runs {first.run_id} and {cell.run_id} are on different benchmarks "
                f"({first.benchmark}, {cell.benchmark}): compare runs of one benchmark."
            )
        if cell.question_set != first.question_set:
            raise RefusedError(
                f"Runs {first.run_id} and {cell.run_id} were asked different questions of {cell.benchmark} "
                f"({len(first.correct)} and {len(cell.correct)}): evaluate both on the same set, "
                "or leave one out."
            )
        if cell.correct.keys() != first.correct.keys():
            short = min(first, cell, key=lambda c: len(c.correct))
            raise RefusedError(
                f"Run {short.run_id} has no prediction yet for some questions: resume it, then compare."
            )


def _adjusted(rows: list[ArmRow], adjustment: str) -> tuple[ArmRow, ...]:
    """Rows with p-values adjusted over the arms: one test an arm, its mean where it has several seeds."""
    seen: set[Arm] = set()
    family = []
    for i, row in enumerate(rows):
        if row.arm not in seen and row.p is not None:
            family.append((i, row.p))
        seen.add(row.arm)
    adjusted = statistics.adjust([p for _, p in family], adjustment)
    for (i, _), p in zip(family, adjusted, strict=True):
        rows[i] = replace(rows[i], p_adjusted=p)
    return tuple(rows)
