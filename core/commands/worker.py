"""`python -m core worker`: one more worker, on this machine or on any that shares the database."""

from __future__ import annotations

from typing import Annotated

import typer


def worker(
    idle_exit: Annotated[
        float | None, typer.Option(help="Stop after this many seconds without a job. Default: never.")
    ] = None,
    queue: Annotated[
        list[str] | None,
        typer.Option(help="Take only the jobs of this queue, device or endpoint. Default: both."),
    ] = None,
) -> None:
    """Run jobs until stopped."""
    from core.jobs import QUEUES
    from core.jobs.worker import run

    run(idle_exit, queue or list(QUEUES))
