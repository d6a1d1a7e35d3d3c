"""Long lists: a page of them at a time, and tables in which a click chooses a row."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import streamlit as st

from core.records import content_hash

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


def clickable(rows: Sequence[dict[str, Any]], ids: Sequence[Hashable], target: str, **options: Any) -> None:
    """A table; a click on a row puts its id into the widget or variable `target`."""
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
        height="content",
        **options,
    )


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
