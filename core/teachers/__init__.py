"""Teachers: one row each. A new one is a new row here, and a file if it needs code.

    with open_teacher("vllm", model="meta-llama/Llama-3.1-8B") as teacher:
        with Desk({"teacher": teacher}) as desk: …

A study says the same as plain values: {"key": "vllm", "model": "meta-llama/Llama-3.1-8B"}; the key
of an endpoint is named there (`key_name`), never written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import LabError, find
from core.records import Question, content_hash
from core.teachers.base import Prices, Teacher
from core.teachers.estimate import Estimate, token_counter

__all__ = ["TEACHERS", "Estimate", "Option", "Row", "Teacher"]
__all__ += ["check", "label", "open_teacher", "opened", "panel", "prices", "token_counter"]


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to choose. A default of None means that it must be given."""

    name: str
    default: str | int | float | None
    help: str
    choices: tuple[str, ...] = ()
    is_file: bool = False  # which a page lets the user upload
    is_place: bool = False  # a path, maybe: what it leads to counts, and not where that is
    counts: bool = True  # whether it may change a reply


@dataclass(frozen=True, slots=True)
class Row:
    """A teacher to choose. `given` is what the run adds to the options: its questions, their kind."""

    key: str
    title: str
    needs: str
    label: str  # how it is called in tables, from its options
    open: Callable[..., Teacher]
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


def _open_endpoint(**options: Any) -> Teacher:
    from core.teachers.endpoint import Endpoint

    return Endpoint(**options)


def _open_local(**options: Any) -> Teacher:
    from core.teachers.local import Local

    return Local(**options)


def _open_recorded(**options: Any) -> Teacher:
    from core.teachers.stored import open_recorded

    return open_recorded(**options)


def _open_worked(**options: Any) -> Teacher:
    from core.teachers.stored import open_worked

    return open_worked(**options)


def _endpoint(
    key: str,
    title: str,
    needs: str,
    *,
    base_url: str,
    key_name: str,
    model: str | None = None,
    mode: str = "completions",
    price_in: float = 0.0,
    price_out: float = 0.0,
    context: int = 4096,
    concurrency: int = 32,
    timeout: float = 600.0,
) -> Row:
    """A preset of the OpenAI-compatible endpoint."""
    return Row(
        key,
        title,
        needs,
        "{model} @ {base_url}",
        _open_endpoint,
        (
            Option("base_url", base_url, "where the endpoint is, up to and with /v1"),
            Option("model", model, "the model's name at the endpoint"),
            Option(
                "mode",
                mode,
                "completions sends the papers' prompt as it is; chat as one user message",
                ("completions", "chat"),
            ),
            Option(
                "key_name",
                key_name,
                "name of the environment variable or secret that holds the key, if any",
                counts=False,
            ),
            Option(
                "price_in",
                price_in,
                "US dollars per million prompt tokens; check your provider's list",
                counts=False,
            ),
            Option("price_out", price_out, "US dollars per million completion tokens", counts=False),
            Option("context", context, "context window in tokens", counts=False),
            Option("concurrency", concurrency, "calls in flight at once", counts=False),
            Option("timeout", timeout, "seconds to wait for one answer", counts=False),
            Option("retries", 8, "tries after a call that was limited, failed or dropped", counts=False),
            Option(
                "token_field",
                "max_tokens",
                "what the endpoint calls the limit on new tokens",
                ("max_tokens", "max_completion_tokens"),
                counts=False,
            ),
        ),
    )


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
            key_name="",
            mode="chat",
            concurrency=4,
        ),
        _endpoint(
            "llama.cpp",
            "llama.cpp server",
            "a running `llama-server -m MODEL.gguf`",
            base_url="http://localhost:8080/v1",
            key_name="",
            model="default",  # it serves the one model it was started with
            concurrency=4,
        ),
        Row(
            "local",
            "Local Transformers model",
            "nothing: SmolLM2-135M-Instruct is embedded",
            "{model} (local)",
            _open_local,
            (
                Option(
                    "model", "SmolLM2-135M-Instruct", "an embedded model, a hub id or a folder", is_place=True
                ),
                Option(
                    "mode", "completions", "chat uses the model's own chat template", ("completions", "chat")
                ),
                Option("batch_size", 16, "prompts generated together", counts=False),
                Option("context", 2048, "context window in tokens", counts=False),
            ),
            uses_device=True,
        ),
        Row(
            "recorded",
            "Recorded completions",
            "a file of completions and the name of its layout",
            "recorded: {path}",
            _open_recorded,
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
            _open_worked,
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
    row, chosen = _row(key), _chosen(key, options)
    missing = [name for name, value in chosen.items() if value is None]
    if missing:
        raise LabError(f"The teacher {key} needs {row.needs}: give {' and '.join(missing)}.")
    given = {"questions": questions, "kind": kind}
    teacher = row.open(**chosen, **{name: given[name] for name in row.given})
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
    options = {name: value for name, value in config.items() if name != "key"}
    chosen = _chosen(config["key"], options)
    if chosen.get("path"):
        chosen["path"] = Path(chosen["path"]).name
    return _row(config["key"]).label.format(**chosen)


def prices(config: dict[str, Any]) -> Prices:
    """What a study's teacher costs, in US dollars per million tokens."""
    chosen = _row(config["key"]).defaults | config
    return Prices(chosen.get("price_in", 0.0), chosen.get("price_out", 0.0))


def check(config: dict[str, Any]) -> None:
    """LabError where a study's teacher is none of the table's, or names a key where it must not."""
    chosen = _row(config.get("key", "(none)")).defaults | config
    if "base_url" in chosen:
        from core.teachers import endpoint

        endpoint.check(str(chosen["base_url"]), str(chosen["key_name"] or ""))


def _row(key: str) -> Row:
    return find(TEACHERS, key, "teacher")


def _chosen(key: str, options: dict[str, Any]) -> dict[str, Any]:
    defaults = _row(key).defaults
    if unknown := sorted(set(options) - set(defaults)):
        known = ", ".join(defaults) or "none"
        raise LabError(f"The teacher {key} has no option {', '.join(unknown)}: its options are {known}.")
    return defaults | {name: value for name, value in options.items() if value is not None}
