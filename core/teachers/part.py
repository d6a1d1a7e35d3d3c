"""How the teachers are asked: who they are, by role, and how their rationales are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, JsonValue, model_validator

from core.exemplars.own import tidy
from core.models.sources import content
from core.parts import Part, Some, Temperature, Texts, TopP, refused, told
from core.records import Sampling
from core.teachers import TEACHERS, chosen, config_part

TEACHER = "teacher"  # the role of a method's only teacher


class Changes(Part):
    """Where the teachers are sampled unlike a method's own way."""

    temperature: Temperature = 0.0
    top_p: TopP = 1.0
    max_tokens: int = Field(128, ge=1, description="longest rationale, in tokens")
    stop: Texts = Field((), description="texts at which a rationale ends")
    seed: int | None = Field(None, description="random seed, for teachers that take one")


class Diverse(Part):
    """Several rationales per question: drawn as in the papers, where nothing else is said."""

    samples: int = Field(8, ge=2, description="D: rationales per question")
    temperature: float = Field(0.7, gt=0, description="how freely they are drawn")
    top_p: TopP = 1.0


def _teacher(config: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """What is said of a teacher, each option of its kind."""
    row = config_part(str(config.get("key", "(none)")))
    return row.model_validate(config).model_dump(exclude_unset=True)


def _teacher_schema(schema: dict[str, Any]) -> None:
    schema.pop("additionalProperties", None)
    schema["anyOf"] = [config_part(key).model_json_schema() for key in TEACHERS]


def identity(config: Mapping[str, Any]) -> dict[str, Any]:
    """What of a teacher decides its replies: its key and every option that counts, defaults included."""
    row, values = TEACHERS[config["key"]], chosen(config)
    places = {option.name for option in row.options if option.is_place and values[option.name]}
    values |= {name: content(str(values[name])) for name in places}
    return {"key": row.key} | {option.name: values[option.name] for option in row.options if option.counts}


Config = Annotated[
    dict[str, JsonValue], AfterValidator(told(_teacher)), Field(json_schema_extra=_teacher_schema)
]


class Teaching(Part):
    """How the teachers are asked: who they are, by role, and how their rationales are drawn."""

    teachers: dict[str, Config] = Field(
        default={TEACHER: {"key": "worked"}},
        min_length=1,
        description="role → a teacher's key and options; where a role is not named, `teacher` takes it",
    )
    sampling: Annotated[dict[str, Any], Some(Changes)] = Field(
        default={}, description="where it differs from the method's own"
    )
    samples: int = Field(1, ge=1, description="D: rationales per question")
    prompting: dict[str, JsonValue] = Field(default={}, description="options of the method's prompts")
    exemplars: Annotated[
        tuple[dict[str, JsonValue], ...], Field(strict=False), AfterValidator(told(tidy))
    ] = Field(default=(), description="question, rationale and answer: your own, shown by few-shot methods")
    clusters: dict[str, JsonValue] = Field(
        default={}, description="how exemplars are chosen: rules, k, seed, n_init, encoder, text, own"
    )

    @model_validator(mode="after")
    def _several_differ(self) -> Self:
        if self.samples > 1 and not self.sampling.get("temperature"):
            raise refused(
                "several samples at temperature 0 are all the same: set `sampling: {temperature: 0.7}`.",
                "samples",
            )
        return self

    @property
    def teacher(self) -> dict[str, Any]:
        """The teacher of the role `teacher`; where there is none, the first."""
        return self.teachers.get(TEACHER) or next(iter(self.teachers.values()))

    def of(self, role: str) -> dict[str, Any]:
        """The teacher of a role."""
        return self.teachers.get(role) or self.teacher

    def sampled(self, own: Sampling) -> Sampling:
        """A method's own sampling with what the study changes."""
        return replace(own, **self.sampling)

    def diversely(self, diverse: Mapping[str, Any]) -> Teaching:
        """As diverse arms ask: D samples per question, drawn as `diverse` says."""
        drawn = Diverse.read(diverse).dump()
        return self.but(samples=drawn.pop("samples"), sampling=self.sampling | drawn)

    def identity(self) -> dict[str, Any]:
        return super().identity() | {"teachers": {role: identity(one) for role, one in self.teachers.items()}}
