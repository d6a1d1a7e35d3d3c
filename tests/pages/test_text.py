"""Text from models and files is shown as text: nothing in it is markup, nothing in it is hidden."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from pages.components import charts
from pages.components.text import count, plain, seconds, visible
from pages.components.training import token_html

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</mark></p><h1>big</h1>",
    "[link](http://example.org) ![i](http://example.org/x.png)",
    "# heading\n> quote\n- list\n\n    code",
    "$x^2$ and $$\\frac{1}{2}$$",
    ":red[colour] :material/home: :smile:",
    "\x1b[31mred\x1b[0m\x00\x07\x08",
    "a\u202eevil\u2066",
    "&lt;b&gt; &amp;",
    "**bold** _it_ `code` ~~no~~ www.example.org",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_control_characters_become_visible_and_nothing_is_lost(text: str):
    shown = visible(text)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)
    assert [c for c in shown if c in text] == [c for c in text if c in shown]


def test_a_control_character_has_its_sign():
    assert visible("\x1b[31m") == "␛[31m"
    assert visible("\u202e") == "⟨U+202E⟩"
    assert visible("a\r\nb\tc") == "a\nb\tc"


@given(st.text())
def test_plain_escapes_all_punctuation_and_keeps_the_words(text: str):
    shown = plain(text)
    assert "\n" not in shown
    assert re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", shown) == " ".join(visible(text).split())
    assert not re.search(r"(?<!\\)(?:\\\\)*[<*_`$\[:]", shown)


def _show(text: str, start: int | None, end: int | None) -> None:
    from pages.components.text import passage

    passage(text, (start, end))


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("span", [(None, None), (2, 7)])
def test_a_passage_holds_no_tag_of_the_text(text: str, span: tuple[int | None, int | None]):
    app = AppTest.from_function(_show, args=(text, *span)).run()
    body = app.get("html")[0].proto.body
    tags = re.findall(r"<[^>]+>", body)
    assert all(re.match(r"</?(p|mark)\b", tag) for tag in tags)
    written = html.unescape(re.sub(r"<[^>]+>", "", body)).replace("\u200b", "")
    assert written == visible(text).strip()


def test_the_matched_span_is_marked():
    app = AppTest.from_function(_show, args=("the answer is <b>43</b>.", 17, 19)).run()
    body = app.get("html")[0].proto.body
    assert re.search(r"<mark[^>]*>43</mark>", body)
    assert "&lt;b&gt;" in body


def test_tokens_and_chart_labels_are_inert():
    shown = token_html([{"text": "<b>\n", "trained": True, "padding": False}])
    assert "&lt;b&gt;⏎" in shown
    assert charts.literal("<a href='http://example.org'>x</a>").count("<") == 0


def test_figures_for_people():
    assert (count(1, "question"), count(1024, "row")) == ("1 question", "1,024 rows")
    assert [seconds(v) for v in (None, 8.2, 185, 7800)] == ["—", "8 s", "3 min 05 s", "2 h 10 min"]
