"""A training run where other machines find it: its last checkpoint after each epoch, its student at the end.

runs/<hash>/step-57      checkpoints and what was measured until then, to go on from
runs/<hash>/student      the student, what it reached, and that it is done
"""

from __future__ import annotations

import os
import shutil

from core import artefacts
from core.store.models import Run
from core.students import checkpoints
from core.students.folder import RunFolder, put_folder

STUDENT = "student"
MEASURED = ("metrics.jsonl", "epochs.jsonl")
FINISHED = ("student", "predictions", *MEASURED, "done.json")  # what says that it is done comes last


def kept(run: Run) -> str:
    """Where what belongs to a run is kept."""
    return f"runs/{run.hash}"


def put_student(run: Run, files: RunFolder) -> None:
    """Keep a finished student, once; its checkpoints are of no use any more."""
    if STUDENT not in artefacts.names(kept(run)):
        artefacts.put(f"{kept(run)}/{STUDENT}", files.path, FINISHED)
    _forget_all_but(run, STUDENT)


def put_checkpoint(run: Run, files: RunFolder) -> None:
    """Keep what is needed to go on from here, instead of what was kept before."""
    made = RunFolder(files.path / ".snapshot")  # the child may prune its checkpoints meanwhile
    shutil.rmtree(made.path, ignore_errors=True)
    try:
        shutil.copytree(files.checkpoints, made.checkpoints, copy_function=_link)
        if files.predictions.is_dir():
            shutil.copytree(files.predictions, made.predictions)
        for name in MEASURED:
            shutil.copy(files.path / name, made.path / name)
        if step := _step(made):
            artefacts.put(f"{kept(run)}/step-{step}", made.path, ("checkpoints", "predictions", *MEASURED))
            _forget_all_but(run, f"step-{step}")
    except (FileNotFoundError, shutil.Error):  # pruned while it was looked at: a later one is kept
        pass
    finally:
        shutil.rmtree(made.path, ignore_errors=True)


def fetch(run: Run, files: RunFolder) -> None:
    """Bring what another machine has kept of a run, where it got further than this one."""
    if not artefacts.used() or files.done:
        return
    found = artefacts.names(kept(run))
    if STUDENT in found:
        artefacts.get(f"{kept(run)}/{STUDENT}", files.path)
        return
    furthest = max((int(name.removeprefix("step-")) for name in found), default=0)
    if furthest > _step(files):
        fresh = files.path / ".fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        artefacts.get(f"{kept(run)}/step-{furthest}", fresh)
        for made in fresh.iterdir():
            put_folder(made, files.path / made.name) if made.is_dir() else made.replace(
                files.path / made.name
            )
        fresh.rmdir()


def _step(files: RunFolder) -> int:
    """How far the last checkpoint is; 0 where there is none to go on from."""
    latest = checkpoints.latest(files)
    return checkpoints.position(latest).step if latest else 0


def _forget_all_but(run: Run, one: str) -> None:
    for name in artefacts.names(kept(run)):
        if name != one:
            artefacts.remove(f"{kept(run)}/{name}")


def _link(source: str, target: str) -> None:
    """A second name for a file that never changes, where the disk can do that."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)
