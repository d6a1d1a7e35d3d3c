"""One child process for heavy work: its memory is given back at the end, and it goes when its parent does.

with pool() as process:
    points = result(process, process.submit(arrange, candidates), progress.check)

A pool's process waits for work forever where its parent was killed; with a model in it that is a gigabyte.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from typing import Any, TypeVar

T = TypeVar("T")
PERIOD_SECONDS = 0.5  # how often one that waits for a result hears that it should stop


def pool(
    start: Callable[..., object] | None = None, *args: Any, preloaded: Sequence[str] = ()
) -> ProcessPoolExecutor:
    """A pool of one process, which calls `start` with the arguments first.

    It is spawned; with modules `preloaded`, which take seconds to import, it is forked from a process of its
    own that imports them once.
    """
    context = multiprocessing.get_context("forkserver" if preloaded else "spawn")
    if preloaded:
        context.set_forkserver_preload(list(preloaded))
    return ProcessPoolExecutor(1, context, _begin, (dict(os.environ), start, args))


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


def _begin(variables: dict[str, str], start: Callable[..., object] | None, args: tuple[Any, ...]) -> None:
    os.environ.clear()  # those of the process that it was forked from may be older
    os.environ.update(variables)
    threading.Thread(target=_follow, name="follows its parent", daemon=True).start()
    if start is not None:
        start(*args)


def _follow() -> None:
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
    os._exit(1)
