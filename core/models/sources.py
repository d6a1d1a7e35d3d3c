"""Where a checkpoint comes from: an embedded model's name, a folder or a hub id.

    kind("runs/7/student")           "folder"
    locate("openai-community/gpt2")  its folder, downloaded on first use

Weights are read from safetensors only, and no code of a checkpoint is run.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from core import uploads
from core.errors import LabError
from core.models.embedded import EMBEDDED, model_path
from core.records import content_hash

CONFIG = "config.json"
WEIGHTS = "*.safetensors"
# What of a repository is read, as the hub's client is told: all of a model, its own folder of it, its config.
WHOLE: dict[str, Any] = {"allow_patterns": ["*.json", WEIGHTS, "*.model", "*.txt", "*.jinja"]}
CHECKPOINT = WHOLE | {"ignore_patterns": ["*/*"]}
CONFIG_ALONE: dict[str, Any] = {"allow_patterns": [CONFIG]}
HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")


def kind(source: str) -> str:
    """ "embedded", "folder" or "hub"; LabError for what can be none of them."""
    if source in EMBEDDED:
        return "embedded"
    if Path(source).expanduser().is_dir():
        return "folder"
    if HUB_ID.fullmatch(source):
        return "hub"
    raise LabError(
        f"There is no model or folder {source!r}: choose one of the table, "
        "or give a hub id or the folder of a checkpoint."
    )


def locate(source: str, known: str | None = None) -> Path:
    """The folder with a checkpoint's weights. `known` is its kind, where a table says it.

    Raises LabError where the hub cannot be reached and nothing is cached, and for other weights.
    """
    found = folder(source, known)
    if not any(found.glob(WEIGHTS)):
        raise LabError(
            f"{source} has no safetensors weights: choose another checkpoint, or convert this one."
        )
    return found


def read_config(source: str) -> dict[str, Any]:
    """A checkpoint's config.json, without its weights."""
    try:
        config = json.loads((folder(source, files=CONFIG_ALONE) / CONFIG).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LabError(
            f"{source} holds no config.json: give the folder of a Transformers checkpoint."
        ) from None
    except ValueError:
        raise LabError(f"The config.json of {source} is not JSON: get the checkpoint again.") from None
    if not isinstance(config, dict) or "model_type" not in config:
        raise LabError(f"The config.json of {source} names no model type: give a Transformers checkpoint.")
    return config


def folder(source: str, known: str | None = None, files: dict[str, Any] = CHECKPOINT) -> Path:
    """Where these files of a checkpoint are, downloaded on first use."""
    its_kind = known or kind(source)
    if its_kind == "embedded":
        return model_path(source)
    if its_kind == "folder":
        return Path(source).expanduser()
    return _download(source, files)


def cached(hub_id: str, files: dict[str, Any] = CHECKPOINT) -> Path | None:
    """The snapshot of a hub id that is on this machine already, if any."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        found = Path(snapshot_download(hub_id, **files, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError, FileNotFoundError):
        return None
    return found if any(found.glob(CONFIG if files is CONFIG_ALONE else WEIGHTS)) else None


def _download(hub_id: str, files: dict[str, Any]) -> Path:
    """The cached snapshot of a hub id, from the network only where it is not cached."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError

    if (found := cached(hub_id, files)) is not None:
        return found
    try:
        return Path(snapshot_download(hub_id, **files))
    except GatedRepoError:
        raise LabError(
            f"{hub_id} is gated: accept its terms on the model hub and set HF_TOKEN, or choose another one."
        ) from None
    except (RepositoryNotFoundError, HFValidationError):
        raise LabError(f"The model hub has no {hub_id}: check the name, or choose another model.") from None
    except Exception as error:  # the client raises its own, httpx's and the system's
        raise LabError(
            f"Cannot get {hub_id} from the model hub ({type(error).__name__}) and it is not cached: "
            "check the network, give the folder of a checkpoint, or choose an embedded model."
        ) from None


def content(place: str) -> str:
    """The hash of what a path leads to, a file or a checkpoint; the text itself where it leads to none."""
    path = uploads.find(place).expanduser()
    if path.is_file():
        return _digest(path, path.stat().st_mtime_ns)
    return fingerprint(path) if path.is_dir() else place


def fingerprint(folder: Path) -> str:
    """SHA-256 of a checkpoint's weights, wherever its folder is."""
    files = sorted(folder.glob("*.safetensors"))
    return content_hash([_digest(path, path.stat().st_mtime_ns) for path in files])


@lru_cache(maxsize=64)
def _digest(path: Path, _modified: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
