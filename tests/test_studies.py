"""Study files: what is accepted, what is refused and with which sentence."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import pytest
import yaml
from jsonschema import Draft202012Validator  # streamlit's altair brings it

from core import settings, studies
from core.answers import RULES
from core.datasets.part import Benchmark
from core.errors import LabError, RefusedError
from core.methods import METHODS
from core.methods.filters import FILTERS
from core.records import Question
from core.store import queries
from core.students.part import Asking, Learning
from core.studies import Study
from core.teachers import TEACHERS
from core.teachers.part import Teaching


def test_the_demo_study_is_the_file_in_the_repository():
    assert studies.read(settings.ROOT / "studies" / "demo.yaml") == studies.demo()


FILES = sorted((settings.ROOT / "studies").glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda p: p.name)
def test_every_study_file_is_valid(file):
    study = studies.read(file)
    assert Study.read(json.loads(json.dumps(study.dump()))) == study, "a stored study reads back as it was"
    assert studies.arms(study)


@pytest.mark.parametrize("file", FILES, ids=lambda p: p.name)
def test_the_schema_describes_every_study_file_flat_or_in_parts(file):
    schema = Draft202012Validator(studies.schema())
    schema.validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    schema.validate(studies.read(file).dump())
    assert not schema.is_valid(studies.read(file).dump() | {"epochs": 3})


def test_the_schema_names_what_there_is():
    fields = studies.schema()["properties"]
    assert {*fields} == {*Study.model_fields, *studies.FLAT}
    assert "addsub" in fields["benchmark"]["anyOf"][0]["enum"] and "demo" in fields["recipe"]["enum"]
    assert fields["methods"]["items"]["enum"] == list(METHODS) and fields["rules"]["enum"] == list(RULES)
    assert {one["properties"]["key"]["const"] for one in fields["teacher"]["anyOf"]} == {*TEACHERS}
    assert {*fields["filters"]["properties"]} == {*FILTERS} and "epochs" in fields["training"]["properties"]


FLAT = {
    "name": "x",
    "benchmark": "coin_flip_generated",
    "options": {"size": 60, "seed": 1, "flips": 2},
    "split": "all-test",
    "train": 12,
    "test": 13,
    "teacher": {"key": "openai", "model": "m"},
    "sampling": {"max_tokens": 80, "temperature": 0.7, "stop": ["END"]},
    "prompting": {"trigger": "Let us see."},
    "samples": 2,
    "diverse": {},
    "methods": ["fine-tune-cot"],
    "exemplars": [{"question": "?", "rationale": "!", "answer": "3"}],
    "clusters": {"k": 3, "own": {"rationale_lines": 40}},
    "students": ["T5 small"],
    "recipe": "paper",
    "training": {"epochs": 2},
    "max_new_tokens": 96,
    "seeds": [0, 1],
    "filters": {"steps": True},
    "rules": "robust",
}


def test_a_flat_file_is_read_into_its_parts():
    """As a file, or the configuration of a study in an older database, says it: every field at the top."""
    study = Study.read(FLAT)
    assert study.benchmark == Benchmark(
        key="coin_flip_generated", options=FLAT["options"], split="all-test", train=12, test=13
    )
    assert study.teaching == Teaching(
        teachers={"teacher": FLAT["teacher"]},
        **{name: FLAT[name] for name in ("sampling", "prompting", "samples", "exemplars", "clusters")},
    )
    assert study.learning == Learning(recipe="paper", training={"epochs": 2}, filters={"steps": True})
    assert study.asking == Asking(max_new_tokens=96)
    assert Study.read(study.dump()) == study and set(study.dump()) == set(Study.model_fields)


def test_what_is_said_at_the_top_and_in_its_part_is_refused():
    with pytest.raises(LabError, match="`train`: `benchmark.train` says it too: keep one of the two"):
        Study.read({"name": "x", "benchmark": {"key": "addsub", "train": 3}, "train": 4})
    both = Study.read({"name": "x", "benchmark": {"key": "addsub"}, "train": 4, "samples": 1})
    assert both.benchmark == Benchmark(key="addsub", train=4)


def test_two_teachers_are_named_by_their_roles():
    teachers = {"delegate": {"key": "openai", "model": "m"}, "solver": {"key": "local"}}
    study = Study.read({"name": "x", "benchmark": "addsub", "teaching": {"teachers": teachers}})
    assert study.teaching.of("solver") == {"key": "local"} and study.teaching.of("delegate")["model"] == "m"


def test_without_a_limit_of_its_own_a_student_answers_as_long_as_its_recipe_says():
    assert Study.read({"name": "x", "benchmark": "addsub", "recipe": "paper"}).asking.max_new_tokens is None
    assert studies.demo().asking.max_new_tokens == 160


def test_a_study_s_title_is_not_its_identity():
    study = studies.demo()
    assert study.hash == study.but(name="Another").hash != study.but(seeds=(1,)).hash


def test_a_demo_of_any_size_has_enough_of_both_parts(lab_home):
    for train, test in ((24, 12), (5, 40), (200, 100)):
        study = studies.open_study(studies.demo(train, test))
        assert len(studies.questions(study, "train")) == train
        assert len(studies.questions(study, "test")) == test


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"name": "x", "benchmark": "nope"}, "no benchmark “nope”"),
        ({"name": "x"}, "`benchmark` is missing"),
        ({"name": " ", "benchmark": "addsub"}, "needs a name"),
        ({"name": "x", "benchmark": "addsub", "epochs": 3}, "no field `epochs`: choose from name, benchmark"),
        ({"name": 7, "benchmark": "addsub"}, "`name` is 7: it must be a text"),
        ({"name": "\ud800", "benchmark": "addsub"}, "surrogate"),
        ({"name": "x", "benchmark": "addsub", "seeds": 1}, "`seeds` is 1: it must be a list"),
        (
            {"name": "x", "benchmark": "addsub", "methods": "fine-tune"},
            "`methods` is 'fine-tune': it must be a list",
        ),
        ({"name": "x", "benchmark": "addsub", "train": "all"}, "`train` is 'all': it must be a whole number"),
        (
            {"name": "x", "benchmark": "addsub", "teacher": "worked"},
            "`teacher` is 'worked': it must be `{name: value}`",
        ),
        ({"name": "x", "benchmark": "addsub", "teacher": {"key": []}}, "no teacher"),
        (
            {"name": "x", "benchmark": "addsub", "sampling": {"temperature": "hot"}},
            "`sampling.temperature` is 'hot'",
        ),
        ({"name": "x", "benchmark": "addsub", "diverse": {"samples": "8"}}, "`diverse.samples` is '8'"),
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
        ({"name": "x", "benchmark": "addsub", "samples": 0}, "`samples` is 0: it must be at least 1"),
        ({"name": "x", "benchmark": "addsub", "samples": 4}, "all the same"),
        ({"name": "x", "benchmark": "addsub", "train": 0}, "`train` is 0: it must be at least 1"),
        (
            {"name": "x", "benchmark": "addsub", "sampling": {"heat": 1}},
            "no field `sampling.heat`: choose from temperature",
        ),
        ({"name": "x", "benchmark": "addsub", "exemplars": [{"q": "?"}]}, "Exemplar 1 cannot be read"),
        ({"name": "x", "benchmark": {}}, "`benchmark.key` is missing"),
        ({"name": "x", "benchmark": "addsub", "teaching": 3, "samples": 2}, "`teaching` is 3"),
        ({"name": "x", "benchmark": "addsub", "split": "half"}, "`split`: There is no such split"),
        ({"name": "x", "benchmark": "addsub", "training": {"epochs": 0}}, "`training.epochs` is 0"),
        (["not", "a", "study"], "is a list: it must be"),
    ],
)
def test_what_cannot_be_used_is_named(values, sentence):
    with pytest.raises(LabError, match=sentence):
        Study.read(values)


@pytest.mark.parametrize("options", [{"size": "many"}, {"flips": "4"}, {"seed": "zero"}, {"flips": 400}])
def test_options_that_are_no_numbers_are_one_sentence(options):
    with pytest.raises(LabError, match="`options.*(many|4|zero)|flips = 400 is not possible"):
        Study(name="x", benchmark="coin_flip_generated", options=options)


def test_a_long_text_that_an_error_quotes_is_cut():
    with pytest.raises(LabError) as error:
        Study(name="x", benchmark="b" * 100_000)
    assert len(str(error.value)) < 1100 and "choose one of" in str(error.value)


BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 8)}]\n" for before, name in pairwise("abcdefghi")
)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("name: [", "line 1: this is not YAML"),
        (b"\xff\xfe\x00", "is not text in UTF-8: save it as UTF-8"),
        ("- a\n- b", "line 1: what is given is a list"),
        ("name: x\ntrain: " + "9" * 5000, "line 2: this value cannot be read"),
        ("[" * 5000, "nested too deeply"),
        ("name: x\nclusters: &x [*x]", "line 2: an anchor stands for a value that holds it"),
        ("name: x\nclusters: &x {k: {own: *x}}", "line 2: an anchor stands for a value that holds it"),
        ("name: x\nclusters: &x\n  <<: *x", "an anchor stands for a value that holds it"),
        (BOMB, "more than 10,000 values: use fewer aliases"),
        ("name: x\nbenchmark: addsub\nname: y", "line 3: `name` stands here twice: keep one"),
        ("name: 2024-01-01\nbenchmark: addsub", "line 1: `name` is 2024-01-01: it must be a text"),
        ("name: x\nbenchmark: addsub\nclusters:\n  k: 2024-01-01", "line 4: `clusters.k` is 2024-01-01"),
        ("name: x\ntrain: 2024-13-45", "line 2: this value cannot be read"),
        ("name: x\nsampling: {temperature: .nan}", "line 2: nan is no finite number"),
        ("name: x\nteacher: !!python/object:os.system {}", "line 2: .* is no plain value"),
        ('name: "\\uD800"', "line 1: the text holds a character that cannot be stored"),
        ("? [1]\n: 2", "line 1: a list or pairs stand where a name belongs"),
        ("name: x", "line 1: `benchmark` is missing"),
        ("name: x\nbenchmark: addsub\n\nepochs: 3", "line 4: there is no field `epochs`"),
        ("name: x\nbenchmark: addsub\nsampling:\n  top_p: 2", "line 4: `sampling.top_p` is 2: it must be at"),
        ("name: x\nbenchmark: addsub\nsamples: 4", "line 3: `samples`: several samples at temperature 0"),
        ("name: x\nbenchmark:\n  key: addsub\n  train: 0", "line 4: `benchmark.train` is 0"),
        ("name: x\nbenchmark: addsub\nmethods:\n- fine-tune\n- nope", "line 5: `methods.1`: there is no"),
    ],
    ids=range(23),
)
def test_a_mistake_in_a_file_is_one_sentence_with_its_line(tmp_path, content, sentence):
    file = tmp_path / "study.yaml"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(LabError, match=f"(?i){re.escape(str(file))}.*{sentence}"):
        studies.read(file)


def test_files_that_are_not_there_are_one_sentence(tmp_path):
    with pytest.raises(LabError, match="no file"):
        studies.read(tmp_path / "absent.yaml")
    with pytest.raises(LabError, match="cannot be read"):
        studies.read(tmp_path)


def test_what_yaml_may_say_twice_by_name_is_read(tmp_path):
    file = tmp_path / "study.yaml"
    file.write_text(
        "name: x\nbenchmark: addsub\ntraining: &own {learning_rate: 3e-4}\n"
        "clusters: {<<: *own, k: 3}\nteaching: {teachers: {a: &t {key: local}, b: *t}}\n",
        encoding="utf-8",
    )
    study = studies.read(file)
    assert study.learning.training == {"learning_rate": 3e-4}
    assert study.teaching.clusters == {"learning_rate": 3e-4, "k": 3}
    assert study.teaching.of("a") == study.teaching.of("b") == {"key": "local"}


def test_a_name_belongs_to_one_set_of_questions(lab_home):
    study = studies.demo(24, 12)
    first = studies.open_study(study)
    assert studies.open_study(study) == first
    assert studies.open_study(study.but(benchmark=study.benchmark.but(train=20))) == first
    with pytest.raises(RefusedError, match="already exists with another test"):
        studies.open_study(study.but(benchmark=study.benchmark.but(test=5)))
    with pytest.raises(RefusedError, match="already exists with another rules"):
        studies.open_study(study.but(rules="robust"))


def test_a_study_may_grow_methods_and_students(lab_home):
    study = studies.demo(24, 12)
    first = studies.open_study(study)
    more = study.but(methods=["zero-shot", "fine-tune"])
    assert studies.open_study(more) == first
    assert Study.read(queries.study(first).config) == more


def test_a_study_of_an_older_database_is_opened_and_asked(lab_home):
    """It was stored flat."""
    study = studies.demo(24, 12)
    first = studies.open_study(study)
    old = {"name": study.name, "benchmark": study.benchmark.key, "max_new_tokens": 160, "recipe": "demo"}
    old |= {"options": study.benchmark.options, "train": 24, "test": 12, "teacher": {"key": "worked"}}
    queries.update_study(first, old)
    assert len(studies.questions(first, "train")) == 24 and len(studies.questions(first, "test")) == 12
    assert studies.open_study(study) == first


def test_untrained_arms_run_once_whatever_the_seeds():
    study = Study(name="x", benchmark="addsub", methods=["zero-shot", "fine-tune"], seeds=[0, 1, 2])
    assert [(arm.method, arm.seed) for arm in studies.arms(study)] == [
        ("zero-shot", 0),
        ("fine-tune", 0),
        ("fine-tune", 1),
        ("fine-tune", 2),
    ]


def test_taught_arms_are_run_a_second_time_where_the_study_is_diverse():
    study = Study(name="x", benchmark="addsub", diverse={"samples": 2})
    assert [(arm.method, arm.diverse) for arm in studies.arms(study)] == [
        ("fine-tune", False),
        ("fine-tune-cot", False),
        ("fine-tune-cot", True),
    ]
    assert studies.generations(study) == [("fine-tune-cot", False), ("fine-tune-cot", True)]
    again = study.diversely()
    assert again.teaching.samples == 2 and again.teaching.sampling["temperature"] == 0.7 and not again.diverse
    assert again.parts == (again.teaching, study.learning, study.asking)
    with pytest.raises(LabError, match="`diverse`: `samples` asks for several rationales too"):
        Study(name="x", benchmark="addsub", diverse={"samples": 2}, samples=4, sampling={"temperature": 1})


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
    study = Study(name="x", benchmark="addsub", teacher={"key": "local"}, clusters=clusters)
    made = studies.ablation(study, (0, 1), {"samples": 2, "temperature": 0.7})
    assert made.teaching.clusters == {"k": 3, "own": {"rationale_lines": 40}} and made.seeds == (0, 1)
    only = study.but(teaching=study.teaching.but(clusters={"own": {"correct": True}}))
    assert studies.ablation(only, (0,), {}).teaching.clusters == {}
