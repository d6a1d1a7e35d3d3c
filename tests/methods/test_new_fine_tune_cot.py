"""New-Fine-tune-CoT: its prompt, its adaptive second call counted at a real server, its labels."""

from __future__ import annotations

import json
import re

import pytest

from core.answers import ANSWER_PREFIXES, score_completion
from core.answers.asserted import MARKER, asserted
from core.exemplars.adaptive import Saving
from core.methods import METHODS, Given, training_set
from core.methods.driver import run, started
from core.records import Completion, Exemplar, Question, Request, Score
from core.students.formats import FORMATS
from core.teachers import open_teacher
from tests.answering import answering
from tests.asking import Answers, written
from tests.recordings import DAVINCI

METHOD = METHODS["new-fine-tune-cot"]
SHOWN = (Exemplar("1 + 1?", "Let's think step by step. One and one make two.", "2"),)
GIVEN = Given("integer", exemplars=SHOWN, options=METHOD.options)


def said(texts: dict[int, str]) -> Answers:
    """A teacher that says these texts, and 9 when it is asked a second time."""

    def answer(request: Request) -> str:
        return " 9." if request.step == "answer" else texts[request.question_index]

    return Answers(answer)


def generated(texts: dict[int, str], given: Given = GIVEN) -> tuple[dict[int, Completion], list[Request]]:
    """What is written to a question of each text, and what was asked."""
    teacher = said(texts)
    pairs = [(Question(i, "q", "7"), 0) for i in texts]
    programs = started(pairs, METHOD.teach, given, METHOD.sampling)
    return {one.question_index: one for one in run(programs, teacher)}, teacher.asked


def test_the_prompt_is_auto_cots():
    assert next(METHOD.teach(Question(0, "2 + 2?", "4"), GIVEN)).prompt == (
        "Q: 1 + 1?\nA: Let's think step by step. One and one make two. The answer is 2.\n\n"
        "Q: 2 + 2?\nA: Let's think step by step."
    )


def test_calls_are_n_and_the_misses():
    texts = {
        0: " So 3 + 4 = 7. The answer is 7.",
        1: " So it is 7.",
        2: " The answer is",
        3: " Answer: 12",
        4: " There are 3 of 8.",
    }
    made, asked = generated(texts)
    assert len(asked) == 5 + 3 == Saving(5, 2).calls
    read = {i: score_completion(c, "7", kind="integer").value for i, c in made.items()}
    assert read == {0: "7", 1: "9", 2: "9", 3: "12", 4: "9"}
    assert {i for i, c in made.items() if len(c.steps) == 2} == {1, 2, 4}
    assert sum(c.calls for c in made.values()) == 8


def test_each_call_is_sampled_as_fine_tune_cot_s_and_ends_before_another_question():
    _, asked = generated({0: " So it is 7."})
    limits = [(r.sampling.max_tokens, r.sampling.stop) for r in asked]
    assert limits == [(128, ("END", "\nQ:"))] * 2


def test_two_calls_for_all_without_adaptive_answers():
    always = Given("integer", exemplars=SHOWN, options=METHOD.options | {"adaptive": False})
    made, asked = generated({0: " The answer is 7."}, always)
    assert len(asked) == 2 and [step.text for step in made[0].steps] == [" The answer is 7.", " 9."]
    assert score_completion(made[0], "7", kind="integer").value == "9"


@pytest.mark.parametrize(
    ("rationale", "kind", "value"),
    [
        ("It is 5. The answer is 1,234.", "integer", "1234"),
        ("The answer is not 5. The answer is 6.", "integer", "6"),
        ("So the answer is (B).", "choice-C", "B"),
        ("the answer is yes", "yes-no", "yes"),
        ('The answer is "yajo".', "letters", "yajo"),
        ("There are 5 left.", "integer", None),
        ("The answer is", "integer", None),
        ("The answer is unknown.", "decimal", None),
        ("The answer is not known yet. Tom has 3 pens and 4 books.", "integer", None),
        ("The answer is simple\nAdd 5 and 3.", "decimal", None),
        ("The answer is:\n\n**1,234**.", "integer", "1234"),
        ("The answer is $1,234.", "integer", "1234"),
        ("The answer is unclear. no", "yes-no", None),
        ("", "integer", None),
    ],
)
def test_asserted(rationale, kind, value):
    found = asserted(rationale, kind)
    assert (found.value if found else None) == value
    if found and kind == "integer":
        assert rationale[found.start : found.end].replace(",", "") == value


@pytest.mark.parametrize(("key", "percent"), [("single_eq", 1.2), ("addsub", 3.0), ("multiarith", 1.3)])
def test_how_often_it_fires_on_recorded_zero_shot_rationales(recorded, key, percent):
    data = json.loads((recorded / DAVINCI / f"D_{key}.json").read_text())["data"]
    first = [rows[0]["reasoning_completion"] for rows in data.values()]
    marked = [text for text in first if re.search(MARKER, text)]
    assert round(100 * len(marked) / len(first), 1) == percent
    fired = [text for text in first if asserted(text, "decimal")]
    assert set(fired) <= set(marked)
    # Never where a mere number occurs.
    assert len(fired) < len([t for t in first if re.search(r"\d", t)]) / 10


@pytest.mark.parametrize(
    "rationale",
    [" 3 + 4 = 7. The answer is 7.", " The answer is 3 + 4 = 7.", " 3 + 4 = 7.\nSo the answer is 7.\n"],
)
def test_the_student_learns_the_whole_rationale_as_in_fine_tune_cot(rationale):
    completion, given = Completion(0, 0, rationale), Given(form=FORMATS["t5"])
    made = training_set([Question(0, "q", "7")], [completion], [Score(True, "7")], METHOD, given)
    assert made.rows[0].label == f"{rationale.strip()} --> 7"
    assert ANSWER_PREFIXES["student"] in made.rows[0].label


def test_calls_counted_at_a_server(lab_home):
    def third(body):
        """Its answer behind a marker for every third question."""
        if body["prompt"].endswith("the answer is"):
            return " 7."
        asked = int(re.findall(r"question (\d+)", body["prompt"])[-1])
        return " 3 + 4 = 7." + (" The answer is 7." if asked % 3 == 0 else "")

    n = 30
    with answering(third) as server, open_teacher("llama.cpp", base_url=server.url, model="any") as teacher:
        made = written(teacher, METHOD, [Question(i, f"question {i}", "7") for i in range(n)], given=GIVEN)
    misses = sum(len(c.steps) == 2 for c in made)
    assert misses == 20 and len(server.prompts) == n + misses == Saving(n, n - misses).calls
    assert all(score_completion(c, "7", kind="integer").correct for c in made)
