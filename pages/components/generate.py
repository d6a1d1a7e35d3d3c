"""The Generate page's parts: the study, the teacher, what it will cost at most, and the live stream.

A teacher's fields come from its row in TEACHERS: a new row needs no edit here.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from core import settings, studies, uploads
from core.datasets import all_datasets, cached, find_dataset
from core.datasets.part import Benchmark
from core.errors import LabError
from core.methods import METHODS, Given, estimate
from core.methods import options as method_options
from core.records import Exemplar
from core.stages import exemplars
from core.store import queries
from core.store.models import Run, Study
from core.teachers import TEACHERS, Estimate, Option, opened, prices, token_counter
from core.teachers.part import TEACHER, Changes, Teaching
from core.teachers.recorded import SOURCES
from pages.components import exemplars as own
from pages.components import frame
from pages.components.completion import texts, verdict
from pages.components.datasets import facts, options_form
from pages.components.jobs import job_card
from pages.components.prompt import teachers_window
from pages.components.tables import choice, metrics, pick, titles
from pages.components.text import count, plain

FIRST_FIELDS = ("base_url", "model", "key_name", "path", "source")  # the others are folded away
CHOICES = {"source": tuple(SOURCES)}  # of options whose row leaves them open
FIRST_METHOD = "fine-tune-cot"
SAMPLING = {  # field: label, least, most, step
    "temperature": ("Temperature", 0.0, 2.0, 0.1),
    "top_p": ("Top-p", 0.01, 1.0, 0.05),
    "max_tokens": ("Most tokens", 1, 8192, 1),
    "seed": ("Seed", 0, None, 1),
}
STREAMED = 5
NEW, THIS = "new", "this study"
MADE = "study_made"  # set where a new study was made: it is then this study


# ── what is asked ───────────────────────────────────────────────────────────────────────────────


def choose_study() -> tuple[studies.Study, str]:
    """(the study to generate for, its scope).

    The scope begins with NEW or names an existing study. It is part of the form's keys, so that another
    study begins with its own values.
    """
    current = frame.current_study()
    if st.session_state.pop(MADE, False):
        st.session_state["for"] = THIS
    if current is None or choice("For", [THIS, "a new study"], "for") != THIS:
        return _new_study()
    spec = studies.Study.read(current.config)
    row = queries.dataset(current.dataset_id)
    st.caption(f"**{plain(current.name)}**: {plain(spec.benchmark.key)}, {count(row.n, 'question')}")
    return spec, f"study{current.id}"


def _new_study() -> tuple[studies.Study, str]:
    table = all_datasets()
    left, right = st.columns(2)
    key = pick("Benchmark", titles(table), place=left, key="new_benchmark")
    name = right.text_input("Name of the study", _free_name(table[key].title), key=f"new_name_{key}").strip()
    facts(table[key])
    split, options, row = options_form(table[key], NEW)
    train = row.number_input(
        "Training questions", 1, None, None, key="new_train", placeholder="all", width=170
    )
    test = row.number_input("Test questions", 1, None, None, key="new_test", placeholder="all", width=170)
    if queries.study_by_name(name):
        raise LabError(f"A study “{name}” exists: choose it in the sidebar, or choose another name.")
    teacher = {"key": "worked" if table[key].generated else "local"}
    benchmark = Benchmark(key=key, options=options, split=split, train=train, test=test)
    return studies.Study(name=name, benchmark=benchmark, teacher=teacher), f"{NEW}_{key}"


def _free_name(title: str) -> str:
    taken = {study.name for study in queries.studies()}
    names = (f"{title} study{number}" for number in ["", *(f" {n}" for n in range(2, len(taken) + 3))])
    return next(name for name in names if name not in taken)


def choose_teachers(spec: studies.Study, method: str, scope: str) -> studies.Study:
    """The study with a teacher for each role that the method asks: key and options; never a secret."""
    teaching = spec.teaching
    chosen = {role: _teacher(teaching.of(role), role, scope) for role in METHODS[method].teachers}
    return spec.but(teaching=teaching.but(teachers=teaching.teachers | chosen))


def _teacher(own: dict[str, Any], role: str, scope: str) -> dict[str, Any]:
    key = pick(role.capitalize(), titles(TEACHERS), own["key"], key=f"{scope}_{role}")
    row, known = TEACHERS[key], own if own["key"] == key else {}
    scope = f"{scope}_{key}" if role == TEACHER else f"{scope}_{role}_{key}"
    st.caption(f"Needs {plain(row.needs)}.")
    first = [option for option in row.options if option.name in FIRST_FIELDS]
    more = [option for option in row.options if option.name not in FIRST_FIELDS]
    values = _fields(scope, first, known)
    if more:
        with st.expander("More settings of this teacher", icon=":material/tune:"):
            values |= _fields(scope, more, known)
    if "key_name" in values:
        key_state(values["key_name"])
    # An empty name of a key says that none is needed.
    given = {name: v for name, v in values.items() if v not in (None, "") or name == "key_name"}
    return {"key": key} | given


def _fields(scope: str, options: list[Option], known: dict[str, Any]) -> dict[str, Any]:
    columns = st.columns(2)
    return {
        option.name: _field(columns[i % 2], scope, option, known.get(option.name, option.default))
        for i, option in enumerate(options)
    }


def _field(place: Any, scope: str, option: Option, value: Any) -> Any:
    label = option.name.replace("_", " ").capitalize()
    shared = {"key": f"{scope}_{option.name}", "help": plain(option.help)}
    if option.is_file:
        return _file_field(place, label, option, value or "", shared["key"])
    allowed = option.choices or CHOICES.get(option.name, ())
    if allowed:
        return place.selectbox(label, allowed, allowed.index(value) if value in allowed else 0, **shared)
    if isinstance(option.default, int):
        return int(place.number_input(label, value=int(value), min_value=0, **shared))
    if isinstance(option.default, float):
        return float(place.number_input(label, value=float(value), min_value=0.0, format="%g", **shared))
    return place.text_input(label, value or "", **shared).strip()


def _file_field(place: Any, label: str, option: Option, value: str, key: str) -> str:
    """A path, typed or of a file that is uploaded; that is kept in the lab under its content."""

    def keep() -> None:
        with frame.errors():
            if (given := st.session_state[f"{key}_upload"]) is not None:
                st.session_state[key] = uploads.keep(given.name, given.getvalue())

    place.file_uploader("Upload the file", key=f"{key}_upload", on_change=keep)
    return place.text_input("or give its path", value, key=key, help=plain(option.help)).strip()


def key_state(name: str) -> None:
    """Whether a key is set, by its name; and how to set it. The value is never shown or asked for."""
    if not name:
        return
    if settings.secret(name) is not None:
        st.badge(f"{plain(name)} is set", icon=":material/key:", color="green")
        return
    st.badge(f"{plain(name)} is not set", icon=":material/key_off:", color="orange")
    st.caption("Set it in the environment before `make run`, or in `.streamlit/secrets.toml`:")
    st.code(f'{name} = "…"', language="toml")


def choose_prompting(spec: studies.Study, scope: str) -> tuple[studies.Study, dict[str, Any]]:
    """(the study with its sampling, what is asked of the job: method, split, limit)."""
    asking = {key: row for key, row in METHODS.items() if row.teach}
    left, middle, right = st.columns(3)
    method = pick("Method", titles(asking), FIRST_METHOD, left, key=f"{scope}_prompts")
    split = middle.selectbox("Questions", ["train", "test", "all"], key=f"{scope}_asked_split")
    limit = right.number_input(
        "Limit", 1, None, None, key=f"{scope}_asked_limit", placeholder="all questions"
    )
    teaching = spec.teaching
    own = teaching.sampled(asking[method].sampling)
    with st.expander("Sampling", icon=":material/tune:"):
        st.caption(
            "These are the method's own values at first. Several rationales per question (diverse reasoning) "
            "need a temperature above 0, or they are all the same; the papers use 0.7. The Rationales page "
            "shows how much they differ."
        )
        first, *places = st.columns(1 + len(SAMPLING))
        samples = first.number_input(
            "Rationales (D)", 1, 64, teaching.samples, key=f"{scope}_samples", help=Teaching.about("samples")
        )
        asked = {
            name: place.number_input(
                label, least, most, getattr(own, name), step, key=f"{scope}_{name}", placeholder="none",
                help=Changes.about(name),
            )
            for place, (name, (label, least, most, step)) in zip(places, SAMPLING.items(), strict=True)
        }  # fmt: skip
    plainly = asking[method].sampling
    changed = {n: v for n, v in asked.items() if v != getattr(plainly, n) or n in teaching.sampling}
    request = {"method": method, "split": split, "limit": limit}
    return spec.but(teaching=teaching.but(samples=samples, sampling=teaching.sampling | changed)), request


def show_exemplars(spec: studies.Study, request: dict[str, Any], scope: str) -> bool:
    """Where the method shows the user's exemplars: a form for them. Returns whether all is there."""
    if not own.own([request["method"]]):
        return True
    if scope.startswith(NEW):
        st.info("Create the study first; then write its exemplars here.", icon=":material/info:")
        return False
    study = queries.study_by_name(spec.name)
    with st.container(border=True):
        ready = own.form(study, spec.teaching.exemplars)
        own.teacher_prompt(study, spec, request["method"])
    return ready


# ── what it costs at most ───────────────────────────────────────────────────────────────────────


def show_estimate(spec: studies.Study, request: dict[str, Any], scope: str) -> None:
    """Calls, tokens and dollars before the start: an upper bound, and labelled so."""
    stored = None if scope.startswith(NEW) else queries.dataset(queries.study_by_name(spec.name).dataset_id)
    if stored is None and not all(cached(file) for file in all_datasets()[spec.benchmark.key].files):
        st.caption("The estimate appears once the benchmark has been read (Datasets page).")
        return
    method = METHODS[request["method"]]
    shown = _shown(spec, method.exemplars, method.exemplar_rules)
    if method.exemplars and not shown:
        if method.exemplars == "chosen":
            st.caption("Exemplars are chosen first, from zero-shot rationales (Clusters page).")
        return
    key = stored.hash if stored else spec.benchmark.hash
    dataset_id = stored.id if stored else None
    n, bound = _bound(key, dataset_id, spec.dump(), request, shown)
    asks = all(TEACHERS[spec.teaching.of(role)["key"]].writes for role in method.teachers)
    st.markdown("**Before the start: an upper bound**")
    metrics(
        {
            "Questions": f"{n:,}",
            "Calls, at most": f"{bound.calls:,}" if asks else "none",
            "Tokens, at most": f"{bound.prompt_tokens + bound.completion_tokens:,}" if asks else "none",
            "Cost, at most": f"${bound.cost:,.2f}",
        }
    )
    if asks and bound.over_context:
        st.warning(
            f"{count(bound.over_context, 'prompt')} may not fit into the context window with the answer: "
            "ask for fewer tokens.",
            icon=":material/warning:",
        )
    if not asks and not _lacking(spec, request):
        held = _held(key, dataset_id, spec.dump(), _stamp(spec))
        st.caption(f"This teacher has rationales for {count(held, 'question')} of the benchmark.")
    if asks:
        st.caption(f"Replies usually end earlier, and cached ones are not asked for again. {_how(bound)}")


def _lacking(spec: studies.Study, request: dict[str, Any]) -> list[str]:
    """The options of the teachers that must be given and are not."""
    used = [spec.teaching.of(role) for role in METHODS[request["method"]].teachers]
    options = [(config, option) for config in used for option in TEACHERS[config["key"]].options]
    return [
        option.name for config, option in options if option.default is None and not config.get(option.name)
    ]


def _stamp(spec: studies.Study) -> float | None:
    """When the teacher's file was last changed; None without one."""
    file = uploads.find(spec.teaching.teacher.get("path") or "")
    return file.stat().st_mtime if file.is_file() else None


@st.cache_data(max_entries=16, show_spinner="Reading this teacher's rationales…")
def _held(content: str, dataset_id: int | None, values: dict[str, Any], stamp: float | None) -> int:
    """How many questions a teacher that makes no call can answer. LabError where it has none."""
    spec = studies.Study.read(values)
    everyone = queries.questions(dataset_id) if dataset_id is not None else spec.benchmark.load()
    with opened(spec.teaching.teacher, everyone, find_dataset(spec.benchmark.key).kind) as teacher:
        return len({index for index, _ in teacher.completions})


def _how(bound: Estimate) -> str:
    """How the tokens of the prompts were counted."""
    if not bound.counted:
        return "Prompt tokens are estimated, at four characters each: the model's tokenizer is not here."
    some = "" if bound.counted == 1 else f", on one question in {round(1 / bound.counted)}"
    return f"Prompt tokens are counted with the model's own tokenizer{some}."


def _shown(spec: studies.Study, whose: str | None, rules: str | None) -> tuple[Exemplar, ...]:
    """The exemplars in the prompt: the user's own, or as they stand in review; none before there are any."""
    if whose == "own":
        return tuple(Exemplar(**row) for row in spec.teaching.exemplars)
    study = queries.study_by_name(spec.name)
    chosen = exemplars.newest(study.id, rules) if study and whose else None
    return tuple(exemplars.as_reviewed(chosen)) if chosen else ()


@st.cache_data(max_entries=64, show_spinner="Counting tokens…")
def _bound(
    content: str,
    dataset_id: int | None,
    values: dict[str, Any],
    request: dict[str, Any],
    shown: tuple[Exemplar, ...],
) -> tuple[int, Estimate]:
    """(questions, bounds); `content` is the hash of the benchmark, so that no other one is meant."""
    spec, method = studies.Study.read(values), METHODS[request["method"]]
    everyone = queries.questions(dataset_id) if dataset_id is not None else spec.benchmark.load()
    wanted = []
    for part in ("train", "test") if request["split"] == "all" else (request["split"],):
        of_part = [q for q in everyone if q.split == part]
        wanted += studies.at_most(of_part, getattr(spec.benchmark, part))
    questions = studies.at_most(wanted, request["limit"])
    teaching, kind = spec.teaching, find_dataset(spec.benchmark.key).kind
    model, window, _ = teachers_window(teaching, method)
    bound = estimate(
        questions,
        method,
        {role: prices(teaching.of(role)) for role in method.teachers},
        teaching.sampled(method.sampling),
        given=Given(kind, spec.rules, shown, options=method_options(method, teaching.prompting)),
        samples=teaching.samples,
        context=window,
        count=token_counter(model),
    )
    return len(questions), bound


def start(spec: studies.Study, request: dict[str, Any], scope: str, ready: bool) -> None:
    """The button that queues the job; and for a new study one that only makes it."""
    row, lacking = TEACHERS[spec.teaching.teacher["key"]], _lacking(spec, request)
    if lacking:
        st.caption(f"Fill in {', '.join(lacking)} to go on.")
    waits = bool(lacking) or not ready
    with st.container(horizontal=True):
        if st.button("Start", type="primary", icon=":material/play_arrow:", key="start", disabled=waits):
            with st.spinner("Opening the study…"):
                studies.submit("generate", f"Rationales by {row.title}", spec, request)
            _made(spec)
        if scope.startswith(NEW) and st.button(
            "Create the study only", icon=":material/add:", key="create", help="Nothing is generated yet."
        ):
            with st.spinner("Opening the study…"):
                studies.open_study(spec)
            _made(spec)


def _made(spec: studies.Study) -> None:
    """Go on with this study."""
    st.session_state[MADE] = True
    frame.choose_study(spec.name)


# ── what happens ────────────────────────────────────────────────────────────────────────────────


def watch(study: Study) -> None:
    """The study's last generation: job, figures, and its completions as they come in; live."""
    runs = queries.runs(study.id, "generate")
    if not runs:
        return
    run = runs[-1]
    st.subheader("Latest generation")
    if run.job_id:
        job_card(run.job_id, key="generation_job")
    frame.while_active(run.status == "running" and frame.any_active(), lambda: _stream(run.id))


def _stream(run_id: int) -> bool:
    run = queries.run(run_id)
    figures(run)
    last = queries.latest_completions(run_id, STREAMED)
    if last:
        st.caption(f"The last completions · {plain(run.teacher)}")
    for completion in last:
        with st.container(border=True):
            verdict(completion)
            texts(completion)
    return run.status == "running" and frame.any_active()


def figures(run: Run) -> None:
    """What a generation has come to: verdicts and ledger."""
    done, paid = queries.completion_counts(run.id), queries.ledger_totals(run.id)
    right = f"{done['correct']:,}"
    metrics(
        {
            "Completions": f"{done['n']:,}",
            "Correct": f"{right} ({100 * done['correct'] / done['n']:.0f} %)" if done["n"] else right,
            "Truncated": f"{done['truncated']:,}",
            "Failed": f"{done['failed']:,}",
        }
    )
    if paid["calls"] or paid["cached"]:
        metrics(
            {
                "Calls": f"{paid['calls']:,}",
                "From the cache": f"{paid['cached']:,}",
                "Tokens": f"{paid['prompt_tokens'] + paid['completion_tokens']:,}",
                "Cost": f"${paid['cost']:,.4f}",
            }
        )
