"""STUDENTS: one row per student; and `resolve`, which turns any name into a row.

    resolve("GPT-2 small")           a row of the table
    resolve("openai-community/gpt2") any causal or encoder-decoder checkpoint of the model hub
    resolve("runs/7/student")        a folder with a Transformers checkpoint

Weights are read from safetensors only, and no code of a checkpoint is run.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import LabError
from core.students import embedded

FILES = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"]
SUBFOLDERS = ["*/*"]
HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")


@dataclass(frozen=True, slots=True)
class Student:
    """A small model to fine-tune. `source` is a hub id, an embedded model's name or a folder."""

    name: str
    family: str
    source: str
    format: str  # a key of FORMATS: "t5" reads and writes apart, "causal" continues a text
    kind: str = "hub"  # "hub", "embedded" or "folder"
    parameters: int | None = None  # in millions
    licence: str = ""

    @property
    def is_seq2seq(self) -> bool:
        return self.format == "t5"


STUDENTS: dict[str, Student] = {
    row.name: row
    for row in (
        Student("SmolLM2-135M", "SmolLM2", "SmolLM2-135M-Instruct", "causal", "embedded", 135, "Apache-2.0"),
        Student("T5 small", "T5", "t5-small", "t5", parameters=60, licence="Apache-2.0"),
        Student("T5 base", "T5", "t5-base", "t5", parameters=220, licence="Apache-2.0"),
        Student("T5 large", "T5", "t5-large", "t5", parameters=738, licence="Apache-2.0"),
        Student(
            "Flan-T5 small", "Flan-T5", "google/flan-t5-small", "t5", parameters=77, licence="Apache-2.0"
        ),
        Student("Flan-T5 base", "Flan-T5", "google/flan-t5-base", "t5", parameters=248, licence="Apache-2.0"),
        Student(
            "Flan-T5 large", "Flan-T5", "google/flan-t5-large", "t5", parameters=783, licence="Apache-2.0"
        ),
        Student("GPT-2 small", "GPT-2", "gpt2", "causal", parameters=124, licence="MIT"),
        Student("GPT-2 medium", "GPT-2", "gpt2-medium", "causal", parameters=355, licence="MIT"),
        Student("GPT-2 large", "GPT-2", "gpt2-large", "causal", parameters=774, licence="MIT"),
    )
}


def resolve(name: str) -> Student:
    """The student of this name: a row, a folder, or a hub id whose config is read.

    Raises LabError where there is none, where the hub cannot be reached and nothing is cached, and for
    models that do not write text.
    """
    if name in STUDENTS:
        return STUDENTS[name]
    by_source = {row.source: row for row in STUDENTS.values()}
    if name in by_source:
        return by_source[name]
    folder = Path(name).expanduser()
    if folder.is_dir():
        config = _read_config(folder, name)
        return Student(folder.name, _family(config), str(folder.resolve()), _format(config, name), "folder")
    if not HUB_ID.fullmatch(name):
        raise LabError(
            f"There is no student or folder {name!r}: choose one of {', '.join(STUDENTS)}, "
            "or give a hub id or the folder of a checkpoint."
        )
    config = _read_config(_download(name, ["config.json"]), name)
    return Student(name, _family(config), name, _format(config, name))


def location(student: Student) -> Path:
    """The folder with a student's checkpoint; downloads it from the hub on first use."""
    if student.kind == "embedded":
        return embedded.model_path(student.source)
    folder = Path(student.source) if student.kind == "folder" else _download(student.source, FILES)
    if not folder.is_dir():
        raise LabError(f"The folder {folder} of student {student.name} is gone: fine-tune it again.")
    if not any(folder.glob("*.safetensors")):
        raise LabError(
            f"{student.name} has no safetensors weights: choose another checkpoint, or convert this one."
        )
    return folder


def _download(hub_id: str, patterns: list[str]) -> Path:
    """The cached snapshot of a hub id, from the network only where it is not cached."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    def snapshot(**options: Any) -> Path:
        return Path(snapshot_download(hub_id, allow_patterns=patterns, ignore_patterns=SUBFOLDERS, **options))

    try:
        cached = snapshot(local_files_only=True)
        wanted = "*.safetensors" if "*.safetensors" in patterns else "config.json"
        if any(cached.glob(wanted)):
            return cached
    except (LocalEntryNotFoundError, HFValidationError, FileNotFoundError):
        pass
    try:
        return snapshot()
    except GatedRepoError:
        raise LabError(
            f"{hub_id} is gated: accept its terms on the model hub and set HF_TOKEN, or choose another one."
        ) from None
    except (RepositoryNotFoundError, HFValidationError):
        raise LabError(f"The model hub has no {hub_id}: check the name, or choose another student.") from None
    except Exception as error:  # the client raises its own, httpx's and the system's
        raise LabError(
            f"Cannot get {hub_id} from the model hub ({type(error).__name__}) and it is not cached: "
            "check the network, give the folder of a checkpoint, or choose the embedded SmolLM2-135M."
        ) from None


def _read_config(folder: Path, name: str) -> dict[str, Any]:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LabError(
            f"{name} holds no config.json: give the folder of a Transformers checkpoint."
        ) from None
    except ValueError:
        raise LabError(f"The config.json of {name} is not JSON: get the checkpoint again.") from None
    if not isinstance(config, dict) or "model_type" not in config:
        raise LabError(f"The config.json of {name} names no model type: give a Transformers checkpoint.")
    return config


def _family(config: dict[str, Any]) -> str:
    return str(config["model_type"])


def _format(config: dict[str, Any], name: str) -> str:
    """The format of a checkpoint, from its config: encoder-decoder, else decoder."""
    if config.get("is_encoder_decoder"):
        return "t5"
    architectures = config.get("architectures") or []
    if any(a.endswith(("ForCausalLM", "LMHeadModel")) for a in architectures):
        return "causal"
    raise LabError(
        f"{name} ({', '.join(architectures) or config['model_type']}) does not write text: "
        "choose a causal or an encoder-decoder model."
    )
