"""Recorded completions: real files, files of the same layouts written here, and broken ones."""

from __future__ import annotations

import csv
import json
import random
import re

import pytest

from core.datasets import load
from core.errors import LabError, RefusedError
from core.records import Completion, Question
from core.teachers import recorded as module
from core.teachers.recorded import SOURCES, label_of, read, records
from tests.recordings import DAVINCI, LOGS

QUESTIONS = [
    Question(0, "How many apples are left?", "3", "train"),
    Question(1, "How many pears are left?", "1,200", "test"),
    Question(2, "How many apples are left?", "3", "test"),
]


def prompts(completion: Completion) -> list[str]:
    return [step.prompt for step in completion.steps]


def answered(completion: Completion) -> str:
    """The text in which the answer is read."""
    return completion.steps[completion.answer.step].text


def _write(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


# fine-tune-cot


@pytest.mark.parametrize("key", ["single_eq", "addsub", "multiarith", "date_understanding"])
def test_fine_tune_cot_files_keep_prompts_and_texts_raw(key, recordings):
    path = recordings / DAVINCI / f"D_{key}.json"
    stored = [c for rows in json.loads(path.read_text())["data"].values() for c in rows]
    completions = read(path, "fine-tune-cot", load(key), "integer")
    assert len(completions) == len(stored)
    for ours, theirs in zip(completions, stored, strict=True):
        assert (ours.question_index, ours.sample_index) == (
            theirs["sample_index"],
            theirs["completion_index"],
        )
        assert prompts(ours) == [theirs["reasoning_prompt"], theirs["prompt"]]
        assert ours.rationale == theirs["reasoning_completion"]
        assert (ours.answer.step, answered(ours)) == (1, theirs["completion"])
        assert ours.finish_reason == theirs["reasoning_finish_reason"]


def test_a_students_file_is_scored_after_its_arrow(tmp_path):
    document = {
        "metadata": {"prediction_template": "ft_cot_token"},
        "data": {
            "0": [{"sample_index": 0, "question": QUESTIONS[0].text, "prompt": "p", "completion": "5 --> 3"}]
        },
    }
    [record] = records(_write(tmp_path, "s.json", json.dumps(document)), "fine-tune-cot", QUESTIONS)
    made = record.completion
    assert (made.answer.prefix, made.rationale, prompts(made)) == ("-->", "5 --> 3", ["p"])
    assert answered(made) == "5 --> 3" and record.gold == "3"


# zero-shot-cot


@pytest.mark.parametrize("name", LOGS)
@pytest.mark.parametrize("method", ["zero_shot", "zero_shot_cot"])
def test_logs_join_every_record_to_one_question(name, method, recordings):
    questions = load(LOGS[name])
    found = records(recordings / f"zero_shot_cot/log/{name}_{method}.log", "zero-shot-cot", questions)
    assert sorted(r.question.index for r in found) == [q.index for q in questions]
    assert {r.completion.sample_index for r in found} == {0}
    for record in found:
        completion = record.completion
        first, *second = prompts(completion)
        assert first.startswith("Q: ")
        if method == "zero_shot_cot":
            assert first.endswith("\nA: Let's think step by step.")
            assert second[0].startswith(first + completion.rationale)
            assert "answer" in second[0].removeprefix(first + completion.rationale)
        else:
            assert second == [] and first.rstrip().endswith("is")


def _kojima_question(question: Question, shuffle: random.Random | None) -> tuple[str, str]:
    """A question as Zero-shot-CoT writes it, with its own order of choices, and the gold answer of that."""
    match = re.fullmatch(r"(.*?)(\nWhich choice is true\?)? Answer choices: (.*)\.", question.text, re.DOTALL)
    if not match:
        return question.text, question.answer
    parts = re.split(r"(?:^|, )\(([A-J])\) ", match[3])[1:]
    choices = list(zip(parts[::2], parts[1::2], strict=True))
    if shuffle:
        shuffle.shuffle(choices)
    shown = "".join(f" ({chr(65 + i)}) {text}" for i, (_, text) in enumerate(choices))
    gold = next(chr(65 + i) for i, (letter, _) in enumerate(choices) if letter == question.answer)
    return f"{match[1].strip()} {'' if not match[2] else match[2] + ' '}Answer Choices:{shown}", gold


def _log(rows: list[tuple[str, str, str]], demo: str | None = None) -> str:
    stars = "*************************"
    lines = [
        "*****",
        "Namespace(cot_trigger=\"Let's think step by step.\", dataset='x', method='m')",
        "*****",
    ]
    for i, (question, text, gold) in enumerate(rows):
        if demo is None:
            thought = "Let's think step by step. One.\nQ: another?\nA: 9 \nTherefore, the answer is"
            asked = f"Q: {question}\nA: {thought}"
        else:
            asked = f"{demo}Q: {question}\nA:"
        lines += [stars, f"{i + 1}st data", "1_th_sampling", asked + text, f"pred_before : {text}"]
        lines += ["pred_after : ?", "pred_list : ['?']", "pred_mode : ?", f"GT : {gold}", stars]
    return "\n".join([*lines, "accuracy : 50.0", "./log/x.json", ""])


@pytest.mark.parametrize(
    "key",
    ["aqua", "commonsense_qa", "date_understanding", "tracking_shuffled_objects", "svamp", "strategy_qa"],
)
def test_a_log_in_any_order_joins_to_its_questions(key, recordings, tmp_path, monkeypatch):
    import requests

    def refuse(*args, **kwargs):
        raise requests.ConnectionError

    monkeypatch.setattr(requests, "get", refuse)
    source = random.Random(7)
    questions = [q for q in load(key) if q.split == "test"]
    order = source.sample(questions, len(questions))
    rows = [_kojima_question(q, source) for q in order]
    path = _write(tmp_path, "x.log", _log([(text, f" {gold}\n\nor so.", gold) for text, gold in rows]))
    found = records(path, "zero-shot-cot", questions)
    by_text = {}
    for q in questions:
        by_text.setdefault(q.text, []).append(q.index)
    for question, record, (_, gold) in zip(order, found, rows, strict=True):
        assert record.question.text.strip() == question.text.strip() and record.gold == gold
        assert record.completion.rationale == " One.\nQ: another?\nA: 9"
        assert answered(record.completion) == f" {gold}\n\nor so."
    assert sorted(r.question.index for r in found) == sorted(q.index for q in questions)


def test_a_few_shot_log_asks_its_last_question(tmp_path):
    demo = "Q: How many pears are left?\nA: 2. The answer is 2.\n\n"
    text = " 5 - 2 = 3. The answer is 3.\n\nQ: How many pears are left?\nA:"
    path = _write(tmp_path, "f.log", _log([(QUESTIONS[0].text, text, "3")], demo))
    [record] = records(path, "zero-shot-cot", QUESTIONS)
    assert record.question.index == 0 and record.completion.answer.prefix == "The answer is"
    assert prompts(record.completion) == [f"{demo}Q: {QUESTIONS[0].text}\nA:"]
    assert record.completion.rationale == text


def test_equal_questions_are_handed_out_in_order(tmp_path):
    rows = [(QUESTIONS[0].text, f" {i}", "3") for i in range(5)]
    found = records(_write(tmp_path, "d.log", _log(rows)), "zero-shot-cot", QUESTIONS)
    places = [(r.question.index, r.completion.sample_index) for r in found]
    assert places == [(0, 0), (2, 0), (0, 1), (2, 1), (0, 2)]


def test_several_samples_of_one_question(tmp_path):
    lines = ["*" * 25, "1st data"]
    for i in (3, 4):
        lines += [
            f"{i}_th_sampling",
            f"Q: {QUESTIONS[1].text}\nA: The answer is {i}.",
            f"pred_before :  {i}.",
        ]
        lines += [f"pred_after : {i}"]
    path = _write(tmp_path, "s.log", "\n".join([*lines, "pred_list : []", "GT : 1200"]))
    found = records(path, "zero-shot-cot", QUESTIONS)
    assert [(r.question.index, r.completion.sample_index, answered(r.completion)) for r in found] == [
        (1, 0, " 3."),
        (1, 1, " 4."),
    ]


def test_a_log_with_other_choices_is_scored_but_not_imported(recordings):
    path = recordings / "zero_shot_cot/log/date_understanding_zero_shot_cot.log"
    questions = load("date_understanding")
    assert len(records(path, "zero-shot-cot", questions)) == len(questions)
    with pytest.raises(RefusedError, match="another order"):
        read(path, "zero-shot-cot", questions, "choice-F")
    path = recordings / "zero_shot_cot/log/shuffled_objects_zero_shot_cot.log"
    questions = load("tracking_shuffled_objects")
    assert len(read(path, "zero-shot-cot", questions, "choice-C")) == len(questions)


# trace-of-thought


def test_traces_carry_both_calls_and_their_tokens(recordings):
    path = min((recordings / "trace-of-thought").glob("*-traces.csv"))
    questions = load("gsm8k")
    found = records(path, "trace-of-thought", questions)
    tested = [q.index for q in questions if q.split == "test"]
    assert [r.question.index for r in found] == tested[: len(found)] and len(found) >= 20
    with path.open(encoding="utf-8", newline="") as stream:
        for record, row in zip(found, csv.reader(stream), strict=True):
            trace, completion = json.loads(row[0]), record.completion
            asked = [trace[name]["input_text"] for name in ("delegation", "answer")]
            assert prompts(completion) == asked
            assert [(step.name, step.role) for step in completion.steps] == [
                ("steps", "delegate"),
                ("rationale", "solver"),
            ]
            assert completion.rationale == row[2] and answered(completion) == row[3]
            assert completion.prompt_tokens + completion.completion_tokens == trace["total_count"]
            assert record.gold == record.question.answer


def test_labels_of_gsm8k_and_of_math():
    assert label_of("2 + 2 = <<2+2=4>>4\n#### 1,204") == "1,204"
    assert label_of(r"So $x = \boxed{\frac{1}{2}}$.") == r"\frac{1}{2}"
    assert label_of(" 7 ") == "7"


# openai-batch and jsonl


def _batch(name, body, status=200):
    return json.dumps({"custom_id": name, "response": {"status_code": status, "body": body}, "error": None})


def test_batches_of_every_endpoint(tmp_path):
    chat = {
        "choices": [{"message": {"content": "So 3. The answer is 3."}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7},
    }
    completions = {"choices": [{"text": " 5 --> 6", "finish_reason": "length"}, {"text": " 7"}]}
    responses = {"status": "incomplete", "output": [{"content": [{"type": "output_text", "text": "8"}]}]}
    lines = [
        _batch("gsm8k-0", chat),
        _batch("gsm8k-1-2", completions),
        _batch("q_2", responses),
        _batch("gsm8k-2-1", {}, status=429),
    ]
    found = records(_write(tmp_path, "b.jsonl", "\n".join(lines)), "openai-batch", QUESTIONS)
    shown = [
        (c.question_index, c.sample_index, c.rationale, c.finish_reason)
        for c in (r.completion for r in found)
    ]
    assert shown == [
        (0, 0, "So 3. The answer is 3.", "stop"),
        (1, 2, " 5 --> 6", "length"),
        (1, 3, " 7", "stop"),
        (2, 0, "8", "length"),
        (2, 1, "", "error"),
    ]
    assert [r.completion.answer.prefix for r in found][:3] == ["The answer is", "-->", "The answer is"]
    assert found[0].completion.prompt_tokens == 11 and "429" in found[4].completion.error


def test_plain_json_lines_by_question_or_index(tmp_path):
    rows = [
        {"question": QUESTIONS[1].text, "rationale": "r", "answer": 1200},
        {"index": 2, "completion": "Thus 3."},
        {"question_index": 0, "sample_index": 4, "rationale": "r", "answer_prompt": "a", "answer_text": "3"},
        {"sample_index": 1, "completion_index": 3, "reasoning_completion": "r", "completion": "9"},
    ]
    text = "\n".join(json.dumps(row) for row in rows)
    found = records(_write(tmp_path, "p.jsonl", text), "jsonl", QUESTIONS)
    assert [(r.completion.question_index, r.completion.sample_index) for r in found] == [
        (1, 0),
        (2, 0),
        (0, 4),
        (1, 3),
    ]
    assert [answered(r.completion) for r in found] == ["1200", "Thus 3.", "3", "9"]
    assert [r.completion.answer.prefix for r in found] == [None, "The answer is", None, None]


# What is wrong


BROKEN = [
    ("fine-tune-cot", '{"metadata": {}, "data": {"0": [\n{"completion": ', "line 2: not JSON"),
    ("fine-tune-cot", '{"metadata": {}}', "'data' is missing"),
    ("fine-tune-cot", '{"data": {"0": [{"question": "x"}]}}', "question 0, completion 0: 'completion'"),
    ("fine-tune-cot", '{"data": {"0": ["x"]}}', "question 0, completion 0"),
    ("fine-tune-cot", '{"data": {"0": 3}}', "a list of completions"),
    ("fine-tune-cot", '{"data": {}}', "holds no record"),
    ("fine-tune-cot", "[1, 2]", "'data' is missing"),
    (
        "fine-tune-cot",
        '{"data": {"1": [{"question": "How many apples are left?", "completion": " 3"}]}}',
        "another question",
    ),
    ("zero-shot-cot", "nothing of the kind", "holds no record"),
    ("zero-shot-cot", "Q: a?\nA: b\npred_before : b\npred_after : b\n", "record 1 .line 1.: no gold answer"),
    ("zero-shot-cot", "Q: a?\nA: b", "no gold answer"),
    ("zero-shot-cot", "GT : 3\n", "line 1: a gold answer"),
    ("zero-shot-cot", _log([("Whose question is this?", " 3", "3")]), "No question of"),
    ("trace-of-thought", 'not a trace\n"{""x"": "\n', "record 2: the first column"),
    ("trace-of-thought", '"{""delegation"": {}}"\n', "record 1: 'answer'"),
    ("openai-batch", '{"custom_id": "x-0", "response"', "line 1: no JSON"),
    ("openai-batch", '{"custom_id": "none"}', "ends in no question index"),
    ("openai-batch", '{"custom_id": "a-0", "response": {"body": {"usage": {}}}}', "holds no text"),
    ("jsonl", '{"index": 0, "answer": "3"}\n\n[3]\n', "line 3: a JSON object"),
    ("jsonl", '{"rationale": "x"}', "neither 'question' nor 'index'"),
    ("jsonl", '{"index": "one", "answer": "x"}', "no whole number"),
    ("jsonl", '{"index": 0}', "no 'rationale'"),
    ("jsonl", '{"index": 0.5, "answer": "3"}', "no whole number"),
    ("jsonl", '{"index": true, "answer": "3"}', "no whole number"),
    (
        "jsonl",
        '{"index": 0, "rationale": ["One.", "Two."], "answer": "3"}',
        "line 1: a rationale or an answer",
    ),
    ("fine-tune-cot", '{"metadata": "x", "data": {}}', "record 1: it is of another shape"),
    (
        "openai-batch",
        '{"custom_id": "a-0", "response": {"body": {"choices": [{"text": "3"}]}}}\n'
        '{"custom_id": "a-1", "response": {"body": {"choices": ["3"]}}}',
        "record 2: it is of another shape",
    ),
    ("jsonl", '{"index": 0, "sample": 1e15, "answer": "3"}', "line 1: its index or sample"),
    (
        "fine-tune-cot",
        '{"metadata": [1], "data": {"0": [{"completion": "3"}]}}',
        "record 1: it is of another shape",
    ),
    (
        "fine-tune-cot",
        '{"data": {"0": [{"completion": "3", "completion_index": []}]}}',
        "it is of another shape",
    ),
    (
        "fine-tune-cot",
        '{"data": {"0": [{"completion": "3", "sample_index": "²"}]}}',
        "it is of another shape",
    ),
    ("fine-tune-cot", '{"data": {"0": [{"completion": "3", "question": [1]}]}}', "another question"),
    ("openai-batch", '{"custom_id": "a-0", "response": "x"}', "it is of another shape"),
    (
        "openai-batch",
        '{"custom_id": "a-0", "response": {"body": {"choices": "x"}}}',
        "it is of another shape",
    ),
    ("openai-batch", '{"custom_id": "a-' + "9" * 5000 + '"}', "it is of another shape"),
]


@pytest.mark.parametrize(("source", "text", "sentence"), BROKEN)
def test_a_broken_file_says_where(source, text, sentence, tmp_path):
    with pytest.raises(LabError, match=sentence):
        records(_write(tmp_path, "broken.txt", text), source, QUESTIONS)


def test_windows_encodings_and_line_ends(small, tmp_path):
    log = (small / "zero_shot_cot/log/addsub_zero_shot_cot.log").read_text(encoding="utf-8")
    rows = '{"index": 0, "answer": "3"}\n{"index": 1, "answer": "1,200"}\n'
    for encoding in ("utf-8-sig", "utf-16"):
        path = tmp_path / f"{encoding}.txt"
        path.write_text(rows, encoding=encoding, newline="\r\n")
        assert [answered(r.completion) for r in records(path, "jsonl", QUESTIONS)] == ["3", "1,200"]
        path.write_text(log, encoding=encoding, newline="\r\n")
        assert len(records(path, "zero-shot-cot", load("addsub"))) == len(load("addsub"))


def test_texts_are_such_that_a_database_keeps_them(tmp_path):
    """A rationale that was cut within a character ends in half of it."""
    row = '{"index": 0, "rationale": "3 \\ud83d\\ude00 left\\u0000 \\ud83d", "answer": "3\\ude00"}'
    (found,) = records(_write(tmp_path, "a.jsonl", row), "jsonl", QUESTIONS)
    assert (found.completion.rationale, answered(found.completion)) == ("3 😀 left\ufffd \ufffd", "3\ufffd")


@pytest.mark.parametrize("source", SOURCES)
def test_any_bytes_give_a_sentence(source, tmp_path):
    for content in (
        b"",
        b"\xff\xfe\x00",
        b"{" * 5000,
        b"[" * 200_000,
        b'{"data": null}',
        b'"',
        b"\x00\n\x00",
    ):
        path = tmp_path / "any"
        path.write_bytes(content)
        with pytest.raises(LabError):
            records(path, source, QUESTIONS)
    with pytest.raises(LabError, match="check the path"):
        records(tmp_path / "none", source, QUESTIONS)
    with pytest.raises(LabError):
        records(tmp_path, source, QUESTIONS)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.999])
def test_a_cut_file_says_so(share, small, tmp_path):
    content = (small / DAVINCI / "D_addsub.json").read_bytes()
    path = tmp_path / "D_addsub.json"
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(LabError, match=r"line \d+"):
        records(path, "fine-tune-cot", load("addsub"))


def test_some_unknown_questions_are_left_out_and_said(tmp_path, caplog):
    rows = [(QUESTIONS[1].text, " 3", "3"), ("Whose question is this?", " 3", "3")]
    path = _write(tmp_path, "x.log", _log(rows))
    assert [r.question is None for r in records(path, "zero-shot-cot", QUESTIONS)] == [False, True]
    assert len(read(path, "zero-shot-cot", QUESTIONS, "integer")) == 1
    assert "1 of 2 records" in caplog.text


def test_without_a_benchmark_questions_are_numbered_as_they_come(tmp_path):
    rows = [("First?", " 3", "3"), ("Second?", " 4", "4"), ("First?", " 5", "3")]
    found = records(_write(tmp_path, "x.log", _log(rows)), "zero-shot-cot", [])
    assert [(r.question.index, r.completion.sample_index, r.gold) for r in found] == [
        (0, 0, "3"),
        (1, 0, "4"),
        (0, 1, "3"),
    ]


def test_unknown_source():
    with pytest.raises(LabError, match="choose one of"):
        module.find_source("nothing")
