"""One child process for heavy work: its memory is given back at the end, and it goes when its parent does.

with pool() as process:
    points = process.submit(arrange, candidates).result()

A pool's process waits for work for ever where its parent was killed; with a model in it that is a gigabyte.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any


def pool(start: Callable[..., object] | None = None, *args: Any) -> ProcessPoolExecutor:
    """A pool of one spawned process, which calls `start` with the arguments first."""
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _begin, (start, args))


def _begin(start: Callable[..., object] | None, args: tuple[Any, ...]) -> None:
    threading.Thread(target=_follow, name="follows its parent", daemon=True).start()
    if start is not None:
        start(*args)


def _follow() -> None:
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
    os._exit(1)
