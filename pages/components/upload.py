"""A benchmark of the user's own: a file, which of its columns are what, its first rows, and a button."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from core import settings, uploads
from core.answers import KINDS
from core.datasets import all_datasets, load, upload
from core.store import queries
from pages.components import frame
from pages.components.tables import listed, pick, titles
from pages.components.text import count, plain, visible

CHOSEN = "benchmark_next"  # the benchmark that the page shows next
ADDED = "benchmarks_added"  # how many: part of the uploader's key, so that it is empty again
# Title of a part, and what its column is called in common files, the first one that is there.
PARTS = {
    "question": ("Question", ("question", "problem", "input", "text", "prompt", "sentence")),
    "answer": ("Gold answer", ("answer", "target", "gold", "label", "output")),
    "split": ("Split (train or test)", ("split",)),
    "solution": ("Worked solution", ("solution", "rationale", "explanation")),
}
GUESSED = "guessed from the answers"
EXCERPT = 200


def add_form() -> None:
    """Upload, look, add."""
    with st.expander("Add a benchmark of your own", icon=":material/upload_file:"), frame.errors():
        file = st.file_uploader(
            "A file with a question and its answer in each row",
            type=[ending.removeprefix(".") for ending in upload.READERS],
            max_upload_size=upload.MOST_BYTES // 1_000_000,
            key=f"own_file{st.session_state.setdefault(ADDED, 0)}",
        )
        if file is None:
            st.caption(
                "CSV, JSON (a list of objects) or JSON lines, in UTF-8. An answer may be a number, a letter "
                "(of a choice), yes or no, or a text. It stays on this machine, in the lab's folder."
            )
            return
        kept = uploads.keep(file.name, file.getvalue())
        names, first = _peek(kept, file.name)
        columns = _choose_columns(names, file.file_id)
        _show(first, columns)
        _add(settings.home() / kept, file.name, columns, file.file_id)


@st.cache_data(max_entries=8, show_spinner="Reading the file…")
def _peek(kept: str, name: str) -> tuple[list[str], list[dict[str, Any]]]:
    return upload.columns(settings.home() / kept, name)


def _choose_columns(names: Sequence[str], scope: str) -> dict[str, str]:
    """Which column is what; those that the file lacks are left out."""
    lower = {name.lower(): name for name in names}
    columns = {}
    for place, (part, (label, usual)) in zip(st.columns(len(PARTS)), PARTS.items(), strict=True):
        found = next((lower[name] for name in usual if name in lower), None)
        columns[part] = place.selectbox(
            label,
            names,
            names.index(found) if found else None,
            key=f"own_{part}_{scope}",
            placeholder="none",
            format_func=visible,
        )
    return {part: name for part, name in columns.items() if name is not None}


def _show(rows: Sequence[dict[str, Any]], columns: dict[str, str]) -> None:
    st.caption("The first rows, as they would be read")
    shown = [{PARTS[part][0]: _cell(row.get(name)) for part, name in columns.items()} for row in rows]
    listed(shown, "own_preview")


def _cell(value: Any) -> str:
    return "" if value is None else visible(str(value))[:EXCERPT]


def _add(path: Path, name: str, columns: dict[str, str], scope: str) -> None:
    left, middle, right = st.columns(3)
    title = left.text_input("Title", Path(name).stem, key=f"own_title_{scope}").strip()
    key = middle.text_input(
        "Key",
        upload.keyed(title),
        key=f"own_key_{scope}_{title}",
        help="Its name in commands and study files.",
    ).strip()
    kind = pick("Kind of answer", {None: GUESSED} | titles(KINDS), place=right, key=f"own_kind_{scope}")
    if "split" not in columns:
        st.caption("The file has no split: 70 % of the questions, chosen by a fixed seed, are for training.")
    if lacking := [PARTS[part][0] for part in ("question", "answer") if part not in columns]:
        st.caption(f"Choose the columns for {plain(' and '.join(lacking))} to go on.")
    if st.button("Add it", type="primary", icon=":material/add:", key="own_add", disabled=bool(lacking)):
        with st.spinner("Reading every row…"):
            row = upload.add(path, key, title=title, kind=kind, name=name, columns=columns)
            queries.add_dataset(row.key, {"split": "default"}, load(row.key))
        st.session_state[CHOSEN] = row.key
        st.session_state[ADDED] += 1
        st.toast(
            f"{count(row.n, 'question')}, answers: {plain(KINDS[row.kind].title)}", icon=":material/check:"
        )
        st.rerun()


def newly_added() -> str | None:
    """The benchmark that has just been added, once."""
    key = st.session_state.pop(CHOSEN, None)
    return key if key in all_datasets() else None
