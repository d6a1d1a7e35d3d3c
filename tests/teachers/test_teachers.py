"""The table of teachers, row by row."""

from __future__ import annotations

import pytest

from core.errors import LabError
from core.records import Question
from core.teachers import TEACHERS, label, open_teacher, opened, panel, prices

SOLVED = [Question(0, "1 + 1?", "2", solution="1 and 1 are 2.")]


@pytest.mark.parametrize("key", TEACHERS)
def test_every_row_names_itself_and_refuses_unknown_options(key: str) -> None:
    row = TEACHERS[key]
    assert row.key == key and row.title and row.needs and all(o.help for o in row.options)
    given = {o.name: "x" for o in row.options if o.default is None}
    assert label({"key": key, **given})
    with pytest.raises(LabError, match="no field `wings`"):
        open_teacher(key, wings=2)


@pytest.mark.parametrize("key", [k for k, row in TEACHERS.items() if None in row.defaults.values()])
def test_what_must_be_given_is_named(key: str) -> None:
    missing = next(o.name for o in TEACHERS[key].options if o.default is None)
    with pytest.raises(LabError, match=missing):
        open_teacher(key)


@pytest.mark.parametrize("key", ["openai", "vllm", "ollama", "llama.cpp"])
def test_an_endpoint_s_identity_has_neither_key_nor_price(key: str) -> None:
    teacher = open_teacher(key, model="m", price_in=3.0)
    assert set(teacher.identity) == {"endpoint", "model", "mode"}
    assert teacher.name == f"m @ {teacher.base_url}"
    assert teacher.prices.cost(1_000_000, 0) == 3.0


def test_a_study_describes_a_teacher_by_plain_values() -> None:
    assert opened({"key": "worked"}, SOLVED).name == "worked solutions"
    assert label({"key": "recorded", "path": "/somewhere/D_addsub.json"}) == "recorded: D_addsub.json"
    assert prices({"key": "openai", "price_out": 8.0}).cost(0, 1_000_000) == 8.0
    assert prices({"key": "worked"}).cost(10, 10) == 0.0


def test_roles_with_the_same_teacher_share_it() -> None:
    """Two would keep twice as many calls in flight as were asked for, or load a model twice."""
    same, other = {"key": "vllm", "model": "m"}, {"key": "vllm", "model": "n"}
    made = panel({"planner": same, "solver": other, "judge": dict(same)})
    assert made["planner"] is made["judge"] is not made["solver"]
    assert made["solver"].model == "n"


def test_an_unknown_teacher_names_the_known_ones() -> None:
    with pytest.raises(LabError, match="ollama"):
        open_teacher("oracle")
