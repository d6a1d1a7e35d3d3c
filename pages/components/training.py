"""The Train page's parts: which arms, how they are trained, what that will take, and the live curves."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import streamlit as st

from core import studies
from core.methods import METHODS, Method, method_title
from core.records import content_hash
from core.store import queries
from core.store.models import Metric, Run, Study
from core.students.config import RECIPES, SELECTIONS, TrainConfig
from core.students.table import STUDENTS
from core.teachers import TEACHERS
from pages.components import charts, exemplars, frame
from pages.components.jobs import job_card
from pages.components.tables import metrics, pick, pick_row
from pages.components.text import count, percent, plain, seconds, visible

TUNINGS = {"full": "all weights", "lora": "LoRA"}
CURVES = {
    "Loss": {"loss": "each step", "train_loss": "training, mean of the epoch", "dev_loss": "dev"},
    "Accuracy": {"dev_accuracy": "dev", "test_accuracy": "test"},
}
RECIPE_FIELDS = ("epochs", "learning_rate", "batch_size", "tuning")
GIGABYTE = 1e9
BATCH_HEIGHT = 420
FEW_POINTS = 25
TOKEN = "border-left:1px solid rgba(128,128,128,.3)"
TRAINED = "background:rgba(64,120,200,.2);"
PADDING = "opacity:.35;"
READ_STYLE = (
    "white-space:pre-wrap;overflow-wrap:anywhere;font-family:monospace;font-size:.85em;line-height:1.7"
)


# ── what is asked ───────────────────────────────────────────────────────────────────────────────


def choose_arms(study: Study) -> studies.Study:
    """The study with the methods, students, recipe and seeds of the form."""
    spec, scope = studies.Study.read(study.config), f"train{study.id}"
    left, right = st.columns(2)
    methods = left.multiselect(
        "Methods",
        [key for key, row in METHODS.items() if _possible(row, spec)],
        spec.methods,
        format_func=lambda k: METHODS[k].title,
        key=f"{scope}_methods",
        help="Methods without training are only evaluated.",
    )
    students = right.multiselect(
        "Students",
        list(dict.fromkeys([*STUDENTS, *spec.students])),
        spec.students,
        accept_new_options=True,
        key=f"{scope}_students",
        help="A name from the list, a hub id, or the folder of a checkpoint: type it and press Enter.",
    )
    for key in methods:
        st.caption(
            f"**{plain(METHODS[key].title)}** ({plain(METHODS[key].paper)}): {plain(METHODS[key].about)}"
        )
    return _choose_recipe(spec.but(methods=methods, students=students), scope)


def _possible(method: Method, spec: studies.Study) -> bool:
    """Whether the study has what a method needs: for exemplars by cluster, a teacher that can see them."""
    writes = TEACHERS[spec.teaching.teacher["key"]].writes
    return method.exemplars != "chosen" or writes or method.key in spec.methods


def _choose_recipe(spec: studies.Study, scope: str) -> studies.Study:
    learning = spec.learning
    left, right = st.columns(2)
    names = {key: row.name for key, row in RECIPES.items()}
    recipe = pick("Recipe", names, learning.recipe, left, key=f"{scope}_recipe")
    seeds = right.multiselect(
        "Seeds", sorted({*range(5), *spec.seeds}), spec.seeds, key=f"{scope}_seeds",
        help="Several seeds show how much of a difference is luck.",
    )  # fmt: skip
    own = TrainConfig.from_recipe(recipe, student="any")
    st.caption(f"{plain(RECIPES[recipe].about)} Reported: {plain(SELECTIONS[own.selection])}.")
    known = learning.training if recipe == learning.recipe else {}
    scope = f"{scope}_{recipe}"
    with st.expander("Change the recipe", icon=":material/tune:"):
        a, b, c, d = st.columns(4)
        start = {name: known.get(name, getattr(own, name)) for name in RECIPE_FIELDS}
        rate = float(start["learning_rate"])
        asked = {
            "epochs": a.number_input("Epochs", 1, 1000, start["epochs"], key=f"{scope}_epochs"),
            "learning_rate": b.number_input(
                "Learning rate", 1e-7, 0.1, rate, 1e-5, format="%g", key=f"{scope}_rate"
            ),
            "batch_size": c.number_input("Batch size", 1, 1024, start["batch_size"], key=f"{scope}_batch"),
            "tuning": pick("Train", TUNINGS, start["tuning"], d, key=f"{scope}_tuning"),
        }
    changed = {name: value for name, value in asked.items() if value != getattr(own, name)}
    kept = {name: value for name, value in known.items() if name not in asked}
    return spec.but(seeds=seeds, learning=learning.but(recipe=recipe, training=kept | changed))


def show_exemplars(study: Study, spec: studies.Study) -> bool:
    """Where a method shows the user's exemplars: a form for them. Returns whether all is there."""
    methods = exemplars.own(list(spec.methods))
    if not methods:
        return True
    with st.container(border=True):
        ready = exemplars.form(study, spec.teaching.exemplars)
        exemplars.student_prompt(study, spec, methods[0])
    return ready


def start(spec: studies.Study, ready: bool) -> None:
    """The button that queues one job an arm."""
    arms = studies.arms(spec)
    lacking = [name for name in ("methods", "students", "seeds") if not getattr(spec, name)]
    if lacking:
        st.caption(f"Choose {', '.join(lacking)} to go on.")
    if not ready:
        st.caption("Write the exemplars of Few-shot-CoT to go on, or leave it out.")
    label, waits = f"Start {count(len(arms), 'job')}" if arms else "Start", not arms or not ready
    if st.button(label, type="primary", icon=":material/play_arrow:", key="start", disabled=waits):
        for arm in arms:
            kind = "train" if METHODS[arm.method].trains else "evaluate"
            title = f"{arm.student}, {arm_title(arm, spec)}, seed {arm.seed}"
            studies.submit(kind, title, spec, arm.request)
        st.rerun()


def arm_title(arm: studies.StudyArm, spec: studies.Study) -> str:
    """How an arm is called where its student and seed stand beside it."""
    diverse = f", D={spec.diversely().teaching.samples}" if arm.diverse else ""
    return METHODS[arm.method].title + diverse


def trained_arms(spec: studies.Study) -> dict[str, tuple[studies.StudyArm, studies.Study]]:
    """The arms whose student is trained, by how they are called, each with the study as it is run for it."""
    trained = [arm for arm in studies.arms(spec) if METHODS[arm.method].trains]
    return {
        f"{arm_title(arm, spec)}, {arm.student}": (arm, spec.diversely() if arm.diverse else spec)
        for arm in trained
    }


# ── what it will take ───────────────────────────────────────────────────────────────────────────


def show_preview(study: Study, spec: studies.Study) -> None:
    """Rows, tokens, cuts, memory, time and the first batch of one arm, before anything is trained."""
    arms = trained_arms(spec)
    if not arms:
        st.caption("None of these methods trains a student: they are only evaluated.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        arm = st.selectbox("Preview of", list(arms), key=f"preview_{study.id}_arm", width=420)
        asked = st.button("Preview", icon=":material/visibility:", key="preview")
    key = f"preview_{content_hash([study.id, spec.dump(), arm])}"
    if asked:
        from core.stages.preview import preview

        chosen, asked_for = arms[arm]
        with st.spinner("The student's process counts rows and tokens…"):
            st.session_state[key] = preview(
                study.id, chosen.method, chosen.student, chosen.seed, asked_for.parts
            )
    if key in st.session_state:
        _preview(st.session_state[key])


def _preview(found: dict[str, Any]) -> None:
    tokens, cut = found["tokens"], found["truncated"]
    memory = sum(found["estimated_memory"].values())
    figures = {
        "Training rows": f"{found['rows']:,}",
        "Dev rows": f"{found['dev_rows']:,}",
        "Tokens per epoch": f"{tokens['per_epoch']:,}",
        "Longest row, tokens": f"{tokens['longest_row']:,}",
        "Truncated": f"{cut['inputs'] + cut['labels']:,}",
        "Steps": f"{found['steps']:,}",
        "Memory, estimated": f"{memory / GIGABYTE:.1f} GB",
        "Time, estimated": seconds(found["estimated_seconds"]),
    }
    metrics(figures)
    dropped = ", ".join(f"{n:,} {plain(reason)}" for reason, n in found["dropped"].items())
    st.caption(
        f"{plain(found['device'])}, {found['precision']}, "
        f"{found['available_memory'] / GIGABYTE:.1f} GB free. {found['trained_parameters'] / 1e6:.1f} of "
        f"{found['parameters'] / 1e6:.1f} million weights are trained. "
        + (f"Left out: {dropped}." if dropped else "Nothing was left out.")
    )
    if not found["fits"]:
        st.warning(
            "This may not fit into memory. When memory runs out the batch is halved; LoRA needs less.",
            icon=":material/memory:",
        )
    with st.expander("The first batch as the model will see it", icon=":material/grid_on:", expanded=True):
        st.caption(
            "Marked tokens are learnt, pale ones are padding, the others are only read. One box is one token."
        )
        with st.container(height=BATCH_HEIGHT, border=False):
            for row in found["first_batch"]:
                with st.container(border=True):
                    _row(row)


def _row(row: dict[str, Any]) -> None:
    """A decoder reads and writes one text; an encoder-decoder reads one and writes another."""
    if "tokens" in row:
        st.html(token_html(row["tokens"]))
        return
    for label, part in (("reads", "read"), ("writes", "written")):
        st.caption(label)
        st.html(token_html(row[part]))


def token_html(tokens: Sequence[dict[str, Any]]) -> str:
    """A row's tokens as inert HTML: one span each, trained ones marked, padding pale."""
    spans = (
        f'<span style="{TOKEN};{TRAINED if t["trained"] else ""}{PADDING if t["padding"] else ""}">'
        f"{html.escape(visible(t['text']).replace(chr(10), '⏎'))}</span>"
        for t in tokens
    )
    return f'<div style="{READ_STYLE}">{"".join(spans)}</div>'


# ── what happens ────────────────────────────────────────────────────────────────────────────────


def watch(study: Study) -> None:
    """A training run of the study: its job, the curves, and which checkpoint was chosen and why; live."""
    runs = queries.runs(study.id, "train")[::-1]
    if not runs:
        waiting = [job for job in frame.active_jobs() if job.study_id == study.id]
        for job in waiting[:1]:
            job_card(job.id, key="training_job")
        return
    st.subheader("Training")
    run = pick_row("Training run", runs, run_label, "training")
    if run.job_id:
        job_card(run.job_id, key="training_job")
    frame.while_active(run.status == "running" and frame.any_active(), lambda: _curves(run.id))


def run_label(run: Run) -> str:
    """How a training run is called in the picker and the URL; it never changes."""
    return f"{run.id}: {method_title(run.method)}, {run.student}, seed {run.seed}"


def _curves(run_id: int) -> bool:
    run, points = queries.run(run_id), queries.metrics(run_id)
    _outcome(run)
    if not points:
        st.caption("The curves begin with the first step.")
    else:
        left, right = st.columns(2)
        for column, (title, names) in zip((left, right), CURVES.items(), strict=True):
            with column:
                _curve(title, names, points, run)
    return run.status == "running" and frame.any_active()


def _curve(title: str, names: dict[str, str], points: Sequence[Metric], run: Run) -> None:
    import plotly.express as px

    rows = [{"epoch": p.epoch, "value": p.value, "of": names[p.name]} for p in points if p.name in names]
    if not rows:
        st.caption(f"{title}: not recorded. This recipe does not measure it during training.")
        return
    order, unnamed = {"of": list(names.values())}, {"value": "", "of": ""}
    figure = px.line(rows, "epoch", "value", color="of", title=title, category_orders=order, labels=unnamed)
    figure.for_each_trace(_by_density)
    if chosen := run.summary.get("chosen_epoch"):
        figure.add_vline(x=chosen, line_dash="dot", line_color=charts.ink(), annotation_text="chosen")
    figure.update_layout(showlegend=True)
    figure.update_xaxes(rangemode="tozero")
    charts.show(figure, f"curve_{title}_{run.id}")


def _by_density(line: Any) -> None:
    """Markers and a thicker line where there are few points."""
    few = len(line.x) < FEW_POINTS
    line.update(mode="lines+markers" if few else "lines", line_width=2 if few else 1)


def _outcome(run: Run) -> None:
    """Which checkpoint became the student, and why."""
    done = run.summary
    if "origin" not in done:
        return
    with st.container(border=True):
        st.markdown(f"**The student is {plain(done['origin'])}.**")
        measured = done.get("metrics", {})
        parts = [part for part in ("dev", "test") if f"{part}_accuracy" in measured]
        facts = [f"{part} accuracy {percent(measured[f'{part}_accuracy'])}" for part in parts]
        facts += [count(done["rows"], "training row"), f"took {seconds(done.get('seconds'))}"]
        st.caption(plain(", ".join([*facts, done["precision"], f"on {done['device']}"])))
