"""Every row of DATASETS against its files, real and small: counts, texts, gold answers, splits."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy
import pytest

from core.answers import KINDS, RULES, score
from core.datasets import DATASETS, find_dataset, load, split_sizes, subsample
from core.errors import LabError
from tests.recordings import DAVINCI

BENCHMARKS = [key for key, row in DATASETS.items() if not row.generated]
PUBLISHED = [
    *(f"{key}__default" for key in BENCHMARKS if key != "asdiv"),
    "multiarith__template",
    "date_understanding__template",
]
COMPLETIONS = ["single_eq", "addsub", "multiarith", "date_understanding", "last_letter_concatenation"]
GENERATED = [key for key, row in DATASETS.items() if row.generated]


@pytest.fixture
def offline(monkeypatch):
    """No network: what is not in the data folder cannot be had, such as AQuA's training file."""
    import requests

    def refuse(*args, **kwargs):
        raise requests.ConnectionError("no network in tests")

    monkeypatch.setattr(requests, "get", refuse)


@pytest.mark.parametrize("key", BENCHMARKS)
def test_a_row_holds_what_it_says(key, recordings, offline):
    absent = sum(file.rows for file in DATASETS[key].files if file.optional)
    _holds_what_it_says(key, absent)


@pytest.mark.parametrize("key", GENERATED)
def test_a_generated_row_holds_what_it_says(key):
    _holds_what_it_says(key)


def _holds_what_it_says(key: str, absent: int = 0) -> None:
    """A row's questions, of which the first ones may be absent, against the row and every rule set."""
    row, questions = DATASETS[key], load(key)
    assert [q.index for q in questions] == list(range(absent, row.n))
    assert row.kind in KINDS and row.title and row.source and row.licence
    assert sum(f.rows for f in row.files) in (0, row.n)
    parts = [q.split for q in questions]
    sizes = split_sizes(row) | ({"train": 0} if absent else {})
    assert {name: parts.count(name) for name in ("train", "test")} == sizes
    for question in questions:
        assert question.text.strip() and question.answer.strip()
    for rules in RULES:
        for q in questions[:400]:  # every gold answer is read as itself
            if rules == "zero-shot-cot" and KINDS[row.kind].form in ("number", "open"):
                continue  # compares strings: "43.0" in a text is not the gold "43"
            if rules == "fine-tune-cot" and "/" in q.answer:
                continue  # reads 1/3 as 1
            assert score(f" {q.answer}", q.answer, kind=row.kind, rules=rules).correct, q


@pytest.mark.parametrize("name", PUBLISHED)
def test_splits_equal_the_published_ones(name, recorded, lab_home, offline):
    published = json.loads((recorded / f"reasoning-teacher/split/{name}.json").read_text())
    key, _, split = name.partition("__")
    row, texts = DATASETS[key], {q.index: q.text for q in load(key)}
    split = row.splits[split or "default"]([texts.get(i) for i in range(row.n)], [f.rows for f in row.files])
    assert list(split.train) == published["train"]
    assert list(split.test) == published["test"]


def test_the_published_splits_are_all_covered(recorded):
    files = {path.stem for path in (recorded / "reasoning-teacher/split").glob("*.json")}
    assert files == set(PUBLISHED) and len(files) == 14


@pytest.mark.parametrize("key", COMPLETIONS)
def test_questions_equal_the_recorded_completions(key, lab_home, recorded):
    path = recorded / DAVINCI / f"D_{key}.json"
    data = json.loads(path.read_text())["data"]
    questions = load(key)
    assert len(data) == len(questions)
    for index, completions in data.items():
        question = questions[int(index)]
        for completion in completions:
            assert (question.text, question.answer) == (completion["question"], completion["answer"])


def test_choices_of_each_form(small):
    assert load("tracking_shuffled_objects")[0].text.endswith(
        "Ada has the \nWhich choice is true? Answer choices: (A) pen, (B) cup, (C) hat."
    )
    assert " Answer choices: (A) 0 o'clock, (B) 1 o'clock, " in load("commonsense_qa")[0].text
    assert "Which choice" not in load("commonsense_qa")[0].text


def test_aqua_goes_on_with_its_test_file(recordings, offline, caplog):
    train, test = DATASETS["aqua"].files
    questions = load("aqua")
    assert [q.index for q in questions] == list(range(train.rows, train.rows + test.rows))
    assert {q.split for q in questions} == {"test"}
    assert f"{train.rows} questions" in caplog.text and "train.json" in caplog.text


def test_aqua_with_its_training_file(lab_home, small_folder, tmp_path, monkeypatch):
    """A stand-in of the right length: 10,000 train, 254 test, the rest in neither."""
    from core.datasets import files

    folder = tmp_path / "data/zero_shot_cot/dataset/AQuA"
    folder.mkdir(parents=True)
    line = (small_folder / "zero_shot_cot/dataset/AQuA/test.json").read_text().split("\n")[0] + "\n"
    (folder / "train.json").write_text(line * 97467)
    (folder / "test.json").write_text(line * 254)
    monkeypatch.setenv("LAB_DATA_DIR", str(tmp_path / "data"))
    expected = {f.path.rpartition("/")[2]: f.sha256 for f in DATASETS["aqua"].files}
    monkeypatch.setattr(files, "sha256", lambda path, *_: expected[path.name])
    splits = [q.split for q in load("aqua")]
    assert len(splits) == 97721
    assert (splits.count("train"), splits.count("test")) == (10_000, 254)
    assert splits[-254:] == ["test"] * 254


def test_gsm8k_keeps_its_commas_and_its_solutions(lab_home, recorded):
    questions = load("gsm8k")
    assert any("," in q.answer for q in questions)
    assert questions[7473].split == "test" and questions[7473].answer == "18"
    assert "<<16-3-4=9>>" in questions[7473].solution


def test_asdiv_answers_without_units(lab_home, recorded):
    answers = [q.answer for q in load("asdiv")]
    assert answers[0] == "9" and "Mrs. Hilt" in answers and "5:6" in answers and "-1/3" in answers
    assert len(load("asdiv", split="all-test")) == 2305
    assert {q.split for q in load("asdiv", split="all-test")} == {"test"}


def test_template_splits_share_no_template(lab_home, recorded):
    from core.datasets.splits import masked

    questions = load("multiarith", split="template")
    sides = [{masked(q.text) for q in questions if q.split == part} for part in ("train", "test")]
    assert not sides[0] & sides[1] and len(sides[0] | sides[1]) == 120
    assert [len([q for q in questions if q.split == part]) for part in ("train", "test")] == [413, 187]


def test_subsample_is_fine_tune_cots():
    indices = [30, 4, 8, 15, 16, 23, 42]
    order = numpy.random.RandomState(0).permutation(7)
    assert subsample(indices, 3) == sorted(sorted(indices)[i] for i in order[:3])


def test_wrong_keys_say_what_to_do(small):
    for call in (
        lambda: find_dataset("nothing"),
        lambda: load("multiarith", split="nothing"),
        lambda: load("multiarith", size=3),
        lambda: load("multiarith", options={"flips": 3}),
        lambda: load("coin_flip_generated", options={"flips": 99}),
        lambda: load("coin_flip_generated", options={"words": 4}),
        lambda: load("coin_flip_generated", size=0),
    ):
        with pytest.raises(LabError, match="choose|options are|size is for"):
            call()


def test_a_read_only_folder_is_enough(small, offline, tmp_path, monkeypatch):
    folder = tmp_path / "ro/zero_shot_cot/dataset/AddSub"
    folder.mkdir(parents=True)
    shutil.copy(small / "zero_shot_cot/dataset/AddSub/AddSub.json", folder)
    monkeypatch.setenv("LAB_DATA_DIR", str(tmp_path / "ro"))
    before = _tree(tmp_path / "ro")
    for path in (tmp_path / "ro").rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert len(load("addsub")) == DATASETS["addsub"].n
        assert _tree(tmp_path / "ro") == before
    finally:
        for path in (tmp_path / "ro").rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)


def _tree(path: Path) -> list[str]:
    return sorted(str(p) for p in path.rglob("*"))
