"""A benchmark of the user's own: read, kept, and then a row like the others."""

from __future__ import annotations

import pytest

from core import settings, studies
from core.datasets import all_datasets, find_dataset, load, upload
from core.errors import LabError

CSV = 'question,answer,split\n"How many, in all?","1,234",train\n"Two\nlines?",5,test\n'
JSONL = '{"question": "Is it?", "answer": "Yes"}\n\n{"question": "Is it not?", "answer": "no"}\n'


def _write(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_csv_with_its_own_split(lab_home, tmp_path):
    row = upload.add(_write(tmp_path, "mine.csv", "\ufeff" + CSV), "mine", title="Mine")
    assert (row.kind, row.n, row.title) == ("decimal", 2, "Mine")
    assert [(q.text, q.answer, q.split) for q in load("mine")] == [
        ("How many, in all?", "1,234", "train"),
        ("Two\nlines?", "5", "test"),
    ]
    assert "mine" in all_datasets() and find_dataset("mine").licence


def test_half_of_a_surrogate_pair_is_kept_as_a_replacement_character(lab_home, tmp_path):
    text = '{"question": "How many \\ud83d?", "answer": "5"}\n{"question": "And now?", "answer": "6"}\n'
    upload.add(_write(tmp_path, "mine.jsonl", text), "half")
    assert load("half")[0].text == "How many \ufffd?"
    assert studies.open_study(studies.Study(name="half", benchmark="half"))


def test_json_lines_are_split_seventy_thirty(lab_home, tmp_path):
    text = "".join(f'{{"question": "Is {i}?", "answer": "{"yes" if i % 2 else "No"}"}}\n' for i in range(10))
    row = upload.add(_write(tmp_path, "mine.jsonl", text), "yes_or_no")
    assert row.kind == "yes-no"
    splits = [q.split for q in load("yes_or_no")]
    assert (splits.count("train"), splits.count("test")) == (7, 3)


def test_half_a_character_can_be_kept(lab_home, tmp_path):
    upload.add(_write(tmp_path, "a.jsonl", r'{"question": "Who is \ud83d?", "answer": "3"}'), "half")
    assert [q.text for q in load("half")] == ["Who is \ufffd?"]


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        (["B", "E"], "choice-E"),
        (["yes", "No"], "yes-no"),
        (["3", "4.5", "1,000"], "decimal"),
        (["Paris", "3"], "open"),
    ],
)
def test_the_kind_of_answer_is_guessed(answers, kind):
    assert upload.guess_kind(answers) == kind


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("a.csv", "q,a\n1,2\n", "name two question and answer"),
        ("a.csv", "question,answer\nHow many?,\n", "line 2: 'answer' is missing"),
        ("a.csv", "question,answer,split\nHow?,1,dev\n", "write train or test"),
        ("a.csv", "question,answer,split\nHow?,1,train\nHow?,1,\n", "for some questions only"),
        ("a.jsonl", '{"question": "a", "answer": 1}\n{"question":\n', "line 2: not JSON"),
        ("a.jsonl", "[1]\n", "write an object"),
        ("a.json", '{"question": "a"}', "is no list"),
        ("a.jsonl", "", "holds no question"),
        ("a.xlsx", "x", "ends in .csv"),
    ],
)
def test_what_is_wrong_is_said(name, text, sentence, lab_home, tmp_path):
    with pytest.raises(LabError, match=sentence):
        upload.add(_write(tmp_path, name, text), "mine")
    assert "mine" not in all_datasets()


def test_columns_of_other_names_and_other_separators(lab_home, tmp_path):
    path = _write(tmp_path, "a.csv", "id;Problem;Target\n1;How many, then?;3\n2;And now?;4\n")
    names, first = upload.columns(path)
    assert names == ["id", "problem", "target"] and first[1]["problem"] == "And now?"
    upload.add(path, "mine", columns={"question": "problem", "answer": "target"})
    assert [(q.text, q.answer) for q in load("mine")] == [("How many, then?", "3"), ("And now?", "4")]
    with pytest.raises(LabError, match="no column 'answers', only id, problem, target"):
        upload.add(path, "other", columns={"question": "problem", "answer": "answers"})


def test_a_question_that_is_there_twice_is_named(lab_home, tmp_path):
    path = _write(tmp_path, "a.csv", "question,answer\nHow?,1\nWhy?,2\nHow? ,1\n")
    with pytest.raises(LabError, match="Questions 1 and 3 of .* are the same: leave one"):
        upload.add(path, "mine")


def test_a_file_that_is_too_large_is_said_before_it_is_read(lab_home, tmp_path, monkeypatch):
    monkeypatch.setattr(upload, "MOST_BYTES", 2_000_000)
    path = _write(tmp_path, "a.csv", "question,answer\n" + "x" * 3_000_000)
    with pytest.raises(LabError, match="has 3 MB, more than the 2 MB"):
        upload.add(path, "mine")


def test_a_disk_that_is_full_keeps_nothing_half(lab_home, tmp_path):
    path = _write(tmp_path, "a.jsonl", JSONL)
    (settings.home() / "benchmarks").write_text("in the way")
    with pytest.raises(LabError, match="Cannot write"):
        upload.add(path, "mine")
    (settings.home() / "benchmarks").unlink()
    assert upload.add(path, "mine").n == 2


@pytest.mark.parametrize(
    ("title", "key"),
    [
        ("My questions (2)", "my_questions_2"),
        ("2024 exam", "exam"),
        ("Ünïcode", "n_code"),
        ("?", "own"),
        ("a", "own_a"),
    ],
)
def test_a_key_of_a_title(title, key):
    assert upload.keyed(title) == key


def test_a_study_may_be_on_it(lab_home, tmp_path):
    with pytest.raises(LabError, match="no benchmark “mine”"):
        studies.Study(name="s", benchmark="mine")
    upload.add(_write(tmp_path, "a.jsonl", JSONL), "mine")
    study = studies.open_study(studies.Study(name="s", benchmark="mine"))
    assert len(studies.questions(study, "train")) + len(studies.questions(study, "test")) == 2


def test_keys_and_kinds_are_checked(lab_home, tmp_path):
    path = _write(tmp_path, "a.jsonl", JSONL)
    for key in ("multiarith", "../x", "A b", ""):
        with pytest.raises(LabError, match="key"):
            upload.add(path, key)
    with pytest.raises(LabError, match="Question 1 of a.jsonl has the answer 'Yes'"):
        upload.add(path, "mine", kind="decimal")
    with pytest.raises(LabError, match="check the path"):
        upload.add(tmp_path / "none.csv", "mine")
    upload.add(path, "mine")
    with pytest.raises(LabError, match="already"):
        upload.add(path, "mine")


def test_not_utf8(lab_home, tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"question,answer\n\xff\xfe,1\n")
    with pytest.raises(LabError, match="UTF-8"):
        upload.add(path, "mine")
