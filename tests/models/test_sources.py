"""Checkpoints by folder and hub id; those that are embedded have their own tests."""

import json

import pytest

from core.errors import LabError
from core.models.sources import kind, locate, read_config


def test_what_a_source_is(tmp_path):
    assert kind("SmolLM2-135M-Instruct") == "embedded"
    assert kind(str(tmp_path)) == "folder"
    assert kind("openai-community/gpt2") == kind("gpt2") == "hub"
    with pytest.raises(LabError, match="no model or folder"):
        kind("no such/model/here")


def test_folders_that_hold_no_checkpoint_say_why(tmp_path):
    with pytest.raises(LabError, match="no config.json"):
        read_config(str(tmp_path))
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(LabError, match="not JSON"):
        read_config(str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps({"vocab_size": 4}))
    with pytest.raises(LabError, match="no model type"):
        read_config(str(tmp_path))
    (tmp_path / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(LabError, match="safetensors"):
        locate(str(tmp_path))
    (tmp_path / "model.safetensors").write_bytes(b"x")
    assert locate(str(tmp_path)) == tmp_path


def test_a_row_that_names_the_hub_is_not_taken_from_a_folder_of_that_name(tmp_path, monkeypatch):
    (tmp_path / "gpt2").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    assert kind("gpt2") == "folder"
    with pytest.raises(LabError, match="Cannot get gpt2"):
        locate("gpt2", "hub")


def test_an_unreachable_hub_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(LabError, match="network") as caught:
        locate("someone/some-model")
    assert "\n" not in str(caught.value)
