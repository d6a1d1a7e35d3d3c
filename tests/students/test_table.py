"""Students by name, folder and hub id."""

import json
import os

import pytest

from core.errors import LabError
from core.students.formats import FORMATS
from core.students.table import STUDENTS, location, resolve


@pytest.mark.parametrize("name", STUDENTS)
def test_every_student_resolves_by_name_and_by_source(name):
    student = STUDENTS[name]
    assert resolve(name) is student and resolve(student.source) is student
    assert student.format in FORMATS and student.parameters > 0 and student.licence
    assert student.is_seq2seq == (student.family in ("T5", "Flan-T5"))


def test_the_papers_hub_ids():
    ids = {row.source for row in STUDENTS.values() if row.kind == "hub"}
    t5 = {f"{family}{size}" for family in ("t5-", "google/flan-t5-") for size in ("small", "base", "large")}
    assert ids == t5 | {"gpt2", "gpt2-medium", "gpt2-large"}


def _folder(path, **config):
    path.mkdir()
    (path / "config.json").write_text(json.dumps(config))
    return str(path)


def test_folders_tell_their_architecture(tmp_path):
    causal = _folder(tmp_path / "a", model_type="gpt2", architectures=["GPT2LMHeadModel"])
    seq2seq = _folder(tmp_path / "b", model_type="bart", is_encoder_decoder=True)
    assert resolve(causal).format == "causal" and resolve(seq2seq).format == "t5"
    assert resolve(causal).kind == "folder"


def test_folders_that_are_no_students_say_why(tmp_path):
    bert = _folder(tmp_path / "bert", model_type="bert", architectures=["BertModel"])
    with pytest.raises(LabError, match="does not write text"):
        resolve(bert)
    (tmp_path / "none").mkdir()
    with pytest.raises(LabError, match="no config.json"):
        resolve(str(tmp_path / "none"))
    (tmp_path / "none" / "config.json").write_text("{")
    with pytest.raises(LabError, match="not JSON"):
        resolve(str(tmp_path / "none"))
    pickled = _folder(tmp_path / "bin", model_type="gpt2", architectures=["GPT2LMHeadModel"])
    (tmp_path / "bin" / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(LabError, match="safetensors"):
        location(resolve(pickled))


def test_unknown_names_and_an_unreachable_hub(tmp_path, monkeypatch):
    with pytest.raises(LabError, match="no student or folder"):
        resolve("no such/student/here")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(LabError, match="network") as caught:
        resolve("someone/some-model")
    assert "\n" not in str(caught.value)


def test_an_embedded_student_that_is_not_fetched_says_how(lab_home):
    with pytest.raises(LabError, match="models fetch"):
        location(resolve("SmolLM2-135M"))


def test_the_table_needs_no_torch():
    import subprocess
    import sys

    code = "import sys, core.students.table, core.students.config; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=os.environ).returncode == 0
