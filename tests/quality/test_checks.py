"""Each check on a rationale that has its error, and on one that has not."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from benchmarks import quality as benchmark
from core.quality.checks import CHECKS, Rationale, problems, review
from core.quality.steps import numbers, steps
from core.records import Exemplar

# MultiArith's first question, with text-davinci-002's rationale.
QUESTION = (
    "For Halloween Debby and her sister combined the candy they received. Debby had 32 pieces of candy while "
    "her sister had 42. If they ate 35 pieces the first night, how many pieces do they have left?"
)
RATIONALE = (
    " \n\nDebby and her sister have a total of 32 + 42 = 74 pieces of candy.\n"
    "They eat 35 pieces, so they have 74 - 35 = 39 pieces left."
)
GOOD = Rationale(QUESTION, RATIONALE, "39", "39")


def marked(item: Rationale, check: str) -> list[str]:
    text = {"rationale": item.rationale, "question": item.question}
    flags = [f for f in review(item) if f.check == check and f.verdict != "right"]
    return [text[f.where][f.start : f.end] for f in flags]


def test_a_good_rationale_has_only_right_marks():
    flags = review(GOOD)
    assert [(RATIONALE[f.start : f.end], f.verdict, f.check) for f in flags] == [
        ("32 + 42 = 74", "right", "arithmetic"),
        ("74 - 35 = 39", "right", "arithmetic"),
    ]
    assert problems(GOOD) == {}


CASES = {
    "arithmetic": ({"rationale": RATIONALE.replace("= 74", "= 73")}, ["32 + 42 = 73"]),
    "dates": (
        {"rationale": RATIONALE + " The day after January 31 is February 2."},
        ["The day after January 31 is February 2"],
    ),
    "lucky": ({"rationale": RATIONALE.replace("= 74", "= 73")}, ["32 + 42 = 73"]),
    "stranger": ({"rationale": "Debby had 617 pieces of candy.\nSo 32 + 42 - 35 = 39 are left."}, ["617"]),
    "unused": ({"rationale": "Debby had 32 pieces and they ate 35."}, ["42"]),
    "last-step": ({"answer": "38"}, ["They eat 35 pieces, so they have 74 - 35 = 39 pieces left."]),
    "truncated": (
        {"rationale": RATIONALE.partition(" = 39")[0]},
        ["They eat 35 pieces, so they have 74 - 35"],
    ),
    "repeated": (
        {"rationale": RATIONALE + "\nSo there is less now than before.\nSo there is less now than before."},
        ["So there is less now than before."],
    ),
    "copied": (
        {
            "rationale": "First, we know that Wendy uploaded 45 pictures in total. " + RATIONALE,
            "exemplars": (
                Exemplar("Q", "First, we know that Wendy uploaded 45 pictures in total. Second, …", "2"),
            ),
        },
        ["First, we know that Wendy uploaded 45 pictures in total"],
    ),
}


@pytest.mark.parametrize("check", CHECKS)
def test_every_check_finds_its_error_and_marks_it(check):
    changes, spans = CASES[check]
    assert marked(replace(GOOD, **changes), check) == spans
    assert marked(GOOD, check) == []


def test_the_message_says_what_it_should_be():
    (flag,) = problems(Rationale(QUESTION, "32 + 42 = 73.", "73", "39"))["arithmetic"]
    assert flag.message == "32 + 42 is 74, not 73" and flag.verdict == "wrong"


def test_lucky_needs_a_right_answer():
    wrong_step = replace(GOOD, rationale=RATIONALE.replace("= 74", "= 73"))
    assert "lucky" in problems(wrong_step)
    assert "lucky" not in problems(replace(wrong_step, answer="38"))
    assert "lucky" in problems(replace(wrong_step, answer="39.0"))
    assert "lucky" not in problems(replace(wrong_step, correct=False))


@pytest.mark.parametrize(
    ("rationale", "broken"),
    [
        ("He has 3 apples and then he", True),
        ("He has 3 +", True),
        ("1. He has 3.\n2.", True),
        ("So there are 24 children,", True),
        ("He has 3 apples.", False),
        ("The total is 595.", False),
        ("74 - 35 = 39", False),
        ("74 - 35 = 39 pieces", False),
        ("So the answer is 39", False),
        ("2 * 3 = 6 pens\nSo he has 6 + 1 = 7 pens and pencils in the box", False),
        ("", False),
    ],
)
def test_breaking_off(rationale, broken):
    assert ("truncated" in problems(Rationale(QUESTION, rationale))) == broken
    assert "truncated" in problems(Rationale(QUESTION, rationale, finish_reason="length"))


@pytest.mark.parametrize(
    ("answer", "last", "differs"),
    [
        ("F", "Therefore the answer is (F).", False),
        ("E", "Therefore the answer is (F).", True),
        ("yes", "So the coin is still heads up: yes.", False),
        ("no", "So yes, it is.", True),
        ("yajo", 'So, the final answer is "y-a-j-o".', False),
        ("yajo", 'So, the final answer is "yaj".', True),
        ("1,234", "He has $1234 left.", False),
        ("2.5", "So each gets 2 1/2 pies.", False),
        (None, "He has 4.", False),
    ],
)
def test_answers_of_every_kind_against_the_last_step(answer, last, differs):
    assert ("last-step" in problems(Rationale("Who?", f"First this.\n{last}", answer))) == differs


def test_numbers_that_may_come_from_elsewhere():
    """Units, percentages, sums done in the head and results said before they are worked out."""
    question = "A pen costs $4. Tom buys 15 pens at 20% off. How many minutes are 3 hours?"
    fine = (
        "There are 60 minutes in an hour, so 180 minutes.\nHe pays 80%.\n"
        "15 pens cost $60, and he pays 48 dollars because 0.8 * 60 = 48."
    )
    assert marked(Rationale(question, fine), "stranger") == []
    assert marked(Rationale(question, "He buys 19 pens for 777 dollars."), "stranger") == ["777"]


def test_a_fraction_of_the_question_may_be_a_division():
    question = "Tom has 840 pens and sells 1/7 of them."
    assert marked(Rationale(question, "He sells 840 / 7 = 120."), "unused") == []
    assert marked(Rationale(question, "He sells some of them, of his 840."), "unused") == ["7"]


def test_a_number_in_the_place_of_another():
    assert marked(
        Rationale(QUESTION, "Debby had 74 pieces of candy while her sister had 42."), "stranger"
    ) == ["74"]
    later = "Debby had 32 pieces of candy and her sister had 42. Now Debby had 74 pieces of candy."
    assert marked(Rationale(QUESTION, later), "stranger") == []


def test_one_off_is_no_sum():
    """A misread number differs by one from the right one: adding one needs a one that was said."""
    assert marked(
        Rationale(QUESTION, "So they had 42 + 32 = 74. The 36 pieces they ate are gone."), "stranger"
    ) == ["36"]
    assert marked(Rationale("Ann, 35, gets 1 year older.", "Then she is 36."), "stranger") == []


def test_a_step_that_writes_its_sum_out_does_one_more_in_the_head():
    question = "There are 124 students making 3 stars each, 6 of them red. How many stars are made?"
    assert marked(Rationale(question, "The 736 stars make 124 * 3 = 372 pairs."), "stranger") == ["736"]
    assert marked(Rationale(question, "That is 130 with the red ones, and 124 * 3 = 372."), "stranger") == []
    assert marked(Rationale(question, "That is 378 with the red ones."), "stranger") == []
    assert marked(Rationale(question, "That is 124 * 3 - 6 = 372 - 6 = 366."), "stranger") == []


@pytest.mark.parametrize(
    ("question", "rationale"),
    [
        ("Bert runs 6 miles every day. How many in 3 weeks?", "That makes 42 a week."),
        ("Tom paid $ 14.02 , $ 9.46 and $ 12.04 . How much in all?", "Tom spent $35.52."),
        ("Luke had 20 cards, got 12 and 20 more.", "So he had 52 cards."),
        ("A coat of $80 is 25% off. What is its price?", "It is 80 * 0.75 = 60 dollars."),
        ("Pay $50 with 10% interest.", "That is 50 * 1.1 = 55, or 50 * 110/100."),
        ("Pens cost fifteen cents. What do 40 cost?", "40 * 0.15 = 6 dollars."),
        ("Ann has 4 times as many as Bo, 30 in all.", "4x + x = 30, so 5x = 30 and x = 6."),
        ("The fee of $80 rises by $10 each year.", "In year 5 it is 80 + 10 = 90."),
        ("She ran 0.7 of a mile, he 0.6.", "She ran 7/10 of a mile: 7/10 - 6/10 = 1/10."),
        ("Two-fifths of the 30 books are sold.", "That is 30 / 5 * 2 = 12."),
        ("On his 12th birthday he got 8 books.", "12 + 8 = 20."),
    ],
)
def test_numbers_that_come_from_somewhere(question, rationale):
    assert marked(Rationale(question, rationale), "stranger") == []


def test_a_number_that_an_equation_works_out_does_not_stand_for_another():
    question = "Amy went to 11 games, to 13 last year, and her brother to 35. How many did Amy go to?"
    assert marked(Rationale(question, "She went to 11 + 13 = 24 games."), "unused") == ["35"]  # 35 - 11 = 24
    assert marked(Rationale(question, "She went to 11 + 13 = 24, so he to 11 more."), "unused") == ["35"]
    assert marked(Rationale(question, "11 + 13 = 24, so together they went to 59."), "unused") == []


def test_one_thing_and_hundredths_are_not_unused():
    assert marked(Rationale("1 worm was 3 inches, 0 were long.", "It is 3 inches long."), "unused") == []
    assert marked(Rationale("12 cents a minute, how much for 5?", "5 * $0.12 = $0.60"), "unused") == []


def test_dates_are_no_sums():
    question = "Today is 3/5, 1973. What is the date a week ago in MM/DD/YYYY?"
    assert problems(Rationale(question, "One week ago was 3/5 - 7 = 2/26 of that year.", None)) == {}


def test_a_premise_may_be_said_twice_but_not_in_a_row():
    question = "Each album has 3 songs. Zoe bought 3 and 5."
    once_more = "Each album has 3 songs. So 9 songs.\nZoe bought 5. Each album has 3 songs. So 15 in all."
    assert marked(Rationale(question, once_more), "repeated") == []
    assert marked(Rationale(question, "Each album has 3 songs. Each album has 3 songs."), "repeated")
    assert marked(Rationale(question, "and then he went and then he went and then he went on"), "repeated")


def test_exemplar_words_that_the_question_shares_are_not_copied():
    exemplar = Exemplar(QUESTION, "If they ate 35 pieces the first night, 39 are left.", "39")
    item = Rationale(
        QUESTION, "If they ate 35 pieces the first night, then some are left.", exemplars=(exemplar,)
    )
    assert marked(item, "copied") == []


def test_steps():
    text = "1. Mrs. Hilt has 3.5 apples. She pays $2.\n\n2) Then\nJohn B. Smith has 4!  (He is 5.) So 9."
    assert [step.text for step in steps(text)] == [
        "1. Mrs. Hilt has 3.5 apples.",
        "She pays $2.",
        "2) Then",
        "John B. Smith has 4!",
        "(He is 5.)",
        "So 9.",
    ]
    assert all(text[s.start : s.end] == s.text for s in steps(text))
    assert steps(" \n ") == []


def test_numbers():
    text = (
        "1. Twenty-five of 1,250 pens, 20% of them on 05/01/2021 at 5:30, the 3rd in half a dozen <<9*9=81>>."
    )
    assert [(str(n.value), n.spelled) for n in numbers(text)] == [
        ("25", True), ("1250", False), ("20", False), ("1/2", True), ("12", True),
    ]  # fmt: skip
    text = "two-fifths, one-half and three sevenths of the fifth"
    assert [str(n.value) for n in numbers(text)] == ["2/5", "1/2", "3", "1/7"]


@pytest.mark.parametrize(
    "text", ["", "\x00<script>", "(" * 3000, "So. " * 3000, "7 " * 3000, "٣ + ٤ = ٧", "9" * 400]
)
def test_odd_text_is_harmless(text):
    exemplar = Exemplar(text, text, text)
    for flag in review(Rationale(text, text, text, text, (exemplar,))):
        assert 0 <= flag.start <= flag.end <= len(text)


@pytest.mark.timeout(60)
def test_a_text_that_goes_on_and_on_is_read_without_a_stall():
    assert len(numbers("\n1. " * 30_000)) == 0
    assert len(numbers("-" * 300_000 + "7")) == 1
    assert len(steps("Mr. X. " * 30_000)) == 1
    item = Rationale("How many?", "-" * 300_000, "1", "-" + " " * 100_000 + "x")
    assert [flag.check for flag in review(item)] == ["truncated"]
    asked = Rationale(" and ".join(str(n) for n in range(1, 15_000)), "1 " * 15_000)
    assert "unused" in {flag.check for flag in review(asked)}


def test_recorded_rationales_and_seeded_errors(recorded, monkeypatch):
    """The benchmark in small: MultiArith's correct rationales, then errors of each kind put into them."""
    monkeypatch.setenv("LAB_DATA_DIR", str(recorded))
    path = next(recorded.glob("reasoning-teacher/completion_data/*/D_multiarith.json"))
    (corpus,) = benchmark._corpus(path, "fine-tune-cot", "multiarith")
    assert len(corpus.items) == 624
    alarms = [problems(item) for item in corpus.items]
    limits = {"arithmetic": 0.01, "copied": 0.0}
    for check in CHECKS:
        assert sum(check in found for found in alarms) <= limits.get(check, 0.03) * len(alarms), check
    floors = {"stranger": 0.4, "unused": 0.35, "repeated": 0.6}
    for kind, (check, _) in benchmark.CORRUPTIONS.items():
        made = benchmark.corrupted(corpus.items, kind, 30, 0)
        assert len(made) == 30
        hits = sum(check in problems(item) for item in made)
        assert hits >= floors.get(check, 0.8) * 30, kind
    assert random.Random(0)  # seeded: the same errors every time
    again = benchmark.corrupted(corpus.items, "cut in mid-sentence", 5, 0)
    assert again == benchmark.corrupted(corpus.items, "cut in mid-sentence", 5, 0)
