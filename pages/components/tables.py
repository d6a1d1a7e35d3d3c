"""Long lists, a page of them at a time; tables in which a click chooses a row; figures; and choices."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import streamlit as st

from core.records import content_hash

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")
PAGE_ROWS = 15


def paged(total: int, key: str, size: int = PAGE_ROWS) -> tuple[int, int]:
    """(offset, limit) of the page that the URL's `key` asks for; page numbers where there are several."""
    pages = max(1, -(-total // size))
    if pages == 1:
        return 0, size
    with st.container(horizontal=True, vertical_alignment="center"):
        number = st.pagination(pages, key=key, bind="query-params")
        first = (number - 1) * size
        st.caption(f"{first + 1:,}–{min(first + size, total):,} of {total:,}", width="content")
    return first, size


def clickable(
    rows: Sequence[dict[str, Any]],
    target: str,
    ids: Sequence[Hashable] | None = None,
    height: str = "content",
    **options: Any,
) -> None:
    """A table; a click on a row puts its id, or what is in its first column, into the widget `target`."""
    ids = [next(iter(row.values())) for row in rows] if ids is None else ids
    key = f"{target}_table_{content_hash(list(ids))[:12]}"

    def choose() -> None:
        if picked := st.session_state[key]["selection"]["rows"]:
            st.session_state[target] = ids[picked[0]]

    st.dataframe(
        rows,
        key=key,
        hide_index=True,
        on_select=choose,
        selection_mode="single-row",
        height=height,
        **options,
    )


def listed(rows: Sequence[dict[str, Any]], key: str, **options: Any) -> None:
    """A table to look at, as high as its rows."""
    st.dataframe(rows, hide_index=True, height="content", key=key, **options)


def widths(**pixels: int) -> dict[str, Any]:
    """The columns of a table that are to be as wide as this; the others share the rest."""
    return {name: st.column_config.Column(width=width) for name, width in pixels.items()}


def metrics(figures: Mapping[str, str], columns: int = 4) -> None:
    """Figures beside each other, so many in a row."""
    items = list(figures.items())
    for first in range(0, len(items), columns):
        row = items[first : first + columns]
        for column, (label, value) in zip(st.columns(columns), row, strict=False):
            column.metric(label, value, border=True)


def download(label: str, data: Any, file: str, mime: str, **more: Any) -> None:
    """A button that saves a file; a function as `data` is called when it is pressed."""
    st.download_button(label, data, file, mime, icon=":material/download:", on_click="ignore", **more)


def forget(target: str) -> dict[str, Any]:
    """For a filter: another value lets go of the row in `target`, so that the first one kept is shown."""
    return {"on_change": st.session_state.__setitem__, "args": (target, None)}


def search(key: str, placeholder: str, **more: Any) -> str:
    """A search box whose text is in the URL."""
    text = st.text_input("Search", key=key, bind="query-params", placeholder=placeholder, **more)
    return (text or "").strip()


def choice(label: str, options: Sequence[str], key: str, **more: Any) -> str:
    """One of a few words, the first to begin with; kept in the URL."""
    chosen = st.segmented_control(
        label, options, default=options[0], key=key, bind="query-params", required=True, **more
    )
    return chosen or options[0]


def titles(table: Mapping[str, Any]) -> dict[str, str]:
    """The titles of a table's rows, by their keys."""
    return {key: row.title for key, row in table.items()}


def pick(label: str, names: Mapping[K, str], start: K | None = None, place: Any = st, **more: Any) -> K:
    """One of these keys, shown by its name; `start` to begin with where it is there, else the first."""
    keys = list(names)
    index = keys.index(start) if start in names else 0
    return place.selectbox(label, keys, index, format_func=names.get, **more)


def pick_row(label: str, rows: Iterable[R], name: Callable[[R], str], key: str, **more: Any) -> R | None:
    """One of the stored rows, kept in the URL, the first to begin with; None where there is none."""
    by_id = {row.id: row for row in rows}
    names = {row_id: name(row) for row_id, row in by_id.items()}
    return by_id[pick(label, names, key=key, bind="query-params", **more)] if by_id else None


def row_number(label: str, key: str, what: str = "an index", least: int = 0, **more: Any) -> int | None:
    """The number of a row that was clicked, typed or is in the URL; None before."""
    return st.number_input(
        label, least, None, None, key=key, bind="query-params", placeholder=f"click a row, or type {what}",
        **more,
    )  # fmt: skip
