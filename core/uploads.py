"""Files that a user gave: kept in LAB_HOME/uploads under the hash of their content.

keep("D_addsub.json", b"…")     uploads/3f0c…/D_addsub.json, the same for the same content
"""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from pathlib import Path, PurePath

from core import settings
from core.errors import LabError

FOLDER = "uploads"
NAME_CHARACTERS = 100


def keep(name: str, content: bytes) -> str:
    """Write the file unless it is there. Returns its path below LAB_HOME, so that LAB_HOME may move."""
    digest = hashlib.sha256(content).hexdigest()[:16]
    place = PurePath(FOLDER, digest, _safe(name))
    path = settings.home() / place
    if not path.is_file():
        write(path, content, f"keep {name}")
    return str(place)


def write(path: Path, content: bytes, what: str) -> None:
    """Write a file whole or not at all; `what` was to be done, for the LabError where it fails."""
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise LabError(f"Cannot {what} ({error.strerror}): free some space and give it again.") from None


def find(path: str) -> Path:
    """A file by its path: as it is, else below the data folder, else below LAB_HOME."""
    places = (Path(path), settings.data_dir() / path, settings.home() / path)
    return next((place for place in places if place.is_file()), Path(path))


def _safe(name: str) -> str:
    """The file's own name, with nothing that means something to a file system."""
    kept = re.sub(r"[^\w.() -]+", "_", PurePath(name.replace("\\", "/")).name).strip(". ")
    return kept[-NAME_CHARACTERS:] or "file"
