"""Where a stored answer stands: in the rationale, at its end, or in a second call's text."""

from __future__ import annotations

import pytest

from core.stages.scoring import answer_place
from core.store.models import Completion


@pytest.mark.parametrize(
    ("rationale", "answer_prompt", "answer_text", "span", "marked", "second"),
    [
        ("3 + 4 = 7. The answer is 7.", "", "", (25, 26), "7", ""),  # one call, read after its prefix
        ("3 + 4 = 7. The answer is 7.", "", " 7.", (1, 2), "7", ""),  # adaptive: its own end
        ("3 + 4 = 7.", "… Therefore, the answer is", " 7.", (1, 2), None, " 7."),  # two calls
        ("7.", "… Therefore, the answer is", "7.", (0, 1), None, "7."),  # two calls that say the same
        ("3 + 4 = 7.", "", "8", (0, 1), None, "8"),  # recorded without the second prompt
        ("No idea.", "", "", (None, None), None, ""),
    ],
)
def test_the_answer_is_marked_where_it_was_said(rationale, answer_prompt, answer_text, span, marked, second):
    stored = Completion(
        rationale=rationale, answer_prompt=answer_prompt, answer_text=answer_text,
        span_start=span[0], span_end=span[1],
    )  # fmt: skip
    place, said = answer_place(stored)
    assert said == second
    assert (rationale[slice(*place)] if place else None) == marked
