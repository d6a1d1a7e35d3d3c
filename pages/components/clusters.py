"""The Clusters page's parts: how exemplars are chosen, the map of the questions, and what is chosen on it.

The map carries coordinates, ids and first words only; a question's text is read when it is clicked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import streamlit as st

from core import studies
from core.datasets import find_dataset
from core.exemplars.candidates import TEXTS
from core.exemplars.clustering import N_INIT, SEED
from core.exemplars.encoding import DEFAULT_ENCODER
from core.exemplars.selection import CHECKS, RULES, limits_for
from core.records import Question
from core.review.fold import QUEUES, Key
from core.stages import exemplars as stage
from core.stages.generation import latest as latest_generation
from core.stages.plans import plan_of
from core.store import queries
from core.store.models import Point, Run, Study
from pages.components import charts, frame
from pages.components.jobs import job_card, latest
from pages.components.review import queues, runs
from pages.components.review.bulk import many
from pages.components.review.cards import find_flags, open_card
from pages.components.review.face import badges
from pages.components.review.marks import steps_html
from pages.components.tables import choice, listed, metrics, pick, pick_row, titles
from pages.components.text import count, labelled, percent, plain, visible

MOST_CLUSTERS = 64
WORDS = 5  # of a question, shown beside its point
MOST_WORDS = 20_000  # points, above which none carries words, so that the map stays light
SIZES = {2_000: 8, MOST_WORDS: 5, float("inf"): 3}  # points up to so many: pixels of each
MAP_HEIGHT = 560
OWN_COLOURS = 9  # groups of duplicates with a colour of their own
LIMITS = {
    "question_words": "Words of the question, at most",
    "rationale_lines": "Lines of the rationale, at most",
    "rationale_words": "Words of the rationale, at most",
    "ends_with_period": "Ends with a period",
    "has_answer": "Has an answer",
    "answer_near_end": "Answer near the end",
    "correct": "Answer is right",
}
CURVES = {"silhouette": "Silhouette: higher is better", "inertia": "Inertia: look for the bend"}
NUMBERS = ("question_words", "rationale_lines", "rationale_words")


# ── what is asked ───────────────────────────────────────────────────────────────────────────────


def rationales(study: Study) -> Run | None:
    """The newest zero-shot rationales of the study, which exemplars are chosen from; None before any."""
    run_id = latest_generation(study.id, "fine-tune-cot", studies.Study.read(study.config).teaching)
    return queries.run(run_id) if run_id is not None else None


def choose_run(study: Study) -> Run | None:
    """The exemplars run in the URL, the newest to begin with; None before the first."""
    finished = reversed(queries.runs(study.id, "exemplars", done=True))
    return pick_row("Clusters", finished, runs.label, "clusters")


@st.fragment  # a slider that moves sends no map
def ask(study: Study, generation: Run, run: Run | None) -> None:
    """Every setting of the choice, the curves that help with k, and the button that queues the job."""
    spec = studies.Study.read(study.config)
    known = {"rules": "paper", "seed": SEED, "n_init": N_INIT, "encoder": DEFAULT_ENCODER}
    known |= spec.teaching.clusters | (plan_of(run).settings | run.summary if run else {})
    scope = f"clusters{study.id}_{run.id if run else 0}"
    form = st.expander(
        "Settings", run is None, icon=":material/tune:", key=f"{scope}_settings", on_change="rerun"
    )
    with form, frame.errors():
        left, right = st.columns([3, 2], gap="medium")
        with left:
            asked = _settings(spec.benchmark.key, generation, known, scope)
        with right:
            if form.open:  # drawing costs the page a tenth of a second
                curves(run, asked["k"])
        if st.button("Choose exemplars", type="primary", icon=":material/play_arrow:", key="start"):
            title = f"Exemplars: {RULES[asked['rules']].title}, {count(asked['k'], 'cluster')}"
            # The study keeps them, so that what is reviewed here is what its teacher is shown.
            kept = {name: value for name, value in asked.items() if value is not None}
            spec = spec.but(teaching=spec.teaching.but(clusters=kept))
            studies.submit("exemplars", title, spec, asked)
            st.rerun()


def _settings(benchmark: str, generation: Run, known: Mapping[str, Any], scope: str) -> dict[str, Any]:
    n = max(1, queries.count_completions(generation.id, split="train", failed=False))
    rules = pick("Rules", titles(RULES), known["rules"], key=f"{scope}_rules")
    st.caption(f"{plain(RULES[rules].source)}. {plain(RULES[rules].note)}")
    start = min(int(known.get("k") or find_dataset(benchmark).exemplars), n)
    k = start if n == 1 else st.slider("Clusters (k)", 1, min(MOST_CLUSTERS, n), start, key=f"{scope}_k")
    a, b = st.columns(2)
    seed = a.number_input("Seed", 0, 2**31 - 1, int(known["seed"]), key=f"{scope}_seed")
    n_init = b.number_input(
        "Starts of k-means (n_init)", 1, 100, int(known["n_init"]), key=f"{scope}_n_init",
        help="k-means starts this many times at random; the best result is kept.",
    )  # fmt: skip
    own_text = known.get("text") if known["rules"] == rules else None
    names = {key: name for key, (name, _) in TEXTS.items()}
    text = pick("Encoded text", names, own_text or RULES[rules].text, a, key=f"{scope}_{rules}_text")
    encoder = b.selectbox(
        "Encoder", list(dict.fromkeys([DEFAULT_ENCODER, known["encoder"]])), 0 if
        known["encoder"] == DEFAULT_ENCODER else 1, accept_new_options=True, key=f"{scope}_encoder",
        help="An embedded model, a hub id, or a folder: type it and press Enter.",
    )  # fmt: skip
    asked = {"rules": rules, "k": k, "seed": seed, "n_init": n_init, "text": text, "encoder": encoder}
    return asked | {"own": limits(benchmark, rules, known, scope) or None}


def limits(benchmark: str, rules: str, known: Mapping[str, Any], scope: str) -> dict[str, Any]:
    """The rules' limits on this benchmark; a row for your own lets you set each. Returns what differs."""
    row = limits_for(rules, benchmark, find_dataset(benchmark).kind)
    if rules != "custom":
        asked = {LIMITS[name].lower(): getattr(row, name) for name in CHECKS}
        said = [words if value is True else f"{words} {value}" for words, value in asked.items() if value]
        st.caption(f"What qualifies: {plain('; '.join(said))}")
        return {}
    usual = {name: getattr(row, name) for name in LIMITS}
    start = usual | (known.get("own") or {} if known["rules"] == rules else {})
    values: dict[str, Any] = {}
    for place, (name, label) in zip([*st.columns(3), *st.columns(2) * 2], LIMITS.items(), strict=True):
        key = f"{scope}_{name}"
        if name in NUMBERS:
            values[name] = place.number_input(label, 1, None, start[name], key=key, placeholder="no limit")
        else:
            values[name] = place.checkbox(label, start[name], key=key)
    return {name: value for name, value in values.items() if value != usual[name]}


def curves(run: Run | None, k: int) -> None:
    """Inertia and mean silhouette by k, as the run's job found them, with the k of the slider marked."""
    found = run.summary.get("curves") if run is not None else None
    if not found:
        st.caption("How well each k fits (inertia and silhouette) is shown once exemplars have been chosen.")
        return
    import plotly.express as px

    for name, title in CURVES.items():
        points = [one for one in found if one[name] is not None]
        figure = px.line(points, "k", name, markers=True, title=title, labels={name: ""})
        figure.add_vline(x=k, line_dash="dot", line_color=charts.ink())
        figure.update_xaxes(range=[0, found[-1]["k"] + 1])
        charts.show(figure, f"curve_{name}_{run.id if run else 0}", 190)
    sample = found[-1]["sample"]
    st.caption(f"One start of k-means for each k; the silhouette is computed on {count(sample, 'question')}.")


def watch(study: Study) -> None:
    """The last job that chooses exemplars, while it runs or where it failed."""
    job = latest("exemplars", study.id)
    if job is not None and job.status != "done":
        job_card(job.id, key="exemplars_job")


# ── what was found ──────────────────────────────────────────────────────────────────────────────


def facts(run: Run) -> None:
    """What the run came to; clusters that give no exemplar are named."""
    done = run.summary
    share = done["correct_among_eligible"]
    metrics(
        {
            "Questions": f"{done['records']:,}",
            "Qualify": f"{done['eligible']:,}",
            "Right among them": percent(share / 100 if share is not None else None),
            "Exemplars": f"{done['picks']:,} of {done['k']:,}",
        }
    )
    for sentence in done["gaps"]:
        st.warning(plain(sentence), icon=":material/warning:")
    if done["note"]:
        st.caption(plain(done["note"]))
    st.caption(
        plain(
            f"{done['map']} of {done['encoder']} embeddings of {TEXTS[done['text']][0]}; "
            f"seed {done['seed']}, n_init {done['n_init']}. Train questions only."
        )
    )


def cluster_table(run: Run) -> None:
    """Each cluster: how many questions, how many qualify, and its exemplar as the review stands."""
    points, board = runs.map_points(run), runs.board(run.id)
    standing = {point.cluster: point for point in stage.nearest(points.values(), board)}
    sizes = Counter(point.cluster for point in points.values())
    qualify = Counter(point.cluster for point in points.values() if not point.failures)
    words = _words(queries.questions_of(_dataset(run), {point.question_index for point in standing.values()}))
    st.subheader("Clusters")
    rows = []
    for number in range(run.summary["k"]):
        point = standing.get(number)
        rows.append(
            {
                "cluster": number,
                "questions": sizes[number],
                "qualify": qualify[number],
                "exemplar": point.question_index if point else None,
                "rank": point.rank if point else None,
                "review": board.item(runs.key_of(point)).queue if point else "no exemplar",
                "first words": words[point.question_index] if point else "",
            }
        )
    listed(rows, "cluster_table")


# ── the map ─────────────────────────────────────────────────────────────────────────────────────

Group = Callable[[Point], str]


def _by_cluster(review: runs.Review) -> tuple[Group, Sequence[str]]:
    return lambda p: f"cluster {p.cluster}", [f"cluster {n}" for n in range(review.run.summary["k"])]


def _by_answer(_review: runs.Review) -> tuple[Group, Sequence[str]]:
    return lambda p: "right" if p.correct else "wrong", ("right", "wrong")


LENGTHS = (15, 25, 35, 45, 60)


def _by_length(_review: runs.Review) -> tuple[Group, Sequence[str]]:
    names = [f"up to {most} words" for most in LENGTHS] + ["longer"]
    return lambda p: names[sum(p.words > most for most in LENGTHS)], names


def _by_review(review: runs.Review) -> tuple[Group, Sequence[str]]:
    return lambda p: review.queue(runs.key_of(p)), QUEUES


def _by_duplicates(review: runs.Review) -> tuple[Group, Sequence[str]]:
    sizes = Counter(p.duplicate for p in review.points.values() if p.duplicate is not None)
    names = {group: f"group {group}: {n} alike" for group, n in sizes.most_common(OWN_COLOURS)}
    return (
        lambda p: "unique" if p.duplicate is None else names.get(p.duplicate, "other groups"),
        ["unique", *names.values(), "other groups"],
    )


# Ways to colour the map: each point's group, and the order of the groups.
COLOURINGS: dict[str, Callable[[runs.Review], tuple[Group, Sequence[str]]]] = {
    "cluster": _by_cluster,
    "answer": _by_answer,
    "length": _by_length,
    "review": _by_review,
    "duplicates": _by_duplicates,
}


def _dataset(run: Run) -> int:
    return queries.study(run.study_id).dataset_id


# Shared by all sessions and never changed.
@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs=frame.BY_RUN)
def first_words(run: Run) -> Mapping[int, str]:
    """question → its first words, as they stand beside its point."""
    return {i: charts.literal(words) for i, words in _words(queries.questions(_dataset(run))).items()}


def _words(questions: Iterable[Question]) -> dict[int, str]:
    return {q.index: visible(" ".join(q.text.split(maxsplit=WORDS)[:WORDS])) for q in questions}


@st.fragment
def map_part(run: Run, author: str) -> None:
    """The map, beside it the question that was clicked or the set that was drawn around; the clusters."""
    with frame.errors():
        review = runs.open_review(run)
        left, right = st.columns([3, 2], gap="medium")
        with left:
            colour = choice("Colour", list(COLOURINGS), "colour", width="content")
            words = first_words(run) if len(review.points) <= MOST_WORDS else None
            with st.container(key="map"):
                event = st.plotly_chart(
                    figure(review, colour, words),
                    key=f"map_{run.id}_{colour}",
                    on_select="rerun",
                    selection_mode=("points", "box", "lasso"),
                    config={
                        "displaylogo": False,
                        "scrollZoom": True,
                        "displayModeBar": True,
                        "modeBarButtonsToRemove": ["toImage"],
                    },
                    alt="Map of the questions: similar questions are near each other.",
                )
        with right:
            chosen = selected(event["selection"]["points"], review)
            if len(chosen) == 1:
                _question(review, chosen[0])
            elif chosen:
                _set(review, chosen, author)
            else:
                st.info(
                    "Click a point to read the question and its rationale. Or choose the lasso or the box "
                    "above the map and draw around points to send them to the review queue.",
                    icon=":material/touch_app:",
                )
        cluster_table(run)


def figure(review: runs.Review, colour: str, words: Mapping[int, str] | None) -> Any:
    """The map as WebGL points, a trace a group, exemplars starred on top. Ids are in `customdata`.

    `words`, safe for a chart, are shown beside the points; None where there are too many of these.
    """
    import plotly.graph_objects as go

    group, names = COLOURINGS[colour](review)
    members: dict[str, list[Point]] = {name: [] for name in names}
    for point in review.points.values():
        members[group(point)].append(point)
    size = next(size for most, size in SIZES.items() if len(review.points) <= most)
    made = go.Figure()
    for name, points in members.items():
        if points:
            made.add_trace(_trace(points, words, name, {"size": size}))
    stars = stage.nearest(review.points.values(), review.board)
    look = {"size": 17, "symbol": "star", "color": "#f2c230", "line": {"width": 1.5, "color": "#3a2c00"}}
    made.add_trace(_trace(stars, words, "exemplars", look))
    made.update_layout(
        height=MAP_HEIGHT,
        margin={"l": 0, "r": 0, "t": 32, "b": 0},
        dragmode="pan",  # with a lasso in hand Streamlit passes no click on
        hovermode="closest",
        uirevision="kept",
        legend={"orientation": "h", "y": -0.02, "yanchor": "top", "itemsizing": "constant"},
    )
    made.update_xaxes(visible=False)
    made.update_yaxes(visible=False)
    return made


def _trace(
    points: Iterable[Point], words: Mapping[int, str] | None, name: str, marker: dict[str, Any]
) -> Any:
    import numpy as np
    import plotly.graph_objects as go

    rows = list(points)
    return go.Scattergl(
        x=np.array([p.x for p in rows], np.float32),
        y=np.array([p.y for p in rows], np.float32),
        customdata=np.array([p.question_index for p in rows], np.int32),
        hovertext=[words[p.question_index] for p in rows] if words is not None else None,
        hovertemplate="%{customdata}: %{hovertext}…" if words is not None else "question %{customdata}",
        mode="markers",
        name=name,
        marker=marker,
    )


def selected(points: Sequence[Mapping[str, Any]], review: runs.Review) -> list[Key]:
    """The questions behind the points of a selection, by their ids, each once, in the map's order."""
    ids = {_id(point.get("customdata")) for point in points}
    return [key for key in review.points if key[0] in ids]


def _id(value: Any) -> int | None:
    found = value[0] if isinstance(value, list | tuple) and value else value
    return int(found) if isinstance(found, int | float) else None


def _question(review: runs.Review, key: Key) -> None:
    """The question that was clicked, with its rationale as it stands, and the way to its review."""
    shown = open_card(review, key)
    with st.container(border=True, key="clicked"):
        badges(shown)
        labelled("Question", shown.question.text)
        st.html(steps_html(shown.text, find_flags(review, shown), shown.found.span))
        labelled("Gold answer", shown.question.answer)
        card = {"item": f"{key[0]}.{key[1]}", "queue": queues.ALL}
        frame.link("review", "Review it", review=runs.label(review.run), **card)


def _set(review: runs.Review, keys: Sequence[Key], author: str) -> None:
    """The questions that were drawn around: how many are right, and the way into the review queue."""
    right = sum(review.points[key].correct for key in keys)
    with st.container(border=True, key="chosen"):
        st.markdown(f"**{count(len(keys), 'question')} chosen**, {right:,} of them right")
        st.caption(visible(", ".join(str(key[0]) for key in keys[:30])) + ("…" if len(keys) > 30 else ""))
        many(review, keys, author, only="flag", scope="lasso")
        flagged = {"review": runs.label(review.run), "queue": "flagged"}
        frame.link("review", "Open the queue “flagged”", **flagged)
