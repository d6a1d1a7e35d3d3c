"""python -m core score: the figures that the recorded files must give."""

from __future__ import annotations

import json
import re

import pytest

from core.__main__ import app
from core.commands.score import score_file
from tests.recordings import DAVINCI, LOGS

# greedy correct of n; all completions; correct in training and test (Ho et al. 2023)
FINE_TUNE_COT = {
    "single_eq": ((414, 508), (414, 508), (289, 125)),
    "addsub": ((303, 395), (303, 395), (209, 94)),
    "multiarith": ((465, 600), (624, 792), (323, 142)),
    "date_understanding": ((252, 369), (271, 401), (170, 82)),
    "last_letter_concatenation": ((285, 500), (307, 532), (201, 84)),
}
TRACES = {
    "sot-gpt4-gpt4-gsm8k-05-28-24": 85.0,
    "sot-gpt4-llama27bchat-gsm8k-05-28-24": 42.5,
    "sot-llama38b-zephyr-gsm8k-05-27-24": 34.0,
}


@pytest.mark.parametrize("key", FINE_TUNE_COT)
def test_fine_tune_cot(key, recorded, lab_home):
    result = score_file(recorded / DAVINCI / f"D_{key}.json", key, "fine-tune-cot")
    greedy, every, parts = FINE_TUNE_COT[key]
    assert (result["greedy"]["correct"], result["greedy"]["n"]) == greedy
    assert (result["correct"], result["records"]) == every
    assert tuple(result["by_split"][part]["greedy"]["correct"] for part in ("train", "test")) == parts
    assert result["accuracy"] == pytest.approx(100 * every[0] / every[1])


@pytest.mark.parametrize("name", LOGS)
@pytest.mark.parametrize("method", ["zero_shot", "zero_shot_cot"])
def test_zero_shot_cot_gives_the_accuracy_that_the_log_ends_with(name, method, recordings):
    path = recordings / f"zero_shot_cot/log/{name}_{method}.log"
    printed = re.findall(r"^accuracy : (\S+)$", path.read_text(encoding="utf-8"), re.MULTILINE)[-1]
    result = score_file(path, LOGS[name], "zero-shot-cot")
    assert result["accuracy"] == float(printed)
    assert sum(part["n"] for part in result["by_split"].values()) == result["records"]


@pytest.mark.parametrize("name", TRACES)
def test_trace_of_thought(name, recorded, lab_home):
    path = recorded / f"trace-of-thought/{name}-traces.csv"
    result = score_file(path, "gsm8k", "trace-of-thought")
    assert (result["records"], result["accuracy"]) == (200, TRACES[name])
    assert result["by_split"]["test"]["n"] == 200 and result["by_split"]["train"]["accuracy"] is None


@pytest.mark.parametrize("key", FINE_TUNE_COT)
def test_robust_rules_lose_next_to_nothing(key, recorded, lab_home):
    path = recorded / DAVINCI / f"D_{key}.json"
    paper = score_file(path, key, "fine-tune-cot")
    assert score_file(path, key, "fine-tune-cot", "robust")["correct"] >= paper["correct"] - 1


def test_a_failed_batch_reply_is_wrong(small, tmp_path):
    path = tmp_path / "batch.jsonl"
    good = {"choices": [{"message": {"content": "The answer is 85."}}]}
    rows = [
        {"custom_id": "a-0", "response": {"status_code": 200, "body": good}},
        {"custom_id": "a-1", "error": {}},
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    result = score_file(path, "addsub", "openai-batch")
    assert (result["records"], result["correct"]) == (2, 1)


def _run(*arguments):
    from typer.testing import CliRunner

    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_json_is_one_document(small):
    path = small / DAVINCI / "D_addsub.json"
    run = _run("score", path, "--dataset", "addsub", "--source", "fine-tune-cot", "--json")
    assert run.exit_code == 0
    document = json.loads(run.stdout)
    assert {"records", "correct", "accuracy", "by_split"} <= set(document)
    assert set(document["by_split"]) == {"train", "test"}
    for part in document["by_split"].values():
        assert {"n", "correct", "accuracy", "greedy"} <= set(part)


def test_the_table_names_every_part(recorded, lab_home):
    path = recorded / DAVINCI / "D_multiarith.json"
    run = _run(
        "score", path, "--dataset", "multiarith", "--source", "fine-tune-cot", "--split-by", "template"
    )
    lines = run.stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["all", "train", "test"]
    assert "624" in lines[1] and "465" in lines[1] and "187" in lines[3]


def test_nothing_is_stored(small, lab_home):
    score_file(small / DAVINCI / "D_addsub.json", "addsub", "fine-tune-cot")
    assert not [p for p in lab_home.rglob("*") if p.is_file()]
