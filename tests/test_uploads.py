"""Files that a user gave: kept once, found again, never outside their folder."""

from __future__ import annotations

import pytest

from core import settings, uploads
from core.errors import LabError


def test_the_same_content_is_kept_once(lab_home):
    first, again, other = (uploads.keep("a.json", text) for text in (b"{}", b"{}", b"[]"))
    assert first == again != other
    assert uploads.find(first).read_bytes() == b"{}"
    assert len([p for p in settings.folder(uploads.FOLDER).rglob("*") if p.is_file()]) == 2


@pytest.mark.parametrize(
    "name", ["../../evil.json", "C:\\x\\evil.json", "..", "/etc/passwd", "a\0b\n.csv", "é" * 300]
)
def test_no_name_leads_out_of_the_folder(lab_home, name):
    kept = uploads.find(uploads.keep(name, b"x"))
    assert kept.is_file() and kept.parent.parent == settings.home() / uploads.FOLDER


def test_a_place_that_cannot_be_written_is_one_sentence(lab_home):
    (settings.home() / uploads.FOLDER).write_text("in the way")
    with pytest.raises(LabError, match="Cannot keep a.json"):
        uploads.keep("a.json", b"x")


def test_a_path_is_looked_for_where_it_may_be(lab_home, tmp_path, monkeypatch):
    monkeypatch.setenv("LAB_DATA_DIR", str(tmp_path))
    (tmp_path / "in_data.json").write_text("{}")
    assert uploads.find("in_data.json") == tmp_path / "in_data.json"
    assert str(uploads.find("nowhere.json")) == "nowhere.json"
