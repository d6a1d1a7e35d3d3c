"""What a person would read as the answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.answers import score
from core.answers.robust import boxed, numbers
from core.errors import LabError

RIGHT = [
    ("integer", "$29.00", "29"),
    ("integer", "7.0", "7"),
    ("integer", "29 dollars", "29"),
    ("integer", "29kg", "29"),
    ("integer", " It is 1,234 km.", "1234"),
    ("integer", "1{,}234", "1,234"),
    ("integer", r"\boxed{42}", "42"),
    ("integer", r"The answer is 3. No: \boxed{\text{42 apples}}", "42"),
    ("decimal", r"so \boxed{\frac{1}{2}}.", "0.5"),
    ("decimal", r"\boxed{-\dfrac{3}{4}}", "-0.75"),
    ("decimal", "1/2", "0.5"),
    ("decimal", "1 1/2 cups", "1.5"),
    ("decimal", "1½ cups", "1.5"),
    ("decimal", "½", "0.5"),
    ("decimal", ".5", "0.5"),
    ("decimal", "0.5", "1/2"),
    ("decimal", "2 / 4 = 0.5 litres", "0.5"),
    ("integer", "50%", "50"),
    ("decimal", "50 percent", "0.5"),
    ("integer", "−3", "-3"),
    ("integer", "-$5", "-5"),
    ("integer", "$-5", "-5"),
    ("integer", "70-27", "70"),
    ("integer", " $1.5 million", "1500000"),
    ("integer", "２９", "29"),
    ("integer", " 16 - 3 - 4 = <<16-3-4=9>>9 eggs", "9"),
    ("integer", " $11.08 + $14.33 = $25.41. She had $30.", "25.41"),
    ("integer", "The answer is 5. Wait, 3 is left, so the answer is 7 apples.", "7"),
    ("integer", "**Answer:** 42", "42"),
    ("integer", "The answer (arabic numerals) is 42.", "42"),
    ("integer", "He had 12. #### 18", "18"),
    ("integer", "a --> 3 --> 4", "4"),
    ("integer", "The answer is:\n\n42", "42"),
    ("integer", "6 pens and mp3 players", "6"),
    ("choice-E", "(B)", "B"),
    ("choice-E", "B.", "B"),
    ("choice-E", "[b]", "B"),
    ("choice-E", "**B**", "B"),
    ("choice-E", "b", "B"),
    ("choice-E", r"\boxed{\text{(B)}}", "B"),
    ("choice-E", "A is wrong, so option B", "B"),
    ("choice-C", " Alice has the red ball (C).", "C"),
    ("choice-F", "Date is 05/01, answer A", "A"),
    ("yes-no", "Yes!", "Yes"),
    ("yes-no", "(yes)", "Yes"),
    ("yes-no", "**No**, it is not.", "No"),
    ("yes-no-lower", "So the answer is: NO", "no"),
    ("letters", "y-a-j-o", "yajo"),
    ("letters", ' "Yajo".', "yajo"),
    ("letters", "the letters y a j o", "yajo"),
    ("letters", " yajo END", "yajo"),
    ("letters", " “méyl”.", "méyl"),
    ("open", "The answer is Mrs. Hilt.", "Mrs. Hilt"),
    ("open", " The ratio is 5:6.", "5:6"),
    ("open", "9.0 (apples)", "9"),
    ("choice-E", "A or E", "A"),
    ("choice-E", "The answer is A because it fits", "A"),
    ("choice-E", "D. P(A AND B) = 0.3", "D"),
    ("choice-E", "D--exhaustion", "D"),
    ("choice-E", "B - Tropical rainforest", "B"),
    ("choice-E", "A-frame house (C)", "C"),
    ("integer", "25%. The answer (as a fraction) is 1/4", "25"),
    ("integer", "1,00,000 rupees", "100000"),
    ("integer", "Answer: 10 packs\nStep 2: 10 * 4 = 40\nStep 3: 40 + 2 = 42", "42"),
]
WRONG = [
    ("choice-E", "None of the Above", "A"),
    ("choice-E", "A cat", "A"),
    ("integer", "mp3", "3"),
    ("integer", "1/0", "0.5"),
    ("yes-no", "Nobody knows, yesterday", "no"),
    ("integer", "1e999999999", "1"),
]


@pytest.mark.parametrize(("kind", "text", "gold"), RIGHT)
def test_right(kind, text, gold):
    found = score(text, gold, kind=kind, rules="robust")
    assert found.correct, found
    assert text[found.start : found.end]


@pytest.mark.parametrize(("kind", "text", "gold"), WRONG)
def test_wrong(kind, text, gold):
    assert not score(text, gold, kind=kind, rules="robust").correct


def test_a_whole_rationale_is_read_from_its_end():
    text = "He has 5 pens. He buys 3 more. 5 + 3 = 8 pens in all."
    assert score(text, "8", kind="integer", rules="robust", prefix="The answer is").correct
    assert not score(text, "8", kind="integer", rules="robust").correct, "an answer text starts with it"


def test_a_marker_within_the_work_is_none():
    text = "Step 1: divide.\nAnswer: 10 packs\nStep 2: 10 * 4 = 40\nHe pays 40 + 2 = 42."
    assert score(text, "42", kind="integer", rules="robust", prefix="####").correct
    assert score(text + "\n#### 43", "43", kind="integer", rules="robust", prefix="####").correct
    said = "He pays 40 + 2 = 42.\nAnswer: 42 dollars\n\nIn 10 packs there are 60."
    assert score(said, "42", kind="integer", rules="robust", prefix="####").correct


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (" August 20th, which is 08/20/2020.", "C"),
        (" 08/20/2020 or 08/21/2020", None),
        (" (A) 08/20/2020", "A"),
        (" August", None),
    ],
)
def test_a_choice_may_be_named_by_its_text(text, value):
    asked = "Which choice is true? Answer choices: (A) 08/22/2020, (B) 08/21/2020, (C) 08/20/2020.\nA: Well."
    assert score(text, "C", kind="choice-C", rules="robust", asked=asked).value == value


def test_nine_of_ten_verdicts_that_change_are_right(recorded, lab_home):
    """On every recording, but that a capital letter may be right by chance: "August" as A."""
    from benchmarks.answers import measured

    results = measured(recorded)
    assert sum(row.robust_right for row in results) >= 0.95 * sum(row.changed for row in results)
    for row in results:
        assert row.robust_right >= 0.9 * row.changed or row.changed - row.robust_right <= 1, row.name


def test_a_question_after_a_marker_is_no_answer():
    text = "**Answer:** How much will 8 pens cost?\n8 x $1.50 = $12.00"
    assert score(text, "12", kind="integer", rules="robust", prefix="####").correct


def test_the_span_is_what_a_page_highlights():
    text = "So she pays $1,234.50 in all."
    found = score(text, "1234.5", kind="decimal", rules="robust")
    assert text[found.start : found.end] == "$1,234.50"


def test_boxed_braces_nest_and_an_open_one_is_none():
    text = r"\boxed{1} then \boxed{a_{n}+\frac{1}{2}}"
    assert text[slice(*boxed(text))] == r"a_{n}+\frac{1}{2}"
    assert boxed(r"\boxed{1") is None


@given(n=st.integers(-(10**12), 10**12))
def test_every_way_to_write_a_whole_number(n):
    for text in (str(n), f"{n:,}", f"{n}.0", f"{n:,}.00 dollars", f"\\boxed{{{n}}}"):
        assert score(text, str(n), kind="integer", rules="robust").correct, text


@given(a=st.integers(1, 999), b=st.integers(1, 999))
def test_a_fraction_is_its_value(a, b):
    assert score(f"{a}/{b}", repr(a / b), kind="decimal", rules="robust").correct


@given(text=st.text(max_size=200))
def test_numbers_are_in_order_and_in_the_text(text):
    spans = [(f.start, f.end) for f in numbers(text)]
    assert spans == sorted(spans) and all(0 <= a < b <= len(text) for a, b in spans)


HUGE = [
    "9" * 5000 + "/" + "7" * 5000,
    "\\frac{1}{" + "7" * 5000 + "}",
    "9" * 399,
    "1e399",
    "9" * 295 + " trillion",
]


@pytest.mark.parametrize("number", HUGE, ids=range(len(HUGE)))
def test_a_number_that_no_float_holds_is_no_answer(number):
    found = score(f"The answer is {number}.", "7", kind="integer", rules="robust")
    assert found.value is None and not found.correct
    assert not score("The answer is 7.", number, kind="integer", rules="robust").correct
    with pytest.raises(LabError, match="is not a number"):
        score("The answer is 7.", number, kind="decimal", rules="fine-tune-cot")


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("text", "one", "letter_a"),
    [
        ("1" * 20000, False, False),
        ("1,111" * 5000, False, False),
        ("1 " * 10000, True, False),
        ("\\boxed{" * 3000, False, False),
        ("- " * 10000, False, False),
        ('"a ' * 3000, False, True),
        ("answer is x " * 50_000, False, False),
    ],
    ids=range(7),
)
def test_a_hostile_text_is_read_without_a_stall(text, one, letter_a):
    assert score(text, "1", kind="integer", rules="robust", prefix="####").correct is one
    assert score(text, "a", kind="letters", rules="robust", prefix="####").correct is letter_a
