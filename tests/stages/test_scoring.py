"""Where a stored answer stands: in the rationale, at its end, or in a second call's text."""

from __future__ import annotations

import pytest

from core.records import AnswerPlace, Completion, Step
from core.stages.scoring import Scorer, answer_span, edit, rationale_step
from core.store.models import Completion as Stored

OWN = Scorer("decimal", "fine-tune-cot", {0: "7"})
SAID = "3 + 4 = 7. The answer is 7."


@pytest.mark.parametrize(
    ("texts", "place", "marked"),
    [
        ((SAID,), AnswerPlace(prefix="The answer is"), (SAID[:25], "7", ".")),  # one call, behind its prefix
        ((SAID,), AnswerPlace(after=24), (SAID[:25], "7", ".")),  # adaptive: behind the marker that it says
        (("3 + 4 = 7.", " 7."), AnswerPlace(step=1), (" ", "7", ".")),  # two calls
        (("7.", "7."), AnswerPlace(step=1), ("", "7", ".")),  # two calls that say the same
        (("3 + 4 = 7.", "8"), AnswerPlace(step=1), ("", "8", "")),
        (("No idea.",), AnswerPlace(), None),
    ],
)
def test_the_answer_is_marked_in_the_step_that_said_it(texts, place, marked):
    steps = tuple(Step(f"step {n}", "Q", text) for n, text in enumerate(texts))
    verdict = OWN.completion(Completion(0, 0, texts[0], steps, place))
    stored = Stored(answer_step=verdict.step, span_start=verdict.start, span_end=verdict.end)
    found = {n: span for n in range(len(texts)) if (span := answer_span(stored, n)) is not None}
    assert set(found) == ({place.step} if marked else set()), "in one step at most"
    if marked:
        (start, end), text = found[place.step], texts[place.step]
        assert (text[:start], text[start:end], text[end:]) == marked


def test_an_edit_is_of_the_step_that_wrote_the_rationale():
    """Of several steps (a plan, then its solution) the one whose text is the rationale."""
    steps = (Step("plan", "P", "First add.", role="delegate"), Step("solution", "Q", "It is 8."))
    written = Completion(0, 0, "It is 8.", steps, AnswerPlace(step=1))
    assert rationale_step(written) == 1
    edited = edit(written, "It is 7.")
    assert [step.text for step in edited.steps] == ["First add.", "It is 7."]
    assert OWN.completion(edited).correct and not OWN.completion(written).correct
