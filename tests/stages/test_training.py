"""How a student of a study is trained and asked."""

from __future__ import annotations

import pytest

from core import studies
from core.methods import METHODS
from core.stages.training import config_of
from core.students.part import Learning
from tests.stages.test_study import spec


@pytest.mark.parametrize("recipe", ["default", "paper"])
def test_students_read_more_where_they_are_shown_exemplars(lab_home, recipe):
    """Ho et al. 2023: 512 tokens, 768 for few-shot prompts."""
    asked = studies.demo(24, 12)
    study, learning = studies.open_study(asked), Learning(recipe=recipe)

    def read(method: str, learning: Learning) -> int:
        return config_of(study, learning, asked.asking, method, "SmolLM2-135M", 0).max_input_tokens

    expected = dict.fromkeys(METHODS, 512) | {"few-shot-cot": 768}
    assert {key: read(key, learning) for key in METHODS} == expected
    assert read("few-shot-cot", learning.but(training={"max_input_tokens": 1000})) == 1000


# Fine-tune-CoT's custom_train.py and src/custom, as far as a config says it.
PAPER = {
    "epochs": 20, "learning_rate": 3e-4, "schedule": "constant", "warmup": 0.0, "clip_norm": None,
    "batch_size": 8, "accumulation": 1, "weight_decay": 0.01, "precision": "fp32", "tuning": "full",
    "max_input_tokens": 512, "max_label_tokens": 512, "max_new_tokens": 1024, "early_max_new_tokens": 256,
    "selection": "test", "temperature": 0.0,
}  # fmt: skip


def config(study: studies.Study, method: str):
    made = studies.open_study(study)
    return config_of(made, study.learning, study.asking, method, study.students[0], 0)


def test_the_papers_recipe_is_all_of_it(lab_home):
    paper = spec("SmolLM2-135M", recipe="paper", max_new_tokens=None, training={})
    assert {name: getattr(config(paper, "fine-tune-cot"), name) for name in PAPER} == PAPER


def test_what_a_study_changes_wins_over_the_recipe(lab_home):
    changed = spec("SmolLM2-135M", recipe="paper", max_new_tokens=160, training={"epochs": 3})
    made = config(changed, "fine-tune-cot")
    assert (made.max_new_tokens, made.epochs, made.early_max_new_tokens) == (160, 3, 256)
