"""How a student of a study is trained and asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core import studies
from core.methods import METHODS
from core.stages.training import config_of


@pytest.mark.parametrize("recipe", ["default", "paper"])
def test_students_read_more_where_they_are_shown_exemplars(lab_home, recipe):
    """Ho et al. 2023: 512 tokens, 768 for few-shot prompts."""
    spec = replace(studies.demo(24, 12), recipe=recipe)
    study = studies.open_study(spec)
    read = {key: config_of(study, spec, key, "SmolLM2-135M", 0).max_input_tokens for key in METHODS}
    assert read == dict.fromkeys(METHODS, 512) | {"few-shot-cot": 768}
    own = replace(spec, training={"max_input_tokens": 1000})
    assert config_of(study, own, "few-shot-cot", "SmolLM2-135M", 0).max_input_tokens == 1000
