"""Calculations in words: found, recomputed, and passed over where they are part of a longer one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.quality.arithmetic import number_text
from core.quality.checks import Rationale, problems
from core.quality.worded import moves, statements, worded

# What is stated, and what it comes to.
WRONG = {
    "half of 10 is 6": "5",
    "Half of the 12 cookies is 7 cookies.": "6",
    "twice 5 is 11": "10",
    "11 is twice 5": "10",
    "the sum of 5 and 3 is 9": "8",
    "The sum of 12, 5 and 3 is 21": "20",
    "adding 5 to 3 gives 9": "8",
    "if you add 5 and 3, you get 9": "8",
    "five plus three is nine": "8",
    "three hundred plus fifty is 360": "350",
    "subtracting 3 from 10 leaves 6": "7",
    "taking 3 away from 10 leaves 6": "7",
    "3 less than 10 is 8": "7",
    "the difference between 9 and 4 is 6": "5",
    "the product of 6 and 7 is 43": "42",
    "Dividing 24 by 6 gives us 5": "4",
    "So 20% of fifty is 12.": "10",
    "two thirds of 12 is 9": "8",
    "a quarter of 12 is 4": "3",
    "the average of 4 and 8 is 7": "6",
    "5 squared is 26": "25",
    "5 dozen = 50": "60",
    "5 dozen eggs is 50 eggs": "60",
    "100 cents = 2 dollars": "1",
    "100 cents = $2": "1",
    "an hour has 50 minutes": "60",
    "There are 50 minutes in an hour": "60",
    "2 hours is 110 minutes": "120",
    "1 hour and 30 minutes is 100 minutes": "90",
    "3 feet is 35 inches": "36",
    "1 week = 8 days": "7",
}
RIGHT = [
    "half of 10 is 5",
    "Half of 15 is 7 1/2",
    "a third of 10 is 3.33",
    "five plus three is eight",
    "twenty-four divided by six equals four",
    "90 minutes is 1 hour and 30 minutes",
    "100 minutes is 1.67 hours",
    "5 dozen = 60",
    "each hour is 60 minutes",
    "The difference between 4 and 9 is 5",
]
SILENT = [
    "two plus three plus five is ten",
    "half the sum of 5 and 3 is 4",
    "twice 5 plus 3 is 13",
    "1 more than twice 5 is 11",
    "5 less than 3 times 4 is 7",
    "half of 10 is 5 more than 0",
    "subtract 5 from 7, which is 7 - 5 = 2",
    "2 plus half of 10 is 7",
    "Half of 15 is 7 and a half",
    "half of an hour is 30 minutes",
    "Half of 2 hours is 60 minutes",
    "30 + 30 = 1 hour",
    "1/20th of an hour, or 3 minutes",
    "5 dozen is 3 boxes",
    "2 dozen is $5",
    "a day has 8 working hours",
    "3 days is 2 days more than one",
    "3 more than 2 dozen is 27",
    "the sum of the 2 numbers is 9",
]


@pytest.mark.parametrize("text", WRONG)
def test_wrong(text):
    (found,) = [one for one in statements(f"We know this. So {text}") if not one.correct]
    assert number_text(found.value) == WRONG[text]
    assert set(problems(Rationale("How many?", text))) >= {"arithmetic"}


@pytest.mark.parametrize("text", RIGHT)
def test_right(text):
    assert [one.correct for one in statements(text)] == [True]


@pytest.mark.parametrize("text", SILENT)
def test_no_verdict_where_there_is_doubt(text):
    assert [one for one in statements(text) if not one.correct] == []


MOVES = {
    "10 days before 05/04/2017 is 04/25/2017": "04/24/2017",
    "One week from 9/9/1909 is 9/15/1909": "09/16/1909",
    "the day after January 31 is February 2": "02/01",
    "3/20/2020 + 176 days = 9/13/2020": "09/12/2020",
    "45 minutes after 3:30 is 4:10": "04:15",
    "2 hours after 3 pm is 6 pm": "17:00",
    "two days after Monday is Thursday": "Wednesday",
    "3 months after January is May": "April",
}
HOLDING = [
    "10 days before 05/04/2017 is 04/24/2017",
    "a month before March 31 is February 28",
    "The day after February 28 is February 29.",
    "the day after February 28 is March 1",
    "2 hours after 11:30 is 1:30",
    "a week after Monday is Monday",
]


@pytest.mark.parametrize("text", MOVES)
def test_a_wrong_date_or_time(text):
    (found,) = moves(f"So {text}.")
    assert not found.correct and found.comes_to == MOVES[text]
    (flag,) = problems(Rationale("When?", text))["dates"]
    assert MOVES[text] in flag.message


@pytest.mark.parametrize("text", HOLDING)
def test_a_right_date_or_time(text):
    assert [one.correct for one in moves(text)] == [True]


@given(a=st.integers(0, 9999), b=st.integers(1, 9999), off=st.integers(1, 99))
def test_every_sum_in_words(a, b, off):
    for said, value in ((f"the sum of {a} and {b}", a + b), (f"multiplying {a:,} by {b}", a * b)):
        assert [one.correct for one in statements(f"So {said} is {value:,}.")] == [True]
        assert [one.correct for one in statements(f"So {said} is {value + off}.")] == [False]


@given(st.text(alphabet="half of twice 5 dozen/:$.,=%\n plusisand10", max_size=80))
def test_any_text_gives_spans_that_do_not_overlap(text):
    found = statements(text)
    assert all(a.end <= b.start for a, b in zip(found, found[1:], strict=False))
    assert all(0 <= one.start < one.end <= len(text) for one in found)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "text", ["half of " * 5000, "5 dozen " * 5000, "five hundred and " * 5000, "one " * 5000 + "is 2"]
)
def test_a_text_that_goes_on_and_on_is_read_without_a_stall(text):
    assert all(one.correct for one in statements(text))


@pytest.mark.parametrize(
    "text", ["The answer is " + "9" * 6000, f"half of {'9' * 6000} is 6", f"5 dozen and {'1' * 6000} = 9"]
)
def test_a_number_of_thousands_of_digits_is_left_alone(text):
    assert list(worded(text)) == []
