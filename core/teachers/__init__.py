"""Teachers: one row each. A new one is a new row here, and a file if it needs code.

    with open_teacher("vllm", model="meta-llama/Llama-3.1-8B") as teacher:
        with Desk({"teacher": teacher}) as desk: …

A study says the same as plain values: {"key": "vllm", "model": "meta-llama/Llama-3.1-8B"}; the key
of an endpoint is named there (`key_name`), never written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from pkgutil import resolve_name
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, create_model

from core.errors import LabError, find
from core.parts import Part, told
from core.records import Question, content_hash
from core.teachers.base import Prices, Teacher
from core.teachers.endpoint import base_url, key_name
from core.teachers.estimate import Estimate, token_counter

__all__ = ["TEACHERS", "Estimate", "Option", "Row", "Teacher"]
__all__ += ["chosen", "label", "open_teacher", "opened", "panel", "prices", "token_counter"]


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to choose. A default of None means that it must be given."""

    name: str
    default: str | int | float | None
    help: str
    choices: tuple[str, ...] = ()
    least: int | None = None
    is_file: bool = False  # which a page lets the user upload
    is_place: bool = False  # a path, maybe: what it leads to counts, and not where that is
    counts: bool = True  # whether it may change a reply
    check: Callable[[str], str] | None = None  # the value again; LabError for what it cannot be


@dataclass(frozen=True, slots=True)
class Row:
    """A teacher to choose. `given` is what the run adds to the options: its questions, their kind."""

    key: str
    title: str
    needs: str
    label: str  # how it is called in tables, from its options
    opens: str  # what is called with its options, "module:name"; imported on use
    options: tuple[Option, ...] = ()
    given: tuple[str, ...] = ()
    uses_device: bool = False

    @property
    def defaults(self) -> dict[str, Any]:
        """Every option with its default; None where it must be given."""
        return {option.name: option.default for option in self.options}

    @property
    def writes(self) -> bool:
        """Whether it answers the prompt that it gets; others answer by question, from what is there."""
        return "questions" not in self.given


# Of every OpenAI-compatible endpoint, with the defaults that its presets change.
ENDPOINT = (
    Option("base_url", None, "where the endpoint is, up to and with /v1", check=base_url),
    Option("model", None, "the model's name at the endpoint"),
    Option(
        "mode",
        "completions",
        "completions sends the papers' prompt as it is; chat as one user message",
        ("completions", "chat"),
    ),
    Option(
        "key_name",
        "",
        "name of the environment variable or secret that holds the key, if any",
        counts=False,
        check=key_name,
    ),
    Option("price_in", 0.0, "US dollars per million prompt tokens; check your provider's list", counts=False),
    Option("price_out", 0.0, "US dollars per million completion tokens", counts=False),
    Option("context", 4096, "context window in tokens", counts=False),
    Option("concurrency", 32, "calls in flight at once", least=1, counts=False),
    Option("timeout", 600.0, "seconds to wait for one answer", counts=False),
    Option("retries", 8, "tries after a call that was limited, failed or dropped", counts=False),
    Option(
        "token_field",
        "max_tokens",
        "what the endpoint calls the limit on new tokens",
        ("max_tokens", "max_completion_tokens"),
        counts=False,
    ),
)


def _endpoint(key: str, title: str, needs: str, **defaults: Any) -> Row:
    """A preset of the OpenAI-compatible endpoint."""
    options = tuple(replace(one, default=defaults.get(one.name, one.default)) for one in ENDPOINT)
    return Row(key, title, needs, "{model} @ {base_url}", "core.teachers.endpoint:Endpoint", options)


TEACHERS: dict[str, Row] = {
    row.key: row
    for row in (
        _endpoint(
            "openai",
            "OpenAI, or any endpoint that speaks its protocol",
            "a base URL, a model and a key",
            base_url="https://api.openai.com/v1",
            key_name="OPENAI_API_KEY",
            model="gpt-4o-mini",
            mode="chat",
            price_in=0.15,
            price_out=0.60,
            context=128_000,
            timeout=60.0,
        ),
        _endpoint(
            "vllm",
            "vLLM server",
            "a running `vllm serve MODEL`",
            base_url="http://localhost:8000/v1",
            key_name="VLLM_API_KEY",
            concurrency=64,
        ),
        _endpoint(
            "ollama",
            "Ollama",
            "a running `ollama serve` with the model pulled",
            base_url="http://localhost:11434/v1",
            mode="chat",
            concurrency=4,
        ),
        _endpoint(
            "llama.cpp",
            "llama.cpp server",
            "a running `llama-server -m MODEL.gguf`",
            base_url="http://localhost:8080/v1",
            model="default",  # it serves the one model it was started with
            concurrency=4,
        ),
        Row(
            "local",
            "Local Transformers model",
            "nothing: SmolLM2-135M-Instruct is embedded",
            "{model} (local)",
            "core.teachers.local:Local",
            (
                Option(
                    "model", "SmolLM2-135M-Instruct", "an embedded model, a hub id or a folder", is_place=True
                ),
                Option(
                    "mode", "completions", "chat uses the model's own chat template", ("completions", "chat")
                ),
                Option("batch_size", 16, "prompts generated together", least=1, counts=False),
                Option("context", 2048, "context window in tokens", counts=False),
            ),
            uses_device=True,
        ),
        Row(
            "recorded",
            "Recorded completions",
            "a file of completions and the name of its layout",
            "recorded: {path}",
            "core.teachers.stored:open_recorded",
            (
                Option("path", None, "the file of completions", is_file=True, is_place=True),
                Option("source", "fine-tune-cot", "its layout, as for `python -m core import`"),
            ),
            given=("questions", "kind"),
        ),
        Row(
            "worked",
            "Worked solutions",
            "a benchmark whose questions have worked solutions",
            "worked solutions",
            "core.teachers.stored:open_worked",
            given=("questions",),
        ),
    )
}


def open_teacher(
    key: str, *, questions: Sequence[Question] = (), kind: str | None = None, **options: Any
) -> Teacher:
    """The teacher of a row with its defaults replaced by `options`; close it after use.

    `questions` and the benchmark's `kind` of answer are for teachers that answer by question.
    LabError for an unknown teacher or option, or one that is missing.
    """
    row, values = _row(key), chosen({"key": key, **options})
    missing = [name for name, value in values.items() if value is None]
    if missing:
        raise LabError(f"The teacher {key} needs {row.needs}: give {' and '.join(missing)}.")
    given = {"questions": questions, "kind": kind}
    teacher = resolve_name(row.opens)(**values, **{name: given[name] for name in row.given})
    teacher.name = label({"key": key, **options})
    return teacher


def opened(config: dict[str, Any], questions: Sequence[Question] = (), kind: str | None = None) -> Teacher:
    """The teacher that a study describes: {"key": …, and its options}."""
    return open_teacher(questions=questions, kind=kind, **config)


def panel(
    configs: Mapping[str, dict[str, Any]], questions: Sequence[Question] = (), kind: str | None = None
) -> dict[str, Teacher]:
    """role → the teacher that a study describes for it; roles that describe the same one share it."""
    found: dict[str, Teacher] = {}
    for config in configs.values():
        if (key := content_hash(config)) not in found:
            found[key] = opened(config, questions, kind)
    return {role: found[content_hash(config)] for role, config in configs.items()}


def label(config: dict[str, Any]) -> str:
    """How a study's teacher is called in tables: "gpt-4o-mini @ https://api.openai.com/v1"."""
    values = chosen(config)
    if values.get("path"):
        values["path"] = Path(values["path"]).name
    return _row(config["key"]).label.format(**values)


def prices(config: dict[str, Any]) -> Prices:
    """What a study's teacher costs, in US dollars per million tokens."""
    values = chosen(config)
    return Prices(values.get("price_in", 0.0), values.get("price_out", 0.0))


def queue(configs: Iterable[dict[str, Any]]) -> str:
    """Where a job waits that asks these teachers: for the device, where one of them computes on it."""
    return "device" if any(_row(config["key"]).uses_device for config in configs) else "endpoint"


def _row(key: str) -> Row:
    return find(TEACHERS, key, "teacher")


@cache
def config_part(key: str) -> type[Part]:
    """A teacher's key and options as a part."""
    row = _row(key)
    kinds: dict[str, Any] = {"key": (Literal[row.key], Field(description=row.title))}
    for option in row.options:
        plain = str if option.default is None else type(option.default)
        kind: Any = Literal[option.choices] if option.choices else plain
        if option.check is not None:
            kind = Annotated[kind, AfterValidator(told(option.check))]
        field = Field(option.default, ge=option.least, description=option.help)
        kinds[option.name] = (kind | None, field)
    return create_model(row.key, __base__=Part, __doc__=row.title, **kinds)


def chosen(config: Mapping[str, Any]) -> dict[str, Any]:
    """The value of every option of a study's teacher. LabError for what cannot be one."""
    said, defaults = config_part(config["key"]).read(config).dump(), _row(config["key"]).defaults
    return defaults | {name: said[name] for name in defaults if said[name] is not None}
