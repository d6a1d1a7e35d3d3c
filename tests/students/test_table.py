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


def test_a_folder_that_does_not_write_text_says_why(tmp_path):
    bert = _folder(tmp_path / "bert", model_type="bert", architectures=["BertModel"])
    with pytest.raises(LabError, match="does not write text"):
        resolve(bert)


def test_names_that_are_nothing_say_so():
    with pytest.raises(LabError, match="no model or folder"):
        resolve("no such/student/here")


def test_an_embedded_student_that_is_not_fetched_says_how(lab_home):
    with pytest.raises(LabError, match="models fetch"):
        location(resolve("SmolLM2-135M"))


def test_the_table_needs_no_torch():
    import subprocess
    import sys

    code = "import sys, core.students.table, core.students.config; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=os.environ).returncode == 0
