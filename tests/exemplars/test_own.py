"""The user's own exemplars: kept as typed, used once whole."""

from __future__ import annotations

import pytest

from core.errors import LabError
from core.exemplars.own import joined, problems, tidy, whole
from core.records import Exemplar

# Wei et al. 2022, table 20
TENNIS = {
    "question": "Roger has 5 tennis balls. He buys 2 more cans. Each can has 3. How many does he have now?",
    "rationale": "Roger started with 5 balls. 2 cans of 3 tennis balls each is 6. 5 + 6 = 11.",
    "answer": "11",
}


def test_whole_rows_are_exemplars():
    rows = tidy([TENNIS | {"answer": 11}, {**TENNIS, "question": " 1 + 1? "}])
    assert whole(rows)[0] == Exemplar(**TENNIS)
    assert whole(rows)[1].question == "1 + 1?"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"rationale": " "}, "Exemplar 2 lacks its rationale: fill it in"),
        ({"rationale": "", "answer": None}, "lacks its rationale and its answer"),
        ({"rationale": "5.\nQ: What next?"}, "begins with “Q:”"),
        ({"rationale": "So the answer is 5. The answer is 5."}, "leave it out there"),
        ({"question": TENNIS["question"].replace(" ", "  ")}, "Exemplars 1 and 2 ask the same"),
    ],
)
def test_what_keeps_a_row_from_use_is_one_sentence(changes, sentence):
    rows = tidy([TENNIS, TENNIS | {"question": "Another?"} | changes])
    (found,) = problems(rows)
    assert sentence in found and found.endswith(".")
    with pytest.raises(LabError, match="Exemplar"):
        whole(rows)


@pytest.mark.parametrize("rows", [[{"q": "x"}], ["text"], [TENNIS | {"more": "x"}]])
def test_other_fields_are_refused(rows):
    with pytest.raises(LabError, match="Exemplar 1 cannot be read"):
        tidy(rows)


def test_none_is_said():
    with pytest.raises(LabError, match="needs exemplars"):
        whole(())


def test_taking_exemplars_over_loses_and_doubles_nothing():
    typed = tidy([TENNIS | {"rationale": "Mine."}, {}, {"question": "Half?"}])
    rows = joined(typed, [Exemplar(**TENNIS), Exemplar("New?", "Because.", "1")])
    assert [row["question"] for row in rows] == [TENNIS["question"], "Half?", "New?"]
    assert rows[0]["rationale"] == "Mine."
