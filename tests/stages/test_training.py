"""How a student of a study is trained and asked."""

from __future__ import annotations

import pytest

from core import studies
from core.methods import METHODS
from core.stages.training import config_of
from core.students.part import Learning


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
