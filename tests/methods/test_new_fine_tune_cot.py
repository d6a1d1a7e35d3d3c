"""New-Fine-tune-CoT: its prompt, its adaptive second call counted at a real server, its labels."""

from __future__ import annotations

import json
import re

import pytest

from core.answers import ANSWER_PREFIXES, score, scored_text
from core.errors import LabError
from core.exemplars.adaptive import MARKER, Saving, extract
from core.methods import METHODS, generate, training_set
from core.records import Completion, Exemplar, Question, Reply, Request, Score
from core.students.formats import FORMATS
from core.teachers import asking, open_teacher
from tests.answering import answering
from tests.recordings import DAVINCI

METHOD = METHODS["new-fine-tune-cot"]
SHOWN = (Exemplar("1 + 1?", "Let's think step by step. One and one make two.", "2"),)
OPTIONS = {"exemplars": SHOWN, "kind": "integer"}


def said(texts: dict[int, str]):
    """A teacher that says these texts, and 9 when it is asked a second time; `asked` counts its calls."""
    asked: list[Request] = []

    def ask(requests, then):
        todo = list(requests)
        while todo:
            request = todo.pop()
            asked.append(request)
            text = " 9." if request.step == "answer" else texts[request.question_index]
            reply = Reply(request, text)
            todo += then(reply)
            yield reply

    return ask, asked


def test_the_prompt_is_auto_cots():
    assert METHOD.prompt("2 + 2?", {**METHOD.options, **OPTIONS}) == (
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
    ask, asked = said(texts)
    questions = [(Question(i, "q", "7"), 0) for i in texts]
    made = {c.question_index: c for c in generate(questions, METHOD, ask, OPTIONS)}
    assert len(asked) == 5 + 3 == Saving(5, 2).calls
    read = {i: score(scored_text(c), "7", kind="integer").value for i, c in made.items()}
    assert read == {0: "7", 1: "9", 2: "9", 3: "12", 4: "9"}
    assert {i for i, c in made.items() if c.answer_prompt} == {1, 2, 4}
    assert sum(c.calls for c in made.values()) == 8


def test_two_calls_for_all_without_adaptive_answers():
    ask, asked = said({0: " The answer is 7."})
    (made,) = generate([(Question(0, "q", "7"), 0)], METHOD, ask, OPTIONS | {"adaptive": False})
    assert len(asked) == 2 and made.answer_text == " 9."


def test_it_asks_for_the_kind_of_answer():
    ask, _ = said({0: " The answer is 7."})
    with pytest.raises(LabError, match="kind of answer"):
        list(generate([(Question(0, "q", "7"), 0)], METHOD, ask, {"exemplars": SHOWN}))


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
def test_extract(rationale, kind, value):
    found = extract(rationale, kind)
    assert (found.value if found else None) == value
    if found and kind == "integer":
        assert rationale[found.start : found.end].replace(",", "") == value


@pytest.mark.parametrize(("key", "percent"), [("single_eq", 1.2), ("addsub", 3.0), ("multiarith", 1.3)])
def test_how_often_it_fires_on_recorded_zero_shot_rationales(recorded, key, percent):
    data = json.loads((recorded / DAVINCI / f"D_{key}.json").read_text())["data"]
    first = [rows[0]["reasoning_completion"] for rows in data.values()]
    marked = [text for text in first if re.search(MARKER, text)]
    assert round(100 * len(marked) / len(first), 1) == percent
    fired = [text for text in first if extract(text, "decimal")]
    assert set(fired) <= set(marked)
    # Never where a mere number occurs.
    assert len(fired) < len([t for t in first if re.search(r"\d", t)]) / 10


@pytest.mark.parametrize(
    ("rationale", "learnt"),
    [
        (" 3 + 4 = 7. The answer is 7.", " 3 + 4 = 7."),
        (" 3 + 4 = 7.\nTherefore, the answer is 7.\n", " 3 + 4 = 7."),
        (" Each costs 3.5, so the answer is 7.", " Each costs 3.5, so the answer is 7."),
        ("The answer is 7.", "The answer is 7."),
        (" It is 7.", " It is 7."),
    ],
)
def test_the_label_names_the_answer_once(rationale, learnt):
    completion = Completion(0, 0, "p", rationale, answer_text=" 7.")
    made = training_set([Question(0, "q", "7")], [completion], [Score(True, "7")], METHOD, FORMATS["t5"])
    assert made.rows[0].label == f"{learnt.strip()} --> 7"
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
        asked = [(Question(i, f"question {i}", "7"), 0) for i in range(n)]
        made = list(generate(asked, METHOD, asking(teacher, METHOD.sampling), OPTIONS))
    misses = sum(bool(c.answer_prompt) for c in made)
    assert misses == 20 and len(server.prompts) == n + misses == Saving(n, n - misses).calls
    assert all(score(scored_text(c), "7", kind="integer").correct for c in made)
