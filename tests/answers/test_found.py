"""Where a completion's answer is: in the text of a step, behind a prefix, or the vote of several."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.answers import FINDERS, same, score_completion
from core.errors import LabError
from core.records import AnswerPlace, Completion, Score, Step

TEXTS = (
    "Plan: take 31 and 8.",
    " So 23 pieces are left. The answer is 23. Q: more?",
    "They have 23 left. --> 24",
    " nothing",
)
STEPS = tuple(Step(f"s{i}", "p", text) for i, text in enumerate(TEXTS))


def read(place: AnswerPlace, gold: str = "23", **more) -> Score:
    return score_completion(Completion(0, 0, TEXTS[0], STEPS, place), gold, **({"kind": "integer"} | more))


def vote(*steps: int, prefix: str | None = None) -> AnswerPlace:
    return AnswerPlace("vote", of=tuple(AnswerPlace(step=step, prefix=prefix) for step in steps))


def spanned(found: Score) -> str:
    return TEXTS[found.step][found.start : found.end]


def test_the_text_of_a_step_is_read() -> None:
    found = read(AnswerPlace(step=0))
    assert (found.value, found.correct, found.step, spanned(found)) == ("31", False, 0, "31")


def test_a_text_is_read_from_a_character_on_and_its_span_is_in_the_whole_text() -> None:
    after = TEXTS[1].index("The answer is") + len("The answer is")
    found = read(AnswerPlace(step=1, after=after))
    assert (found.value, found.correct, found.step) == ("23", True, 1)
    assert (found.start, spanned(found)) == (after + 1, "23")


def test_a_text_is_read_behind_its_prefix() -> None:
    found = read(AnswerPlace(step=2, prefix="-->"), "24")
    assert (found.value, found.correct, found.correct_format, spanned(found)) == ("24", True, True, "24")
    assert not read(AnswerPlace(step=1, prefix="-->")).correct_format


def test_where_there_is_no_answer_the_step_is_said_all_the_same() -> None:
    found = read(AnswerPlace(step=3))
    assert (found.value, found.correct, found.step, found.start) == (None, False, 3, None)


def test_a_completion_without_steps_has_no_answer() -> None:
    assert score_completion(Completion(0, 0, ""), "7", kind="integer") == Score(False, None)


def test_a_vote_is_the_answer_of_most() -> None:
    found = read(AnswerPlace("vote", of=(AnswerPlace(step=0), *vote(2, 1, 1).of)))
    assert (found.value, found.correct, found.note) == ("23", True, "3 of 4 agree")
    assert (found.step, spanned(found)) == (2, "23"), "shown where it was first given"


def test_of_a_tie_the_one_that_came_first() -> None:
    found = read(vote(0, 1))
    assert (found.value, found.step, found.note) == ("31", 0, "1 of 2 agree, a tie")
    found = read(vote(2, 0, prefix="-->"), "24")
    assert (found.value, found.correct, found.step) == ("24", True, 2)


def test_who_gives_no_answer_does_not_vote() -> None:
    found = read(vote(3, 3, 2))
    assert (found.value, found.note) == ("23", "1 of 3 agree")
    nobody = read(vote(3, 3))
    assert (nobody.value, nobody.correct, nobody.note) == (None, False, "none of 2 gives an answer")


def test_votes_agree_by_the_rules() -> None:
    """7 and 7.0 are two answers to Fine-tune-CoT's rules for whole numbers, and one to the robust ones."""
    steps = tuple(Step("s", "p", text) for text in ("The answer is 8.", "It is 7.", "It is 7.0."))
    made = Completion(0, 0, "", steps, vote(0, 1, 2))
    assert not same("7", "7.0", kind="integer", rules="fine-tune-cot")
    assert score_completion(made, "7", kind="integer").note == "1 of 3 agree, a tie"
    robust = score_completion(made, "7", kind="integer", rules="robust")
    assert (robust.value, robust.correct, robust.note) == ("7", True, "2 of 3 agree")


def test_votes_of_letters() -> None:
    steps = tuple(Step("s", "p", text) for text in ("So (B).", "(C) then.", "The answer is (B)."))
    found = score_completion(Completion(0, 0, "", steps, vote(0, 1, 2)), "B", kind="choice-C")
    assert (found.value, found.correct, found.note) == ("B", True, "2 of 3 agree")


def test_a_vote_of_votes() -> None:
    place = AnswerPlace("vote", of=(vote(0, 1, 1), AnswerPlace(step=0), vote(2, 3)))
    assert AnswerPlace.from_dict(json.loads(json.dumps(asdict(place)))) == place
    assert (read(place).value, read(place).note) == ("23", "2 of 3 agree")


def test_same_answers() -> None:
    assert same(None, None, kind="integer", rules="robust")
    assert not same("7", None, kind="integer", rules="robust")


def test_unknown_words_are_named() -> None:
    assert set(FINDERS) == {"text", "asserted", "vote"}
    with pytest.raises(LabError, match="rules"):
        read(AnswerPlace(), rules="strict")


texts = st.sampled_from(["It is 7.", " 7 --> 7", "so 8", "nothing", "", "--> 9 or 7", "The answer is 1,200."])
places = st.tuples(st.integers(0, 3), st.integers(0, 9), st.sampled_from([None, "-->", "The answer is"]))


@given(st.lists(texts, min_size=4, max_size=4), st.lists(places, min_size=1, max_size=5), st.booleans())
def test_a_span_points_into_its_step(written, chosen, robust) -> None:
    steps = tuple(Step("s", "p", text) for text in written)
    of = tuple(AnswerPlace("text", *one) for one in chosen)
    rules = "robust" if robust else "fine-tune-cot"
    for place in (of[0], AnswerPlace("vote", of=of)):
        found = score_completion(Completion(0, 0, "", steps, place), "7", kind="integer", rules=rules)
        if found.value is None:
            assert found.start is None and not found.correct
        elif found.start is not None:
            assert steps[found.step].text[found.start : found.end].replace(",", "").strip() == found.value
            assert any(one.step == found.step and found.start >= one.after for one in of)
