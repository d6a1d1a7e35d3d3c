"""Benchmark files: fetched once from a pinned address, checked, and read from the cache afterwards.

files.tsv has a line for each: whose it is, its place, its checksum and its address. The checksum of AQuA's
training file is the one that the Hugging Face script of aqua_rat lists for it; that script's checksum of the
test file is the one of Zero-shot-CoT's copy.

A file that is there with the right checksum is never fetched again, so the folder may be read-only.
A download is checked before it gets its name: an interrupted one leaves nothing behind.
"""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from core import settings
from core.errors import LabError
from core.progress import Report, silent

TIMEOUT = 30  # seconds without an answer from the server
CHUNK = 2**16  # bytes between two reports of progress


class Unavailable(LabError):
    """A file is neither cached nor can it be downloaded."""


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


def listed(benchmark: str) -> tuple[File, ...]:
    """The files of a benchmark, in the order of their questions; none where it is generated."""
    with Path(__file__).with_suffix(".tsv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines, delimiter="\t") if row["benchmark"] == benchmark]
    return tuple(
        File(r["path"], r["url"], r["sha256"], int(r["bytes"]), int(r["rows"]), r["optional"] == "yes")
        for r in rows
    )


def cached(file: File) -> bool:
    """Whether the file is in the data folder, by size alone: cheap enough for a list."""
    path = settings.data_dir() / file.path
    return path.is_file() and path.stat().st_size == file.bytes


def fetch(file: File, progress: Report = silent) -> Path:
    """The file's path in the data folder, downloaded if need be; its checksum is right.

    Raises Unavailable when it cannot be downloaded, LabError when it is not the right file.
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


def _download(file: File, path: Path, progress: Report) -> None:
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")

    def stream(url: str, output: str, _: object) -> None:
        done = 0
        with requests.get(url, stream=True, timeout=TIMEOUT) as response, open(output, "wb") as target:
            response.raise_for_status()
            for chunk in response.iter_content(CHUNK):
                target.write(chunk)
                done += len(chunk)
                progress(path.name, done, max(done, file.bytes))

    try:
        pooch.retrieve(
            file.url, known_hash=f"sha256:{file.sha256}", fname=path.name, path=path.parent, downloader=stream
        )
    except requests.RequestException:
        raise Unavailable(
            f"{path.name} is not in {settings.data_dir()} and cannot be fetched: connect to the internet, or "
            f"put {file.url} there as {file.path}, or set LAB_DATA_DIR to a folder that has it."
        ) from None
    except ValueError:
        raise LabError(
            f"{file.url} gave another file than the one this lab knows (its SHA-256 differs), and it was "
            f"not kept: try again, and if it stays so put the right file at {path} (SHA-256 {file.sha256})."
        ) from None
    except OSError as error:
        raise LabError(
            f"Cannot write {path} ({error.strerror}): set LAB_DATA_DIR to a folder you can write, "
            "or to one that has the benchmark files."
        ) from None
