"""Parts: what is read, refused and counted, for every part of a study."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Annotated

import pytest
from pydantic import Field

from core.datasets.part import Benchmark
from core.errors import LabError
from core.parts import Mistake, NotCounted, Numbers, OneOf, Part
from core.records import Sampling
from core.students.config import TrainConfig
from core.students.part import Asking, Learning
from core.teachers import TEACHERS
from core.teachers.part import Changes, Teaching


class Inner(Part):
    rate: float = Field(0.5, gt=0, le=1)
    many: Numbers = (1,)
    shown: Annotated[str, NotCounted] = ""


class Outer(Part):
    """What the tests of parts read."""

    size: int
    note: Annotated[str, NotCounted] = ""
    inner: Inner = Inner()
    colour: Annotated[str, OneOf(lambda: {"red": 1, "blue": 2}, "colour")] = "red"
    limit: int | None = Field(None, ge=1, description="at most this many")


PARTS = [
    Outer(size=3, inner=Inner(many=(2, 3))),
    Benchmark(key="coin_flip_generated", options={"size": 10, "flips": 2}, train=5),
    Teaching(teachers={"a": {"key": "openai", "model": "m"}, "b": {"key": "local"}}, samples=1),
    Teaching(sampling={"temperature": 0.7, "stop": ["END"]}, samples=4, exemplars=[{"question": "?"}]),
    Learning(recipe="paper", training={"epochs": 2}, filters={"steps": True}),
    Asking(max_new_tokens=8),
    TrainConfig(student="x", stop=["END"]),
]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: type(part).__name__)
def test_a_part_survives_json(part):
    again = type(part).read(json.loads(json.dumps(part.dump())))
    assert again == part and again.hash == part.hash


@pytest.mark.parametrize(
    ("values", "sentence", "place"),
    [
        ({}, "`size` is missing", ("size",)),
        ({"size": "3"}, "`size` is '3': it must be a whole number", ("size",)),
        ({"size": True}, "`size` is True: it must be a whole number", ("size",)),
        ({"size": 1.0}, "`size` is 1.0: it must be a whole number", ("size",)),
        ({"size": 1, "sise": 2}, "no field `sise`: choose from size, note, inner, colour, limit", ("sise",)),
        ({"size": 1, "inner": {"rate": 0}}, "`inner.rate` is 0: it must be above 0", ("inner", "rate")),
        ({"size": 1, "inner": {"rate": 2}}, "`inner.rate` is 2: it must be at most 1", ("inner", "rate")),
        (
            {"size": 1, "inner": {"rate": True}},
            "`inner.rate` is True: it must be a number",
            ("inner", "rate"),
        ),
        ({"size": 1, "inner": {"rate": "fast"}}, "is 'fast': it must be a number", ("inner", "rate")),
        ({"size": 1, "inner": {"rate": float("nan")}}, "must be a finite number", ("inner", "rate")),
        ({"size": 1, "inner": {"many": 1}}, "`inner.many` is 1: it must be a list", ("inner", "many")),
        ({"size": 1, "inner": {"many": [1, "b"]}}, "`inner.many.1` is 'b'", ("inner", "many", 1)),
        ({"size": 1, "inner": []}, "`inner` is a list: it must be `{name: value}` pairs", ("inner",)),
        ({"size": 1, "colour": "green"}, "no colour “green”: choose one of red, blue", ("colour",)),
        ({"size": 1, "limit": 0}, "`limit` is 0: it must be at least 1", ("limit",)),
        ({"size": 1, "note": "n" * 100, "limit": "n" * 100}, r"`limit` is 'n{59}…: it must be", ("limit",)),
        ([1], "what is given is a list: it must be `{name: value}` pairs", ()),
    ],
)
def test_a_mistake_is_one_sentence_and_its_place(values, sentence, place):
    with pytest.raises(Mistake, match=sentence) as error:
        Outer.read(values)
    assert error.value.place == place


def test_whoever_makes_a_part_gets_the_same_sentence():
    for make in (lambda: Outer(size="3"), lambda: Outer.read({"size": "3"}), lambda: PARTS[0].but(size="3")):
        with pytest.raises(LabError, match="`size` is '3': it must be a whole number"):
            make()
    with pytest.raises(LabError, match="`inner.rate` is 7"):
        Outer(size=1, inner={"rate": 7})
    with pytest.raises(LabError, match="`study.size` is '3'"):
        Outer.read({"size": "3"}, where="study")


def test_a_number_that_yaml_reads_as_text_is_a_number():
    assert Inner.read({"rate": "3e-4"}).rate == 3e-4 and Inner(rate=1).rate == 1.0
    assert Asking(temperature="7e-1").temperature == 0.7


def test_what_is_marked_does_not_count():
    part = Outer(size=3)
    assert part.identity() == {
        "size": 3,
        "inner": {"rate": 0.5, "many": [1]},
        "colour": "red",
        "limit": None,
    }
    assert part.hash == part.but(note="a title", inner=Inner(shown="another")).hash
    assert part.hash != part.but(inner=Inner(many=(2,))).hash


def test_a_part_is_changed_by_a_copy():
    part = Outer(size=3)
    assert part.but(size=4).size == 4 and part.size == 3
    with pytest.raises(Exception, match="frozen"):
        part.size = 4


def test_the_schema_says_what_there_is():
    fields = Outer.model_json_schema()["properties"]
    assert fields["colour"]["enum"] == ["red", "blue"] and Outer.about("limit") == "at most this many"
    assert Outer.model_json_schema()["description"] == "What the tests of parts read."


# ── teaching ────────────────────────────────────────────────────────────────────────────────────


def test_a_role_that_is_not_named_is_the_teacher_s():
    two = Teaching(teachers={"teacher": {"key": "local"}, "solver": {"key": "worked"}})
    assert two.of("solver") == {"key": "worked"} and two.of("delegate") == two.teacher == {"key": "local"}
    only = Teaching(teachers={"solver": {"key": "local"}})
    assert only.teacher == only.of("delegate") == {"key": "local"}


def test_a_study_changes_only_what_it_names_of_a_methods_sampling():
    own = Sampling(max_tokens=128, stop=("END",))
    assert Teaching(sampling={"temperature": 0.7}).sampled(own) == replace(own, temperature=0.7)
    assert Teaching(sampling={"stop": ["Q:"]}).sampled(own) == replace(own, stop=("Q:",))
    assert Teaching().sampled(own) == own


def test_what_may_be_changed_of_a_sampling_is_what_a_sampling_has():
    assert set(Changes.model_fields) == set(Sampling.__dataclass_fields__)


def test_diverse_arms_are_drawn_as_in_the_papers_where_nothing_else_is_said():
    teaching = Teaching(sampling={"max_tokens": 80, "top_p": 0.9})
    drawn = teaching.diversely({})
    assert drawn.samples == 8
    assert drawn.sampling == {"max_tokens": 80, "temperature": 0.7, "top_p": 1.0}
    assert teaching.diversely({"samples": 2, "temperature": 1.0}).samples == 2


def test_what_changes_no_reply_does_not_count_of_a_teacher():
    """How many calls are in flight, what they cost and where the key is; but a default counts as if named."""

    def teaching(**options):
        return Teaching(teachers={"teacher": {"key": "openai", **options}})

    assert teaching().hash == teaching(concurrency=2, timeout=5, price_in=1, key_name="MY_KEY").hash
    assert teaching().hash == teaching(model="gpt-4o-mini").hash != teaching(model="gpt-4").hash
    assert teaching().hash != teaching(mode="completions").hash


@pytest.mark.parametrize("key", TEACHERS)
def test_every_teacher_s_defaults_can_be_said(key):
    given = {name: value for name, value in TEACHERS[key].defaults.items() if value is not None}
    config = {"key": key, **given}
    assert Teaching(teachers={"teacher": config}).teacher == config


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (
            {"key": "openai", "modle": "x"},
            "no field `teachers.solver.modle`: choose from key, base_url, model",
        ),
        ({"key": "openai", "concurrency": "many"}, "`teachers.solver.concurrency` is 'many'"),
        ({"key": "openai", "mode": "talk"}, "must be one of 'completions' or 'chat'"),
        ({"key": "llama-cpp"}, "no teacher “llama-cpp”: choose one of .*llama.cpp"),
    ],
)
def test_a_teacher_s_options_are_checked_one_by_one(config, sentence):
    with pytest.raises(LabError, match=sentence):
        Teaching(teachers={"solver": config})


# ── learning ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"training": {"epochs": 0}}, "`training.epochs` is 0: it must be at least 1"),
        ({"training": {"lerning_rate": 1}}, "no field `training.lerning_rate`: choose from .*learning_rate"),
        ({"filters": {"steps": 3}}, "`steps` cannot be 3"),
        ({"filters": {"stpes": True}}, "no filter stpes"),
        ({"recipe": "papr"}, "no recipe “papr”: choose one of default, paper, demo"),
    ],
)
def test_learning_is_checked_before_anything_is_learned(values, sentence):
    with pytest.raises(LabError, match=sentence):
        Learning.read(values)
