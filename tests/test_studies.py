"""Study files: what is accepted, what is refused and with which sentence."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from core import settings, studies
from core.errors import LabError, RefusedError
from core.records import Question, Sampling
from core.store import queries


def test_the_demo_study_is_the_file_in_the_repository():
    assert studies.read(settings.ROOT / "studies" / "demo.yaml") == studies.demo()


@pytest.mark.parametrize("file", sorted((settings.ROOT / "studies").glob("*.yaml")), ids=lambda p: p.name)
def test_every_study_file_is_valid(file):
    spec = studies.read(file)
    assert studies.from_dict(spec.as_dict()) == spec, "a stored study reads back as it was"
    assert studies.arms(spec)


def test_a_demo_of_any_size_has_enough_of_both_parts(lab_home):
    for train, test in ((24, 12), (5, 40), (200, 100)):
        study = studies.open_study(studies.demo(train, test))
        assert len(studies.questions(study, "train")) == train
        assert len(studies.questions(study, "test")) == test


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"name": "x", "benchmark": "nope"}, "no benchmark “nope”"),
        ({"name": "x"}, "lacks benchmark"),
        ({"name": " ", "benchmark": "addsub"}, "needs a name"),
        ({"name": "x", "benchmark": "addsub", "epochs": 3}, "unknown fields .epochs."),
        ({"name": 7, "benchmark": "addsub"}, "`name` must be a text"),
        ({"name": "\ud800", "benchmark": "addsub"}, "surrogate"),
        ({"name": "x", "benchmark": "addsub", "seeds": 1}, "`seeds` must be a list of whole numbers"),
        ({"name": "x", "benchmark": "addsub", "methods": "fine-tune"}, "`methods` must be a list of names"),
        ({"name": "x", "benchmark": "addsub", "train": "all"}, "`train` must be a whole number"),
        ({"name": "x", "benchmark": "addsub", "teacher": "worked"}, "`teacher` must be `{name: value}`"),
        ({"name": "x", "benchmark": "addsub", "teacher": {"key": []}}, "no teacher"),
        ({"name": "x", "benchmark": "addsub", "sampling": {"temperature": "hot"}}, "temperature` must be a"),
        ({"name": "x", "benchmark": "addsub", "diverse": {"samples": "8"}}, "diverse: samples` must be a"),
        ({"name": "x", "benchmark": "addsub", "methods": ["nope"]}, "no method “nope”"),
        ({"name": "x", "benchmark": "addsub", "teacher": {"key": "nope"}}, "no teacher “nope”"),
        ({"name": "x", "benchmark": "addsub", "teacher": {}}, "no teacher"),
        (
            {
                "name": "x",
                "benchmark": "addsub",
                "teacher": {"key": "openai", "base_url": "http://me:sk-1@host/v1"},
            },
            "holds a user",
        ),
        (
            {"name": "x", "benchmark": "addsub", "teacher": {"key": "vllm", "key_name": "sk-abc123"}},
            "never the key itself",
        ),
        ({"name": "x", "benchmark": "addsub", "rules": "nope"}, "no rules “nope”"),
        ({"name": "x", "benchmark": "addsub", "samples": 0}, "at least one rationale"),
        ({"name": "x", "benchmark": "addsub", "samples": 4}, "all the same"),
        ({"name": "x", "benchmark": "addsub", "train": 0}, "at least one question"),
        ({"name": "x", "benchmark": "addsub", "sampling": {"heat": 1}}, "unknown fields .heat."),
        ({"name": "x", "benchmark": "addsub", "exemplars": [{"q": "?"}]}, "Exemplar 1 cannot be read"),
        (["not", "a", "study"], "field: value"),
    ],
)
def test_what_cannot_be_used_is_named(values, sentence):
    with pytest.raises(LabError, match=sentence):
        studies.from_dict(values)


def test_every_field_s_kind_is_known():
    assert {one.type for one in [*fields(studies.Spec), *fields(Sampling)]} <= set(studies.KINDS)


@pytest.mark.parametrize("options", [{"size": "many"}, {"flips": "4"}, {"seed": "zero"}])
def test_options_that_are_no_numbers_are_one_sentence(options, lab_home):
    spec = studies.Spec(name="x", benchmark="coin_flip_generated", options=options)
    with pytest.raises(LabError, match="many|flips|zero"):
        studies.open_study(spec)


def test_a_long_text_that_an_error_quotes_is_cut():
    with pytest.raises(LabError) as error:
        studies.Spec(name="x", benchmark="b" * 100_000)
    assert len(str(error.value)) < 1100 and "choose one of" in str(error.value)


@pytest.mark.parametrize(
    "content", [b"name: [", b"\xff\xfe\x00", b"- a\n- b", b"- " + b"9" * 5000, b"[" * 5000]
)
def test_a_broken_file_is_one_sentence(tmp_path, content):
    file = tmp_path / "study.yaml"
    file.write_bytes(content)
    with pytest.raises(LabError):
        studies.read(file)
    with pytest.raises(LabError, match="no file"):
        studies.read(tmp_path / "absent.yaml")


def test_a_name_belongs_to_one_set_of_questions(lab_home):
    spec = studies.demo(24, 12)
    first = studies.open_study(spec)
    assert studies.open_study(spec) == first
    changed = studies.from_dict(spec.as_dict() | {"test": 5})
    with pytest.raises(RefusedError, match="already exists with another test"):
        studies.open_study(changed)


def test_a_study_may_grow_methods_and_students(lab_home):
    spec = studies.demo(24, 12)
    first = studies.open_study(spec)
    more = studies.from_dict(spec.as_dict() | {"methods": ["zero-shot", "fine-tune"]})
    assert studies.open_study(more) == first
    assert queries.study(first).config["methods"] == ["zero-shot", "fine-tune"]


def test_untrained_arms_run_once_whatever_the_seeds():
    spec = studies.from_dict(
        {"name": "x", "benchmark": "addsub", "methods": ["zero-shot", "fine-tune"], "seeds": [0, 1, 2]}
    )
    assert [(arm.method, arm.seed) for arm in studies.arms(spec)] == [
        ("zero-shot", 0),
        ("fine-tune", 0),
        ("fine-tune", 1),
        ("fine-tune", 2),
    ]


def test_a_study_changes_only_what_it_names_of_a_methods_sampling():
    spec = studies.from_dict({"name": "x", "benchmark": "addsub", "sampling": {"temperature": 0.7}})
    assert spec.sampled(Sampling(max_tokens=128, stop=("END",))) == Sampling(
        temperature=0.7, max_tokens=128, stop=("END",)
    )


def test_subsets_are_those_of_fine_tune_cot():
    """sort → RandomState(0).permutation → first n → sorted (reasoning-teacher, src/data/split.py)."""
    from numpy.random import RandomState

    questions = [Question(i, str(i), "0") for i in range(50)]
    expected = sorted(RandomState(0).permutation(50)[:8])
    assert [q.index for q in studies.at_most(questions, 8)] == expected
    assert studies.at_most(questions, None) == questions
    assert studies.at_most(questions, 99) == questions


def test_an_ablation_keeps_the_users_limits_but_leaves_correctness_to_its_arms():
    own = {"rationale_lines": 40, "correct": True}
    clusters = {"k": 3, "rules": "auto-cot", "own": own}
    spec = studies.Spec(name="x", benchmark="addsub", teacher={"key": "local"}, clusters=clusters)
    made = studies.ablation(spec, (0, 1), {"samples": 2, "temperature": 0.7})
    assert made.clusters == {"k": 3, "own": {"rationale_lines": 40}} and made.seeds == (0, 1)
    assert studies.ablation(replace(spec, clusters={"own": {"correct": True}}), (0,), {}).clusters == {}
