"""Which questions a study asks: a benchmark, how it is made and split, and how many of them are used."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from core.datasets import all_datasets, find_dataset, load
from core.parts import OneOf, Part, refused, told
from core.progress import Report, silent
from core.records import Question


class Benchmark(Part):
    """Which questions: a benchmark, how it is made and split, and how many of them are used."""

    key: Annotated[str, OneOf(all_datasets, "benchmark")] = Field(description="key of the benchmark")
    options: dict[str, int] = Field(
        default={}, description="of a generated benchmark: size, seed, and its own, such as flips"
    )
    split: str = Field("default", description="how it is split: default, all-test, template")
    train: int | None = Field(None, ge=1, description="at most this many training questions; empty: all")
    test: int | None = Field(None, ge=1, description="at most this many test questions; empty: all")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        row = find_dataset(self.key)
        told(row.settle_options)({n: v for n, v in self.options.items() if n not in ("size", "seed")})
        if self.split not in row.splits:
            raise refused(f"There is no such split: choose one of {', '.join(row.splits)}.", "split")
        return self

    def load(self, progress: Report = silent) -> list[Question]:
        """All its questions, downloaded or generated as the options say."""
        own = {name: self.options[name] for name in ("size", "seed") if name in self.options}
        rest = {name: value for name, value in self.options.items() if name not in own}
        return load(self.key, split=self.split, **own, options=rest or None, progress=progress)
