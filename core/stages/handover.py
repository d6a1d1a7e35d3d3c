"""A training run where other machines find it: its last checkpoint after each epoch, its student at the end.

runs/<hash>/epoch-3      checkpoints and what was measured until then, to go on from
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
FINISHED = (
    "student",
    "predictions",
    *MEASURED,
    "done.json",
)  # in this order: what says that it is done, last


def kept(run: Run) -> str:
    """Where what belongs to a run is kept."""
    return f"runs/{run.hash}"


def put_student(run: Run, files: RunFolder) -> None:
    """Keep a finished student, once; its checkpoints are of no use any more."""
    found = artefacts.names(kept(run))
    if STUDENT not in found:
        artefacts.put(f"{kept(run)}/{STUDENT}", files.path, FINISHED)
    _forget(run, found)


def put_checkpoint(run: Run, files: RunFolder, epoch: int) -> None:
    """Keep what is needed to go on after an epoch, instead of what was kept before."""
    snapshot = files.path / ".snapshot"  # the child may prune its checkpoints meanwhile
    shutil.rmtree(snapshot, ignore_errors=True)
    try:
        shutil.copytree(files.checkpoints, snapshot / "checkpoints", copy_function=_link)
        if files.predictions.is_dir():
            shutil.copytree(files.predictions, snapshot / "predictions")
        for name in MEASURED:
            shutil.copy(files.path / name, snapshot / name)
        if not files.done:
            found = artefacts.names(kept(run))
            artefacts.put(f"{kept(run)}/epoch-{epoch}", snapshot, ("checkpoints", "predictions", *MEASURED))
            _forget(run, found)
    except (FileNotFoundError, shutil.Error):  # pruned while it was looked at: the next epoch is kept
        pass
    finally:
        shutil.rmtree(snapshot, ignore_errors=True)


def fetch(run: Run, files: RunFolder) -> None:
    """Bring what another machine has kept of a run, where it got further than this one."""
    if not artefacts.used() or files.done:
        return
    found = artefacts.names(kept(run))
    if STUDENT in found:
        artefacts.get(f"{kept(run)}/{STUDENT}", files.path)
        return
    furthest = max(map(_epoch, found), default=0)
    own = checkpoints.latest(files)
    if furthest > (checkpoints.position(own).epoch if own else 0):
        fresh = files.path / ".fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        artefacts.get(f"{kept(run)}/epoch-{furthest}", fresh)
        for made in fresh.iterdir():
            put_folder(made, files.path / made.name) if made.is_dir() else made.replace(
                files.path / made.name
            )
        fresh.rmdir()


def _epoch(name: str) -> int:
    return int(name.removeprefix("epoch-"))


def _forget(run: Run, names: list[str]) -> None:
    for name in names:
        if name != STUDENT:
            artefacts.remove(f"{kept(run)}/{name}")


def _link(source: str, target: str) -> None:
    """A second name for a file that never changes, where the disk can do that."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)
