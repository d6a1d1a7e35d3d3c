"""What a study's students are trained with: the whole of the recipe that it names, and what it changes."""

from __future__ import annotations

from core import studies
from core.stages import training
from tests.stages.test_study import spec

# Fine-tune-CoT's custom_train.py and src/custom, as far as a config says it.
PAPER = {
    "epochs": 20, "learning_rate": 3e-4, "schedule": "constant", "warmup": 0.0, "clip_norm": None,
    "batch_size": 8, "accumulation": 1, "weight_decay": 0.01, "precision": "fp32", "tuning": "full",
    "max_input_tokens": 512, "max_label_tokens": 512, "max_new_tokens": 1024, "early_max_new_tokens": 256,
    "selection": "test", "temperature": 0.0,
}  # fmt: skip


def config(study: studies.Study, method: str):
    made = studies.open_study(study)
    return training.config_of(made, study.learning, study.asking, method, study.students[0], 0)


def test_the_papers_recipe_is_all_of_it(lab_home):
    paper = spec("SmolLM2-135M", recipe="paper", max_new_tokens=None, training={})
    assert {name: getattr(config(paper, "fine-tune-cot"), name) for name in PAPER} == PAPER
    assert config(paper, "few-shot-cot").max_input_tokens == 768


def test_what_a_study_changes_wins_over_the_recipe(lab_home):
    changed = spec("SmolLM2-135M", recipe="paper", max_new_tokens=160, training={"epochs": 3})
    made = config(changed, "fine-tune-cot")
    assert (made.max_new_tokens, made.epochs, made.early_max_new_tokens) == (160, 3, 256)
