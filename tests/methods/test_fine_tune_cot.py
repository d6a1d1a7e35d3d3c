"""Fine-tune-CoT against the authors' recorded completions and published training pairs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.answers import score_completion
from core.datasets import DATASETS, load
from core.methods import METHODS, Given, training_set
from core.methods.driver import Running
from core.records import Completion, Question, Score
from core.students.formats import FORMATS, Format
from core.teachers import open_teacher
from core.teachers.recorded import read
from tests.recordings import DAVINCI

METHOD = METHODS["fine-tune-cot"]
PAIRS = "reasoning-teacher/finetune_data/P_openai/F_zs_cot_multiarith.jsonl"
ROWS = {  # training rows of the published students
    "single_eq": 289,
    "addsub": 209,
    "multiarith": 323,
    "date_understanding": 170,
    "last_letter_concatenation": 201,
}
# How the published pairs are written.
OPENAI = Format("openai", "{question}\n\n###\n\n", " {rationale}\n\n-->\n\n{answer} END", "", "")
# MultiArith's first completions were made with Kojima et al.'s arithmetic trigger, without its newline.
ARABIC = " Therefore, the answer (arabic numerals) is"


def path(recorded: Path, key: str) -> Path:
    return recorded / DAVINCI / f"D_{key}.json"


def recordings(recorded: Path, key: str) -> tuple[list[Question], list[Completion], list[Score]]:
    questions = load(key)
    kind = DATASETS[key].kind
    completions = read(path(recorded, key), "fine-tune-cot", questions, kind)
    golds = {q.index: q.answer for q in questions}
    scores = [score_completion(c, golds[c.question_index], kind=kind) for c in completions]
    return questions, completions, scores


@pytest.mark.parametrize("key", ROWS)
def test_both_prompts_are_the_recorded_ones(recorded: Path, lab_home: Path, key: str) -> None:
    """The program that is told what the teacher said asks what the teacher was asked."""
    questions, completions, _ = recordings(recorded, key)
    stored = json.loads(path(recorded, key).read_text(encoding="utf-8"))["data"]
    asked = {(one["sample_index"], one["completion_index"]): one for rows in stored.values() for one in rows}
    for one in completions:
        theirs = asked[one.question_index, one.sample_index]
        arabic = key == "multiarith" and one.sample_index == 0
        given = Given(options={"trigger": ARABIC} if arabic else METHOD.options)
        program = METHOD.teach(questions[one.question_index], given)
        (first,) = Running(one.question_index, one.sample_index, program, METHOD.sampling).start()
        assert first.prompt == theirs["reasoning_prompt"]
        again = METHOD.teach(questions[one.question_index], given)
        known = one.steps[:1]
        (second,) = Running(one.question_index, one.sample_index, again, METHOD.sampling, known).start()
        assert second.prompt == theirs["prompt"]
    assert len(completions) == len(asked) >= len(questions)


@pytest.mark.parametrize(("key", "rows"), ROWS.items())
def test_training_sets_have_the_published_size(recorded: Path, lab_home: Path, key: str, rows: int) -> None:
    questions, completions, scores = recordings(recorded, key)
    made = training_set(questions, completions, scores, METHOD, Given(form=FORMATS["t5"]), samples=1)
    assert len(made.rows) == rows
    assert len(made.rows) + sum(made.dropped.values()) == len(completions)


def test_multiarith_s_pairs_are_the_published_ones_in_their_order(recorded: Path, lab_home: Path) -> None:
    made = training_set(*recordings(recorded, "multiarith"), METHOD, Given(form=OPENAI), samples=1)
    published = [json.loads(line) for line in (recorded / PAIRS).read_text(encoding="utf-8").splitlines()]
    assert len(published) == 323
    assert [(row.input, row.label) for row in made.rows] == [
        (p["prompt"], p["completion"]) for p in published
    ]


@pytest.mark.parametrize("key", ["addsub", "last_letter_concatenation"])
def test_a_recorded_teacher_gives_the_recorded_completions(recorded: Path, lab_home: Path, key: str) -> None:
    questions, completions, _ = recordings(recorded, key)
    with open_teacher(
        "recorded", path=str(path(recorded, key)), questions=questions, kind=DATASETS[key].kind
    ) as teacher:
        made = [teacher.completion(question.index, 0) for question in questions]
    first = {c.question_index: c for c in completions if c.sample_index == 0}
    assert {one.question_index: one for one in made} == first and len(made) == len(first)
    assert all(one.calls == 0 and one.cost == 0.0 for one in made)
