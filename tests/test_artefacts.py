"""Artefacts: kept whole or not at all, in a folder and in a store that has no folders."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from core import artefacts
from core.errors import LabError

NAME = "runs/3f0c/student"


@pytest.fixture(params=["folder", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A place for artefacts, as LAB_ARTEFACTS names it."""
    url = str(tmp_path / "kept") if request.param == "folder" else "memory://kept"
    monkeypatch.setenv("LAB_ARTEFACTS", url)
    yield url
    fsspec.filesystem("memory").store.clear()


@pytest.fixture
def student(tmp_path: Path) -> Path:
    """A folder to keep: two files and a folder."""
    folder = tmp_path / "run"
    (folder / "student").mkdir(parents=True)
    (folder / "student" / "model.safetensors").write_bytes(bytes(range(256)) * 9000)
    (folder / "epochs.jsonl").write_text('{"epoch": 1}\n')
    (folder / "done.json").write_text("{}")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def stored(url: str) -> list[str]:
    files, root = fsspec.core.url_to_fs(url)
    return files.find(root)


def test_what_is_put_comes_back_the_same(place: str, student: Path, tmp_path: Path):
    artefacts.put(NAME, student, ["student", "epochs.jsonl", "missing", "done.json"])
    assert artefacts.names("runs/3f0c") == ["student"] and artefacts.names("runs/other") == []
    assert artefacts.get(NAME, tmp_path / "there") and not artefacts.get(
        "runs/3f0c/other", tmp_path / "there"
    )
    assert contents(tmp_path / "there") == contents(student)
    artefacts.remove(NAME)
    artefacts.remove(NAME)
    assert artefacts.names("runs/3f0c") == [] and stored(place) == []


def test_files_are_replaced_and_folders_stay(place: str, student: Path, tmp_path: Path):
    """Two that fetch one student at once do not take it from each other."""
    artefacts.put(NAME, student, ["student", "epochs.jsonl"])
    there = tmp_path / "there"
    (there / "student").mkdir(parents=True)
    (there / "epochs.jsonl").write_text("old")
    assert artefacts.get(NAME, there)
    assert contents(there) == {"epochs.jsonl": b'{"epoch": 1}\n'}


def test_put_again_replaces_it(place: str, student: Path, tmp_path: Path):
    artefacts.put(NAME, student, ["done.json"])
    (student / "done.json").write_text('{"epochs": 2}')
    artefacts.put(NAME, student, ["done.json"])
    artefacts.get(NAME, tmp_path / "there")
    assert contents(tmp_path / "there") == {"done.json": b'{"epochs": 2}'} and len(stored(place)) == 1


def test_what_breaks_off_is_not_there(
    place: str, student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    files, _ = fsspec.core.url_to_fs(place)
    renamed = type(files).mv

    def breaks(*_: object, **__: object) -> None:
        raise ConnectionResetError("in the middle")

    monkeypatch.setattr(type(files), "mv", breaks)
    with pytest.raises(LabError, match="LAB_ARTEFACTS cannot be used .ConnectionResetError."):
        artefacts.put(NAME, student, ["student"])
    assert artefacts.names("runs/3f0c") == [] and not artefacts.get(NAME, tmp_path / "there")
    assert stored(place) == [], "nothing is left of it"
    monkeypatch.setattr(type(files), "mv", renamed)
    artefacts.put(NAME, student, ["student"])
    assert artefacts.names("runs/3f0c") == ["student"]


def test_a_reader_sees_it_whole_or_not(place: str, student: Path, tmp_path: Path):
    """Whoever fetches while it is put again and again gets all of it."""
    artefacts.put(NAME, student, ["student", "done.json"])
    writer = threading.Thread(
        target=lambda: [artefacts.put(NAME, student, ["student", "done.json"]) for _ in range(5)]
    )
    writer.start()
    seen = []
    for number in range(5):
        if artefacts.get(NAME, tmp_path / str(number)):
            seen.append(contents(tmp_path / str(number)))
    writer.join()
    whole = {name: data for name, data in contents(student).items() if name != "epochs.jsonl"}
    assert seen and all(one == whole for one in seen)


def test_nothing_of_this_machine_is_kept(place: str, student: Path):
    artefacts.put(NAME, student, ["student"])
    (path,) = stored(place)
    files, _ = fsspec.core.url_to_fs(place)
    assert str(student.parent).encode() not in files.cat_file(path)


def test_nowhere_is_nowhere(student: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("LAB_ARTEFACTS", raising=False)
    artefacts.put(NAME, student, ["student"])
    assert not artefacts.used() and artefacts.names("runs") == [] and not artefacts.get(NAME, student)


@pytest.mark.parametrize("url", ["nosuch://ana:secret@host/x", "s3fs+nosuch://ana:secret@x"])
def test_a_place_that_cannot_be_used_is_a_sentence_without_its_password(url, student, monkeypatch):
    monkeypatch.setenv("LAB_ARTEFACTS", url)
    with pytest.raises(LabError, match="LAB_ARTEFACTS cannot be used") as told:
        artefacts.put(NAME, student, ["student"])
    assert "secret" not in str(told.value) and str(told.value).endswith(".")
