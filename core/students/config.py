"""How a student is fine-tuned and evaluated: one part, saved as RUN_DIR/config.json.

RECIPES holds the presets. A recipe is a set of fields; a study may override any of them:

    TrainConfig.from_recipe("default", student="GPT-2 small", epochs=5)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from core.errors import find
from core.parts import NotCounted, OneOf, Part, Temperature, Texts, TopP

SELECTIONS = {
    "dev": "the epoch that is best on a dev split carved from the training questions",
    "last": "the last epoch",
    "test": "the epoch that is best on the test questions (as in the paper; optimistic)",
}

# Fields that older labs and their study files have; they changed no result.
RETIRED = ("task", "shard_size", "format")

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, lt=1)]
Uncounted = Annotated[Count, NotCounted]
Title = Annotated[str, NotCounted]  # for the model card


class TrainConfig(Part):
    """How a student is trained and evaluated. Raises LabError for a bad value."""

    # Where the weights are; which they are is counted by those who train on them.
    student: Annotated[str, NotCounted] = Field(
        min_length=1, description="name of a student, hub id or folder"
    )
    recipe: str = Field("default", description="the preset that it was made of")
    # training
    epochs: Count = Field(5, description="passes over the training set")
    learning_rate: float = Field(3e-4, gt=0, lt=1, description="of AdamW")
    schedule: Literal["constant", "linear"] = Field(
        "linear", description="of the learning rate; linear: warmed up, then down to zero"
    )
    warmup: Share = Field(0.05, description="share of all steps in which the learning rate rises")
    batch_size: Count = Field(
        8, description="rows per forward pass; halved while memory runs out, the step stays the same"
    )
    accumulation: Count = Field(1, description="batches per optimiser step, on however many devices")
    weight_decay: Share = 0.01
    clip_norm: float | None = Field(1.0, gt=0, description="largest norm of a gradient; empty: any")
    tuning: Literal["full", "lora"] = Field("full", description="all weights, or a low-rank adapter")
    lora_rank: Count = 16
    lora_alpha: Count = 32
    lora_dropout: Share = 0.05
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="auto: bf16 where the device computes in it, else fp32; never fp16"
    )
    seed: int = Field(0, ge=0)
    max_input_tokens: Count = Field(512, description="longest input, in tokens")
    max_label_tokens: Count = Field(512, description="longest label, in tokens")
    bucketing: bool = Field(True, description="batches of similar length")
    gradient_checkpointing: bool = Field(False, description="less memory, more time")
    # which epoch becomes the student
    selection: Annotated[str, OneOf(lambda: SELECTIONS, "selection")] = Field(
        "dev", description="which epoch becomes the student"
    )
    dev_fraction: float = Field(0.1, gt=0, lt=1, description="share of the training questions held out")
    dev_limit: Count = Field(200, description="at most this many dev questions")
    checkpoints_kept: Uncounted = Field(1, description="newest ones, besides the best one")
    # evaluation
    max_new_tokens: Count = Field(256, description="longest answer, in tokens")
    early_max_new_tokens: int | None = Field(
        None, ge=1, description="longest answer in the first two epochs, whose students ramble"
    )
    eval_batch_size: Uncounted = Field(64, description="questions answered together")
    temperature: Temperature = 0.0
    top_p: TopP = 1.0
    stop: Texts = Field((), description="texts at which an answer ends")
    # how predictions are scored while training
    answer_kind: str | None = Field(None, description="empty: accuracy is not followed")
    rules: str = "fine-tune-cot"
    answer_prefix: str | None = Field(None, description="what the student writes before its answer")
    training_set: str = Field("", description="the training set's hash")
    method: Title = ""
    teacher: Title = ""
    dataset: Title = ""
    note: Title = ""

    @model_validator(mode="before")
    @classmethod
    def _without_retired(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        return {name: value for name, value in values.items() if name not in RETIRED}

    @property
    def effective_batch(self) -> int:
        """Rows per optimiser step, on however many devices."""
        return self.batch_size * self.accumulation

    @classmethod
    def from_recipe(cls, recipe: str, **overrides: Any) -> TrainConfig:
        """A preset with some fields changed."""
        return cls.read(find(RECIPES, recipe, "recipe").fields | {"recipe": recipe} | overrides)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A preset: its name, what it is for and the fields it sets."""

    key: str
    name: str
    about: str
    fields: dict[str, Any]


RECIPES: dict[str, Recipe] = {
    row.key: row
    for row in (
        Recipe(
            "default",
            "Default",
            "Five epochs, the learning rate warmed up and then down to zero; chosen on a dev split.",
            {},
        ),
        Recipe(
            "paper",
            "Fine-tune-CoT's (Ho et al. 2023)",
            "20 epochs at a constant 3e-4 in fp32, evaluated on the test questions after each, with answers "
            "of at most 1,024 tokens (256 in the first two epochs); the best of the 20 is reported, which is "
            "optimistic. Unlike theirs: seeds are set, and 256 counts no token of a GPT-2 student's prompt.",
            {
                "epochs": 20,
                "learning_rate": 3e-4,
                "schedule": "constant",
                "warmup": 0.0,
                "clip_norm": None,
                "batch_size": 8,
                "weight_decay": 0.01,
                "precision": "fp32",
                "bucketing": False,
                "selection": "test",
                "max_new_tokens": 1024,
                "early_max_new_tokens": 256,
                "max_input_tokens": 512,
                "max_label_tokens": 512,
            },
        ),
        Recipe(
            "demo",
            "Demo",
            "Two epochs at a constant 3e-4: minutes on two CPU cores; the last epoch is taken.",
            {
                "epochs": 2,
                "learning_rate": 3e-4,
                "schedule": "constant",
                "warmup": 0.0,
                "batch_size": 8,
                "selection": "last",
            },
        ),
    )
}
