"""Fixtures of the stages: a tiny student, and studies that it went through."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core import settings
from tests.students.tiny import tiny_student


@pytest.fixture
def student(tmp_path: Path) -> str:
    return str(tiny_student(tmp_path / "tiny"))


@pytest.fixture
def flips(once: Callable[..., tuple[Path, int]], lab_home: Path) -> tuple[int, str]:
    """(study, student): coin flips answered by a tiny student as it is, fine-tuned, and with rationales."""
    folder, study = once("flips", _studied)
    shutil.copytree(folder / "lab", lab_home, symlinks=True)
    return study, str(folder / "tiny")


@pytest.fixture
def clustered_flips(once: Callable[..., tuple[Path, int]], lab_home: Path) -> tuple[int, str]:
    """(study, student): the student learnt what a teacher wrote who was shown an exemplar of each cluster."""
    changes = {"methods": ["new-fine-tune-cot"], "clusters": {"rules": "paper", "k": 3}}
    folder, study = once("clustered flips", lambda folder: _studied(folder, **changes))
    shutil.copytree(folder / "lab", lab_home, symlinks=True)
    return study, str(folder / "tiny")


def _studied(folder: Path, **changes: Any) -> int:
    """Perform a whole study in folder/lab, with the student folder/tiny. Returns the study's id."""
    from core import jobs
    from tests.stages.test_study import run, spec

    models, student = settings.ROOT / ".lab" / "models", str(tiny_student(folder / "tiny"))
    if "clusters" in changes and not (models / "all-MiniLM-L6-v2").is_dir():
        pytest.skip("the embedded models are not here: run `python -m core models fetch`")
    (folder / "lab").mkdir()
    (folder / "lab" / "models").symlink_to(models)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAB_HOME", str(folder / "lab"))
        patch.setattr(jobs, "ensure_worker", lambda *_: False)
        return jobs.job(run("study", spec(student, **changes))).study_id
