"""A study on AddSub with davinci's recorded rationales, its questions clustered by the real encoder."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from core import settings, studies
from core.errors import LabError
from core.exemplars.encoding import DEFAULT_ENCODER
from core.models.embedded import model_path
from core.stages import exemplars, generation
from tests.performing import Silent
from tests.recordings import DAVINCI

FILE = f"{DAVINCI}/D_addsub.json"
QUESTIONS = 60


@dataclass(frozen=True)
class Clustered:
    """Ids of what was made."""

    study: str
    study_id: int
    generation: int
    exemplars: int


def clustered(recorded: Path, home: Path) -> Clustered:
    """Fill a new LAB_HOME: the recording imported, and the exemplars stage run on it once a session."""
    template, made = _template(recorded)
    shutil.copytree(template, home, symlinks=True, dirs_exist_ok=True)
    return made


@cache
def _template(recorded: Path) -> tuple[Path, Clustered]:
    models = settings.ROOT / ".lab" / "models"
    home = Path(tempfile.mkdtemp(prefix="clustered-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    (home / "models").symlink_to(models)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAB_HOME", str(home))
        patch.setenv("LAB_DATA_DIR", str(recorded))
        return home, _filled(recorded)


def _filled(recorded: Path, k: int = 6) -> Clustered:
    path = recorded / FILE
    if not path.is_file():
        pytest.skip("the recorded AddSub rationales are not here")
    try:
        model_path(DEFAULT_ENCODER)
    except LabError:
        pytest.skip("the embedded encoder is not here: run `python -m core models fetch`")
    spec = studies.Study(name="AddSub, davinci", benchmark="addsub", train=QUESTIONS)
    study_id = studies.open_study(spec)
    made = generation.import_file(study_id, path, "fine-tune-cot")
    run_id = exemplars.plan(study_id, {"k": k}, "")
    exemplars.choose(Silent(), run_id)
    return Clustered(spec.name, study_id, made["run"], run_id)
