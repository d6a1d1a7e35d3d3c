"""Studies and their runs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select, update

from core.errors import LabError
from core.store import found_or_made, get, scalars, session
from core.store.models import Completion, Run, Study

__all__ = [
    "studies", "study", "study_by_name", "study_named", "add_study", "update_study",
    "counts", "open_run", "run", "runs", "finished", "set_run",
]  # fmt: skip


def studies() -> list[Study]:
    """Newest first."""
    return scalars(select(Study).order_by(Study.created.desc(), Study.id.desc()))


def study(study_id: int) -> Study:
    return get(Study, study_id, f"There is no study {study_id}: `python -m core studies` shows them.")


def study_by_name(name: str) -> Study | None:
    with session() as db:
        return db.scalar(select(Study).where(Study.name == name))


def study_named(name: str) -> Study:
    """The study of this name. LabError where there is none."""
    if (found := study_by_name(name)) is None:
        raise LabError(f"There is no study “{name}”: `python -m core studies` lists them.")
    return found


def add_study(name: str, dataset_id: int, rules: str, config: dict[str, Any]) -> int:
    with session() as db:
        row = Study(name=name, dataset_id=dataset_id, rules=rules, config=config)
        db.add(row)
        db.flush()
        return row.id


def update_study(study_id: int, config: dict[str, Any]) -> None:
    with session() as db:
        db.execute(update(Study).where(Study.id == study_id).values(config=config))


def counts() -> dict[str, int]:
    """How much the lab holds, for the first page."""
    completions = select(func.count()).select_from(Completion).join(Run)
    queries = {
        "studies": select(func.count()).select_from(Study),
        "completions": completions.where(Run.kind != "evaluate"),
        "students": select(func.count()).select_from(Run).where(Run.kind == "train"),
        "predictions": completions.where(Run.kind == "evaluate"),
    }
    with session() as db:
        return {name: db.scalar(query) or 0 for name, query in queries.items()}


def open_run(study_id: int, kind: str, digest: str, **values: Any) -> Run:
    """The run with this identity, made on first use: the same work is never stored twice."""
    identity = (Run.study_id == study_id, Run.kind == kind, Run.hash == digest)

    def opened() -> Run:
        with session() as db:
            found = db.scalar(select(Run).where(*identity))
            if found is None:
                found = Run(study_id=study_id, kind=kind, hash=digest, **values)
                db.add(found)
                db.flush()
            else:
                found.job_id = values.get("job_id", found.job_id)
            return found

    return found_or_made(opened)


def run(run_id: int) -> Run:
    return get(Run, run_id, f"There is no run {run_id}: `python -m core results` lists them.")


def runs(study_id: int, kind: str | None = None, done: bool = False) -> list[Run]:
    """Oldest first; with `done` those that have finished."""
    query = select(Run).where(Run.study_id == study_id).order_by(Run.id)
    if done:
        query = query.where(Run.status == "done")
    if kind is not None:
        query = query.where(Run.kind == kind)
    return scalars(query)


def finished(study_id: int, kind: str) -> list[Run]:
    """Its finished runs, the one that finished last at the end."""
    done = [run for run in runs(study_id, kind) if run.status == "done"]
    return sorted(done, key=lambda run: (run.finished or run.created, run.id))


def set_run(run_id: int, **values: Any) -> None:
    """Status, summary and finish time of a run; its config never changes."""
    with session() as db:
        db.execute(update(Run).where(Run.id == run_id).values(**values))
