"""New-Fine-tune-CoT's ablation: the button that runs its four arms, their table beside the paper's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core import studies
from core.datasets import find_dataset
from core.errors import LabError
from core.methods import METHODS
from core.methods.changes import titles
from core.results import ablation
from core.results.published import NEW, SOURCES
from core.results.table import ArmRow, Cell
from core.store import queries
from core.store.models import Study
from core.teachers.part import Diverse
from pages.components import frame
from pages.components.results import method_title, results_table
from pages.components.tables import choice
from pages.components.text import count, plain, visible

TABLES = ("all arms", "ablation")
SEEDS = (0, 1, 2)
EVERY_SEED = range(5)


# ── the button ──────────────────────────────────────────────────────────────────────────────────


def offer(study: Study, spec: studies.Study) -> None:
    """The four arms for this study's teacher and students: what they will take, and the button."""
    with st.expander("The four arms of New-Fine-tune-CoT", icon=":material/science:"), frame.errors():
        st.caption(
            "An ablation, each arm with one change more than the one before it: "
            f"{plain('; '.join(_titles(spec)))}. All have the same teacher, sampling, labels, students and "
            "test questions, and run in one job."
        )
        asked = _asked(study, spec)
        lacking = [name for name in ("students", "seeds") if asked and not getattr(asked, name)]
        if lacking:
            st.caption(f"Choose {' and '.join(lacking)} to go on.")
        ready = asked is not None and not lacking
        if st.button("Run the four arms", icon=":material/science:", key="ablation", disabled=not ready):
            studies.submit("study", f"{study.name}: the four arms", asked or spec)
            st.rerun()


def _titles(spec: studies.Study | None = None) -> list[str]:
    """What the arms change, in order, told from their parts; the study says how many clusters there are."""
    clusters = {"k": find_dataset(spec.benchmark.key).exemplars} | spec.teaching.clusters if spec else {}
    return titles([METHODS[key] for key in ablation.ARMS], clusters)


def _asked(study: Study, spec: studies.Study) -> studies.Study | None:
    """The study to run; None, and why, where its teacher rules the ablation out."""
    try:
        asked = studies.ablation(spec, *_choose(study, spec))
    except LabError as reason:
        st.caption(plain(reason))
        return None
    _expect(study, asked)
    return asked


def _choose(study: Study, spec: studies.Study) -> tuple[tuple[int, ...], dict[str, Any]]:
    """(seeds, how diverse rationales are drawn; nothing where they are not wanted)."""
    scope = f"ablation{study.id}"
    seeds, several, samples, temperature = st.columns([3, 3, 2, 2], vertical_alignment="bottom")
    start = spec.seeds if len(spec.seeds) > 1 else SEEDS
    chosen = seeds.multiselect("Seeds", sorted({*EVERY_SEED, *start}), start, key=f"{scope}_seeds")
    own = Diverse.read(spec.diverse)
    wanted = several.toggle(
        "Also with diverse reasoning", True, key=f"{scope}_diverse",
        help="Every arm a second time, with several rationales per question, drawn at random.",
    )  # fmt: skip
    drawn = {
        "samples": int(
            samples.number_input("D", 2, 64, own.samples, key=f"{scope}_samples", disabled=not wanted)
        ),
        "temperature": temperature.number_input(
            "Temperature", 0.1, 2.0, own.temperature, 0.1, key=f"{scope}_heat", disabled=not wanted
        ),
    }
    return tuple(chosen), drawn | {"top_p": own.top_p} if wanted else {}


def _expect(study: Study, asked: studies.Study) -> None:
    """How many students and calls that is."""
    n = queries.split_counts(study.dataset_id).get("train", 0)
    n = min(n, asked.benchmark.train or n)
    samples = asked.diversely().teaching.samples if asked.diverse else 0
    arms = [arm for arm in studies.arms(asked) if arm.method in ablation.ARMS]
    others = [method_title(name) for name in asked.methods if name not in ablation.ARMS]
    st.caption(
        f"{count(len(arms), 'student')} trained and evaluated; at most "
        f"{count(ablation.calls_at_most(n, samples), 'call')} to the teacher for "
        f"{count(n, 'training question')}, fewer where replies are cached or already give the answer."
        + (
            f" The study's other methods run too, where they have not yet: {plain(', '.join(others))}."
            if others
            else ""
        )
    )


# ── the table ───────────────────────────────────────────────────────────────────────────────────


def chosen(cells: Sequence[Cell]) -> bool:
    """Whether the ablation's table is asked for; there is one where two of its arms were evaluated."""
    several = len({cell.method for cell in ablation.cells_of(cells)}) > 1
    return several and choice("Table", TABLES, "table") == TABLES[1]


def show(cells: Sequence[Cell]) -> tuple[ArmRow, ...]:
    """The four arms, each against Fine-tune-CoT with the same D; the paper's figures in their own table."""
    rows = ablation.rows(cells)
    results_table(rows, leave_out=("gained / lost",))
    st.caption(
        "Each arm is compared with Fine-tune-CoT from the same teacher with the same D, rationales per "
        "question; p-values are adjusted by Holm's method over the arms."
    )
    _lines(ablation.own(rows), "own")
    st.subheader("The paper's tables 3, 4 and 5")
    if lines := ablation.printed(rows[0].arm.benchmark):
        st.caption(
            f"† As printed by {plain(SOURCES[NEW])}, not measured here: to be read beside this study's "
            "figures only where questions, split and D are the same."
        )
        _lines(lines, "printed_arms")
    else:
        st.caption("The paper prints no figure for this benchmark.")
    with st.expander("How far the printed figures can be trusted", icon=":material/fact_check:"):
        st.markdown("\n".join(f"- {plain(fact)}" for fact in ablation.AUDIT))
    return rows


def _lines(lines: Sequence[ablation.Line], key: str) -> None:
    """A line a student, a column an arm."""
    st.dataframe(
        [
            {"accuracy %": visible(line.student), "D": str(line.samples)}
            | {"split": line.split or "not said", "n": str(line.n or "not said")}
            | {
                title: _figure(line.accuracy[arm], line)
                for arm, title in zip(ablation.ARMS, _titles(), strict=True)
            }
            | ({"from": line.source, "its baseline": line.note} if line.source else {})
            for line in lines
        ],
        hide_index=True,
        height="content",
        key=key,
    )


def _figure(value: float | None, line: ablation.Line) -> str:
    if value is None:
        return "—"
    return f"{value:g} †" if line.source else f"{value:.1f}{' ‡' if line.selection == 'test' else ''}"
