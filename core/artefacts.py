"""Finished work where other machines find it: LAB_ARTEFACTS names a folder, or any URL that fsspec reads.

    put("runs/3f0c…/student", folder, ["student", "done.json"])     where nothing is named, nothing happens
    get("runs/3f0c…/student", folder)                               True where it was there
    names("runs/3f0c…")                                             ["epoch-2", "student"]

An artefact is a tar file, named by the hash of what it was made of, that appears by a rename: whole or not at
all. Nothing in it names a machine or one of its folders.
"""

from __future__ import annotations

import os
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import uuid4

from core.errors import LabError

ENDING = ".tar"


def used() -> bool:
    """Whether there is a place for artefacts."""
    return bool(os.environ.get("LAB_ARTEFACTS", "").strip())


def put(name: str, folder: Path, members: Sequence[str]) -> None:
    """Keep these files and folders of a folder, those that are there, replacing what has the name."""
    if not used():
        return
    with _store() as (files, root):
        target = f"{root}/{name}{ENDING}"
        making = f"{target}.{uuid4().hex}"
        files.makedirs(target.rpartition("/")[0], exist_ok=True)
        try:
            with files.open(making, "wb") as file, tarfile.open(fileobj=file, mode="w|") as tar:
                for member in members:
                    if (folder / member).exists():
                        tar.add(folder / member, member, filter=_anonymous)
            files.mv(making, target)
        except BaseException:
            with suppress(Exception):
                files.rm(making)
            raise


def get(name: str, folder: Path) -> bool:
    """Bring an artefact's files and folders into a folder, in the order in which they were put.

    A file replaces one of its name; a folder that is there stays. False where there is no such artefact.
    """
    if not used():
        return False
    folder.mkdir(parents=True, exist_ok=True)
    with _store() as (files, root), tempfile.TemporaryDirectory(dir=folder, prefix=".fetched-") as made:
        try:
            file = files.open(f"{root}/{name}{ENDING}", "rb")
        except FileNotFoundError:
            return False
        with file, tarfile.open(fileobj=file, mode="r|") as tar:
            members = []
            for entry in tar:
                tar.extract(entry, made, filter="data")
                members.append(PurePosixPath(entry.name).parts[0])
        for member in dict.fromkeys(members):
            if not (folder / member).is_dir():
                (Path(made) / member).replace(folder / member)
    return True


def names(prefix: str) -> list[str]:
    """What is kept under a name."""
    if not used():
        return []
    with _store() as (files, root):
        files.invalidate_cache()
        try:
            found = files.ls(f"{root}/{prefix}", detail=False)
        except FileNotFoundError:
            return []
    ours = (PurePosixPath(path).name for path in found)
    return sorted(name.removesuffix(ENDING) for name in ours if name.endswith(ENDING))


def remove(name: str) -> None:
    with _store() as (files, root), suppress(FileNotFoundError):
        files.rm(f"{root}/{name}{ENDING}")


@contextmanager
def _store() -> Iterator[tuple[Any, str]]:
    """(file system, its folder). Whatever goes wrong there is a LabError, which does not repeat the URL: it
    may hold a password."""
    from fsspec.core import url_to_fs

    named = os.environ["LAB_ARTEFACTS"].strip()
    try:
        if "://" not in named:
            named = str(Path(named).expanduser().resolve())
        files, root = url_to_fs(named)
        yield files, root.rstrip("/")
    except (LabError, KeyboardInterrupt):
        raise
    except Exception as error:  # every file system has its own
        raise LabError(
            f"LAB_ARTEFACTS cannot be used ({type(error).__name__}): check that it names a folder or a URL "
            "that this machine can reach, and that fsspec's package for it is installed."
        ) from None


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry
