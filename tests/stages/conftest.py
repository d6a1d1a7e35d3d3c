"""Fixtures of the stages: a tiny student, and the embedded models."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import settings
from tests.students.tiny import tiny_student


@pytest.fixture
def student(tmp_path: Path) -> str:
    return str(tiny_student(tmp_path / "tiny"))


@pytest.fixture
def embedded(lab_home: Path) -> None:
    """Sentence-BERT as fetched by `python -m core models fetch`."""
    models = settings.ROOT / ".lab" / "models"
    if not (models / "all-MiniLM-L6-v2").is_dir():
        pytest.skip("the embedded models are not here: run `python -m core models fetch`")
    lab_home.mkdir(exist_ok=True)
    (lab_home / "models").symlink_to(models)
