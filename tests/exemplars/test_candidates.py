"""Zero-shot-CoT's logs read as Auto-CoT reads them, against a reading of the file itself, line by line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from core.datasets import DATASETS
from core.errors import LabError
from core.exemplars.candidates import (
    TEXTS,
    Candidate,
    exemplar,
    rationale_lines,
    read,
    without_answer,
)
from core.exemplars.selection import failures, limits_for
from tests.recordings import DAVINCI

# benchmark, log, records, eligible, correct among eligible in percent
AUTO_COT = [
    ("addsub", "addsub", 395, 223, 79.8),
    ("multiarith", "multiarith", 600, 294, 80.3),
    ("single_eq", "singleeq", 508, 247, 86.6),
    ("last_letter_concatenation", "last_letters", 500, 493, 58.0),
]


def log(recorded: Path, name: str) -> Path:
    return recorded / "zero_shot_cot" / "log" / f"{name}_zero_shot_cot.log"


def line_by_line(path: Path) -> list[tuple[str, str, str]]:
    """(rationale, prediction, gold answer) of each record, as run_demo.py's loop is described."""
    found, answer, frozen, prediction = [], "", "", ""
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if "A: " in line:
            answer = line
        elif "Therefore" in line and "the answer" in line:
            frozen = answer
        elif answer:
            answer += line
        if "pred_mode" in line:
            prediction = line.split(":")[1].strip()
        if "GT :" in line:
            shown = frozen.replace("A: Let's think", "Let's think").strip()
            found.append((shown, prediction, line.split(":")[1].strip()))
            answer = ""
    return found


@pytest.mark.parametrize(("key", "name", "records", "eligible", "correct"), AUTO_COT)
def test_eligible_counts_of_auto_cot(lab_home, recorded, key, name, records, eligible, correct):
    candidates = read(log(recorded, name), key, "zero-shot-cot")
    limits = limits_for("auto-cot", key, DATASETS[key].kind)
    passed = [c for c in candidates if not failures(c, limits)]
    assert (len(candidates), len(passed)) == (records, eligible)
    assert round(100 * sum(c.correct for c in passed) / len(passed), 1) == correct


@pytest.mark.parametrize(("key", "name"), [row[:2] for row in AUTO_COT])
def test_every_record_is_what_auto_cot_reads(recordings, key, name):
    candidates = read(log(recordings, name), key, "zero-shot-cot")
    theirs = line_by_line(log(recordings, name))
    assert [(c.rationale, c.answer, c.correct) for c in candidates] == [
        (rationale, prediction, prediction == gold) for rationale, prediction, gold in theirs
    ]


def test_published_exemplars_are_eligible_and_equal(lab_home, recorded):
    candidates = read(log(recorded, "multiarith"), "multiarith", "zero-shot-cot")
    limits = limits_for("auto-cot", "multiarith", "integer")
    ours = {TEXTS["auto-cot"][1](c): c for c in candidates if not failures(c, limits)}
    demos = json.loads((recorded / "auto-cot" / "demos" / "multiarith_auto").read_text())["demo"]
    assert len(demos) == 8
    for demo in demos:
        candidate = ours[demo["question"]]
        assert exemplar(candidate).rationale == demo["rationale"]
        assert (candidate.answer, candidate.gold) == (demo["pred_ans"], demo["gold_ans"])


def test_fine_tune_cot_completions_give_the_first_sample_of_each_question(lab_home, recorded):
    candidates = read(recorded / DAVINCI / "D_multiarith.json", "multiarith", "fine-tune-cot")
    assert len(candidates) == 600
    assert sum(c.correct for c in candidates) == 465  # greedy
    assert all(c.rationale.startswith("Let's think step by step.") for c in candidates)


def test_only_a_split(small):
    path = log(small, "addsub")
    sizes = {s: len(read(path, "addsub", "zero-shot-cot", s)) for s in ("train", "test", "all")}
    assert sizes == {"train": 63, "test": 27, "all": 90}
    with pytest.raises(LabError, match="train, test or all"):
        read(path, "addsub", "zero-shot-cot", "dev")


def test_equal_questions_in_any_order(recordings, tmp_path):
    """SingleEq asks some questions twice, and a log does not say which of them a record answers."""
    head, *parts = re.split(r"(?m)(?=^\d+(?:st|nd|rd|th) data$)", log(recordings, "singleeq").read_text())
    path = tmp_path / "backwards.log"
    path.write_text(head + "".join(part.rstrip("\n") + "\n" for part in reversed(parts)))
    backwards = read(path, "single_eq", "zero-shot-cot")
    assert len(backwards) == DATASETS["single_eq"].n
    assert set(backwards) == set(read(log(recordings, "singleeq"), "single_eq", "zero-shot-cot"))


def test_one_call_completions_lose_their_answer_sentence(small, tmp_path):
    rows = [
        {"index": 0, "completion": "One and one are two. The answer is 2.", "gold": "2"},
        {"index": 1, "rationale": "Two.\nTherefore, the answer is 3.", "answer": "3", "gold": "4"},
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    first, second = read(path, "multiarith", "jsonl")
    assert (first.rationale, first.answer, first.correct) == (
        "Let's think step by step.One and one are two.", "2", True,
    )  # fmt: skip
    assert (second.rationale, second.answer, second.correct) == (
        "Let's think step by step.Two.", "3", False,
    )  # fmt: skip


def test_rationale_lines_are_auto_cots():
    text = " \n\nOne.\nTherefore, 2 is the answer, or the answer is 3.\nA: again.\nDone."
    assert rationale_lines(text) == "A: again.\nDone."
    assert rationale_lines("") == "Let's think step by step."


def test_the_key_is_the_content():
    a = Candidate(1, "q", "r", "2", "2", True)
    assert a.key == Candidate(1, "q", "r", "2", "2", True).key != Candidate(2, "q", "r", "2", "2", True).key


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("3 + 4 = 7. The answer is 7.", "3 + 4 = 7."),
        ("3 + 4 = 7.\nTherefore, the answer is $3.50\n", "3 + 4 = 7."),
        ("It is the second. So the answer is (B) 05/01/2020.", "It is the second."),
        ("Each costs 3.5, so the answer is 7.", "Each costs 3.5, so the answer is 7."),
        ("The answer is 7.", "The answer is 7."),
        ("He has pens. The answer is 3 + 4 = 7.", "He has pens. The answer is 3 + 4 = 7."),
        ("He had 9. The answer is 7 because he lost 2.", "He had 9. The answer is 7 because he lost 2."),
        ("He had 9. The answer is 7? He lost 2.", "He had 9. The answer is 7? He lost 2."),
    ],
)
def test_only_a_sentence_that_just_names_the_answer_is_left_out(text, kept):
    assert without_answer(text) == kept
