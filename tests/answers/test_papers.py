"""The papers' rules, case by case, defects included."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.answers import KINDS, matches, score
from core.errors import LabError

# kind, text, prefix, value found, gold answer, right
FINE_TUNE_COT = [
    ("integer", "--> 7.0", "-->", "7.0", "7", False),
    ("integer", "--> 07", "-->", "07", "7", False),
    ("decimal", "--> 7.0", "-->", "7.0", "7", True),
    ("decimal", "--> 7", "-->", "7", "7.0", True),
    ("integer", "--> 18.00", "-->", "18.00", "18", False),
    ("integer", "$1,234.", None, "1234", "1,234", True),
    ("decimal", ".5", None, "5", "5.0", True),
    ("decimal", "1/2", None, "1", "1.0", True),
    ("integer", "70-27", None, "70", "70", True),
    ("integer", "3 --> 4 --> 5", "-->", "4", "4", True),
    ("integer", "first 3, then 5", "-->", "5", "5", True),
    ("integer", "no number", None, None, "5", False),
    ("decimal", "0.3333334", None, "0.3333334", "0.3333333333333333", True),
    ("decimal", "0.33334", None, "0.33334", "0.3333333333333333", False),
    ("choice-E", "None of the Above", None, "A", "A", True),
    ("choice-F", "Date is 05/01, answer A", None, "D", "A", False),
    ("choice-C", " Alice has … (C)", None, "A", "C", False),
    ("choice-C", " (D)", None, None, "D", False),
    ("yes-no", "Yes!", None, None, "Yes", False),
    ("yes-no", "(yes)", None, None, "Yes", False),
    ("yes-no", " Yes.", None, "yes", "Yes", True),
    ("yes-no", ' "No", he said', None, "no", "No", True),
    ("yes-no-lower", " YES:", None, "yes", "yes", True),
    ("yes-no-lower", " yes.", None, "yes", "Yes", False),
    ("letters", "y-a-j-o", None, "y-a-j-o", "yajo", False),
    ("letters", "y a j o", None, "yajo", "yajo", True),
    ("letters", ' "yajo".', None, "yajo", "yajo", True),
    ("letters", "Yajo", None, "Yajo", "yajo", False),
    ("letters", "x --> yajo END", "-->", "yajoEND", "yajo", False),
]

ZERO_SHOT_COT = [
    ("integer", " 39.", None, "39", "39", True),
    ("integer", " 7.0", None, "7.0", "7", False),
    ("decimal", " 7.0", None, "7.0", "7", False),
    ("decimal", " 43.", None, "43", "43.0", True),
    ("decimal", " $1,234.50.", None, "1234.50", "1234.5", False),
    ("integer", " 2,125", None, "2125", "2,125", False),
    ("integer", "The answer is 3. No: The answer is 5 of 6.", "The answer is", "5", "5", True),
    ("integer", "3 and then 5", "The answer is", "5", "5", True),
    ("choice-E", " Among the choices, B", None, "A", "B", False),
    ("choice-F", " (D).", None, "D", "D", True),
    ("yes-no", " yes.", None, "yes", "Yes", True),
    ("letters", ' "fnel".', None, "fnel", "fnel", True),
]


@pytest.mark.parametrize(("kind", "text", "prefix", "value", "gold", "right"), FINE_TUNE_COT)
def test_fine_tune_cot(kind, text, prefix, value, gold, right):
    found = score(text, gold, kind=kind, prefix=prefix)
    assert (found.value, found.correct) == (value, right)


@pytest.mark.parametrize(("kind", "text", "prefix", "value", "gold", "right"), ZERO_SHOT_COT)
def test_zero_shot_cot(kind, text, prefix, value, gold, right):
    found = score(text, gold, kind=kind, rules="zero-shot-cot", prefix=prefix)
    assert (found.value, found.correct) == (value, right)


def test_the_minus_is_glued_to_the_second_operand():
    assert score("70-27", "-27", kind="integer").contains_answer
    assert not score("70-27", "27", kind="integer").contains_answer


def test_nothing_left_of_a_letters_text_is_still_a_candidate():
    found = score(' "." ', "yajo", kind="letters")
    assert (found.value, found.start, found.end, found.correct) == ("", 0, 0, False)


def test_contains_answer_and_correct_format():
    found = score("5 of 7", "7", kind="integer", prefix="-->")
    assert (found.correct, found.contains_answer, found.correct_format) == (True, True, False)
    found = score("9 --> 5 of 7", "7", kind="integer", prefix="-->")
    assert (found.correct, found.contains_answer, found.correct_format) == (False, True, True)
    found = score("7 --> 5", "7", kind="integer", prefix="-->")
    assert not found.contains_answer, "only what follows the prefix counts"


def test_span_is_in_the_original_text():
    text = "So it costs --> $1,234,567."
    found = score(text, "1234567", kind="integer", prefix="-->")
    assert found.correct and text[found.start : found.end] == "1,234,567"


def test_unknown_keys_and_golds_say_what_to_do():
    with pytest.raises(LabError, match="choose one of"):
        score("7", "7", kind="nothing")
    with pytest.raises(LabError, match="choose one of"):
        score("7", "7", kind="integer", rules="nothing")
    with pytest.raises(LabError, match="robust"):
        score("7", "seven", kind="decimal")


def test_no_value_never_matches():
    assert not matches(None, "", kind="letters")


def test_an_open_kind_follows_its_gold_answer():
    assert score(" 9.0 apples", "9", kind="open").correct
    assert not score(" 1/3", "1/3", kind="open").correct
    assert score(" 1/3", "1/3", kind="open", rules="robust").correct
    assert score(" Mrs. Hilt.", "Mrs. Hilt", kind="open").correct
    assert score(" 5:6.", "5:6", kind="open").correct


@pytest.mark.parametrize("rules", ["fine-tune-cot", "zero-shot-cot", "robust"])
@pytest.mark.parametrize("kind", KINDS)
@given(text=st.text(alphabet=st.sampled_from("ABCDEyesno Y-.,\"'\n$0123456789/=>%\\{}()İſ½−"), max_size=60))
def test_every_kind_reads_any_text(kind, rules, text):
    found = score(text, "1", kind=kind, rules=rules, prefix="-->")
    if found.value is None:
        assert found.start is None and found.end is None
    else:
        assert 0 <= found.start <= found.end <= len(text)
        if rules != "robust" and found.value:
            kept = re.sub(r"[\s\"'.:,]", "", text[found.start : found.end]).lower()
            assert re.sub(r"[\s\"'.:,]", "", found.value).lower() == kept
