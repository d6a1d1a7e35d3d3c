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

from core.results import published
from core.results.table import EARLIER, Arm, ArmRow, Baseline, Cell, table

ARMS = {
    "fine-tune-cot": "Fine-tune-CoT",
    "cluster-exemplars": "+ cluster exemplars",
    "heuristic-correction": "+ heuristic correction",
    "new-fine-tune-cot": "+ adaptive answers",
}
"""The arms in the paper's order, each with one change more than the one before it."""

TEACHER = "the teacher's rationales"

AUDIT = (
    "Its Fine-tune-CoT rows were copied from Ho et al. and not run again: the T5 and Flan-T5 figures and the "
    "teacher's equal those with text-davinci-002 to the digit, one slip apart, while its own arm asks "
    "gpt-3.5-turbo-instruct. So its gain is of a newer teacher and of the method together; here all arms "
    "have one teacher.",
    "Every figure is one run on one test set, with no seed, interval or test. One test question is 0.3 to "
    "0.9 points, so many of the printed differences are a few questions.",
    "The captions of tables 3 and 4 are swapped: the table from 76.71 to 91.13 is AddSub, the one from 67.58 "
    "to 78.68 Date Understanding. They print heuristic correction and adaptive answers as one step.",
    "The teachers were not counted over the same questions: the baseline counts every stored completion, "
    "repeats included; the new figures fit shorter lists.",
    "The GPT-2 baseline differs from what Fine-tune-CoT's authors print for the same arm, and a few cells "
    "cannot be read for sure: treat it as unsettled. Its 4.22 on AddSub should be 4.20 (5 of 119), and the "
    "255M of table 2 is GPT-2 medium's 355M.",
    "Most of the mean gain comes from Tracking Shuffled Objects and Last Letter Concatenation; on Date "
    "Understanding Flan-T5 gets worse.",
    "Number of clusters, encoder, prompts, temperature, student settings and what makes a question qualify "
    "are not given. The lab takes Auto-CoT's; its first arm writes at most 128 tokens as Fine-tune-CoT does, "
    "the others 256 as Auto-CoT does.",
)
"""What is known of the printed tables, a fact each."""


@dataclass(frozen=True, slots=True)
class Line:
    """One student (or the teacher) through the arms: accuracies in percent by arm, None where not known.

    `source` is empty for this study's own figures, else the printed table; `note` is what is known of it.
    """

    student: str
    samples: int
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


def beside(rows: Sequence[ArmRow]) -> list[Line]:
    """This study's arms and the paper's tables 3, 4 and 5 for the same benchmark, the teacher first."""
    first: dict[Arm, ArmRow] = {}  # of an arm with several seeds, the mean
    for row in rows:
        first.setdefault(row.arm, row)
    taught: dict[Arm, dict[str, float | None]] = {}
    students: dict[Arm, dict[str, float | None]] = {}
    for arm, row in first.items():
        same = replace(arm, method="")
        students.setdefault(same, dict.fromkeys(ARMS))[arm.method] = row.accuracy
        if row.rationales and row.rationales.n:
            share = 100 * row.rationales.correct / row.rationales.n
            same = replace(same, student="", variant="")
            taught.setdefault(same, dict.fromkeys(ARMS))[arm.method] = share
    own = [Line(_name(arm, taught), arm.samples, "", found) for arm, found in (taught | students).items()]
    return own + (_printed(rows[0].arm.benchmark) if rows else [])


def _name(arm: Arm, taught: Collection[Arm]) -> str:
    """Who answers: the student or the teacher; the teacher is named where there are several."""
    several = len({other.teacher for other in taught}) > 1
    return ", ".join(filter(None, (arm.student or TEACHER, arm.variant, arm.teacher if several else "")))


def _printed(benchmark: str) -> list[Line]:
    """The paper's figures for a benchmark; none where it prints none."""
    lines: dict[tuple[str, int], Line] = {}
    figures = [f for f in published.rows() if (f.source, f.benchmark) == (published.NEW, benchmark)]
    for figure in sorted(figures, key=lambda f: f.student != ""):
        arm = "fine-tune-cot" if figure.method == "zero-shot-cot" else figure.method
        line = lines.setdefault(
            (figure.student, figure.samples),
            Line(figure.student or TEACHER, figure.samples, figure.table, dict.fromkeys(ARMS)),
        )
        line.accuracy[arm] = figure.accuracy
    return [_named(line, figures) for line in lines.values()]


def _named(line: Line, figures: Sequence[published.Published]) -> Line:
    student = "" if line.student == TEACHER else line.student
    own = [f for f in figures if (f.student, f.samples) == (student, line.samples)]
    tables = ", ".join(dict.fromkeys(f.table.split(",")[0] for f in own))
    notes = "; ".join(dict.fromkeys(f.note for f in own if f.method in ("fine-tune-cot", "zero-shot-cot")))
    return Line(line.student, line.samples, tables, line.accuracy, notes)
