"""STUDENTS: one row per student; and `resolve`, which turns any name into a row.

resolve("GPT-2 small")           a row of the table
resolve("openai-community/gpt2") any causal or encoder-decoder checkpoint of the model hub
resolve("runs/7/student")        a folder with a Transformers checkpoint
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import LabError
from core.models import sources


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
    for row in STUDENTS.values():
        if name in (row.name, row.source):
            return row
    kind, config = sources.kind(name), sources.read_config(name)
    folder = Path(name).expanduser()
    title, source = (folder.name, str(folder.resolve())) if kind == "folder" else (name, name)
    return Student(title, str(config["model_type"]), source, _format(config, name), kind)


def location(student: Student) -> Path:
    """The folder with a student's checkpoint; downloads it from the hub on first use."""
    return sources.locate(student.source, student.kind)


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
