"""Shared by the students' tests: one tiny student of each shape, and runs in this process."""

from pathlib import Path

import pytest

from tests.students.tiny import KINDS, tiny_student


@pytest.fixture(scope="session")
def students(tmp_path_factory) -> dict[str, Path]:
    """Folders of tiny students, by kind."""
    folder = tmp_path_factory.mktemp("tiny")
    return {kind: tiny_student(folder / kind, kind) for kind in KINDS}


@pytest.fixture(autouse=True)
def usual_determinism():
    """Training switches torch to deterministic algorithms; other tests keep their own."""
    yield
    import sys

    if "torch" in sys.modules:
        import torch

        torch.use_deterministic_algorithms(False)
