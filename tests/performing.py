"""Stages and jobs that a test performs itself, in its own process: each step is only a call."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any


class Silent:
    """A job's voice that nobody hears."""

    job_id = holder = None
    claim = staticmethod(nullcontext)

    def at(self, *_: object) -> None: ...
    def check(self) -> None: ...
    def say(self, _text: str) -> None: ...


def plain(_name: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """A step that is only a call."""
    return function(*arguments)


def done(job_id: str) -> str:
    """Perform a job that must end well. Returns its id."""
    from core import jobs
    from core.jobs.workflows import perform

    assert perform(job_id, plain) == "done", jobs.job(job_id).error
    return job_id
