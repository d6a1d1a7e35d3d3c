"""Text from models, files and users, shown as text.

visible("a\\x1b[31mb")          "a␛[31mb"     control characters become signs one can see
plain("*[x](http://y)*")        "\\*\\[x…"     for labels, which Streamlit reads as Markdown
passage(text, span=(4, 6))      the text on the page, its span marked; markup inside it stays inert
"""

from __future__ import annotations

import html
import re
import unicodedata

import streamlit as st

Span = tuple[int | None, int | None]  # start and end of a match; None where there is none

EXCERPT = 200  # characters
MARK = "color:inherit;padding:0 .15em;border-radius:.2em;background:"
GOOD, BAD = "rgba(64,170,120,.3)", "rgba(224,110,70,.32)"  # the same on a light and on a dark page
STYLE = "white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.55;margin:0;unicode-bidi:isolate"
LABEL = "font-size:.85em;opacity:.65;margin:0 0 .15rem"


def visible(text: str) -> str:
    """The text with every control, bidirectional and surrogate character made visible; lines stay."""
    text = text.replace("\r\n", "\n")
    return "".join(_sign(c) if _hidden(c) else c for c in text)


def _hidden(character: str) -> bool:
    return character not in "\n\t" and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")


def _sign(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)  # Unicode's control pictures
    return "␡" if code == 0x7F else f"⟨U+{code:04X}⟩"


def plain(text: object, limit: int | None = None) -> str:
    """The text for a place that reads Markdown (labels, errors, badges): one line, nothing is markup."""
    line = " ".join(visible(str(text)).split())
    if limit is not None and len(line) > limit:
        line = line[: limit - 1].rstrip() + "…"
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", line)


def passage(text: str, span: Span | None = None, good: bool = True, label: str = "") -> None:
    """The text as written, wrapped, with `span` of it marked; blanks around it are left out."""
    skipped = len(text) - len(text.lstrip())
    start, end = (i if i is not None else len(text) for i in span or (None, None))
    parts = text[skipped:start], text[max(start, skipped) : end], text[end:].rstrip()
    before, matched, after = (html.escape(visible(part)) for part in parts)
    marked = f'<mark style="{MARK}{GOOD if good else BAD}">{matched}</mark>' if matched else ""
    head = f'<p style="{LABEL}">{html.escape(label)}</p>' if label else ""
    st.html(f'{head}<p style="{STYLE}">{before}{marked}{after or "&#8203;"}</p>')


def labelled(label: str, text: str, span: Span | None = None, good: bool = True) -> None:
    """A passage under a small heading; an em dash where there is none."""
    passage(text or "—", span if text else None, good, label)


def labelled_pair(left: tuple[str, str], right: tuple[str, str]) -> None:
    """Two labelled texts beside each other."""
    for column, (label, text) in zip(st.columns(2), (left, right), strict=True):
        with column:
            labelled(label, text)


def excerpt(text: str) -> str:
    """The beginning of a text on one line, for a cell of a table."""
    return visible(" ".join(text[:EXCERPT].split()))


def count(n: int | None, noun: str) -> str:
    """ "1 question", "1,024 questions"."""
    return f"{n or 0:,} {noun}{'' if n == 1 else 's'}"


def percent(value: float | None) -> str:
    return "—" if value is None else f"{100 * value:.1f} %"


def seconds(value: float | None) -> str:
    """A duration for people: "8 s", "3 min 05 s", "2 h 10 min"."""
    if value is None:
        return "—"
    total = max(0, round(value))
    if total < 60:
        return f"{total} s"
    if total < 3600:
        return f"{total // 60} min {total % 60:02d} s"
    return f"{total // 3600} h {total % 3600 // 60:02d} min"
