"""`python -m core jobs …`: list, follow, cancel, resume."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from core import jobs
from core.commands.common import Json, emit
from core.commands.follow import follow

app = typer.Typer(help="List, follow, cancel and resume jobs.", no_args_is_help=True)
FIELDS = "id kind title status stage done total error attempt created finished".split()
JobId = Annotated[str, typer.Argument(help="The job's id, as `jobs list` prints it.")]


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Every job, newest first."""
    rows = [_row(job) for job in jobs.jobs()]
    lines = [f"{r['id']:20} {r['status']:10} {r['done']:>6}/{r['total']:<6} {r['title']}" for r in rows]
    emit(rows, as_json, "\n".join(lines) or "No jobs yet: `python -m core demo` starts one.")


@app.command()
def show(job_id: JobId, as_json: Json = False) -> None:
    """One job with its log."""
    lines = [line.text for line in jobs.log(job_id)]
    emit(_row(jobs.job(job_id)) | {"log": lines}, as_json, "\n".join(lines))


@app.command("follow")
def follow_(job_id: JobId) -> None:
    """Watch a job until it ends."""
    follow(job_id)


@app.command()
def cancel(job_id: JobId) -> None:
    """Stop a job within seconds; what is finished is kept."""
    jobs.cancel(job_id)


@app.command()
def resume(job_id: JobId) -> None:
    """Resume a job that has ended, where it stopped, and follow it."""
    jobs.resume(job_id)
    follow(job_id)


def _row(job: Any) -> dict[str, Any]:
    return {name: getattr(job, name) for name in FIELDS}
