"""The embedded Sentence-BERT inside a fresh LAB_HOME; tests that need it skip where it was not fetched."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import settings

NAME = "all-MiniLM-L6-v2"


@pytest.fixture
def minilm(lab_home: Path) -> Path:
    """LAB_HOME with the encoder in it."""
    model = settings.ROOT / ".lab" / "models" / NAME
    if not (model / "model.safetensors").is_file():
        pytest.skip("run `python -m core models fetch` first")
    (settings.folder("models") / NAME).symlink_to(model)
    return lab_home
