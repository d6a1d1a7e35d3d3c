"""One answer behind a marker spares the second call; what is denied, supposed, corrected or two does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.answers import KINDS, score_completion
from core.answers.asserted import asserted
from core.records import AnswerPlace, Completion, Step

# kind, what the rationale ends on, the value that is asserted
ASSERTED = [
    ("integer", "The answer is 8 + 9 = 17.", "17"),
    ("integer", "Now we add them to get our answer:\n48+16=64", "64"),
    ("integer", "The answer is 23 + 18 + 28, which equals 69.", "69"),
    ("integer", "The answer is 246 people times 4 sections, which equals 984 people.", "984"),
    ("integer", "The answer is 3 * 8 + 5 * 8 = 24 + 40 = 64 dollars.", "64"),
    ("integer", "The answer is not 12 but 15.", "15"),
    ("integer", "The answer is 12 (3 x 4 = 12).", "12"),
    ("integer", "The answer is 12 because 3 x 4 = 12 and 2 are left.", "12"),
    ("integer", "The answer is not 5. The answer is 6.", "6"),
    ("integer", "That cannot be right. So, the answer is 0.", "0"),
    ("integer", "Step 2: The answer is 21.\n\nMike bought 21 books.", "21"),
    ("integer", "**Answer:** $1,234", "1234"),
    ("decimal", "The answer is $12.50.", "12.50"),
    ("choice-E", "The answer is A because B is wrong.", "A"),
    ("choice-C", "So the answer is Alice has the ball (B)", "B"),
    ("choice-F", "The answer is (D). I hope this helps!", "D"),
    ("yes-no", "The answer is yes!", "yes"),
    ("yes-no", "Answer: No, the coin is tails up.", "no"),
    ("letters", "The answer is yajo. I hope this helps!", "yajo"),
    ("letters", "The answer is y-a-j-o.", "yajo"),
    ("letters", 'The final answer is "y-a-j-o" (without the hyphens).', "yajo"),
    ("letters", "The answer is the letters y a j o.", "yajo"),
    ("words", "The answer is Mrs. Hilt. She has it.", "Mrs. Hilt"),
    ("open", "The answer is 12 apples.", "12"),
    ("open", "The answer is Mrs. Hilt.", "Mrs. Hilt"),
]
NOT_ASSERTED = [
    ("integer", "There are 5 left."),
    ("integer", "The answer is 8 + 9 = 18."),
    ("integer", "The answer is 8 + 9."),
    ("integer", "The answer is 2 + 2."),
    ("integer", "The answer is 5 apples and 3 pears."),
    ("integer", "The answer is 5 or 6."),
    ("integer", "The answer is half of 10."),
    ("integer", "The answer is 5 dozen."),
    ("integer", "The answer is less than 5."),
    ("integer", "The answer is 3 hours and 20 minutes."),
    ("integer", "The answer is 12. Wait, I forgot one."),
    ("integer", "The answer is 12. Actually, she eats 2, so 10."),
    ("integer", "The answer is 8 hours a day. So it is 40 hours in all."),
    ("integer", "The answer is 12, not 15."),
    ("integer", "If the answer is 12, there are 3 left."),
    ("integer", "One might say that the answer is 12."),
    ("integer", "It is not clear whether the answer is 12."),
    ("integer", "Answer: how much do 8 pens cost?"),
    ("decimal", "The answer is 1/2."),  # read as 1 by Fine-tune-CoT's rules
    ("choice-E", "The answer is A or E."),
    ("choice-C", "The answer is Alice has the ball."),
    ("yes-no", "If the answer is yes, then it is heads up. So no."),
    ("yes-no", "The answer is no longer known."),
    ("yes-no", "The answer is yes and no."),
    ("letters", 'The answer is "n, y, t, n" or "n y t n".'),
    ("letters", 'The answer is the last letter of "Tom".'),
]


@pytest.mark.parametrize(("kind", "text", "value"), ASSERTED)
def test_one_value_is_asserted(kind, text, value):
    found = asserted(f"Let us see. {text}", kind)
    assert found and found.value == value


@pytest.mark.parametrize(("kind", "text"), NOT_ASSERTED)
def test_a_second_call_has_to_ask(kind, text):
    assert asserted(f"Let us see. {text}", kind) is None


def test_robust_rules_read_a_fraction():
    assert asserted("The answer is 1/2.", "decimal", "robust").value == "0.5"


def test_a_completion_is_scored_by_what_it_asserts():
    text = "So it is done. The answer is y-a-j-o. I hope this helps!"
    made = Completion(0, 0, text, (Step("rationale", "Q", text),), AnswerPlace("asserted"))
    found = score_completion(made, "yajo", kind="letters")
    assert (found.value, found.correct, text[found.start : found.end]) == ("yajo", True, "y-a-j-o")
    assert score_completion(made, "3", kind="integer").value is None


parts = st.sampled_from(
    ["The answer is", "answer:", " 5", "12", " + 3 = 8", "=", "not", "but", "(B)", "yes", "no", '"la"', ".",
     "\n", "Wait", "so", "1/0", "9" * 400, "y-a-j-o", " ", "half", "if"]
)  # fmt: skip


@given(st.lists(parts, max_size=12), st.sampled_from([*KINDS]), st.sampled_from(["robust", "fine-tune-cot"]))
def test_a_span_is_of_the_text(pieces, kind, rules):
    text = " ".join(pieces)
    found = asserted(text, kind, rules)
    assert found is None or (found.value and 0 <= found.start < found.end <= len(text))


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "text",
    ["answer is " * 20_000, "The answer is " + "1 + " * 20_000 + "1", "The answer is not " + "a " * 50_000],
)
def test_a_hostile_text_is_read_without_a_stall(text):
    assert asserted(text, "integer") is None


def test_on_every_recording_it_is_right_as_often_as_the_second_call(recorded, lab_home):
    """Among the answers that it spares, per recording and under either rules."""
    from benchmarks.answers import measured

    results = measured(recorded)
    assert len(results) >= 14 and sum(row.spared for row in results) > 1000
    for row in results:
        assert row.spared_right >= row.asked_right, row
