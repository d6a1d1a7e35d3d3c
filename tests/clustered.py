"""A study on the small slice's rationales, its questions clustered by the real encoder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from core import settings, studies
from core.errors import LabError
from core.exemplars.encoding import DEFAULT_ENCODER
from core.models.embedded import model_path
from core.stages import exemplars, generation
from tests import small
from tests.performing import Silent

QUESTIONS = 60


@dataclass(frozen=True)
class Clustered:
    """Ids of what was made."""

    study: str
    study_id: int
    generation: int
    exemplars: int


def fill(home: Path, k: int = 6) -> Clustered:
    """Fill a new LAB_HOME: completions imported, and the exemplars stage run on them."""
    (home / "models").symlink_to(settings.ROOT / ".lab" / "models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAB_HOME", str(home))
        try:
            model_path(DEFAULT_ENCODER)
        except LabError:
            pytest.skip("the embedded encoder is not here: run `python -m core models fetch`")
        path = home / "completions.json"
        small.write_completions(path, small.sums(small.SUMS))
        options = {"size": small.SUMS, "seed": 0}
        spec = studies.Study(name="Sums", benchmark="arithmetic_generated", options=options, train=QUESTIONS)
        study_id = studies.open_study(spec)
        made = generation.import_file(study_id, path, "fine-tune-cot")
        run_id = exemplars.plan(study_id, {"k": k}, "")
        exemplars.choose(Silent(), run_id)
        return Clustered(spec.name, study_id, made["run"], run_id)
