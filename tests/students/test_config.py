"""TrainConfig refuses what it cannot use; recipes are complete and valid."""

import json

import pytest

from core.errors import LabError
from core.students.config import RECIPES, SELECTIONS, TrainConfig


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_makes_a_config_that_survives_json(recipe):
    config = TrainConfig.from_recipe(recipe, student="SmolLM2-135M", stop=["END"])
    assert config.recipe == recipe and config.selection in SELECTIONS
    assert TrainConfig.read(json.loads(json.dumps(config.dump()))) == config


def test_the_papers_recipe():
    config = TrainConfig.from_recipe("paper", student="T5 small")
    assert (config.epochs, config.learning_rate, config.batch_size) == (20, 3e-4, 8)
    assert (config.schedule, config.clip_norm, config.precision) == ("constant", None, "fp32")
    assert config.selection == "test" and config.max_new_tokens == 1024 and config.weight_decay == 0.01
    assert "optimistic" in RECIPES["paper"].about and "optimistic" in SELECTIONS["test"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("epochs", 1.5),
        ("learning_rate", 0),
        ("learning_rate", "fast"),
        ("precision", "fp16"),
        ("selection", "best"),
        ("tuning", "half"),
        ("dev_fraction", 1),
        ("clip_norm", 0),
        ("top_p", 0),
        ("batch_size", -1),
        ("early_max_new_tokens", 0),
        ("student", ""),
    ],
)
def test_bad_values_are_named(field, value):
    with pytest.raises(LabError, match=field):
        TrainConfig(**{"student": "SmolLM2-135M", field: value})


def test_unknown_fields_and_recipes_are_named():
    with pytest.raises(LabError, match="lerning_rate"):
        TrainConfig.read({"student": "x", "lerning_rate": 1e-4})
    with pytest.raises(LabError, match="student"):
        TrainConfig.read({})
    with pytest.raises(LabError, match="quick"):
        TrainConfig.from_recipe("quick", student="x")


def test_yaml_numbers_that_are_text_are_read():
    assert TrainConfig(student="x", learning_rate="3e-4").learning_rate == 3e-4


def test_the_hash_is_of_what_decides_the_weights():
    config = TrainConfig(student="x")
    same = TrainConfig(student="x", eval_batch_size=1, method="a title", checkpoints_kept=3)
    assert config.hash == same.hash == TrainConfig(student="elsewhere").hash  # its weights are hashed apart
    assert config.hash != TrainConfig(student="x", seed=1).hash


def test_what_an_older_lab_wrote_is_read():
    old = TrainConfig(student="x", epochs=3).dump() | {"task": "train", "shard_size": 64, "format": "auto"}
    assert TrainConfig.read(old) == TrainConfig(student="x", epochs=3)
