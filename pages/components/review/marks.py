"""Rationales as inert HTML: numbered steps, the checks' flags and the answer marked in place, word diffs."""

from __future__ import annotations

import html
from collections.abc import Sequence

import streamlit as st

from core.quality.checks import Flag
from core.quality.steps import steps
from core.review import diff
from pages.components.text import BAD, GOOD, LABEL, STYLE, visible

RIGHT = "box-shadow:inset 0 -2px rgba(64,170,120,.9)"
WRONG = f"background:{BAD}"
DOUBTFUL = "text-decoration:underline dotted 2px rgba(224,160,40,.95);text-underline-offset:3px"
ANSWER = "background:rgba(64,120,200,.25);border-radius:.2em"
CHANGES = {  # of a word diff: tag and style
    "same": ("span", ""),
    "removed": ("del", f"background:{BAD}"),
    "added": ("ins", f"background:{GOOD};text-decoration:none"),
}
SIGNS = {"right": "✓", "wrong": "✗"}
FLAG_STYLES = {"right": RIGHT, "wrong": WRONG, "doubtful": DOUBTFUL}
NUMBER = "opacity:.55;text-align:right;font-variant-numeric:tabular-nums"
GRID = "display:grid;grid-template-columns:1.6em 1fr;column-gap:.6em;row-gap:.35em"


def steps_html(text: str, flags: Sequence[Flag], answer: tuple[int, int] | None) -> str:
    """A rationale as numbered steps, its flags and its answer marked in place; nothing in it is markup."""
    rows = "".join(
        f'<div style="{NUMBER}">{number}</div><div>{_spans(text, step.start, step.end, flags, answer)}</div>'
        for number, step in enumerate(steps(text), 1)
    )
    body = f'<div style="{STYLE};{GRID}">{rows}</div>' if rows else f'<p style="{STYLE}">—</p>'
    return f'<p style="{LABEL}">Rationale</p>{body}'


def marked_html(text: str, flags: Sequence[Flag], answer: tuple[int, int] | None, head: str) -> str:
    first, last = len(text) - len(text.lstrip()), len(text.rstrip())
    return (
        f'<p style="{LABEL}">{html.escape(head)}</p>'
        f'<p style="{STYLE}">{_spans(text, first, max(first, last), flags, answer) or "—"}</p>'
    )


def _spans(text: str, start: int, end: int, flags: Sequence[Flag], answer: tuple[int, int] | None) -> str:
    """text[start:end] as inert HTML: cut wherever a mark begins or ends, each piece with all its marks."""
    marks = [(f.start, f.end, FLAG_STYLES[f.verdict], f.message, SIGNS.get(f.verdict, "")) for f in flags]
    if answer is not None:
        marks.append((*answer, ANSWER, "the answer", ""))
    edges = {start, end, *(edge for mark in marks for edge in mark[:2] if start < edge < end)}
    cuts = sorted(edges)
    out = []
    for a, b in zip(cuts, cuts[1:], strict=False):
        on = [mark for mark in marks if mark[0] <= a and mark[1] >= b]
        piece = html.escape(visible(text[a:b]))
        if on:
            title = html.escape(visible("; ".join(dict.fromkeys(mark[3] for mark in on))))
            piece = (
                f'<span title="{title}" style="{";".join(dict.fromkeys(m[2] for m in on))}">{piece}</span>'
            )
        for sign in dict.fromkeys(mark[4] for mark in on if mark[1] == b and mark[4]):
            piece += f'<b style="user-select:none;color:{_sign_colour(sign)}">{sign}</b>'
        out.append(piece)
    return "".join(out)


def _sign_colour(sign: str) -> str:
    return "rgb(64,160,112)" if sign == SIGNS["right"] else "rgb(214,96,60)"


def changes(before: str, after: str) -> None:
    """A word diff: removed struck out, added marked."""
    parts = (
        f'<{tag} style="color:inherit;{style}">{html.escape(visible(change.text))}</{tag}>'
        for change in diff.words(before, after)
        for tag, style in [CHANGES[change.kind]]
    )
    st.html(f'<p style="{STYLE}">{"".join(parts) if before != after else "nothing yet"}</p>')
