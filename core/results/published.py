"""What the papers printed, to stand beside our own figures and never to be mixed with them.

published.tsv has one printed figure a line, as printed, with its source, its D, split, n, how its epoch was
chosen, and its caveat; what is not known stays empty:

    fine-tune-cot      Ho, Schmid and Yun, "Large Language Models Are Reasoning Teachers", ACL 2023
    notebook           notebooks/results.ipynb of its authors' repository (itsnamgyu/reasoning-teacher). Its
                       GPT-2 rows are not all what the paper prints, so it is cited as itself
    new-fine-tune-cot  "Knowledge Distillation of Large Language Models Based on Chain of Thought",
                       Journal of Data Acquisition and Processing, 2024, tables 3, 4 and 5. Its T5 and
                       Flan-T5 baseline is the notebook's to the digit, but for two slips
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.students.table import STUDENTS

FILE = Path(__file__).with_suffix(".tsv")
NEW = "new-fine-tune-cot"
SOURCES = {
    "fine-tune-cot": "Ho et al., ACL 2023",
    "notebook": "results.ipynb of Ho et al.",
    NEW: "New-Fine-tune-CoT, J. Data Acquis. Process. 2024",
}


@dataclass(frozen=True, slots=True)
class Published:
    """One printed figure. `student` is empty where it is the teacher's own accuracy (its rationales), or
    that of chance.

    `accuracy` is in percent as printed; `n` is the number of questions behind it, `split` how the benchmark
    was split, and `selection` a key of core.students.config.SELECTIONS, each where known; `samples` is D,
    the rationales per training question.
    """

    source: str
    table: str
    method: str
    teacher: str
    student: str
    benchmark: str
    samples: int
    accuracy: float
    n: int | None
    split: str
    selection: str
    note: str

    @property
    def citation(self) -> str:
        return SOURCES[self.source]


@cache
def rows() -> tuple[Published, ...]:
    """Every printed figure."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return tuple(_figure(**line) for line in csv.DictReader(file, delimiter="\t"))


def _figure(*, samples: str, accuracy: str, n: str, **texts: str) -> Published:
    return Published(samples=int(samples), accuracy=float(accuracy), n=int(n) if n else None, **texts)


def lookup(benchmark: str, method: str, student: str) -> list[Published]:
    """The printed figures for an arm, of every D. `student` is a name of STUDENTS ("Flan-T5 small"), a hub
    id ("google/flan-t5-small"), or "" for the teacher's own accuracy."""
    source = STUDENTS[student].source if student in STUDENTS else student
    name = source.rsplit("/", 1)[-1].lower()
    return [row for row in rows() if (row.benchmark, row.method, row.student) == (benchmark, method, name)]


def beside(
    benchmark: str, method: str, student: str, samples: int, split: str, n: int
) -> tuple[Published, ...]:
    """The figures that may stand beside an accuracy over n questions: those over the same questions with the
    same D, of each source the first."""
    first: dict[str, Published] = {}
    for row in lookup(benchmark, method, student):
        if (row.samples, row.split, row.n) == (samples, split, n):
            first.setdefault(row.source, row)
    return tuple(first.values())
