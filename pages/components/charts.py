"""Charts, drawn by plotly with the theme's colours."""

from __future__ import annotations

import html
from typing import Any

import streamlit as st

from pages.components.text import visible

LABEL_CHARACTERS = 40
MARGINS = {"l": 8, "r": 8, "t": 36, "b": 8}
LEGEND = {"orientation": "h", "x": 0, "y": -0.28, "yanchor": "top"}  # below: it never meets the title
CONFIG = {"displaylogo": False, "displayModeBar": False}


def literal(text: str) -> str:
    """Text for a chart, which reads some HTML: shortened and inert."""
    return html.escape(visible(text)[:LABEL_CHARACTERS])


def ink() -> str:
    """The colour of thin lines over bars: the page's own text colour."""
    return "#e4e8ee" if st.context.theme.type == "dark" else "#1f2933"


def show(figure: Any, key: str, height: int = 280) -> None:
    """A figure in the page's own look."""
    figure.update_layout(margin=MARGINS, height=height, legend=LEGEND)
    st.plotly_chart(figure, key=key, config=CONFIG)
