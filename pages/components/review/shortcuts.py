"""The buttons of the page, each with its key."""

from __future__ import annotations

import html
from collections.abc import Sequence

import streamlit as st

from core.review import desk
from core.review.fold import Key
from pages.components.review.cards import Card
from pages.components.review.deciding import comment, decide, turn
from pages.components.review.editing import begin, focus, under_way
from pages.components.review.queues import go, neighbour
from pages.components.review.runs import Review

HELP = {
    "A": "accept it as it is",
    "X": "reject it; in a cluster, the next nearest question takes its place",
    "E": "edit it",
    "S": "skip it for now",
    "F": "flag it for someone to look at",
    "N": "write a reason for your next decision; N again saves it as a comment",
    "U": "undo your last decision, as often as you like",
    "Y": "redo it",
    "← →": "the one before, the next one",
    "H": "this help",
    "Ctrl + Enter": "while editing: show what the edit changes",
    "Alt + S": "while editing: save",
    "Esc": "while editing: leave; what you typed is kept",
    "Shift + A, Shift + X": "settle a disagreement: keep it, reject it",
}


def keys(review: Review, card: Card | None, shown: Sequence[Key], author: str) -> None:
    """The buttons, each with its key; while an edit is under way they make room for the form's."""
    key = card.key if card else None
    if card is not None and under_way(review, card) is not None:
        return
    with st.container(horizontal=True, key="keys", gap="xsmall"):
        for kind, name, shortcut, icon in (
            ("accept", "Accept", "A", "check"),
            ("reject", "Reject", "X", "close"),
            ("skip", "Skip", "S", "redo"),
            ("flag", "Flag", "F", "flag"),
        ):
            st.button(
                name,
                key=kind,
                shortcut=shortcut,
                icon=f":material/{icon}:",
                type="primary" if kind == "accept" else "secondary",
                disabled=card is None or not author,
                on_click=decide,
                args=(review, card, kind, author, neighbour(review, shown, key, 1)),
            )
        st.button("Edit", key="edit", shortcut="E", icon=":material/edit:", disabled=card is None,
                  on_click=begin, args=(review, card))  # fmt: skip
        if card is not None and card.item.disputed:
            for name, shortcut, after in (("keep", "Shift+A", card.text), ("reject", "Shift+X", None)):
                st.button(
                    f"Settle: {name}",
                    key=f"settle_{name}",
                    shortcut=shortcut,
                    icon=":material/gavel:",
                    on_click=decide,
                    args=(review, card, "adjudicate", author, neighbour(review, shown, key, 1), after),
                )
    with st.container(horizontal=True, key="moves", gap="xsmall"):
        for name, shortcut, step in (("Previous", "Left", -1), ("Next", "Right", 1)):
            target = neighbour(review, shown, key, step)
            st.button(name, key=name, shortcut=shortcut, type="tertiary", disabled=target is None,
                      on_click=go, args=(target,))  # fmt: skip
        for name, shortcut, way in (("Undo", "U", desk.undo), ("Redo", "Y", desk.redo)):
            st.button(name, key=name, shortcut=shortcut, type="tertiary", disabled=not author,
                      on_click=turn, args=(review, way, author))  # fmt: skip
        if st.button("Keys", key="help", shortcut="H", type="tertiary", icon=":material/keyboard:"):
            help_overlay()
    if card is not None:
        _note(review, card, author)


def _note(review: Review, card: Card, author: str) -> None:
    """The reason for the next decision; alone it becomes a comment."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="note"):
        st.text_input(
            "Reason",
            key="reason",
            placeholder="why; saved with your next decision",
            label_visibility="collapsed",
        )
        st.button("Comment", key="comment", shortcut="N", type="tertiary", disabled=not author,
                  on_click=comment, args=(review, card, author))  # fmt: skip
        if st.session_state.pop("nothing_to_say", False):
            focus("reason", "input")


@st.dialog("Keys")
def help_overlay() -> None:
    """Every key of the page."""
    rows = "".join(
        f"<div><kbd>{html.escape(key)}</kbd></div><div>{html.escape(text)}</div>"
        for key, text in HELP.items()
    )
    st.html(f'<div style="display:grid;grid-template-columns:max-content 1fr;gap:.45em 1em">{rows}</div>')
    st.caption("Keys are off while you type in a field: press Tab to leave it.")
