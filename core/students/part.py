"""What the students learn, and how they are asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field, JsonValue

from core.parts import OneOf, Part, Temperature, TopP, told
from core.students.config import RECIPES, TrainConfig

if TYPE_CHECKING:
    from core.methods.filters import Filter


def _filters(filters: dict[str, JsonValue]) -> dict[str, Any]:
    from core.methods.filters import chosen

    chosen(filters)
    return filters


def _filters_schema(schema: dict[str, Any]) -> None:
    from core.methods.filters import FILTERS

    rows = FILTERS.values()
    schema["properties"] = {row.key: {"description": row.about, **_values(row)} for row in rows}
    schema["additionalProperties"] = False


def _values(row: Filter) -> dict[str, Any]:
    if row.choices:
        return {"enum": [*row.choices]}
    return {"type": "boolean"} if row.least is None else {"type": "integer", "minimum": row.least}


def _training(changes: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The changes, where training could be asked for with them."""
    TrainConfig.model_validate(changes | {"student": "any"})
    return changes


def _training_schema(schema: dict[str, Any]) -> None:
    schema["properties"] = TrainConfig.model_json_schema()["properties"]
    schema["additionalProperties"] = False


class Learning(Part):
    """What the students learn: the recipe of their training, and which rationales are left out."""

    recipe: Annotated[str, OneOf(lambda: RECIPES, "recipe")] = Field("default", description="how they train")
    training: Annotated[dict[str, JsonValue], AfterValidator(_training)] = Field(
        default={},
        description="where the training differs from its recipe: epochs, learning_rate, …",
        json_schema_extra=_training_schema,
    )
    filters: Annotated[dict[str, JsonValue], AfterValidator(told(_filters))] = Field(
        default={}, description="of the training set: steps, max_words, …", json_schema_extra=_filters_schema
    )


class Asking(Part):
    """How the students are asked."""

    max_new_tokens: int | None = Field(
        None, ge=1, description="longest answer, in tokens; empty: as the recipe says"
    )
    temperature: Temperature = 0.0
    top_p: TopP = 1.0
