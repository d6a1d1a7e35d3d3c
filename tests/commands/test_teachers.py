"""python -m core results --teachers, corrections and check-answers: what they print and what they refuse."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from core import settings
from core.__main__ import app
from core.errors import LabError
from tests.pages.test_teachers import Lab, lab  # noqa: F401  the fixture and its type


def run(capsys, *arguments: str) -> str:
    app(list(arguments), standalone_mode=False)
    return capsys.readouterr().out


def test_the_teachers_of_a_study(lab: Lab, capsys):  # noqa: F811
    document = json.loads(
        run(capsys, "results", "--study", "S", "--teachers", "--baseline-run", str(lab.bare), "--json")
    )
    rows = {row["run_id"]: row for row in document["rows"]}
    assert (rows[lab.after]["n"], rows[lab.after]["gained"], rows[lab.after]["lost"]) == (60, 6, 2)
    assert rows[lab.after]["accuracy"] == pytest.approx(100 * 7 / 60) and rows[lab.after]["shown"] == 1
    assert "different questions" in rows[lab.other]["refused"] and rows[lab.other]["failed"] == 1
    text = run(capsys, "results", "--study", "S", "--teachers", "--baseline-run", str(lab.bare))
    assert "11.7 (5.8–22.2) %" in text and f"to run {lab.bare}, p 0.289" in text
    with pytest.raises(LabError, match="no finished generation of this study"):
        run(capsys, "results", "--study", "S", "--teachers", "--baseline-run", "99")


def test_what_corrections_did(lab: Lab, capsys):  # noqa: F811
    (document,) = json.loads(run(capsys, "corrections", "--study", "S", "--json"))
    assert (document["before"], document["after"]) == (lab.before, lab.after)
    assert [change["kind"] for change in document["changes"]] == ["edited"]
    assert document["teacher"]["difference"] == pytest.approx(100 * 2 / 60)
    assert document["students"] == []


def test_what_a_review_would_run_again(lab: Lab, capsys):  # noqa: F811
    document = json.loads(run(capsys, "corrections", "--study", "S", "--run", str(lab.bare), "--json"))
    assert document["generations"] == document["arms"] == []
    with pytest.raises(LabError, match="add --run"):
        run(capsys, "corrections", "--study", "S", "--rerun")
    with pytest.raises(LabError, match="Nothing depends"):
        run(capsys, "corrections", "--study", "S", "--run", str(lab.bare), "--rerun")


def test_a_users_error_is_one_sentence_and_status_2(lab: Lab):  # noqa: F811
    ended = subprocess.run(
        [sys.executable, "-m", "core", "check-answers", "--run", str(lab.bare), "--json"],
        cwd=settings.ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 2 and ended.stdout == ""
    assert "made no adaptive answers" in ended.stderr and ended.stderr.count("\n") == 1
