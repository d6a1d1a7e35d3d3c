"""Artefacts: folders by content in a store that several machines share; whole, or not there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core import artefacts
from core.errors import LabError


@pytest.fixture(params=["folder", "url"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store on a shared folder, and one behind a URL of fsspec's."""
    url = str(tmp_path / "shared") if request.param == "folder" else f"memory://{tmp_path.name}"
    monkeypatch.setenv("LAB_ARTEFACTS", url)
    return url


def student(path: Path) -> Path:
    (path / "deep").mkdir(parents=True)
    (path / "model.safetensors").write_bytes(b"weights" * 1000)
    (path / "deep" / "config.json").write_text("{}")
    return path


def content(path: Path) -> dict[str, bytes]:
    return {str(p.relative_to(path)): p.read_bytes() for p in path.rglob("*") if p.is_file()}


def test_what_was_put_is_fetched_whole(store: str, tmp_path: Path) -> None:
    made = student(tmp_path / "made")
    assert not artefacts.fetch("a/student", tmp_path / "here")
    artefacts.put(made, "a/student")
    assert artefacts.fetch("a/student", tmp_path / "here")
    found = content(tmp_path / "here")
    assert found == content(made)
    assert artefacts.names("a") == ["student"] and artefacts.names("b") == []
    artefacts.forget("a/student")
    assert artefacts.names("a") == [] and not artefacts.fetch("a/student", tmp_path / "there")


def test_it_is_put_once(store: str, tmp_path: Path) -> None:
    made = student(tmp_path / "made")
    artefacts.put(made, "a/student")
    (made / "model.safetensors").write_bytes(b"other")
    artefacts.put(made, "a/student")
    artefacts.fetch("a/student", tmp_path / "here")
    assert (tmp_path / "here" / "model.safetensors").read_bytes() == b"weights" * 1000


def test_half_a_copy_is_not_there_and_a_damaged_one_is_refused(tmp_path: Path, monkeypatch) -> None:
    shared = tmp_path / "shared"
    monkeypatch.setenv("LAB_ARTEFACTS", str(shared))
    artefacts.put(student(tmp_path / "made"), "a/student")
    listed = shared / "a/student" / artefacts.LIST
    told = listed.read_text()
    listed.unlink()  # the machine that wrote it was killed before it was through
    assert not artefacts.fetch("a/student", tmp_path / "here") and artefacts.names("a") == []
    listed.write_text(told)
    (shared / "a/student/model.safetensors").write_bytes(b"cut")
    with pytest.raises(LabError, match="damaged"):
        artefacts.fetch("a/student", tmp_path / "here")
    assert not (tmp_path / "here").exists()
    listed.write_text(json.dumps({"../../outside": 1}))
    with pytest.raises(LabError, match="outside"):
        artefacts.fetch("a/student", tmp_path / "here")


def test_without_a_store_nothing_is_kept_and_nothing_found(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv("LAB_ARTEFACTS", raising=False)
    artefacts.put(student(tmp_path / "made"), "a/student")
    assert not artefacts.fetch("a/student", tmp_path / "here") and artefacts.names("a") == []


@pytest.mark.parametrize("url", ["nothing-like-it://x", "/dev/null/folder"])
def test_a_store_that_cannot_be_used_is_one_sentence(url: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("LAB_ARTEFACTS", url)
    with pytest.raises(LabError, match="LAB_ARTEFACTS"):
        artefacts.put(student(tmp_path / "made"), "a/student")
