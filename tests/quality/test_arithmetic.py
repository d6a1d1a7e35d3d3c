"""The equations of a text: found, worked out exactly, and silent where they cannot be read."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.quality.arithmetic import Equation, equations, number_text


def verdicts(text: str) -> list[tuple[str, bool]]:
    return [(text[e.start : e.end], e.correct) for e in equations(text)]


RIGHT = [
    "74 - 35 = 39",
    "$12.50 x 12 = $150",
    "20% of 50 = 10",
    "50 * 20% = 10",
    "$50 - 20% = $40",
    "100% - 20% = 80%",
    "40/50 * 100% = 80%",
    "3/4 = 75%",
    "5 apples + 3 apples = 8 apples",
    "1,024 ÷ 2 = 512",
    "250 x 12 = 3 000 grams",
    "1/12 + 2/3 = 3/4 of a mile",
    "3 1/2 + 1/2 = 4",
    "12 x 1 and 1/4 = 15",
    "½ of 10 = 5",
    "12 - 1/4th of 12 = 9",
    "6 ÷ 1/2 = 12",
    "5 − 8 = -3",
    "3 - 5 = -$2",
    "-5 + 3 = -2",
    "2(3+4) = 14",
    "(11 + 42) - 6 = 47",
    "2^3 = 8",
    "3**2 = 9",
    "4² = 16",
    "10 / 3 = 3.33",
    "2/3 = 0.66",
    "20 / 3 = 6 remainder 2",
    "100 / 3 ≈ 33",
    "7 multiplied by $2, which equals $14",
    "80 divided by 8 equals 10",
    "45 + 45 + 45, which is equal to 135",
    "10 x 3 is 30",
    "$1150/week * 50 weeks/year = $57,500",
    "7 lemons * $1.5/lemon = $10.5",
    "5 (apples) + 3 (oranges) = 8",
    "8 tickets / 4 tickets per candy = 2 candies",
    r"\( 5 \times 3 = 15 \)",
    r"\frac{1}{2} + \frac{1}{2} = \boxed{1}",
    "**5** + **3** = **8**",
    "- 5 + 3 = 8",
    "0.1 + 0.2 = 0.30000000000000004",
    "3/3 - 2/3 = 1/3 of $150",
    "27 x 0.33 = 9",
    "60 x 0.083 = 5",
    "6.67/10 * 9 = 6",
    "8 ＋ 2 ＝ 10",
    "€5 + €7.50 = €12.50",
    "£1,200 - £350 = £850",
    ".5 + .25 = .75",
    "3x4=12",
    r"\dfrac{10}{4} = 2.5",
    r"$5 \times 3 = 15$",
    "-3 * -4 = 12",
    "10 = 4 + 6",
    "60 mph * 2 hours = 120 miles",
    r"3{,}000 + 500 = 3{,}500",
    r"100\,000 / 4 = 25\,000",
    "1\u00a0000 + 500 = 1\u202f500",
    "2'000 + 500 = 2’500",
    "6 ∗ 7 = 42",
    "1/3 = 33%",
    "2/3 = 66.7%",
]
# Each with where it is marked: what stands around an equation is left out.
PLACED = {
    "So she pays **4 + 6 = 11** dollars": "4 + 6 = 11",
    "1. 4 + 6 = 11": "4 + 6 = 11",
    "3 apples + 4 apples = 8 apples": "3 apples + 4 apples = 8",
    r"\[ 3 + 4 = 8 \]": "3 + 4 = 8",
    r"Thus $$12 \div 4 = 4$$": r"12 \div 4 = 4",
    "Let x = 20 - 4 = 15": "20 - 4 = 15",
    "It is 3 * $4 = $12 and 2 * $5 = $11": "2 * $5 = $11",
    "2 + 3 = 5 + 4 = 10": "= 10",
    "-3 × (-4) = -12": "-3 × (-4) = -12",
    "1 1/2 * 2 = 4": "1 1/2 * 2 = 4",
    "5 plus 3 is 9": "5 plus 3 is 9",
    "10 / 3 = 3.4": "10 / 3 = 3.4",
    "12,500 + 7,500 = 19,000": "12,500 + 7,500 = 19,000",
}
WRONG = {
    "1/12 + 2/3 = 5/6": "0.75",
    "each package would have 40 ÷ 7 = 5 markers": "about 5.714",
    "5 − 3 = 3": "2",
    "$4200+$3000 = $8600": "7,200",
    "35 minutes - 40 minutes = 5 minutes": "-5",
    "20% of 50 = 12": "10",
    "10 x 1,248 = 11,480": "12,480",
    "10 / 3 = 3.34": "about 3.333",
    "6 times $60, which equals $350": "360",
    "2 × 3 = 7 apples": "6",
    "0.01 + 1.99 = 3": "2",
    "$12.50 x 12 = $151": "150",
    r"3{,}000 + 500 = 3{,}600": "3,500",
    "1/3 = 34%": "about 0.333",
    "15/40 = 33.5%": "0.375",
}
SILENT = [
    "2x + 3 = 7",
    "4s + 16 = 2s + 32",
    "8417 + 9092 + C = 23786",
    "C = 23786 - (8417 + 9092)",
    "sqrt(4) + 2 = 9",
    "2 hours + 30 minutes = 150 minutes",
    "4 x 50 cents = $2",
    "The day before 12/31/1899 is 12/30/1899.",
    "2/3 is 4 less than 5",
    "5:30 + 2 = 7:30",
    "1 + 2 + ... + 10 = 55",
    "Step 3 - 5 + 2 = 7",
    "x = 5",
    "16 students drank 2 quarts = 16 * 2 quarts",
    "5! = 120",
    "So 5 + 3 =\n\n2. Next, add",
    "1.000,50 + 2 = 1.002,50",
    "x 4 = 12",
    "5 kg + 300 g = 5.3 kg",
    "1.234,50 + 1 = 1.235,50",
    "1 hour and 30 minutes + 45 minutes = 135 minutes",
    "5 feet 3 inches + 2 = 65",
    "",
]


@pytest.mark.parametrize("text", RIGHT)
def test_right(text):
    assert [ok for _, ok in verdicts(text)] == [True]


@pytest.mark.parametrize("text", WRONG)
def test_wrong(text):
    (found,) = equations(text)
    assert not found.correct
    assert number_text(found.value) == WRONG[text]


@pytest.mark.parametrize("text", PLACED)
def test_a_wrong_equation_is_marked_where_it_stands(text):
    assert [shown for shown, ok in verdicts(text) if not ok] == [PLACED[text]]


@pytest.mark.parametrize("text", SILENT)
def test_no_verdict_where_there_is_doubt(text):
    assert [x for x in verdicts(text) if not x[1]] == []


def test_chains_are_judged_link_by_link():
    text = "So 3*8+5*8=24+40=64 dollars, and 14 * 1/2 = 14 / 2 = 8."
    assert verdicts(text) == [
        ("3*8+5*8=24+40", True),
        ("=64", True),
        ("14 * 1/2 = 14 / 2", True),
        ("= 8", False),
    ]
    assert verdicts("5 + 3 = 8 * 2 = 16") == [("5 + 3 = 8 * 2", True), ("= 16", True)]


def test_an_annotation_is_said_once_and_wins_when_it_is_wrong():
    """GSM8K writes each calculation twice: in the text and between << and >>."""
    assert len(equations("Natalia sold 48/2 = <<48/2=24>>24 clips in May.")) == 1
    text = "48/2 = <<48/2=25>>24"
    assert verdicts(text) == [("48/2=25", False)]


def test_division_by_zero_is_wrong_and_has_no_value():
    (found,) = equations("5 / 0 = 0")
    assert found.value is None and not found.correct


def test_the_parts_of_an_equation():
    text = "That is $1,000 × 2 = $2,000 in all."
    assert equations(text) == [
        Equation(9, 27, "1,000 × 2", "2,000", Fraction(2000), Fraction(2000), True, "1000*2=2000")
    ]


ODD = [  # text, how many equations are in it
    ("(" * 5000 + "1", 0),
    ("1+" * 5000 + "1 = 2", 1),
    ("9^9^9^9 = 1", 0),
    ("9" * 5000 + " + 1 = 2", 0),
    ("1 = " * 5000, 0),
    ("5 apples " * 5000, 0),
    ("* " * 5000, 0),
    ("<<" * 5000, 0),
    ("<<1+1=2" * 2000, 2000),
    ("1 " + "-" * 2000 + "1 = 2", 0),
    ("2^" * 2000 + "1 = 2", 0),
    ("1^1" * 2000 + " = 2", 0),
    ("=" * 300_000, 0),
    ("9*" * 100_000 + "9 = 3", 0),
    ("((1)" * 100_000, 0),
]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("text", "n"), ODD, ids=range(len(ODD)))
def test_odd_text_gives_only_the_equations_in_it(text, n):
    assert len(equations(text)) == n


@given(st.text(max_size=200))
def test_any_text_gives_spans_that_do_not_overlap(text):
    found = equations(text)
    assert all(0 <= e.start < e.end <= len(text) for e in found)
    assert all(a.end <= b.start for a, b in zip(found, found[1:], strict=False))


# Random expressions with their value worked out on the side, in fractions.
NUMBERS = st.one_of(
    st.integers(0, 10_000).map(lambda n: (f"{n:,}", Fraction(n))),
    st.integers(1, 9_999).map(lambda n: (f"{n / 100:.2f}", Fraction(n, 100))),
    st.integers(1, 500).map(lambda n: (f"${n}", Fraction(n))),
    st.tuples(st.integers(1, 99), st.sampled_from(["apples", "pieces of candy", "miles"])).map(
        lambda x: (f"{x[0]} {x[1]}", Fraction(x[0]))
    ),
)
SIGNS = {
    "+": ["+", " + ", " plus "],
    "-": ["-", " - ", " − ", " minus "],
    "*": ["*", " * ", " × ", " x ", " times ", r" \times "],
    "/": [" / ", " ÷ ", " divided by "],
}


def combined(parts):
    (a, x, whole_a), (b, y, whole_b), (sign, shown) = parts
    a, b = a if whole_a else f"({a})", b if whole_b else f"({b})"
    value = {"+": x + y, "-": x - y, "*": x * y, "/": x / y if y else None}[sign]
    return f"{a}{shown}{b}", value, False


OPERATIONS = st.sampled_from([(sign, shown) for sign in SIGNS for shown in SIGNS[sign]])


def grown(smaller):
    """Two smaller expressions joined by an operator; brackets around what is not a number."""
    pairs = st.tuples(smaller, smaller, OPERATIONS).filter(lambda p: p[2][0] != "/" or p[1][1])
    return pairs.map(combined)


ATOMS = NUMBERS.map(lambda pair: (*pair, True))
EXPRESSIONS = grown(st.one_of(ATOMS, grown(ATOMS)))


def shown(value: Fraction) -> str:
    if value.denominator == 1:
        return f"{value.numerator:,}"
    return f"{float(value):.6f}".rstrip("0").rstrip(".") if 10**6 % value.denominator == 0 else str(value)


@settings(max_examples=400, deadline=None)
@given(EXPRESSIONS, st.sampled_from([" = ", "=", ", which equals "]))
def test_a_right_expression_is_never_called_wrong(expression, sign):
    text, value, _ = expression
    equation = f"So there are {text}{sign}{shown(value)} left."
    assert [e for e in equations(equation) if not e.correct] == []


@settings(max_examples=400, deadline=None)
@given(EXPRESSIONS, st.integers(1, 1000), st.sampled_from([" = ", "="]))
def test_a_wrong_result_is_always_found(expression, off, sign):
    text, value, _ = expression
    wrong = value + max(Fraction(off), abs(value) / 100)
    found = equations(f"So there are {text}{sign}{shown(wrong)} left.")
    assert [e.correct for e in found] == [False]
    assert found[0].value == value


def test_worked_solutions_of_gsm8k(recorded):
    """Each of its annotated calculations is found, and next to none called wrong (some really are)."""
    lines = (recorded / "grade-school-math" / "test.jsonl").read_text(encoding="utf-8").splitlines()
    solutions = [json.loads(line)["answer"] for line in lines]
    found = [e for solution in solutions for e in equations(solution)]
    assert len(found) >= 0.98 * sum(solution.count("<<") for solution in solutions)
    assert sum(not e.correct for e in found) <= 0.003 * len(found)
