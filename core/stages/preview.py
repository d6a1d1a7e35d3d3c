"""What a fine-tuning would do, asked of the student's own process before anything is started.

preview(study_id, "fine-tune-cot", "SmolLM2-135M", 0, study.parts)
    {"rows": 209, "tokens": {"longest_row": 151, …}, "truncated": {…}, "estimated_seconds": 180.0,
     "first_batch": […], "dropped": {"wrong answer": 67}, …}
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from core import settings
from core.errors import LabError
from core.methods import METHODS
from core.records import content_hash
from core.stages import children
from core.stages.training import build_set, config_of, test_items
from core.students.folder import RunFolder
from core.students.formats import FORMATS
from core.students.part import Asking, Learning
from core.students.table import resolve
from core.teachers.part import Teaching

TIMEOUT_SECONDS = 300


def preview(
    study_id: int,
    method_key: str,
    student: str,
    seed: int,
    parts: tuple[Teaching, Learning, Asking],
) -> dict[str, Any]:
    """Rows, tokens, cuts, memory, time and the first batch (core.students.preview), and what was dropped.

    The same question is answered from the folder of the first time. LabError where there is nothing to
    train on or the student cannot be had.
    """
    teaching, learning, asking = parts
    form = FORMATS[resolve(student).format]
    made, _ = build_set(study_id, method_key, teaching, learning, form)
    config = config_of(study_id, learning, asking, method_key, student, seed)
    path = settings.folder("previews") / content_hash([config.dump(), made.hash])[:16]
    if not (path / "preview.json").is_file():
        tested = test_items(study_id, METHODS[method_key], form) if config.selection == "test" else []
        RunFolder(path).fill(config, tested, made.rows)
        command = [sys.executable, "-m", "core.students.child", str(path), "preview"]
        with (path / "child.log").open("wb") as log:
            ended = subprocess.run(
                command, cwd=settings.ROOT, stdout=log, stderr=log, timeout=TIMEOUT_SECONDS
            ).returncode
        if ended:
            raise LabError(children.last_words(path, ended))
    return json.loads((path / "preview.json").read_text(encoding="utf-8")) | {"dropped": made.dropped}
