"""A small slice of recordings that this project wrote itself, laid out like the real ones.

Every benchmark file and every layout of completions that a reader knows, with a few dozen questions each:
the lab's own generators ask them, and `reply` answers as a teacher would, some of them badly. Tests of what
readers and pages do read it through the fixture `small`, so they run where no recording lies beside the
project; figures that the papers' own files must give need those files, and the fixture `recorded`.
"""

from __future__ import annotations

import csv
import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from core.datasets import DATASETS, load
from core.records import Question
from tests.recordings import DAVINCI, LOGS

TRIGGER = "Let's think step by step."
ASK = "\nTherefore, the answer is"
SUMS, FEW = 90, 40  # questions of AddSub; of each other benchmark


def reply(question: Question, sample: int = 0) -> tuple[str, str, str]:
    """(rationale, answer, finish reason): every fourth answer is wrong, and a few rationales are odd."""
    i, answer = question.index + 11 * sample, question.answer
    if question.solution is None:
        answer = {"yes": "no", "no": "yes"}.get(answer, f"{answer[:-1]}A") if i % 4 == 1 else answer
        return f" One looks at it.\nSo it is {answer}.", answer, "stop"
    answer = answer.removesuffix(".0")
    steps = [f"{step}." for step in question.solution.split(". ")[:-1]]
    if i % 4 == 1:
        left, _, answer = steps[-1].rpartition(" ")
        answer = str(int(answer.rstrip(".")) + 1)
        steps[-1] = f"{left} {answer}."
    if i % 7 == 2:
        del steps[1]
    elif i % 12 == 8:  # right in the end, by a step that is wrong
        left, _, result = steps[1].rpartition(" ")
        steps[1] = f"{left} {int(result.rstrip('.')) + 1}."
    if i % 13 == 6:
        return f" {steps[0]} Then we", "", "length"
    if i % 10 == 3:
        steps.append(f"The answer is {answer}.")
    return ("\n\n" if i % 9 == 5 else " ") + ("\n" if i % 9 == 5 else " ").join(steps), answer, "stop"


def sums(n: int, seed: int = 0) -> list[Question]:
    return load("arithmetic_generated", size=n, seed=seed)


def write_completions(path: Path, questions: Sequence[Question], samples: int = 1) -> None:
    """Two calls for each question, as Fine-tune-CoT stores them."""

    def row(question: Question, sample: int) -> dict[str, Any]:
        rationale, answer, reason = reply(question, sample)
        first = f"Q: {question.text}\nA: {TRIGGER}"
        return {
            "sample_index": question.index, "completion_index": sample,
            "question": question.text, "answer": question.answer,
            "reasoning_prompt": first, "reasoning_completion": rationale, "reasoning_finish_reason": reason,
            "prompt": f"{first}{rationale}{ASK}", "completion": f" {answer}.",
        }  # fmt: skip

    data = {str(q.index): [row(q, s) for s in range(samples)] for q in questions}
    _put(path, json.dumps({"metadata": {"prediction_template": None}, "data": data}, indent=1))


def write_log(path: Path, questions: Sequence[Question], method: str, turned: bool = False) -> None:
    """A print-out of Zero-shot-CoT in any order; `turned` shows the choices in another order too."""
    trigger = "\nTherefore, the answer (as asked) is"
    lines = [f"Namespace(cot_trigger={TRIGGER!r}, direct_answer_trigger={trigger!r}, method={method!r})"]
    right = 0
    for number, question in enumerate(random.Random(7).sample(list(questions), len(questions)), 1):
        question = _turned(question) if turned else question
        gold, (rationale, said, _) = question.answer.removesuffix(".0"), reply(question)
        right += said == gold
        thought = f"{TRIGGER}{rationale}{trigger}"
        asked = thought if method == "zero_shot_cot" else "The answer (as asked) is"
        lines += ["*" * 25, f"{number}st data", "1_th_sampling", f"Q: {question.text}\nA: {asked} {said}."]
        lines += [f"pred_before :  {said}.", f"pred_after : {said}", f"pred_list : ['{said}']"]
        lines += [f"pred_mode : {said}", f"GT : {gold}", "*" * 25]
    _put(path, "\n".join([*lines, f"accuracy : {right / len(questions) * 100}", "./log/small.json", ""]))


def _turned(question: Question) -> Question:
    """The question with its last choice first, and the letter that the right one then has."""
    stem, _, listed = question.text.rstrip(".").partition(" Answer choices: ")
    choices = [choice.partition(") ")[2] for choice in listed.split(", (")]
    right = choices["ABCDEF".index(question.answer)]
    choices = [choices[-1], *choices[:-1]]
    shown = " ".join(f"({'ABCDEF'[i]}) {choice}" for i, choice in enumerate(choices))
    return replace(question, text=f"{stem} Answer Choices: {shown}", answer="ABCDEF"[choices.index(right)])


def write_traces(path: Path, questions: Sequence[Question]) -> None:
    """Both calls of Trace-of-Thought for each question of GSM8K's layout."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as out:
        for question in questions:
            steps, (rationale, answer, _) = "1. Start.\n2. Go on.", reply(question)
            solved = f"1.{rationale}\n#### {answer}"
            trace = {
                "dataset_question": question.text,
                "dataset_answer": f"{question.solution}\n#### {question.answer}",
                "delegation": _call(f"Create steps:{question.text}", steps),
                "answer": _call(f"Solve:{question.text}{steps}", solved),
                "total_count": 80,
            }
            csv.writer(out).writerow([json.dumps(trace), "", steps, solved, question.solution, "80"])


def _call(asked: str, written: str) -> dict[str, Any]:
    return {"input_text": asked, "output_text": written, "input_count": 30, "output_count": 10}


# ── the benchmarks' files ───────────────────────────────────────────────────────────────────────


def _equations(questions: Sequence[Question]) -> str:
    return json.dumps([{"sQuestion": f" {q.text} ", "lSolutions": [float(q.answer)]} for q in questions])


def _lines(rows: Sequence[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def _examples(rows: Sequence[dict[str, Any]]) -> str:
    return json.dumps({"name": "small", "examples": list(rows)})


def _gsm8k(questions: Sequence[Question]) -> str:
    return _lines(
        [{"question": q.text, "answer": f"{q.solution}\n#### {int(q.answer):,}"} for q in questions]
    )


def _aqua(i: int) -> dict[str, Any]:
    options = [f"{letter}){i + place}" for place, letter in enumerate("ABCDE")]
    text = f"What is {i} and {i % 5} taken together?"
    return {"question": text, "options": options, "rationale": f"{i} + {i % 5}.", "correct": "ABCDE"[i % 5]}


def _date(i: int) -> dict[str, Any]:
    """Two questions of each day; the file names the right choice first."""
    day, ahead = date(2020, 1, 30) + timedelta(17 * (i // 2)), 1 if i % 2 else 7
    shown = [f"{day + timedelta(n):%m/%d/%Y}" for n in (ahead, 0, 2, 3, 30, 365)]
    asked = "tomorrow" if i % 2 else "one week from today"
    return {
        "input": f"Today is {day:%B %d, %Y}. What is the date {asked} in MM/DD/YYYY?",
        "target_scores": {choice: int(choice == shown[0]) for choice in shown},
    }


def _tracking(i: int) -> dict[str, Any]:
    things = ["pen.", "cup.", "hat."]
    text = f"Round {i}: Ada holds a pen, Bo a cup and Cy a hat. Ada and {'Bo' if i % 2 else 'Cy'} swap."
    right = "cup." if i % 2 else "hat."
    return {
        "input": f"{text} Ada has the ",
        "target_scores": {thing: int(thing == right) for thing in things},
    }


def _commonsense(i: int) -> dict[str, Any]:
    choices = [{"label": letter, "text": f"{i + place} o'clock"} for place, letter in enumerate("ABCDE")]
    stem = f"It is {i} and {i % 5} hours later it is what?"
    return {"answerKey": "ABCDE"[i % 5], "question": {"stem": stem, "choices": choices}}


def _strategy(i: int) -> dict[str, Any]:
    answer = "Yes" if i % 3 else "No"
    scores = {"Yes": int(answer == "Yes"), "No": int(answer == "No")}
    text = f"Does {3 * i + i % 3} leave a rest when it is divided by 3?"
    return {"input": text, "target": f"{answer}. The rest is {i % 3}.", "target_scores": scores}


def _svamp(question: Question) -> dict[str, Any]:
    body, _, asked = question.text.rpartition(". ")
    return {"Body": f"{body}.", "Question": asked, "Answer": float(question.answer)}


def _asdiv(questions: Sequence[Question]) -> str:
    root = ElementTree.Element("Machine-Reading-Corpus-File")
    problems = ElementTree.SubElement(root, "ProblemSet")
    for question in questions:
        body, _, asked = question.text.rpartition(". ")
        problem = ElementTree.SubElement(problems, "Problem")
        parts = {"Body": f"{body}.", "Question": asked, "Answer": f"{question.answer} (things)"}
        for tag, text in parts.items():
            ElementTree.SubElement(problem, tag).text = text
    return ElementTree.tostring(root, encoding="unicode")


def _benchmark_files() -> dict[str, tuple[str, int]]:
    """Path → text and number of questions."""
    twice = [*sums(FEW - 2, 1), *sums(2, 1)]  # SingleEq asks some questions twice
    zero_shot_cot = {
        "SingleEq/questions.json": (_equations(twice), FEW),
        "AddSub/AddSub.json": (_equations(sums(SUMS)), SUMS),
        "MultiArith/MultiArith.json": (_equations(sums(FEW, 2)), FEW),
        "SVAMP/SVAMP.json": (json.dumps([_svamp(q) for q in sums(FEW, 3)]), FEW),
        "AQuA/test.json": (_lines([_aqua(i) for i in range(FEW)]), FEW),
        "Bigbench_Date/task.json": (_examples([_date(i) for i in range(FEW)]), FEW),
        "Bigbench_object_tracking/task.json": (_examples([_tracking(i) for i in range(FEW)]), FEW),
        "StrategyQA/task.json": (_examples([_strategy(i) for i in range(FEW)]), FEW),
        "CommonsenseQA/train_rand_split.jsonl": (_lines([_commonsense(i) for i in range(FEW)]), FEW),
        "CommonsenseQA/dev_rand_split.jsonl": (_lines([_commonsense(FEW + i) for i in range(9)]), 9),
    }
    for name, family in (("last_letters", "last_letters"), ("coin_flip", "coin_flip")):
        made = load(f"{family}_generated", size=FEW)
        rows = [{"question": q.text, "answer": q.answer} for q in made]
        zero_shot_cot[f"{name}/{name}.json"] = (_examples(rows), FEW)
    return {f"zero_shot_cot/dataset/{path}": file for path, file in zero_shot_cot.items()} | {
        "grade-school-math/train.jsonl": (_gsm8k(sums(FEW, 4)), FEW),
        "grade-school-math/test.jsonl": (_gsm8k(sums(FEW, 5)), FEW),
        "nlu-asdiv-dataset/ASDiv.xml": (_asdiv(sums(FEW, 6)), FEW),
    }


def use(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Have the benchmarks read from a folder that `write` filled."""
    patch.setenv("LAB_DATA_DIR", str(folder))
    sizes = json.loads((folder / "sizes.json").read_text(encoding="utf-8"))
    for key, row in list(DATASETS.items()):
        files = []
        for file in row.files:
            path = folder / file.path
            content = path.read_bytes() if path.is_file() else b""
            digest, rows = hashlib.sha256(content).hexdigest(), sizes.get(file.path, FEW)
            files.append(replace(file, sha256=digest, bytes=len(content), rows=rows))
        if files:
            patch.setitem(DATASETS, key, replace(row, n=sum(f.rows for f in files), files=tuple(files)))


def write(folder: Path) -> None:
    """Fill a folder laid out as LAB_DATA_DIR is, recordings and all."""
    files = _benchmark_files()
    for path, (text, _) in files.items():
        _put(folder / path, text)
    _put(folder / "sizes.json", json.dumps({path: n for path, (_, n) in files.items()}))
    with pytest.MonkeyPatch.context() as patch:
        use(folder, patch)
        solved = {q.text: q.solution for seed in range(4) for q in sums(SUMS, seed)}
        for name, key in LOGS.items():
            asked = [replace(q, solution=solved.get(q.text)) for q in load(key)]
            samples = 3 if key == "multiarith" else 1
            write_completions(folder / DAVINCI / f"D_{key}.json", asked, samples)
            for method in ("zero_shot", "zero_shot_cot"):
                path = folder / f"zero_shot_cot/log/{name}_{method}.log"
                write_log(path, asked, method, turned=key == "date_understanding")
        traced = [q for q in load("gsm8k") if q.split == "test"][:20]
        write_traces(folder / "trace-of-thought" / "small-traces.csv", traced)


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
