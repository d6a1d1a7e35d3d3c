"""New-Fine-tune-CoT's ablation: four arms, each with one change more, beside what its paper printed.

    AddSub, as printed       Fine-tune-CoT  + cluster exemplars  + correction  + adaptive answers
    the teacher's rationales      76.71            83.54              —              91.13
    t5-small                       5.04              —                —               7.56

The paper prints its second and third change together, and single runs. `AUDIT` says what else is known of
its figures, so that nobody takes them for a measure of the method alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.results import published
from core.results.table import EARLIER, Arm, ArmRow, Baseline, Cell, table

ARMS = ("fine-tune-cot", "cluster-exemplars", "heuristic-correction", "new-fine-tune-cot")
"""The arms in the paper's order; core.methods.changes says what each changes."""

TEACHER = "the teacher's rationales"

_FACTS = Path(__file__).with_name("audit.txt").read_text(encoding="utf-8").split("\n\n")
AUDIT = tuple(" ".join(fact.split()) for fact in _FACTS)
"""What is known of the printed tables, a fact each."""


@dataclass(frozen=True, slots=True)
class Line:
    """One student (or the teacher) through the arms: accuracies in percent by arm, None where not known.

    Over `n` questions of `split` (of the teacher: rationales for its training questions), the students'
    epochs chosen by `selection`; each empty where it is not known. `source` is empty for this study's own
    figures, else the printed table; `note` is what is known of it.
    """

    student: str
    samples: int
    split: str
    n: int | None
    selection: str
    source: str
    accuracy: dict[str, float | None]
    note: str = ""


def cells_of(cells: Sequence[Cell]) -> list[Cell]:
    """The ablation's newest evaluations: by student, without diverse reasoning first, in the arms' order."""
    students = list(dict.fromkeys(cell.student for cell in cells))
    order = list(ARMS)
    own = [c for c in cells if c.method in ARMS and not c.variant.startswith(EARLIER)]
    return sorted(own, key=lambda c: (students.index(c.student), c.samples, order.index(c.method), c.seed))


def rows(cells: Sequence[Cell], adjustment: str = "holm") -> tuple[ArmRow, ...]:
    """The ablation's table: each arm against Fine-tune-CoT from the same teacher with the same D."""
    return table(cells_of(cells), Baseline("fine-tune-cot"), adjustment)


def calls_at_most(n: int, samples: int = 0) -> int:
    """Calls for the four arms on n training questions, with `samples` more rationales each if diverse.

    Two for each rationale; the last arm's are the third's, from the cache.
    """
    return 2 * n * (1 + samples) * (len(ARMS) - 1)


def own(rows: Sequence[ArmRow]) -> list[Line]:
    """This study's arms, the teacher first."""
    first: dict[Arm, ArmRow] = {}  # of an arm with several seeds, the mean
    for row in rows:
        first.setdefault(row.arm, row)
    taught: dict[Arm, dict[str, float | None]] = {}
    students: dict[Arm, dict[str, float | None]] = {}
    asked: dict[Arm, tuple[str, int]] = {}
    for arm, row in first.items():
        same = replace(arm, method="")
        students.setdefault(same, dict.fromkeys(ARMS))[arm.method] = row.accuracy
        asked.setdefault(same, (row.split, row.n))
        if row.rationales and row.rationales.n:
            share = 100 * row.rationales.correct / row.rationales.n
            same = replace(same, student="", variant="", selection="")
            taught.setdefault(same, dict.fromkeys(ARMS))[arm.method] = share
            asked.setdefault(same, ("train", row.rationales.n))
    return [
        Line(_name(arm, taught), arm.samples, *asked[arm], arm.selection, "", found)
        for arm, found in (taught | students).items()
    ]


def _name(arm: Arm, taught: Collection[Arm]) -> str:
    """Who answers: the student or the teacher; the teacher is named where there are several."""
    several = len({other.teacher for other in taught}) > 1
    return ", ".join(filter(None, (arm.student or TEACHER, arm.variant, arm.teacher if several else "")))


def printed(benchmark: str) -> list[Line]:
    """The paper's tables 3, 4 and 5 for a benchmark; nothing where it prints none."""
    figures = [f for f in published.rows() if (f.source, f.benchmark) == (published.NEW, benchmark)]
    groups: dict[tuple[str, int], list[published.Published]] = {}
    for figure in sorted(figures, key=lambda f: f.student != ""):
        groups.setdefault((figure.student, figure.samples), []).append(figure)
    return [_line(*own) for own in groups.values()]


def _line(*figures: published.Published) -> Line:
    """What is printed of one student with so many rationales a question."""
    accuracy: dict[str, float | None] = dict.fromkeys(ARMS)
    accuracy |= {"fine-tune-cot" if f.method == "zero-shot-cot" else f.method: f.accuracy for f in figures}
    tables = dict.fromkeys(f.table.split(",")[0] for f in figures)
    notes = dict.fromkeys(f.note for f in figures if f.method in ("fine-tune-cot", "zero-shot-cot"))
    first, source = figures[0], ", ".join(tables)
    who = first.student or TEACHER
    return Line(who, first.samples, first.split, first.n, "", source, accuracy, "; ".join(notes))
