"""Finished work by content, where several machines find it: a folder, or any URL that fsspec reads.

    put(folder, "3f0c…/student")      to the store, once
    fetch("3f0c…/student", folder)    from it, whole or not at all; False where it is not there

LAB_ARTEFACTS names it. A folder is whole once its list of files is there, which is written last. Where the
variable is not set there is no store: `put` does nothing and `fetch` finds nothing.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core import settings
from core.errors import LabError

LIST = "whole.json"  # {"model.safetensors": 538090408, …}: the files of a folder and their sizes


def put(folder: Path, name: str, *more: Path) -> None:
    """Copy a folder's files, and some more, to the store under a name, unless they are there."""
    with _store() as (files, root):
        if files is None or files.exists(f"{root}/{name}/{LIST}"):
            return
        own = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}
        own |= {path.name: path for path in more}
        for relative, path in own.items():
            target = f"{root}/{name}/{relative}"
            files.makedirs(os.path.dirname(target), exist_ok=True)
            files.put_file(str(path), target)
        sizes = {relative: path.stat().st_size for relative, path in own.items()}
        files.pipe_file(f"{root}/{name}/{LIST}", json.dumps(sizes).encode())


def fetch(name: str, folder: Path) -> bool:
    """Copy a stored folder here, whole or not at all; True where it is there then."""
    with _store() as (files, root):
        if files is None or not files.exists(f"{root}/{name}/{LIST}"):
            return False
        making = folder.with_name(f".{folder.name}.{os.getpid()}")
        shutil.rmtree(making, ignore_errors=True)
        for relative, size in json.loads(files.cat_file(f"{root}/{name}/{LIST}")).items():
            path = making / relative
            if not path.resolve().is_relative_to(making.resolve()):
                raise LabError(f"{name} in LAB_ARTEFACTS names a file outside its folder: remove it there.")
            path.parent.mkdir(parents=True, exist_ok=True)
            files.get_file(f"{root}/{name}/{relative}", str(path))
            if path.stat().st_size != size:
                raise LabError(f"{name} in LAB_ARTEFACTS is damaged ({relative}): remove it there.")
        shutil.rmtree(folder, ignore_errors=True)
        making.rename(folder)
        return True


def names(prefix: str) -> list[str]:
    """The whole folders under a prefix, by the last part of their names."""
    with _store() as (files, root):
        if files is None or not files.isdir(f"{root}/{prefix}"):
            return []
        found = (path.rstrip("/").rpartition("/")[2] for path in files.ls(f"{root}/{prefix}", detail=False))
        return sorted(name for name in found if files.exists(f"{root}/{prefix}/{name}/{LIST}"))


def forget(name: str) -> None:
    """Delete a folder from the store, its list first."""
    with _store() as (files, root):
        if files is not None and files.exists(f"{root}/{name}/{LIST}"):
            files.rm_file(f"{root}/{name}/{LIST}")
            files.rm(f"{root}/{name}", recursive=True)


@contextmanager
def _store() -> Iterator[tuple[Any, str]]:
    """The store's file system and the folder in it, (None, "") without one. LabError if it cannot be used."""
    url = settings.artefacts()
    if not url:
        yield None, ""
        return
    from fsspec.core import url_to_fs

    try:
        files, root = url_to_fs(url)
        yield files, root.rstrip("/")
    except LabError:
        raise
    except Exception as problem:  # every file system has errors of its own
        reason = " ".join(str(problem).split())[:200] or type(problem).__name__
        raise LabError(
            f"LAB_ARTEFACTS ({url}) cannot be used ({reason}): name a folder or an address that every "
            "machine reaches."
        ) from None
