"""Where the lab keeps its data and finds its keys.

LAB_HOME           database, students, models, caches, logs   (default: .lab beside app.py)
LAB_DATA_DIR       benchmark files, laid out by source        (default: $LAB_HOME/datasets)
LAB_DATABASE_URL   SQLAlchemy URL                             (default: SQLite in $LAB_HOME)
LAB_ARTEFACTS      where finished students, and checkpoints to go on from, are kept for other machines: a
                   folder or a URL that fsspec reads   (default: nowhere but in $LAB_HOME)
LAB_AUTHOR         whose name review decisions carry          (default: the name of the account)

Keys come from the environment, else from .streamlit/secrets.toml; they are read when a call is
made and never stored.
"""

from __future__ import annotations

import os
import platform
import tomllib
from getpass import getuser
from pathlib import Path
from uuid import uuid4

from core.errors import LabError

ROOT = Path(__file__).resolve().parents[1]


def home() -> Path:
    """The lab's folder, created on first use."""
    return _made(Path(os.environ.get("LAB_HOME") or ROOT / ".lab").expanduser().resolve())


def folder(name: str) -> Path:
    """A folder inside LAB_HOME, created on first use."""
    return _made(home() / name)


def _made(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path, error) from None
    return path


def unwritable(path: object, error: OSError) -> LabError:
    """What to raise where LAB_HOME cannot be written."""
    return LabError(f"Cannot write {path} ({error.strerror}): set LAB_HOME to a folder you can write.")


def identity() -> str:
    """LAB_HOME on this machine, and no other: elsewhere host name and path may be the same."""
    path = home() / "identity"
    try:
        with path.open("x") as file:
            file.write(uuid4().hex)
    except FileExistsError:
        pass
    except OSError as error:
        raise unwritable(path, error) from None
    return f"{platform.node()} {path.read_text()}"


def data_dir() -> Path:
    """Where benchmark files are read from and downloaded to."""
    return Path(os.environ.get("LAB_DATA_DIR") or home() / "datasets").expanduser().resolve()


def database_url() -> str:
    url = os.environ.get("LAB_DATABASE_URL") or f"sqlite:///{home() / 'lab.db'}"
    # psycopg 3 is what the durable queue installs; SQLAlchemy would look for psycopg2.
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def author() -> str:
    """Whose name review decisions carry, unless another is given; empty where the account has none."""
    try:
        return os.environ.get("LAB_AUTHOR", "").strip() or getuser()
    except (OSError, KeyError):  # a container may run as a number that no account has
        return ""


def secret(name: str) -> str | None:
    """The value of a key by name, from the environment or .streamlit/secrets.toml; None if absent."""
    if value := os.environ.get(name):
        return value
    path = ROOT / ".streamlit" / "secrets.toml"
    if not path.is_file():
        return None
    try:
        value = tomllib.loads(path.read_text(encoding="utf-8")).get(name)
    except tomllib.TOMLDecodeError as error:
        raise LabError(f".streamlit/secrets.toml is not valid TOML ({error}): correct that line.") from None
    return str(value) if value else None
