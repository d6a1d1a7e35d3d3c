"""python -m core training-set and diversity, over the small slice's rationales."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core import studies
from core.__main__ import app
from core.errors import LabError
from core.stages import generation
from core.store import queries
from tests.recordings import DAVINCI

FILE = f"{DAVINCI}/D_{{}}.json"
RIGHT = 46  # of the slice's 63 training questions


@pytest.fixture
def study(small: Path) -> str:
    """AddSub with the rationales of the slice."""
    spec = studies.Study(name="S", benchmark="addsub", students=("T5 small",))
    generation.import_file(studies.open_study(spec), small / FILE.format("addsub"), "fine-tune-cot")
    return "S"


def run(capsys, *arguments: str) -> str:
    app([*arguments], standalone_mode=False)
    return capsys.readouterr().out


def test_counts_and_hash_before_and_after(study, capsys):
    plain = json.loads(run(capsys, "training-set", "--study", study, "--json"))
    assert plain["n"] == RIGHT and plain["filters"] == {}
    assert plain["dropped"] == {"other split": 27, "wrong answer": 63 - RIGHT}
    asked = ["--filter", "steps", "--filter", "max_words=20"]
    strict = json.loads(run(capsys, "training-set", "--study", study, *asked, "--json"))
    assert strict["filters"] == {"steps": True, "max_words": 20}
    assert strict["n"] == RIGHT - strict["dropped"]["wrong step"] - strict["dropped"]["too long"] > 0
    assert strict["hash"] != plain["hash"]
    turned = [*asked[2:], *asked[:2]]
    assert strict == json.loads(run(capsys, "training-set", "--study", study, *turned, "--json"))
    text = run(capsys, "training-set", "--study", study, *asked)
    assert "90 - 27 other split" in text and strict["hash"] in text


def test_d_of_an_imported_file(lab_home, tmp_path, capsys):
    """Two rationales of each question: the first ones, or both."""
    asked = studies.Study(name="G", benchmark="coin_flip_generated", options={"size": 20})
    lines = [
        json.dumps({"index": q.index, "sample": n, "rationale": f"Way {n}.", "answer": q.answer})
        for q in asked.benchmark.load()
        for n in range(2)
    ]
    file = tmp_path / "two.jsonl"
    file.write_text("\n".join(lines))
    studies.open_study(asked)
    run(capsys, "import", str(file), "--source", "jsonl", "--study", "G", "--json")
    for options, ways in ((), {0}), (("--samples", "2"), {0, 1}):
        out = tmp_path / "rows.jsonl"
        made = run(capsys, "training-set", "--study", "G", *options, "--out", str(out), "--json")
        rows = [json.loads(line) for line in out.read_text().splitlines()]
        assert {row["sample_index"] for row in rows} == ways
        assert json.loads(made)["n"] == len(rows) == len(ways) * json.loads(made)["questions"]


def test_rows_are_written_as_jsonl(study, capsys, tmp_path):
    file = tmp_path / "set.jsonl"
    run(capsys, "training-set", "--study", study, "--filter", "max_words=20", "--out", str(file))
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert all(len(row["label"].rpartition(" --> ")[0].split()) <= 20 for row in rows)
    assert set(rows[0]) == {"input", "label", "question_index", "sample_index"}
    with pytest.raises(LabError, match="choose another place"):
        run(capsys, "training-set", "--study", study, "--out", str(tmp_path / "no" / "set.jsonl"))


def test_the_other_format_has_another_hash(study, capsys):
    hashes = {
        json.loads(run(capsys, "training-set", "--study", study, "--student", name, "--json"))["hash"]
        for name in ("T5 small", "GPT-2 small", "T5 base")
    }
    assert len(hashes) == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--filter", "heat=3"], "no filter heat"),
        (["--filter", "max_words=few"], "`max_words` cannot be 'few'"),
        (["--method", "nope"], "no method “nope”"),
        (["--method", "zero-shot"], "trains no student"),
        (["--method", "new-fine-tune-cot"], "no rationales yet"),
    ],
)
def test_what_cannot_be_used_is_named(study, capsys, arguments, sentence):
    with pytest.raises(LabError, match=sentence):
        run(capsys, "training-set", "--study", study, *arguments)


def test_a_set_that_the_filters_empty_has_no_rows(study, capsys):
    empty = json.loads(run(capsys, "training-set", "--study", study, "--filter", "min_words=9999", "--json"))
    assert empty["n"] == 0 and empty["dropped"]["too short"] == RIGHT


def test_diversity_of_recorded_samples(small, capsys):
    spec = studies.Study(name="M", benchmark="multiarith")
    study = studies.open_study(spec)
    generation.import_file(study, small / FILE.format("multiarith"), "fine-tune-cot")
    result = json.loads(run(capsys, "diversity", "--study", "M", "--limit", "3", "--json"))
    several = queries.runs(study, "generate")[0].summary["diversity"]
    assert result["questions"] == several["questions"] > 0
    assert 1 <= result["effective"] <= result["texts"] <= result["n"]
    values = [row["effective"] for row in result["least"]]
    assert len(values) == 3 and values == sorted(values)
    assert "Least diverse:" in run(capsys, "diversity", "--study", "M")


def test_a_study_without_several_rationales(study, capsys):
    with pytest.raises(LabError, match="several rationales"):
        run(capsys, "diversity", "--study", study)
