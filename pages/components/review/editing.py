"""An edit under way: the field, its own keys, and what was typed, which stays until it is stored."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from core.review.fold import Key
from core.stages.reviewed import REVIEWED
from core.stages.scoring import scorer
from pages.components import frame
from pages.components.review.cards import Card
from pages.components.review.deciding import attempt
from pages.components.review.marks import changes
from pages.components.review.queues import go
from pages.components.review.runs import Review

EDIT_HEIGHT = 220  # pixels
# A text area takes the keys only once it has the focus, which Streamlit cannot give.
FOCUS = """<script>(() => {{
  let tries = 0;
  const timer = setInterval(() => {{
    const field = document.querySelector('.st-key-{key} {tag}');
    if (field) field.focus();
    if (field || ++tries > 200) clearInterval(timer);
  }}, 50);
}})()</script>"""


@dataclass(frozen=True, slots=True)
class Editing:
    """An edit under way: the text it began from, the last decision seen then, and what was typed so far."""

    run_id: int
    key: Key
    seen: int
    before: str
    typed: str


def under_way(review: Review, card: Card) -> Editing | None:
    """The edit of this card, if one was begun."""
    found = st.session_state.get("editing")
    this = isinstance(found, Editing) and (found.run_id, found.key) == (review.run.id, card.key)
    return found if this else None


def begin(review: Review, card: Card, typed: str | None = None) -> None:
    """Begin an edit of what the card shows; text left behind by Esc comes back."""
    kept = st.session_state.setdefault("drafts", {}).get((review.run.id, card.key, card.item.last))
    start = typed if typed is not None else kept if kept is not None else card.text
    st.session_state["editing"] = Editing(review.run.id, card.key, card.item.last, card.text, start)
    go(card.key)


def form(review: Review, card: Card, under: Editing, author: str) -> None:
    """The text, what the edit changes, and the form's own keys."""
    name = f"text_{under.run_id}_{card.key[0]}_{card.key[1]}_{under.seen}"
    if card.item.last != under.seen:
        st.warning("Someone has decided on this since you began to edit: saving shows you both versions.",
                   icon=":material/group:")  # fmt: skip
    with st.form("edit_form", border=False):
        st.text_area(
            "Text",
            _fit_for_a_field(under.typed),
            key=name,
            height=EDIT_HEIGHT,
            help="The answer comes after “The answer is”." if card.point else None,
        )
        with st.container(horizontal=True):
            st.form_submit_button("Show changes", key="show_changes", help="Ctrl + Enter",
                                  on_click=_keep_typed, args=(name, under))  # fmt: skip
            st.form_submit_button("Save", key="save", type="primary", shortcut="Alt+S", on_click=_save,
                                  args=(review, card, under, name, author))  # fmt: skip
            st.form_submit_button("Leave", key="leave", shortcut="Esc", on_click=_leave, args=(name, under))
    focus(name, "textarea")
    st.caption("What the edit changes")
    changes(under.before, under.typed)


def _fit_for_a_field(text: str) -> str:
    """Without NUL and halves of surrogate pairs, which no field holds; the word diff shows the change."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def typed_text(typed: str, before: str) -> str:
    """What was typed, with the line ends of the text it began from: a field makes them all LF."""
    return typed.replace("\n", "\r\n") if "\r\n" in before and "\r\n" not in typed else typed


def _keep_typed(name: str, under: Editing) -> None:
    typed = typed_text(st.session_state[name], under.before)
    st.session_state["editing"] = replace(under, typed=typed)


def _leave(name: str, under: Editing) -> None:
    _keep_typed(name, under)
    typed = st.session_state.pop("editing").typed
    if typed != under.before:
        st.session_state.setdefault("drafts", {})[under.run_id, under.key, under.seen] = typed


def _save(review: Review, card: Card, under: Editing, name: str, author: str) -> None:
    """Append the edit, or say why not; what was typed stays in the field until it is stored."""
    _keep_typed(name, under)
    typed = st.session_state["editing"].typed
    with frame.errors():
        REVIEWED[review.run.kind].check(review.run, scorer(review.study.id), card.question, typed)
        kind = "adjudicate" if card.item.disputed else "edit"
        attempt(under.run_id, under.key, kind, author, under.seen, under.before, typed)
        st.session_state.pop("editing", None)
        st.session_state["drafts"].pop((under.run_id, under.key, under.seen), None)


def focus(key: str, tag: str) -> None:
    """Put the cursor into a field. The script is the page's own; no text of anyone's is in it."""
    st.html(FOCUS.format(key=key, tag=tag), unsafe_allow_javascript=True)
