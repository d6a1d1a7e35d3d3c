"""Charts, drawn by plotly with the theme's colours."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
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


def bars(
    title: str,
    series: Mapping[str, tuple[Sequence[Any], Sequence[float]]],
    key: str,
    x: str = "",
    y: str = "",
    names: bool = False,
) -> None:
    """Stacked bars, {series: (positions, heights)}; `names`: positions are words, not numbers."""
    import plotly.graph_objects as go

    figure = go.Figure(
        [go.Bar(x=list(at), y=list(heights), name=name) for name, (at, heights) in series.items()]
    )
    figure.update_layout(
        title=title, barmode="stack", showlegend=len(series) > 1, xaxis_title=x, yaxis_title=y
    )
    figure.update_xaxes(type="category" if names else "linear")
    show(figure, key)
