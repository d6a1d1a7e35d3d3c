"""The table and the predictions behind it, as files: CSV, LaTeX (booktabs) and JSONL.

    benchmark,method,student,teacher,samples,variant,seed,runs,n,accuracy,low,high,…
    addsub,fine-tune-cot,t5-small,text-davinci-002,1,,0,12,119,14.2857,9.1,21.7,…

Accuracies in percent. A row's published figures are one text, with their source; as columns they
would look like results of ours.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from core.results.published import Published
from core.results.table import ArmRow, Rationales

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
        "\n": " ",
    }
)


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


def to_jsonl(items: Iterable[ArmRow | Mapping[str, Any]]) -> str:
    """One JSON object a line: rows of the table, or predictions as plain values."""
    plain = (as_dict(item) if isinstance(item, ArmRow) else dict(item) for item in items)
    return "".join(json.dumps(item, ensure_ascii=False, default=str) + "\n" for item in plain)


def to_csv(items: Iterable[ArmRow | Mapping[str, Any]]) -> str:
    """A header and one line an item; lists of runs are joined by blanks, published figures by "; "."""
    plain = [_flat(as_dict(item)) if isinstance(item, ArmRow) else dict(item) for item in items]
    out = io.StringIO()
    names = list(dict.fromkeys(name for item in plain for name in item))
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(plain)
    return out.getvalue()


def to_latex(rows: Sequence[ArmRow]) -> str:
    """A booktabs table; needs \\usepackage{booktabs}. Published figures are marked and named below."""
    marks = _marks(rows)
    header = (
        r"Benchmark & Arm & Seed & $n$ & Accuracy (95\,\% CI) & Difference (95\,\% CI) "
        r"& $p$ & $p$ adj. & Published"
    )
    taken = _taken(rows)
    lines = [
        r"\begin{tabular}{lllrlllll" + "r" * len(taken) + "}",
        r"\toprule",
        " & ".join([header, *map(str.capitalize, taken)]) + r" \\",
        r"\midrule",
        *(
            " & ".join([*_latex_cells(row, marks), *(latex(show(row)) for show in taken.values())]) + r" \\"
            for row in rows
        ),
        r"\bottomrule",
        r"\end{tabular}",
        *(rf"\par\footnotesize {_math(m)} As printed by {latex(who)}, not ours." for who, m in marks.items()),
        *([r"\par\footnotesize " + latex(TAKEN_NOTE)] if taken else []),
    ]
    return "\n".join(lines) + "\n"


def latex(text: str) -> str:
    """Text with every character that LaTeX would read as a command made plain."""
    return text.translate(LATEX_ESCAPES)


def p_text(p: float | None) -> str:
    """A p-value as papers print it: 0.042, < 0.001, or nothing."""
    if p is None:
        return ""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def difference_text(row: ArmRow | teachers.TeacherRow) -> str:
    """ "+6.7 (-3.6 to +17.0)"; nothing without a baseline."""
    if row.difference is None:
        return ""
    return f"{row.difference:+.1f} ({row.difference_low:+.1f} to {row.difference_high:+.1f})"


def seed_text(row: ArmRow) -> str:
    """ "0", or "mean of 3" for the mean over several seeds."""
    return f"mean of {len(row.runs)}" if row.seed is None else str(row.seed)


def to_text(rows: Sequence[ArmRow]) -> str:
    """The table for a terminal."""
    marks = _marks(rows)
    taken = _taken(rows)
    head = ("benchmark", "arm", "seed", "n", "accuracy", "difference", "p", "p adj.", "published", *taken)
    body = [
        (
            row.arm.benchmark,
            str(row.arm),
            seed_text(row),
            str(row.n),
            f"{row.accuracy:.1f} ({row.low:.1f}–{row.high:.1f})",
            difference_text(row),
            p_text(row.p),
            p_text(row.p_adjusted),
            ", ".join(f"{figure.accuracy:g}{marks[figure.citation]}" for figure in row.published),
            *(show(row) for show in taken.values()),
        )
        for row in rows
    ]
    widths = [max(len(line[i]) for line in (head, *body)) for i in range(len(head))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) for line in (head, *body)]
    notes = ["Accuracy in percent with its 95 % interval; difference in points, paired by question."]
    notes += [f"{mark} As printed by {who}, not ours." for who, mark in marks.items()]
    notes += [TAKEN_NOTE] if taken else []
    return "\n".join(line.rstrip() for line in [*lines, "", *notes])


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


def _flat(item: dict[str, Any]) -> dict[str, Any]:
    figures = (f"{f['accuracy']:g} (published: {f['source']}, {f['note']})" for f in item["published"])
    return item | {"runs": " ".join(map(str, item["runs"])), "published": "; ".join(figures)}


def _marks(rows: Sequence[ArmRow]) -> dict[str, str]:
    """Cited work → its mark."""
    cited = dict.fromkeys(figure.citation for row in rows for figure in row.published)
    return {who: "†" * (i + 1) for i, who in enumerate(cited)}


def _math(mark: str) -> str:
    return "$^{" + mark.replace("†", r"\dagger") + "}$"


def _latex_cells(row: ArmRow, marks: Mapping[str, str]) -> list[str]:
    return [
        latex(row.arm.benchmark),
        latex(str(row.arm)),
        seed_text(row),
        str(row.n),
        f"{row.accuracy:.1f} ({row.low:.1f}--{row.high:.1f})",
        difference_text(row).replace("-", "$-$"),
        p_text(row.p).replace("<", "$<$"),
        p_text(row.p_adjusted).replace("<", "$<$"),
        ", ".join(f"{figure.accuracy:g}{_math(marks[figure.citation])}" for figure in row.published),
    ]
