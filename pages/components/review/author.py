"""Whose decisions these are.

Where `.streamlit/secrets.toml` has an `[auth]` section (docs.streamlit.io: st.login), the name is the
provider's, and nobody decides before they are logged in. Else it is typed: LAB_AUTHOR or the name of the
account to begin with, kept in the session and in the address.
"""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from streamlit.errors import StreamlitAPIException

from core import settings
from core.errors import LabError
from core.review import desk
from pages.components.text import plain


def choose_author() -> str:
    """The author's name; empty while there is none."""
    with st.sidebar:
        if "is_logged_in" in st.user:
            return _logged_in() if st.user["is_logged_in"] else _log_in()
        return st.text_input(
            "You review as",
            settings.author(),
            max_chars=desk.AUTHOR_CHARACTERS,
            key="reviewer",
            bind="query-params",
            persist_state="session",
            required=True,
            help="Your name is shown beside every decision you make. It is part of the page's address.",
        ).strip()


def _logged_in() -> str:
    """The provider's name for the user; it cannot be typed over."""
    names = (st.user.get(claim) for claim in ("name", "email", "preferred_username", "sub"))
    name = next((str(name).strip() for name in names if name), "")[: desk.AUTHOR_CHARACTERS]
    st.caption(f"You review as {plain(name)}.")
    if st.button("Log out", key="log_out", icon=":material/logout:", type="tertiary"):
        st.logout()
    return name


def _log_in() -> str:
    st.caption("Log in to decide: your name is shown beside every decision you make.")
    for provider in _providers():
        label = f"Log in with {plain(provider)}" if provider else "Log in"
        if st.button(label, key=f"log_in_{provider}", icon=":material/login:"):
            try:
                st.login(provider)
            except StreamlitAPIException as problem:
                raise LabError(
                    f"Nobody can log in yet ({' '.join(str(problem).split())[:200]}): complete [auth] in "
                    ".streamlit/secrets.toml, as the README shows it."
                ) from None
    return ""


def _providers() -> list[str | None]:
    """The names of the providers in [auth]; None is the one without a name."""
    auth = st.secrets.get("auth", {})
    return [name for name, value in auth.items() if isinstance(value, Mapping)] or [None]
