"""The table and the predictions behind it, as files: CSV, LaTeX (booktabs) and JSONL.

    source,benchmark,method,student,teacher,samples,variant,selection,split,n,accuracy,low,high,…
    this lab,addsub,fine-tune-cot,t5-small,text-davinci-002,1,,dev,default,119,14.2857,9.1,21.7,…
    results.ipynb of Ho et al.,addsub,fine-tune-cot,t5-small,text-davinci-002,8,,test,default,119,7.56,,,…

Accuracies in percent; every one with its D (`samples`), split, n and how its epoch was chosen (`selection`).
A published figure is a line of its own with its source. In a table it stands beside ours only where it is of
the same questions and the same D, in its source's column; else in a second table.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from core.results import published
from core.results.published import Published
from core.results.table import CHOSEN, TEST_SELECTED, ArmRow, Rationales

if TYPE_CHECKING:
    from core.results import teachers

LATEX_ESCAPES = str.maketrans(
    {char: f"\\{char}" for char in "&%$#_{}"}
    | {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "·": r"\textperiodcentered{}",
        "–": "--",
        "†": r"$^{\dagger}$",
        "‡": r"$^{\ddagger}$",
        "\n": " ",
    }
)
OURS = "this lab"
Line = dict[str, str]  # heading → what stands there


def as_dict(row: ArmRow) -> dict[str, Any]:
    """One row as plain values, for JSON and data frames."""
    names = [name for name in row.__dataclass_fields__ if name not in ("arm", "rationales")]
    return (
        asdict(row.arm)
        | {name: getattr(row, name) for name in names}
        | {"runs": list(row.runs), "baseline": str(row.baseline) if row.baseline else None}
        | {"published": [published_dict(figure) for figure in row.published]}
        | _rationales(row)
    )


def _rationales(row: ArmRow) -> dict[str, Any]:
    """What the arm was taught with and what that takes; a kept reply counts as the call it stands for."""
    values = asdict(row.rationales) if row.rationales else dict.fromkeys(Rationales.__dataclass_fields__)
    return {"rationales": values.pop("n"), "rationales_correct": values.pop("correct"), **values}


def published_dict(figure: Published) -> dict[str, Any]:
    """A printed figure as plain values, marked as such."""
    return {"published": True} | asdict(figure) | {"source": figure.citation}


def figures(rows: Sequence[ArmRow], beside: bool = False) -> list[Published]:
    """What the papers print of the rows' arms, with any D and on any questions: without those that stand
    beside them in the table, or those alone."""
    shown = {figure for row in rows for figure in row.published}
    arms = dict.fromkeys((row.arm.benchmark, row.arm.method, row.arm.student) for row in rows)
    found = dict.fromkeys(figure for arm in arms for figure in published.lookup(*arm))
    return [figure for figure in found if (figure in shown) == beside]


def to_jsonl(items: Sequence[ArmRow] | Iterable[Mapping[str, Any]]) -> str:
    """One JSON object a line: rows of the table and published figures, or predictions as plain values."""
    return "".join(json.dumps(item, ensure_ascii=False, default=str) + "\n" for item in _plain(items))


def to_csv(items: Sequence[ArmRow] | Iterable[Mapping[str, Any]]) -> str:
    """A header and one line an item, as `to_jsonl`; lists of runs are joined by blanks."""
    plain = [
        {name: " ".join(map(str, value)) if name == "runs" else value for name, value in item.items()}
        for item in _plain(items)
    ]
    out = io.StringIO()
    names = list(dict.fromkeys(name for item in plain for name in item))
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(plain)
    return out.getvalue()


def _plain(items: Iterable[ArmRow | Mapping[str, Any]]) -> list[dict[str, Any]]:
    listed = list(items)
    rows = [item for item in listed if isinstance(item, ArmRow)]
    if not rows:
        return [dict(item) for item in listed if not isinstance(item, ArmRow)]
    return [{"source": OURS} | as_dict(row) | {"published": False} for row in rows] + [
        published_dict(figure) | {"same_questions": beside}
        for beside in (True, False)
        for figure in figures(rows, beside)
    ]


def to_latex(rows: Sequence[ArmRow]) -> str:
    """Booktabs tables; need \\usepackage{booktabs}. Marks are told below."""
    parts = [_tabular(lines(rows))]
    if others := figures(rows):
        parts += [rf"\par\medskip {latex(OTHERS)}\par", _tabular(list(map(published_line, others)))]
    parts += [r"\par\footnotesize " + latex(note) for note in notes(rows)]
    return "\n".join(parts) + "\n"


def _tabular(made: Sequence[Line]) -> str:
    head = list(made[0]) if made else []
    body = [" & ".join(map(latex, line)) + r" \\" for line in (head, *(line.values() for line in made))]
    parts = [rf"\begin{{tabular}}{{{'l' * len(head)}}}", r"\toprule", body[0], r"\midrule", *body[1:]]
    return "\n".join([*parts, r"\bottomrule", r"\end{tabular}"])


def latex(text: str) -> str:
    """Text with every character that LaTeX would read as a command made plain, a minus as a minus."""
    return re.sub(r"(?<![\w$-])-(?=\d)", "$-$", text.translate(LATEX_ESCAPES))


def p_text(p: float | None) -> str:
    """A p-value as papers print it: 0.042, < 0.001, or nothing."""
    if p is None:
        return ""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def difference_text(row: ArmRow | teachers.TeacherRow) -> str:
    """ "+6.7 (-3.6 to +17.0)"; nothing without a baseline."""
    if row.difference is None or row.difference_low is None or row.difference_high is None:
        return ""
    optimistic = isinstance(row, ArmRow) and row.arm.selection == "test"
    return points_text(row.difference, row.difference_low, row.difference_high) + (" ‡" if optimistic else "")


def points_text(value: float, low: float, high: float) -> str:
    """ "+6.7 (-3.6 to +17.0)"."""
    return f"{value:+.1f} ({low:+.1f} to {high:+.1f})"


def seed_text(row: ArmRow) -> str:
    """ "0", or "mean of 3" for the mean over several seeds."""
    return f"mean of {len(row.runs)}" if row.seed is None else str(row.seed)


def accuracy_text(row: ArmRow) -> str:
    """ "14.3 (9.1–21.7)", marked where the epoch was chosen on these very questions."""
    mark = " ‡" if row.arm.selection == "test" else ""
    return f"{row.accuracy:.1f} ({row.low:.1f}–{row.high:.1f}){mark}"


def epoch_text(row: ArmRow) -> str:
    """How the epoch was chosen."""
    return CHOSEN[row.arm.selection] or "not trained"


def published_texts(rows: Sequence[ArmRow]) -> list[Line]:
    """For each row the published figures that may stand beside it: a column a source, a figure a cell."""
    cited = dict.fromkeys(figure.citation for row in rows for figure in row.published)
    shown = [{figure.citation: _printed(figure) for figure in row.published} for row in rows]
    return [{f"† {who}": line.get(who, "") for who in cited} for line in shown]


def _printed(figure: Published) -> str:
    return f"{figure.accuracy:g} †" + ("‡" if figure.selection == "test" else "")


def published_line(figure: Published) -> Line:
    """A published figure in a table of its own."""
    return {
        "benchmark": figure.benchmark,
        "method": figure.method,
        "student": figure.student or ("" if figure.method == "chance" else "the teacher"),
        "D": str(figure.samples),
        "split": figure.split or "not said",
        "n": str(figure.n or "not said"),
        "epoch": CHOSEN[figure.selection] or "not said",
        "accuracy": _printed(figure),
        "teacher": figure.teacher,
        "source": f"{figure.citation}, {figure.table}",
        "note": figure.note,
    }


def lines(rows: Sequence[ArmRow]) -> list[Line]:
    """The table's rows as texts."""
    return [
        {
            "benchmark": row.arm.benchmark,
            "arm": str(row.arm),
            "D": str(row.arm.samples),
            "seed": seed_text(row),
            "split": row.split,
            "n": str(row.n),
            "epoch": epoch_text(row),
            "accuracy": accuracy_text(row),
            "difference": difference_text(row),
            "p": p_text(row.p),
            "p adj.": p_text(row.p_adjusted),
            **beside,
            **taken,
        }
        for row, beside, taken in zip(rows, published_texts(rows), taken_lines(rows), strict=True)
    ]


OTHERS = "Published, of other questions or another D:"


def notes(rows: Sequence[ArmRow]) -> list[str]:
    """What a table's columns and marks mean."""
    told = ["Accuracy in percent with its 95 % interval; difference in points, paired by question."]
    told += ["Epoch: what the student's epoch was chosen by; D: rationales per training question."]
    printed = figures(rows, beside=True) + figures(rows)
    if "test" in [row.arm.selection for row in rows] + [figure.selection for figure in printed]:
        told.append(f"‡ {TEST_SELECTED.capitalize()} themselves: optimistic.")
    told += [f"† As printed by {who}, not ours." for who in dict.fromkeys(f.citation for f in printed)]
    return told + ([TAKEN_NOTE] if _taken(rows) else [])


def to_text(rows: Sequence[ArmRow]) -> str:
    """The table for a terminal, what is published of other questions below it."""
    others = list(map(published_line, figures(rows)))
    parts = [columns(lines(rows)), *([OTHERS + "\n" + columns(others)] if others else [])]
    return "\n\n".join([*parts, "\n".join(notes(rows))])


def columns(made: Sequence[Line]) -> str:
    """Lines under their headings, for a terminal."""
    cells = [list(made[0]), *(list(line.values()) for line in made)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def _taken(rows: Sequence[ArmRow]) -> dict[str, Callable[[ArmRow], str]]:
    """The columns on what rationales take, {heading: how a row shows it}; none where no teacher is asked."""
    return TAKEN_COLUMNS if any(r.rationales and r.rationales.calls is not None for r in rows) else {}


def _number(row: ArmRow, name: str, form: str) -> str:
    value = getattr(row.rationales, name) if row.rationales else None
    return "" if value is None else form.format(value)


TAKEN_COLUMNS: dict[str, Callable[[ArmRow], str]] = {
    "rationales right": lambda row: (
        f"{row.rationales.correct:,} of {row.rationales.n:,}" if row.rationales else ""
    ),
    "calls": lambda row: _number(row, "calls", "{:,}"),
    "tokens": lambda row: _number(row, "tokens", "{:,}"),
    "cost": lambda row: _number(row, "cost", "${:,.4f}"),
}
TAKEN_NOTE = (
    "Calls, tokens and cost are what the teacher needs for the arm's rationales: the zero-shot pass behind "
    "chosen exemplars is counted, and a reply from the cache as the call that it stands for."
)


def taken_lines(rows: Sequence[ArmRow]) -> list[dict[str, str]]:
    """For each row its rationales, calls, tokens and cost as texts; empty where no teacher was asked."""
    return [{name: show(row) for name, show in _taken(rows).items()} for row in rows]
