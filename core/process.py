"""One child process for heavy work: its memory is given back at the end, and it goes when its parent does.

with pool() as process:
    points = result(process, process.submit(arrange, candidates), progress.check)

A pool's process waits for work forever where its parent was killed; with a model in it that is a gigabyte.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, wait
from typing import Any, TypeVar

T = TypeVar("T")
PERIOD_SECONDS = 0.5  # how often one that waits for a result hears that it should stop


def pool(start: Callable[..., object] | None = None, *args: Any) -> ProcessPoolExecutor:
    """A pool of one spawned process, which calls `start` with the arguments first."""
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _begin, (start, args))


def result(pool: ProcessPoolExecutor, future: Future[T], waiting: Callable[[], None]) -> T:
    """What was submitted to the pool, once it is there. `waiting` is called until then; what it raises ends
    the process at once."""
    try:
        while not future.done():
            waiting()
            wait([future], PERIOD_SECONDS)
    except BaseException:
        for child in list(pool._processes.values()):  # there is no public way before Python 3.14
            child.kill()
        raise
    return future.result()


def _begin(start: Callable[..., object] | None, args: tuple[Any, ...]) -> None:
    threading.Thread(target=_follow, name="follows its parent", daemon=True).start()
    if start is not None:
        start(*args)


def _follow() -> None:
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
    os._exit(1)
