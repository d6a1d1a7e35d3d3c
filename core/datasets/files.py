"""Benchmark files: fetched once from a pinned address, checked, and read from the cache afterwards.

A file that is there with the right checksum is never fetched again, so the folder may be read-only.
A download is checked before it gets its name: an interrupted one leaves nothing behind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from core import settings
from core.errors import LabError

TIMEOUT = 30  # seconds without an answer from the server

# progress(file name, bytes so far, bytes in all)
Progress = Callable[[str, int, int], None]


class Unavailable(LabError):
    """A file is neither cached nor to be had."""


@dataclass(frozen=True, slots=True)
class File:
    """One file of a benchmark: its place below the data folder, its source and its checksum.

    `rows` is the published number of questions in it, used to number the questions of the next file
    where this one may be absent (`optional`).
    """

    path: str
    url: str
    sha256: str
    bytes: int
    rows: int = 0
    optional: bool = False


def cached(file: File) -> bool:
    """Whether the file is in the data folder, by size alone: cheap enough for a list."""
    path = settings.data_dir() / file.path
    try:
        return path.stat().st_size == file.bytes
    except OSError:
        return False


def fetch(file: File, progress: Progress | None = None) -> Path:
    """The file's path in the data folder, downloaded if need be; its checksum is right.

    Raises Unavailable when it cannot be had, LabError when what is there or came is not the right file.
    """
    path = settings.data_dir() / file.path
    if path.is_file():
        status = path.stat()
        if sha256(path, status.st_mtime_ns, status.st_size) == file.sha256:
            return path
        raise LabError(
            f"{path} is not the file it should be (its SHA-256 differs): "
            f"delete it and it will be fetched from {file.url}."
        )
    _download(file, path, progress)
    return path


@lru_cache(maxsize=256)
def sha256(path: Path, changed: int, size: int) -> str:
    """SHA-256 (hex) of a file; remembered until its time or size changes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _download(file: File, path: Path, progress: Progress | None) -> None:
    import logging

    import pooch
    import requests

    pooch.get_logger().setLevel(logging.WARNING)
    name = Path(file.path).name
    download = pooch.HTTPDownloader(
        progressbar=_Bar(name, file.bytes, progress) if progress else False, timeout=TIMEOUT
    )
    try:
        pooch.retrieve(
            file.url,
            known_hash=f"sha256:{file.sha256}",
            fname=path.name,
            path=path.parent,
            downloader=download,
        )
    except ValueError:
        raise LabError(
            f"{file.url} gave another file than the one this lab knows (its SHA-256 differs), and it was "
            "not kept: try again, and if it stays so put the right file at "
            f"{path} (SHA-256 {file.sha256})."
        ) from None
    except requests.RequestException:
        raise Unavailable(
            f"{name} is not in {settings.data_dir()} and cannot be fetched: connect to the internet, or put "
            f"{file.url} there as {file.path}, or set LAB_DATA_DIR to a folder that has it."
        ) from None
    except OSError as error:
        raise LabError(
            f"Cannot write {path} ({error.strerror}): set LAB_DATA_DIR to a folder you can write, "
            "or to one that has the benchmark files."
        ) from None


class _Bar:
    """Pooch's progress-bar interface over a callback."""

    def __init__(self, name: str, total: int, progress: Progress) -> None:
        self.name, self.total, self.done, self.progress = name, total, 0, progress

    def update(self, n: int) -> None:
        self.done = min(self.done + n, self.total)
        self.progress(self.name, self.done, self.total)

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        self.progress(self.name, self.total, self.total)
