"""How a student is fine-tuned and evaluated: one frozen dataclass, saved as RUN_DIR/config.json.

RECIPES holds the presets. A recipe is a set of fields; a study may override any of them:

    TrainConfig.from_recipe("default", student="GPT-2 small", epochs=5)
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from core.errors import LabError, find
from core.records import content_hash
from core.students.formats import FORMATS

CHOICES: dict[str, tuple[str, ...]] = {
    "task": ("train", "evaluate", "preview"),
    "tuning": ("full", "lora"),
    "precision": ("auto", "fp32", "bf16"),
    "selection": ("dev", "last", "test"),
    "schedule": ("constant", "linear"),
}

SELECTIONS = {
    "dev": "the epoch that is best on a dev split carved from the training questions",
    "last": "the last epoch",
    "test": "the epoch that is best on the test questions (as in the paper; optimistic)",
}

FLOATS = (
    "learning_rate", "warmup", "weight_decay", "clip_norm", "lora_dropout", "dev_fraction",
    "temperature", "top_p",
)  # fmt: skip

# What may differ between a run and its continuation without changing the student.
NOT_IDENTITY = ("task", "eval_batch_size", "shard_size", "checkpoints_kept", "note")


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Everything that decides a student's weights and predictions. Raises LabError for a bad value."""

    student: str
    task: str = "train"
    recipe: str = "default"
    format: str = "auto"  # a key of FORMATS; auto: as the student's architecture wants
    # training
    epochs: int = 5
    learning_rate: float = 3e-4
    schedule: str = "linear"  # of the learning rate; linear: warm-up, then down to zero
    warmup: float = 0.05  # of all steps
    batch_size: int = 8  # rows per forward pass; halved while memory runs out, the step stays the same
    accumulation: int = 1  # batches per optimiser step, on however many devices
    weight_decay: float = 0.01
    clip_norm: float | None = 1.0
    tuning: str = "full"
    lora_rank: int = 16
    lora_alpha: int = 32
    lora_dropout: float = 0.05
    precision: str = "auto"  # bf16 where the device computes in it, else fp32; never fp16
    seed: int = 0
    max_input_tokens: int = 512
    max_label_tokens: int = 512
    bucketing: bool = True  # batches of similar length
    gradient_checkpointing: bool = False
    # which epoch becomes the student
    selection: str = "dev"
    dev_fraction: float = 0.1
    dev_limit: int = 200  # at most so many dev questions
    checkpoints_kept: int = 1  # newest ones, besides the best one
    # evaluation
    max_new_tokens: int = 256
    early_max_new_tokens: int | None = None  # in the first two epochs, whose students ramble
    eval_batch_size: int = 64
    shard_size: int = 64  # questions per shard of an evaluation
    temperature: float = 0.0
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    # how predictions are scored while training
    answer_kind: str | None = None  # a key of core.answers.KINDS; None: accuracy is not followed
    rules: str = "fine-tune-cot"
    answer_prefix: str | None = None
    # for the model card
    method: str = ""
    teacher: str = ""
    dataset: str = ""
    training_set: str = ""  # its hash
    note: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "stop", tuple(self.stop))
        for name in FLOATS:
            object.__setattr__(self, name, self._number(name))
        for name, choices in CHOICES.items():
            self._need(getattr(self, name) in choices, name, f"one of {', '.join(choices)}")
        self._need(self.format == "auto" or self.format in FORMATS, "format", f"one of {', '.join(FORMATS)}")
        for name in (
            "epochs",
            "batch_size",
            "accumulation",
            "lora_rank",
            "lora_alpha",
            "max_input_tokens",
            "max_label_tokens",
            "max_new_tokens",
            "eval_batch_size",
            "shard_size",
        ):
            value = getattr(self, name)
            self._need(isinstance(value, int) and value >= 1, name, "a whole number of at least 1")
        early = self.early_max_new_tokens
        self._need(early is None or early >= 1, "early_max_new_tokens", "at least 1, or empty")
        self._need(0 < self.learning_rate < 1, "learning_rate", "above 0 and below 1")
        self._need(0 <= self.weight_decay < 1, "weight_decay", "at least 0 and below 1")
        self._need(0 <= self.warmup < 1, "warmup", "at least 0 and below 1")
        self._need(0 <= self.lora_dropout < 1, "lora_dropout", "at least 0 and below 1")
        self._need(self.clip_norm is None or self.clip_norm > 0, "clip_norm", "above 0, or empty")
        self._need(0 < self.dev_fraction < 1, "dev_fraction", "above 0 and below 1")
        self._need(self.dev_limit >= 1, "dev_limit", "at least 1")
        self._need(self.checkpoints_kept >= 1, "checkpoints_kept", "at least 1")
        self._need(self.temperature >= 0, "temperature", "at least 0")
        self._need(0 < self.top_p <= 1, "top_p", "above 0 and at most 1")
        self._need(isinstance(self.seed, int) and self.seed >= 0, "seed", "a whole number of at least 0")
        self._need(bool(self.student), "student", "the name of a student")

    def _number(self, name: str) -> float | None:
        """A field as a float: YAML reads 3e-4 as text."""
        value = getattr(self, name)
        try:
            return None if value is None and name == "clip_norm" else float(value)
        except (TypeError, ValueError):
            raise LabError(f"`{name}` is {value!r}: it must be a number.") from None

    def _need(self, held: bool, name: str, wanted: str) -> None:
        if not held:
            raise LabError(f"`{name}` is {getattr(self, name)!r}: it must be {wanted}.")

    @property
    def effective_batch(self) -> int:
        """Rows per optimiser step, on however many devices."""
        return self.batch_size * self.accumulation

    @property
    def identity(self) -> dict[str, Any]:
        """The fields that decide the student's weights."""
        return {k: v for k, v in self.as_dict().items() if k not in NOT_IDENTITY}

    @property
    def hash(self) -> str:
        return content_hash(self.identity)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"stop": list(self.stop)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainConfig:
        """A config from plain values; fields it does not know are named in the error."""
        known = {f.name for f in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise LabError(
                f"Training has no field {', '.join(unknown)}: choose from {', '.join(sorted(known))}."
            )
        if "student" not in values:
            raise LabError("Training needs a student: fill in `student`.")
        return cls(**values)

    @classmethod
    def from_recipe(cls, recipe: str, **overrides: Any) -> TrainConfig:
        """A preset with some fields changed."""
        return cls.from_dict(find(RECIPES, recipe, "recipe").fields | {"recipe": recipe} | overrides)


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
            "20 epochs at a constant 3e-4 in fp32, evaluated on the test questions after each; the best "
            "of the 20 is reported, which is optimistic.",
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
