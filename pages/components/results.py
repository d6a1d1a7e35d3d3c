"""The Results page's parts: the table, its chart and exports; what stands behind a row is in `behind`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from core import studies
from core.methods import method_title
from core.results import export, pooled, power, published
from core.results.statistics import ADJUSTMENTS
from core.results.table import TEST_SELECTED, ArmRow, Cell, baselines, table
from core.stages import finished
from core.store import queries
from core.store.models import Study
from pages.components import charts
from pages.components.frame import errors
from pages.components.tables import clickable, download
from pages.components.text import count, plain, visible
from pages.components.training import run_label

NO_BASELINE = "none"
COLUMNS = {
    "D": st.column_config.TextColumn(width=40, help="Rationales per training question."),
    "seed": st.column_config.TextColumn(width=85),
    "n": st.column_config.NumberColumn(width=45, help="Test questions."),
    "split": st.column_config.TextColumn(
        width=65, help="The benchmark's split that they are the test questions of."
    ),
    "epoch": st.column_config.TextColumn(width=105, help="What the student's epoch was chosen by."),
    "accuracy %": st.column_config.TextColumn(help="With its 95 % interval (Wilson)."),
    "difference": st.column_config.TextColumn(
        help="From the baseline, in points, paired; its 95 % interval leaves 0 out where p is at most 0.05."
    ),
    "gained / lost": st.column_config.TextColumn(
        help="Questions right only here / right only in the baseline."
    ),
    "p": st.column_config.TextColumn(
        width=60,
        help="Exact McNemar test; over several seeds, an exact sign-flip test of the questions' means.",
    ),
    "rationales right": st.column_config.TextColumn(
        help="The teacher's correct rationales for the training questions."
    ),
    "calls": st.column_config.TextColumn(
        help="Calls to the teacher for the arm's rationales; see below the table."
    ),
}


def cells_of(study: Study) -> list[Cell]:
    """The study's finished evaluations."""
    return finished.evaluations(study.name)


def choose_rows(cells: Sequence[Cell]) -> tuple[ArmRow, ...]:
    """The rows of the table, against the baseline and with the adjustment in the URL."""
    left, right = st.columns(2)
    found = {NO_BASELINE: None} | baselines(cells)
    chosen = left.selectbox(
        "Compare with", list(found), _usual(found), format_func=_baseline_title, key="baseline",
        bind="query-params",
        help="Each row is compared with the same student under this method, with the same teacher, D and "
        "filters unless the choice names others; paired question by question.",
    )  # fmt: skip
    adjust = right.selectbox(
        "Adjust p-values by", list(ADJUSTMENTS), key="adjust", bind="query-params",
        help="Several arms are tested against one baseline: unadjusted p-values are too small.",
    )  # fmt: skip
    return table(cells, found[chosen], adjust)


def _usual(found: Mapping[str, object]) -> int:
    """The place of the baseline that a table begins with."""
    return list(found).index("fine-tune") if "fine-tune" in found else 0


def _baseline_title(name: str) -> str:
    method, *setting = name.split(" · ")
    return visible(" · ".join([method_title(method), *setting]))


def show_table(cells: Sequence[Cell]) -> tuple[ArmRow, ...]:
    """Every arm against the chosen baseline. Returns the table's rows."""
    rows = choose_rows(cells)
    results_table(rows)
    return rows


def results_table(rows: Sequence[ArmRow], clickable_rows: bool = True, leave_out: Sequence[str] = ()) -> None:
    """Accuracy with what it is of and its interval, difference with test, published figures marked; a click
    opens a run."""
    shown = [{k: v for k, v in line.items() if k not in leave_out} for line in _lines(rows)]
    columns = {name: column for name, column in COLUMNS.items() if name in shown[0]}
    if clickable_rows:
        runs = [run_label(queries.run(row.runs[0])) for row in rows]
        clickable(shown, "run_clicked", runs, column_config=columns)
    else:
        st.dataframe(shown, hide_index=True, column_config=columns)
    for who in ("student", "teacher"):
        names = dict.fromkeys(plain(getattr(row.arm, who)) for row in rows if getattr(row.arm, who))
        if names:
            st.caption(f"{who.capitalize()}: {', '.join(names)}.")
    if any(row.arm.selection == "test" for row in rows):
        st.caption(f"‡ {TEST_SELECTED.capitalize()} themselves: optimistic.")
    if any(row.published for row in rows):
        st.caption("† Printed over the same questions with the same D, not measured here.")


def printed(benchmark: str) -> None:
    """What the papers print of a benchmark, on whatever questions: a table of its own."""
    found = [figure for figure in published.rows() if figure.benchmark == benchmark]
    if not found:
        return
    with st.expander(f"What the papers print of this benchmark ({len(found)})", icon=":material/menu_book:"):
        st.caption(
            "† As printed, not measured here. ‡ Epoch chosen on the test questions themselves: "
            "optimistic. A figure stands beside this study's only where questions and D are the same."
        )
        lines = [export.published_line(figure) for figure in found]
        st.dataframe(lines, hide_index=True, key="printed", column_order=[*lines[0]][1:])


def paid(study: Study, rows: Sequence[ArmRow]) -> None:
    """What calls, tokens and cost of the table mean, and what the whole study really paid."""
    if not any(row.rationales and row.rationales.calls is not None for row in rows):
        return
    summaries = [run.summary for run in queries.runs(study.id, "generate")]
    calls = sum(summary.get("paid_calls", 0) for summary in summaries)
    cost = sum(summary.get("paid_cost", 0.0) for summary in summaries)
    st.caption(
        f"{export.TAKEN_NOTE} Arms share replies, so less was paid: "
        f"{count(calls, 'call')} and \\${cost:,.4f} in the whole study."
    )


def _lines(rows: Sequence[ArmRow]) -> list[dict[str, object]]:
    """The rows as the table shows them; a column that says nothing is left out."""
    lines = [
        {
            "method": method_title(row.arm.method)
            + (f", {visible(row.arm.variant)}" if row.arm.variant else ""),
            "student": visible(row.arm.student),
            "teacher": visible(row.arm.teacher),
            "D": str(row.arm.samples),
            "seed": export.seed_text(row),
            "accuracy %": export.accuracy_text(row),
            "difference": export.difference_text(row),
            "p": export.p_text(row.p),
            "p adjusted": export.p_text(row.p_adjusted),
            "n": row.n,
            "split": row.split,
            "epoch": export.epoch_text(row),
            **beside,
            "gained / lost": "" if row.gained is None else f"{row.gained} / {row.lost}",
            **taken,
        }
        for row, beside, taken in zip(
            rows, export.published_texts(rows), export.taken_lines(rows), strict=True
        )
    ]
    said = {name for name in lines[0] if any(line[name] != "" for line in lines)}
    said -= {name for name in ("student", "teacher") if len({line[name] for line in lines} - {""}) < 2}
    return [{name: text for name, text in line.items() if name in said} for line in lines]


def latest_table(study: Study) -> None:
    """The study's table in short, for the first page."""
    cells = cells_of(study)
    if cells:
        results_table(table(cells), clickable_rows=False)
    else:
        st.caption("No student of this study has been evaluated yet.")


def chart(rows: Sequence[ArmRow]) -> None:
    """Accuracy with its interval as bars, published figures as open diamonds."""
    import plotly.graph_objects as go

    rows = list({row.arm: row for row in reversed(rows)}.values())[::-1]  # of several seeds, the mean
    names = [charts.literal(name) for name in _short(rows)]
    figure = go.Figure(
        go.Bar(
            x=[row.accuracy for row in rows],
            y=names,
            orientation="h",
            name="this lab, 95 % interval",
            error_x={
                "array": [row.high - row.accuracy for row in rows],
                "arrayminus": [row.accuracy - row.low for row in rows],
                "color": charts.ink(),
            },
        )
    )
    points = [(f.accuracy, name) for row, name in zip(rows, names, strict=True) for f in row.published]
    if points:
        figure.add_scatter(
            x=[x for x, _ in points],
            y=[y for _, y in points],
            mode="markers",
            marker={"symbol": "diamond-open", "size": 11},
            name="published, not ours",
        )
    figure.update_layout(title="Accuracy on the test questions", xaxis_title="percent", showlegend=True)
    figure.update_xaxes(range=[0, 104])  # room for the last tick and an interval's end
    figure.update_yaxes(autorange="reversed")
    charts.show(figure, "accuracy", height=160 + 46 * len(rows))


def _short(rows: Sequence[ArmRow]) -> list[str]:
    """The arms' names on an axis: the method, and whatever else the arms differ in."""
    parts = [
        (
            method_title(row.arm.method) + (" ‡" if row.arm.selection == "test" else ""),
            f"D={row.arm.samples}" if row.arm.samples > 1 else "",
            row.arm.variant,
            row.arm.student,
            row.arm.teacher,
        )
        for row in rows
    ]
    telling = [i for i in range(len(parts[0])) if i == 0 or len({part[i] for part in parts} - {""}) > 1 or
               (i in (1, 2) and any(part[i] for part in parts))]  # fmt: skip
    return [", ".join(part[i] for i in telling if part[i]) for part in parts]


def downloads(study: Study, rows: Sequence[ArmRow]) -> None:
    """The table as files."""
    name = "".join(c if c.isalnum() else "-" for c in study.name.lower()) or "study"
    files = (
        ("CSV", f"{name}.csv", export.to_csv(rows), "text/csv"),
        ("LaTeX", f"{name}.tex", export.to_latex(rows), "text/plain"),
        ("JSONL", f"{name}.jsonl", export.to_jsonl(rows), "application/jsonl"),
    )
    with st.container(horizontal=True):
        for label, file, text, kind in files:
            download(label, text, file, kind, key=f"download_{label}")


def summary(cells: Sequence[Cell]) -> None:
    """A line over the table, and what a comparison over so many questions can show at all."""
    n = len(cells[0].correct)
    st.caption(f"{count(len(cells), 'evaluation')}, each on the same {count(n, 'test question')}.")
    foresight(power.of(cells))


def foresight(shown: power.Sight, warn: Callable[..., object] = st.warning) -> None:
    """What a comparison can show: a warning where even ten points would mostly stay unseen."""
    told = plain(power.sentence(shown))
    if shown.blind:
        warn(told, icon=":material/visibility_off:")
    else:
        st.caption(told)


def before(study: Study, spec: studies.Study) -> None:
    """Before a run: what its test questions and seeds can show, and what a wanted difference takes."""
    n = queries.split_counts(study.dataset_id).get("test", 0)
    n, seeds = min(n, spec.benchmark.test or n), max(len(spec.seeds), 1)
    if not n:
        return
    cells = cells_of(study)
    shown = power.of(cells, n, seeds) if cells else power.sight(n, seeds=seeds)
    foresight(shown, st.info)
    with st.expander("What a smaller difference takes", icon=":material/visibility:"):
        points = st.number_input("Difference, in points", 0.5, 100.0, 5.0, 0.5, key=f"wanted{study.id}")
        st.caption(power.wish(power.takes(shown, points)))


def pool(study: Study, cells: Sequence[Cell]) -> None:
    """One comparison over several studies and seeds, each set of questions a row."""
    title = "Pooled over benchmarks and seeds"
    with st.expander(title, icon=":material/join:", key="pool", on_change="rerun") as opened, errors():
        if not opened.open:
            return
        left, right = st.columns(2)
        others = [other.name for other in queries.studies() if other.id != study.id]
        names = left.multiselect(
            "With the studies",
            others,
            key=f"pool{study.id}",
            help="Of other benchmarks, or of these questions.",
        )
        found = baselines(cells)
        against = right.selectbox(
            "Against", list(found), _usual(found), format_func=_baseline_title, key=f"pool_against{study.id}"
        )
        everyone = [*cells, *(cell for name in names for cell in finished.evaluations(name))]
        for place, row in enumerate(pooled.pooled(everyone, found[against])):
            st.markdown(f"**{plain(row.arm)}** against {plain(row.baseline)}")
            st.dataframe(pooled.lines(row), hide_index=True, height="content", key=f"pooled{place}")
            st.caption(f"{pooled.by_runs(row)} Adjusted over the arms, p {export.p_text(row.p_adjusted)}.")
