"""Parts: what a study says, typed. Each part stands in the package that it is for.

    Teaching.read({"samples": 2, "sampling": {"temperature": "hot"}})
                          LabError `sampling.temperature` is 'hot': it must be a number.
    part.dump()           plain values, all of them; `read` makes the same part of them again
    part.identity()       what decides a result: everything that is not marked as NotCounted
    part.hash             the identity's SHA-256
    part.but(samples=8)   the part with a change, checked again

The types, limits and descriptions of the fields are pydantic's; the JSON Schema is made from them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Any, LiteralString, ParamSpec, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError, core_schema

from core.errors import LabError, find
from core.records import content_hash

P = ParamSpec("P")
T = TypeVar("T")
Place = tuple[str | int, ...]  # of a value: ("teaching", "sampling", "temperature")

LONGEST_VALUE = 60  # characters of a value that a sentence repeats
PAIRS = "`{{name: value}}` pairs"  # braces doubled, as `format` wants them

# What a value must be, by the type of pydantic's error.
MUST_BE = {
    "string_type": "a text",
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "dict_type": PAIRS,
    "mapping_type": PAIRS,
    "model_type": PAIRS,
    "tuple_type": "a list, as `[one, two]`",
    "literal_error": "one of {expected}",
    "greater_than": "above {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "below {lt}",
    "less_than_equal": "at most {le}",
    "invalid-json-value": "a text, a number, a list or pairs",
}


class NotCounted:
    """Marks a field that changes no result: `title: Annotated[str, NotCounted]`."""


Texts = Annotated[tuple[str, ...], Field(strict=False)]  # a list in a file
Numbers = Annotated[tuple[int, ...], Field(strict=False)]
Temperature = Annotated[
    float, Field(ge=0, description="0 always takes the most likely word; above 0 words are drawn at random")
]
TopP = Annotated[
    float,
    Field(
        gt=0, le=1, description="draws from the most likely words, up to this total probability; 1: from all"
    ),
]


class Mistake(LabError):
    """One value that cannot be used, and its place as the user wrote it."""

    def __init__(self, sentence: str, place: Place) -> None:
        super().__init__(sentence)
        self.place = place


@dataclass(frozen=True, slots=True)
class OneOf:
    """Marks a field that is a key of a table: `Annotated[str, OneOf(lambda: METHODS, "method")]`."""

    table: Callable[[], Mapping[str, Any]]
    what: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> Any:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> Any:
        return handler(schema) | {"enum": list(self.table())}

    def check(self, key: str) -> str:
        told(find)(self.table(), key, self.what)
        return key


@dataclass(frozen=True, slots=True)
class Some:
    """Marks a dict that holds some fields of a part: `Annotated[dict[str, JsonValue], Some(Diverse)]`."""

    part: type[Part]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> Any:
        return core_schema.no_info_after_validator_function(self.kept, handler(source))

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> Any:
        return self.part.model_json_schema()

    def kept(self, values: dict[str, Any]) -> dict[str, Any]:
        """What was given, each value of its kind."""
        return self.part.model_validate(values).model_dump(exclude_unset=True)


def told(check: Callable[P, T]) -> Callable[P, T]:
    """The check as pydantic wants it: its LabError becomes the sentence of the field that it looks at."""

    @wraps(check)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return check(*args, **kwargs)
        except LabError as error:
            raise refused(str(error)) from None

    return wrapped


def refused(sentence: str, *place: str | int, kind: LiteralString = "sentence") -> ValidationError:
    """What a validator raises to refuse a value; `place` is inside the part that it looks at."""
    error = PydanticCustomError(kind, "{sentence}", {"sentence": sentence})
    return ValidationError.from_exception_data("", [{"type": error, "loc": place, "input": None}])


class Part(BaseModel):
    """Typed plain values, frozen. Whatever is wrong with one is a LabError of one sentence."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    def __init__(self, /, **values: Any) -> None:
        try:
            self.__pydantic_validator__.validate_python(values, self_instance=self)
        except ValidationError as error:
            raise self._mistake(error, values) from None

    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]  # so that a part inside is not told twice

    @classmethod
    def read(cls, values: Any, where: str = "") -> Self:
        """The part of plain values; `where` is the place of the whole. LabError for what cannot be used."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise cls._mistake(error, values, where) from None

    def dump(self) -> dict[str, Any]:
        """Plain values, all of them, as JSON has them."""
        return self.model_dump(mode="json")

    def identity(self) -> dict[str, Any]:
        """The values that decide a result."""
        inner = {name: value.identity() for name, value in self if isinstance(value, Part)}
        fields = type(self).model_fields.items()
        left_out = {name for name, field in fields if NotCounted in field.metadata}
        return {name: value for name, value in (self.dump() | inner).items() if name not in left_out}

    @property
    def hash(self) -> str:
        return content_hash(self.identity())

    def but(self, **changes: Any) -> Self:
        """The part with these fields changed. LabError for what cannot be used."""
        return self.read(dict(self) | changes)

    @classmethod
    def about(cls, name: str) -> str:
        """What a field is, as its description says."""
        return cls.model_fields[name].description or ""

    @field_validator("*", mode="before")
    @classmethod
    def _number(cls, value: Any, info: ValidationInfo) -> Any:
        """YAML and forms give 3e-4 as text."""
        kind = cls.model_fields[info.field_name or ""].annotation
        if isinstance(value, str) and kind in (float, float | None):
            try:
                return float(value)
            except ValueError:
                return value
        return value

    @model_validator(mode="before")
    @classmethod
    def _fields_exist(cls, values: Any) -> Any:
        for name in values if isinstance(values, Mapping) else ():
            if name not in cls.model_fields:
                raise refused(", ".join(cls._known()), name, kind="no_field")
        return values

    @classmethod
    def _mistake(cls, error: ValidationError, values: Any, where: str = "") -> Mistake:
        """The first thing that is wrong."""
        found = error.errors(include_url=False)[0]
        place = cls._as_written(found["loc"], values)
        name = ".".join(map(str, ((where,) if where else ()) + place))
        return Mistake(_sentence(found, f"`{name}`" if name else "what is given"), place)

    @classmethod
    def _as_written(cls, place: Place, _values: Any) -> Place:
        """The place of a value as the user wrote it."""
        return place

    @classmethod
    def _known(cls) -> list[str]:
        """The names of the fields that there are."""
        return list(cls.model_fields)


def _sentence(found: ErrorDetails, name: str) -> str:
    kind, said = found["type"], found["msg"]
    if kind == "no_field":
        return f"There is no field {name}: choose from {said}."
    if kind == "missing":
        return f"{name} is missing: fill it in."
    if kind in ("too_short", "string_too_short"):
        return f"{name} is empty: fill it in."
    if kind == "sentence":
        return f"{name}: {said}"
    if kind not in MUST_BE:
        return f"{name} cannot be used ({said}): correct it."
    return f"{name} is {_shown(found['input'])}: it must be {MUST_BE[kind].format(**found.get('ctx', {}))}."


def _shown(value: Any) -> str:
    """A wrong value in a sentence."""
    if isinstance(value, Mapping):
        return PAIRS.format()
    if isinstance(value, list | tuple):
        return "a list"
    text = "empty" if value is None else repr(value) if isinstance(value, str | int | float) else str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
