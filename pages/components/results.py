"""The Results page's parts: the table, its chart and exports, and what stands behind every row.

table row → run → predictions → one prediction with its question
                → training rows → one row with the completion it was made from
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.answers import RULES
from core.methods import METHODS
from core.results import export
from core.results.statistics import ADJUSTMENTS
from core.results.table import Baseline, Cell, Row, flips, table
from core.stages import scoring
from core.store import queries
from core.store.models import Prediction, Run, Study, TrainingRow
from pages.components import charts
from pages.components.frame import PAGES, errors, next_step
from pages.components.rationales import label as generation_label
from pages.components.tables import choice, clickable, forget, paged, search
from pages.components.text import count, labelled, plain, visible
from pages.components.training import run_label

NO_BASELINE = "none"
EXCERPT = 160
VERDICTS = {"all": None, "right": True, "wrong": False}
COLUMNS = {
    "n": st.column_config.NumberColumn(help="Test questions."),
    "accuracy %": st.column_config.TextColumn(help="With its 95 % interval (Wilson)."),
    "difference": st.column_config.TextColumn(
        help="To the baseline, in points, with its 95 % interval; paired."
    ),
    "gained / lost": st.column_config.TextColumn(
        help="Questions right here only / right in the baseline only."
    ),
    "p": st.column_config.TextColumn(help="Exact McNemar where one run stands against one."),
    "rationales right": st.column_config.TextColumn(help="Of the teacher's, for training questions."),
    "calls": st.column_config.TextColumn(help="What the arm's rationales take; see below the table."),
    "published †": st.column_config.TextColumn(help="Printed by the papers, not measured here."),
}


# ── the table ───────────────────────────────────────────────────────────────────────────────────


def cells_of(study: Study) -> list[Cell]:
    """The study's finished evaluations."""
    return queries.evaluation_cells(study.name)


def choose_rows(cells: Sequence[Cell]) -> tuple[Row, ...]:
    """The rows of the table, against the baseline and with the adjustment in the URL."""
    left, right = st.columns(2)
    keys = [NO_BASELINE, *dict.fromkeys(cell.method for cell in cells)]
    start = keys.index("fine-tune") if "fine-tune" in keys else 0
    method = left.selectbox(
        "Compare with", keys, start, format_func=method_title, key="baseline", bind="query-params",
        help="The same student and teacher, trained or asked by this method; tested question by question.",
    )  # fmt: skip
    adjust = right.selectbox(
        "Adjust p-values by", list(ADJUSTMENTS), key="adjust", bind="query-params",
        help="Several arms are tested against one baseline: an unadjusted p is too small.",
    )  # fmt: skip
    return table(cells, None if method == NO_BASELINE else Baseline(method), adjust)


def show_table(cells: Sequence[Cell]) -> tuple[Row, ...]:
    """Every arm against the chosen baseline. Returns the table's rows."""
    rows = choose_rows(cells)
    results_table(rows)
    return rows


def method_title(key: str) -> str:
    """How a method is called on a page."""
    return METHODS[key].title if key in METHODS else key


def results_table(rows: Sequence[Row], clickable_rows: bool = True, leave_out: Sequence[str] = ()) -> None:
    """Accuracy with n and interval, difference with test, published figures marked; a click opens a run."""
    shown = [{k: v for k, v in line.items() if k not in leave_out} for line in _lines(rows)]
    columns = {name: column for name, column in COLUMNS.items() if name in shown[0]}
    if clickable_rows:
        runs = [run_label(queries.run(row.runs[0])) for row in rows]
        clickable(shown, runs, target="run_clicked", column_config=columns)
    else:
        st.dataframe(shown, hide_index=True, column_config=columns)
    teachers = ", ".join(dict.fromkeys(plain(row.arm.teacher) for row in rows if row.arm.teacher))
    if teachers:
        st.caption(f"Teacher: {teachers}.")
    for citation in dict.fromkeys(figure.citation for row in rows for figure in row.published):
        st.caption(f"† As printed by {plain(citation)}, not measured here.")


def paid(study: Study, rows: Sequence[Row]) -> None:
    """What calls, tokens and cost of the table mean, and what the whole study really paid."""
    if not any(row.rationales and row.rationales.calls is not None for row in rows):
        return
    summaries = [run.summary for run in queries.runs(study.id, "generate")]
    calls = sum(summary.get("paid_calls", 0) for summary in summaries)
    cost = sum(summary.get("paid_cost", 0.0) for summary in summaries)
    st.caption(
        f"{export.TAKEN_NOTE} Arms share replies, so less was paid: in all of this study "
        f"{count(calls, 'call')} and \\${cost:,.4f}."
    )


def _lines(rows: Sequence[Row]) -> list[dict[str, object]]:
    """The rows as the table shows them; a column that says nothing is left out."""
    lines = [
        {
            "method": method_title(row.arm.method)
            + (f", {visible(row.arm.variant)}" if row.arm.variant else ""),
            "student": visible(row.arm.student),
            "teacher": visible(row.arm.teacher),
            "D": str(row.arm.samples),
            "seed": _seed(row),
            "n": row.n,
            "accuracy %": f"{row.accuracy:.1f} ({row.low:.1f}–{row.high:.1f})",
            "difference": _difference(row),
            "gained / lost": "" if row.gained is None else f"{row.gained} / {row.lost}",
            "p": export.p_text(row.p),
            "p adjusted": export.p_text(row.p_adjusted),
            **taken,
            "published †": ", ".join(f"{figure.accuracy:g}" for figure in row.published),
        }
        for row, taken in zip(rows, export.taken_lines(rows), strict=True)
    ]
    several = {name for name in ("teacher", "D") if len({line[name] for line in lines} - {""}) > 1}
    said = {name for name in lines[0] if any(line[name] != "" for line in lines)}
    kept = [name for name in lines[0] if name in said and (name not in ("teacher", "D") or name in several)]
    return [{name: line[name] for name in kept} for line in lines]


def _seed(row: Row) -> str:
    return f"mean of {len(row.runs)}" if row.seed is None else str(row.seed)


def _difference(row: Row) -> str:
    if row.difference is None or row.difference_low is None or row.difference_high is None:
        return ""
    return f"{row.difference:+.1f} ({row.difference_low:+.1f} to {row.difference_high:+.1f})"


def latest_table(study: Study) -> None:
    """The study's table in short, for the first page."""
    cells = cells_of(study)
    if cells:
        results_table(table(cells), clickable_rows=False)
    else:
        st.caption("No student of this study has been evaluated yet.")


def chart(rows: Sequence[Row]) -> None:
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


def _short(rows: Sequence[Row]) -> list[str]:
    """The arms' names on an axis: the method, and whatever else the arms differ in."""
    parts = [
        (
            method_title(row.arm.method),
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


def downloads(study: Study, rows: Sequence[Row]) -> None:
    """The table as files."""
    name = "".join(c if c.isalnum() else "-" for c in study.name.lower()) or "study"
    files = (
        ("CSV", f"{name}.csv", export.to_csv(rows), "text/csv"),
        ("LaTeX", f"{name}.tex", export.to_latex(rows), "text/plain"),
        ("JSONL", f"{name}.jsonl", export.to_jsonl(rows), "application/jsonl"),
    )
    with st.container(horizontal=True):
        for label, file, text, kind in files:
            st.download_button(
                label,
                text,
                file,
                kind,
                icon=":material/download:",
                on_click="ignore",
                key=f"download_{label}",
            )


# ── behind a row ────────────────────────────────────────────────────────────────────────────────


def choose_run(study: Study, title: str = "Run", key: str = "run", last: bool = False) -> Run:
    """One of the study's evaluations; the one in the URL or clicked in the table."""
    runs = {run_label(run): run for run in _evaluations(study)}
    if key == "run" and (clicked := st.session_state.pop("run_clicked", None)) in runs:
        st.session_state[key] = clicked
    labels = list(runs)
    chosen = st.selectbox(title, labels, len(labels) - 1 if last else 0, key=key, bind="query-params")
    return runs[chosen]


def _evaluations(study: Study) -> list[Run]:
    return [run for run in queries.runs(study.id, "evaluate") if run.status == "done"]


def show_predictions(study: Study, run: Run) -> None:
    """A run's predictions, right or wrong, and one of them with its question."""
    left, right = st.columns([1, 1], gap="medium")
    with left:
        correct = VERDICTS[choice("Predictions", list(VERDICTS), "shown", **forget("test_question"))]
        offset, limit = paged(queries.count_predictions(run.id, correct), "on")
        rows = queries.predictions(run.id, correct=correct, offset=offset, limit=limit)
        questions = queries.questions_by_index(study.dataset_id, [row.question_index for row in rows])
        clickable(
            [
                {
                    "question": row.question_index,
                    "verdict": "right" if row.correct else "wrong",
                    "found": visible(row.value or "—"),
                    "gold": visible(questions[row.question_index].answer),
                    "text": visible(" ".join(row.text[:EXCERPT].split())),
                }
                for row in rows
            ],
            [row.question_index for row in rows],
            target="test_question",
            column_config={
                name: st.column_config.Column(width=70) for name in ("question", "verdict", "found", "gold")
            },
        )
    with right, errors():
        if not rows:
            st.info("No prediction matches: choose another filter.", icon=":material/search_off:")
            return
        chosen = st.number_input(
            "Question", 0, None, None, key="test_question", bind="query-params",
            placeholder="click a row, or type an index",
        )  # fmt: skip
        index = rows[0].question_index if chosen is None else int(chosen)
        prediction_card(study, queries.prediction(run.id, index))


def prediction_card(study: Study, row: Prediction) -> None:
    """A student's output in full: what it read, what it wrote with the answer marked, gold answer."""
    question = queries.question(study.dataset_id, row.question_index)
    with st.container(border=True):
        with st.container(horizontal=True):
            st.badge(f"question {row.question_index}", color="gray")
            _right_or_wrong(row.correct)
            if row.finish_reason == "length":
                st.badge("truncated", icon=":material/content_cut:", color="orange")
        labelled("Question", question.text)
        labelled("The student wrote", row.text, (row.span_start, row.span_end), row.correct)
        left, right = st.columns(2)
        with left:
            labelled("Answer found", row.value or "")
        with right:
            labelled("Gold answer", question.answer)
        with st.expander("What the student read", icon=":material/receipt_long:"):
            labelled("Input", row.prompt)


def _right_or_wrong(correct: bool) -> None:
    if correct:
        st.badge("right", icon=":material/check:", color="green")
    else:
        st.badge("wrong", icon=":material/close:", color="red")


def show_training_rows(study: Study, digest: str | None) -> None:
    """The rows on which a run's student was trained; one of them with the rationale behind it."""
    if digest is None:
        st.info("This student was not trained: it answered as it came.", icon=":material/info:")
        return
    left, right = st.columns([1, 1], gap="medium")
    with left:
        text = search("row_text", "words of an input or a label")
        offset, limit = paged(queries.count_training_rows(digest, text), "rows")
        rows = queries.training_page(digest, text, offset, limit)
        clickable(
            [
                {"row": r.position, "input": visible(r.input[:EXCERPT]), "label": visible(r.label[:EXCERPT])}
                for r in rows
            ],
            [r.position for r in rows],
            target="row",
            column_config={"row": st.column_config.NumberColumn(width=50)},
        )
        st.caption(f"Training set {digest[:12]}: immutable, named by the hash of its rows.")
    with right:
        if not rows:
            st.info("No row matches: change the search.", icon=":material/search_off:")
            return
        chosen = st.number_input(
            "Row",
            0,
            None,
            None,
            key="row",
            bind="query-params",
            placeholder="click a row, or type its number",
        )
        found = rows[:1] if chosen is None else queries.training_rows(digest, int(chosen), 1)
        for row in found:
            training_card(study, row)
        if not found:
            st.info("There is no such row: type a smaller number.", icon=":material/search_off:")


def training_card(study: Study, row: TrainingRow) -> None:
    """A training row in full, and the completion it was made from."""
    with st.container(border=True):
        with st.container(horizontal=True):
            st.badge(f"row {row.position}", color="gray")
            st.badge(f"question {row.question_index}", color="gray")
        labelled("The student reads", row.input)
        labelled("The student learns to write", row.label)
        if row.completion_id is not None:
            run = queries.run(queries.completion(row.completion_id).run_id)
            st.page_link(
                "pages/rationales.py",
                label="The rationale behind it",
                icon=f":material/{PAGES['rationales'][1]}:",
                query_params={
                    "study": study.name,
                    "generation": generation_label(run),
                    "completion": str(row.completion_id),
                },
            )


# ── what changed ────────────────────────────────────────────────────────────────────────────────


def show_flips(study: Study, cells: Sequence[Cell]) -> None:
    """The test questions on which two runs disagree, side by side."""
    if len(cells) < 2:
        st.info("Two evaluations are needed: train or evaluate another arm.", icon=":material/info:")
        return
    left, right = st.columns(2)
    with left:
        first = choose_run(study, "From", "from")
    with right:
        second = choose_run(study, "To", "to", last=True)
    by_run = {cell.run_id: cell for cell in cells}
    changed = flips(by_run[first.id], by_run[second.id])
    kinds = {
        f"gained ({len(changed.gained)})": changed.gained,
        f"lost ({len(changed.lost)})": changed.lost,
    }
    kind = st.segmented_control(
        "Questions", list(kinds), default=next(iter(kinds)), key="flip_kind", required=True
    )
    indices = kinds.get(kind) or ()
    if not indices:
        st.caption("No question of this kind.")
        return
    offset, limit = paged(len(indices), "flip_page", 5)
    some = indices[offset : offset + limit]
    pair = [queries.predictions_of(run.id, some) for run in (first, second)]
    questions = queries.questions_by_index(study.dataset_id, some)
    for index in some:
        with st.container(border=True):
            labelled(
                f"Question {index}, gold answer {visible(questions[index].answer)}", questions[index].text
            )
            for column, run, rows in zip(st.columns(2), (first, second), pair, strict=True):
                with column:
                    row = rows[index]
                    _right_or_wrong(row.correct)
                    labelled(method_title(run.method), row.text, (row.span_start, row.span_end), row.correct)


def show_rescored(study: Study, run: Run) -> None:
    """The run's stored texts under another rule set: how many are right, and which ones flip."""
    others = [key for key in RULES if key != study.rules]
    rules = st.selectbox(
        "Rules", others, format_func=lambda k: RULES[k].title, key="rules", bind="query-params"
    )
    result = scoring.rescore(run.id, rules)
    figures = {
        f"Right, {RULES[study.rules].title} rules": f"{result.before} of {result.n}",
        f"Right, {RULES[rules].title} rules": f"{result.after} of {result.n}",
        "Flipped": str(len(result.flips)),
    }
    for column, (label, value) in zip(st.columns(3), figures.items(), strict=True):
        column.metric(label, value, border=True)
    st.caption(
        f"No call is made; the stored verdicts stay. Source of the rules: {plain(RULES[rules].source)}."
    )
    offset, limit = paged(len(result.flips), "rescored_page", 5)
    for flip in result.flips[offset : offset + limit]:
        with st.container(border=True):
            st.caption(f"Question {flip.item.key[0]}, gold answer {plain(flip.item.gold)}")
            for column, key, score in zip(
                st.columns(2), (study.rules, rules), (flip.before, flip.after), strict=True
            ):
                with column:
                    _right_or_wrong(score.correct)
                    labelled(
                        f"{RULES[key].title} rules", flip.item.text, (score.start, score.end), score.correct
                    )


def summary(cells: Sequence[Cell]) -> None:
    """One line over the table."""
    n = len(cells[0].correct)
    st.caption(f"{count(len(cells), 'evaluation')}, each on the same {count(n, 'test question')}.")


def foot() -> None:
    next_step("read the rationales behind a surprising row, or train another arm.", "train", "Train")
