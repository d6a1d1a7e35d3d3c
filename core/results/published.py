"""What the papers printed, to stand beside our own figures and never to be mixed with them.

One line of a block below is one row of a paper's table; a dot is a cell that the paper leaves empty:

    t5-small  fine-tune-cot  1   2.63  5.04  5.56  …
    student   method         D   accuracy in percent, one column a benchmark

Sources
    fine-tune-cot      Ho, Schmid and Yun, "Large Language Models Are Reasoning Teachers", ACL 2023,
                       as printed by the authors' notebooks/results.ipynb
    new-fine-tune-cot  "Knowledge Distillation of Large Language Models Based on Chain of Thought",
                       Journal of Data Acquisition and Processing, 2024, tables 3, 4 and 5
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

SOURCES = {
    "fine-tune-cot": "Ho et al., ACL 2023",
    "new-fine-tune-cot": "New-Fine-tune-CoT, J. Data Acquis. Process. 2024",
}

# Questions in each benchmark's default test split, and in the whole benchmark.
TEST_N = {
    "single_eq": 152,
    "addsub": 119,
    "multiarith": 180,
    "gsm8k": 1319,
    "aqua": 254,
    "svamp": 300,
    "date_understanding": 111,
    "tracking_shuffled_objects": 225,
    "last_letter_concatenation": 150,
    "coin_flip": 150,
    "commonsense_qa": 1221,
    "strategy_qa": 687,
}
ALL = tuple(TEST_N)
EIGHT = tuple(k for k in ALL if k not in ("gsm8k", "aqua", "commonsense_qa", "strategy_qa"))

BEST_OF_20 = "best of 20 epochs, chosen on the test questions; one run"
ONE_RUN = "one run on one test set; student settings not given"
COPIED = "copied from Fine-tune-CoT (text-davinci-002), not run with gpt-3.5-turbo-instruct"
UNSETTLED = "differs from the figure that Fine-tune-CoT's authors print for the same arm"
SLIP = "slip in the copy: Fine-tune-CoT's own figure is 7.24"
DOUBTFUL = "reading of this cell is doubtful"  # a star in the blocks below
PARTIAL = "questions counted not stated, and fewer than in the baseline row"
WITH_REPEATS = "over all stored completions, the repeats of the few-shot exemplars included"
NO_CHECK = "teacher, with cluster exemplars but without the correctness check"

# Columns: ALL. Diverse reasoning has D = 64 for MultiArith and SVAMP and 8 elsewhere.
STUDENTS = """
t5-small        fine-tune      1      5.92  8.40 13.89 4.02 29.92 11.33 80.18 94.22 24.67 100.00 22.11 58.81
t5-small        fine-tune-cot  1      2.63  5.04  5.56 2.58 24.02  9.33 77.48 40.00 29.33 100.00 29.48 54.73
t5-small        fine-tune-cot  8|64   7.24  7.56 15.00  .     .    7.67 81.08 59.11 46.67 100.00   .   56.04
t5-base         fine-tune      1      5.92 11.76 15.00 5.00 24.80  8.67 78.38 37.78 44.00 100.00 51.60 59.24
t5-base         fine-tune-cot  1      4.61  7.56 10.56 3.18 26.77  7.00 80.18 42.67 47.33  98.67 45.37 55.90
t5-base         fine-tune-cot  8|64   5.26 10.08 16.11  .     .   10.33 82.88 65.33 60.67 100.00   .   59.68
t5-large        fine-tune      1      6.58  9.24 13.89 4.25 26.77  9.67 79.28 33.78 50.67 100.00 20.88 61.72
t5-large        fine-tune-cot  1      5.26 10.92 10.56 4.55 29.92  9.00 80.18 46.22 52.00 100.00 54.22 56.33
t5-large        fine-tune-cot  8|64   7.89 11.76 17.78  .     .   11.33 81.98 81.78 63.33 100.00   .   62.15
flan-t5-small   fine-tune      1      7.24  9.24 16.67 4.93 28.74 10.33 81.08 33.78 39.33 100.00 45.95 58.95
flan-t5-small   fine-tune-cot  1      6.58  5.88  8.33 2.96 23.23  5.67 80.18 36.00 35.33 100.00 42.01 54.15
flan-t5-small   fine-tune-cot  8|64   7.24 10.92 17.22  .     .   10.67 84.68 62.22 46.00 100.00   .   56.04
flan-t5-base    fine-tune      1      5.26 10.08 16.11 5.08 29.53 10.67 83.78 44.00 45.33 100.00 63.55 61.14
flan-t5-base    fine-tune-cot  1      4.61  9.24 12.22 4.40 29.13  6.00 83.78 48.89 50.00 100.00 59.05 59.97
flan-t5-base    fine-tune-cot  8|64   9.21 10.92 21.11  .     .   12.33 84.68 67.11 56.67 100.00   .   60.84
flan-t5-large   fine-tune      1      7.24 12.61 18.89 5.53 24.80 11.00 82.88 33.78 53.33 100.00 66.75 63.90
flan-t5-large   fine-tune-cot  1     11.84 10.92 14.44 5.38 28.35 10.67 84.68 55.11 64.00 100.00 66.83 59.83
flan-t5-large   fine-tune-cot  8|64  10.53 15.13 20.00  .     .   13.67 87.39 89.33 65.33 100.00   .   61.72
gpt2            fine-tune      1      5.26  9.24 12.22 2.73 24.80 10.33 27.93 33.78  1.33  60.00 20.88 54.44
gpt2            fine-tune-cot  1      3.95  5.88  8.33 3.03 22.44  4.33 25.23 38.67  4.67  77.33 22.69 55.75
gpt2            fine-tune-cot  8|64   6.58  5.88 17.78  .     .   10.33 21.62 45.33  6.00  76.00   .   56.33
gpt2-medium     fine-tune      1      4.61  8.40 12.22 1.59 24.80 12.00 20.72 33.78  2.00  55.33 20.23 54.59
gpt2-medium     fine-tune-cot  1      5.92 10.92  7.78 2.81 24.41  7.33 25.23 42.22 12.00  83.33 21.70 56.19
gpt2-medium     fine-tune-cot  8|64   6.58 10.08 17.78  .     .   12.33 25.23 51.56 14.00  83.33   .   55.46
gpt2-large      fine-tune      1      4.61  5.04 10.56 2.35 26.38 10.00 27.93 34.67  2.67  55.33 21.38 52.98
gpt2-large      fine-tune-cot  1      3.95  5.88  8.89 3.03 26.77  6.00 25.23 48.00  7.33  68.67 22.28 53.86
gpt2-large      fine-tune-cot  8|64   5.92  7.56 17.78  .     .   10.33 23.42 56.89  8.00  82.67   .   55.46
"""
OPENAI_STUDENTS = """
ada             fine-tune-cot  1      7.24  6.72  6.11 3.11 23.62  5.00 17.12 49.33 50.67  99.33 32.68 52.55
ada             fine-tune-cot  8|64   9.21 10.08 23.89  .     .   14.33 58.56 61.78 59.33  99.33   .   57.21
babbage         fine-tune-cot  1     11.18 11.76 13.33 4.70 19.69  8.00 38.74 52.44 50.67 100.00 43.08 52.69
babbage         fine-tune-cot  8|64  18.42 19.33 27.78  .     .   16.33 70.27 72.00 60.67 100.00   .   57.06
curie           fine-tune-cot  1     20.39 21.01 33.33 6.75 24.02 12.67 60.36 64.44 52.67  98.67 56.76 55.02
curie           fine-tune-cot  8|64  24.34 31.09 53.33  .     .   30.33 83.78 73.33 62.00 100.00   .   58.22
"""
TEACHER = """
.               zero-shot-cot  1     81.50 76.71 78.79 42.17 29.74 64.20 67.58 53.20 57.71 90.04 60.07 53.45
"""
# All completions that the authors kept, the repeats of the few-shot exemplars included.
TEACHER_N = {
    "single_eq": 508,
    "addsub": 395,
    "multiarith": 792,
    "date_understanding": 401,
    "last_letter_concatenation": 532,
}
# Flan-T5-base on MultiArith by D; D = 1 here is one sample at temperature 0.7, a run of its own.
D_SWEEP = {1: 10.00, 2: 17.22, 4: 16.11, 8: 19.44, 64: 21.11}

# Columns: EIGHT. D = 8 throughout.
NEW_STUDENTS = """
t5-small        new-fine-tune-cot  1   3.95  7.56  8.33  7.67 78.40 52.00 44.70 100
t5-small        new-fine-tune-cot  8   5.92 10.10   .     .   78.40 69.80 46.70 100
t5-base         new-fine-tune-cot  1   5.26 10.10 12.20  8.67 79.30 59.60 60.00 100
t5-base         new-fine-tune-cot  8   5.92 13.40   .     .   82.90 75.10 62.70 100
flan-t5-small   new-fine-tune-cot  1   7.89  9.24 16.10  8.67 76.60 61.80 46.70 100
flan-t5-small   new-fine-tune-cot  8   7.24 10.90   .     .   78.40 71.10 50.00 100
flan-t5-base    new-fine-tune-cot  1   8.55 11.80 19.40 14.00 79.30 66.70 65.30 100
flan-t5-base    new-fine-tune-cot  8  10.50 11.80   .     .   81.10 72.90 70.00 100
gpt2            new-fine-tune-cot  1   6.58  8.40 11.10 10.70 23.40 56.00 16.00  92.0
gpt2            new-fine-tune-cot  8   7.89 10.10   .     .   21.60 72.00 17.30  92.0
gpt2-medium     new-fine-tune-cot  1   7.24 10.10 17.80  9.00 26.10 66.20 14.00  88.0
gpt2-medium     new-fine-tune-cot  8   8.55 14.30   .     .   25.20 72.90 28.00  93.3
"""
# The same table's baseline. Its T5 and Flan-T5 cells are STUDENTS' to the digit, but for one slip.
NEW_BASELINE_GPT2 = """
gpt2            fine-tune-cot      1   4.61  4.22 10.00  5.67 17.12 38.67  4.67  88.0
gpt2            fine-tune-cot      8   7.24  9.24   .     .   21.62 57.33 10.67  86.7*
gpt2-medium     fine-tune-cot      1   3.29  5.88  7.22  7.33 20.70* 35.56 10.67 80.0
gpt2-medium     fine-tune-cot      8   5.92  9.24   .     .   20.72 56.00 20.00  93.3*
"""
COPIED_STUDENTS = ("t5-small", "t5-base", "flan-t5-small", "flan-t5-base")
COPY_SLIP = {("t5-small", "single_eq", 8): 5.26}
NEW_BASELINE_TEACHER = """
.               zero-shot-cot      1  81.50 76.71 78.79 64.20 67.58 53.20 57.71 90.04
"""
NEW_TEACHER = """
.               new-fine-tune-cot  1  91.33 91.13 98.09 79.28 78.68 63.04 82.00 100
"""
# Cluster exemplars without the correctness check; the captions of the two tables are swapped in print.
NEW_VARIANT_1 = {"addsub": 83.54, "date_understanding": 76.35}


@dataclass(frozen=True, slots=True)
class Published:
    """One printed figure. `student` is empty where it is the teacher's own accuracy (its rationales).

    `accuracy` is in percent as printed; `n` is the number of questions behind it, where known;
    `samples` is D, the rationales per training question.
    """

    source: str
    table: str
    method: str = ""
    teacher: str = ""
    student: str = ""
    benchmark: str = ""
    accuracy: float = 0.0
    samples: int = 1
    n: int | None = None
    note: str = ""

    @property
    def citation(self) -> str:
        return SOURCES[self.source]


OLD, NEW = "fine-tune-cot", "new-fine-tune-cot"
DAVINCI, TURBO = "text-davinci-002", "gpt-3.5-turbo-instruct"
NOTEBOOK, TABLE_5 = "results.ipynb", "table 5"


@cache
def rows() -> tuple[Published, ...]:
    """Every printed figure."""
    return (
        *_block(STUDENTS, ALL, TEST_N, Published(OLD, NOTEBOOK, teacher=DAVINCI, note=BEST_OF_20)),
        *_block(OPENAI_STUDENTS, ALL, TEST_N, Published(OLD, NOTEBOOK, teacher=DAVINCI, note="one run")),
        *_block(TEACHER, ALL, TEACHER_N, Published(OLD, "teacher", teacher=DAVINCI, note=WITH_REPEATS)),
        *_sweep(),
        *_block(NEW_STUDENTS, EIGHT, TEST_N, Published(NEW, TABLE_5, teacher=TURBO, note=ONE_RUN)),
        *_block(NEW_BASELINE_GPT2, EIGHT, TEST_N, Published(NEW, TABLE_5, teacher=TURBO, note=UNSETTLED)),
        *_copied(),
        *_block(NEW_BASELINE_TEACHER, EIGHT, {}, Published(NEW, TABLE_5, teacher=TURBO, note=COPIED)),
        *_block(NEW_TEACHER, EIGHT, {}, Published(NEW, TABLE_5, teacher=TURBO, note=PARTIAL)),
        *_variant_1(),
    )


def lookup(benchmark: str, method: str, student: str, diverse: bool | None = None) -> list[Published]:
    """The printed figures for an arm. `student` is a name of STUDENTS ("Flan-T5 small"), a hub id
    ("google/flan-t5-small"), or "" for the teacher's own accuracy.

    `diverse` keeps the figures with several rationales per question (True) or with one (False).
    """
    from core.students.table import STUDENTS

    source = STUDENTS[student].source if student in STUDENTS else student
    name = source.rsplit("/", 1)[-1].lower()
    return [
        row
        for row in rows()
        if (row.benchmark, row.method, row.student) == (benchmark, method, name)
        and (diverse is None or diverse == (row.samples > 1))
    ]


def _block(
    text: str, benchmarks: tuple[str, ...], n: Mapping[str, int], origin: Published
) -> Iterator[Published]:
    """The cells of one block of lines, each `origin` with its own student, benchmark and figure."""
    for line in text.strip().splitlines():
        student, method, samples, *cells = line.split()
        few, _, many = samples.partition("|")
        for benchmark, cell in zip(benchmarks, cells, strict=True):
            if cell != ".":
                yield replace(
                    origin,
                    method=method,
                    student="" if student == "." else student,
                    benchmark=benchmark,
                    accuracy=float(cell.rstrip("*")),
                    samples=int(many if many and benchmark in ("multiarith", "svamp") else few),
                    n=n.get(benchmark),
                    note=f"{origin.note}; {DOUBTFUL}" if cell.endswith("*") else origin.note,
                )


def _sweep() -> Iterator[Published]:
    for samples, accuracy in D_SWEEP.items():
        if samples != 64:  # STUDENTS has that one
            yield Published(
                OLD,
                "degree of diverse reasoning",
                "fine-tune-cot",
                DAVINCI,
                "flan-t5-base",
                "multiarith",
                accuracy,
                samples,
                TEST_N["multiarith"],
                f"{BEST_OF_20}; rationales sampled at temperature 0.7",
            )


def _copied() -> Iterator[Published]:
    """New-Fine-tune-CoT's T5 and Flan-T5 baseline, which is Fine-tune-CoT's; with D = 8, not 64."""
    for row in _block(STUDENTS, ALL, TEST_N, Published(NEW, TABLE_5, teacher=TURBO, note=COPIED)):
        if row.method == "fine-tune-cot" and row.student in COPIED_STUDENTS:
            if row.benchmark in EIGHT and row.samples != 64:
                slip = COPY_SLIP.get((row.student, row.benchmark, row.samples))
                yield replace(row, accuracy=slip, note=f"{COPIED}; {SLIP}") if slip else row


def _variant_1() -> Iterator[Published]:
    for benchmark, accuracy in NEW_VARIANT_1.items():
        yield Published(
            NEW,
            "tables 3 and 4, captions swapped in print",
            "cluster-exemplars",
            TURBO,
            "",
            benchmark,
            accuracy,
            note=NO_CHECK,
        )
