"""What students read and write."""

import pytest

from core.records import Exemplar
from core.students.formats import FORMATS


@pytest.mark.parametrize("form", FORMATS.values(), ids=lambda f: f.key)
def test_every_format_writes_question_rationale_and_answer(form):
    assert "How many?" in form.input(" How many? ")
    label = form.label(" \n\nTwo and two. \n", " 4 ")
    assert label.index("Two and two.") < label.index("-->") < label.index("4")
    assert "-->" not in form.label(None, "4") and "4" in form.label(None, "4")


def test_templates_of_fine_tune_cot():
    assert FORMATS["t5"].input("Q") == "Q"
    assert FORMATS["t5"].label("R", "A") == "R --> A"
    assert FORMATS["t5"].zero_shot("Q") == "question: Q"
    assert FORMATS["causal"].input("Q") == "Q ###"
    assert FORMATS["causal"].label("R", "A") == " R --> A"
    assert FORMATS["causal"].label(None, "A") == " A"
    assert FORMATS["causal"].zero_shot("Q") == "Q: Q\n\nA:"


def test_braces_in_a_question_are_text():
    assert FORMATS["causal"].input("f{x} {question}") == "f{x} {question} ###"


def test_few_shot_shows_the_exemplars_first():
    shown = FORMATS["causal"].few_shot("Q2?", [Exemplar("Q1?", "Because.", "7")])
    assert shown == "Q: Q1?\nA: Because. The answer is 7.\nQ: Q2?\nA:", (
        "one newline: Fine-tune-CoT's few_shot_cot_prompts.json"
    )
