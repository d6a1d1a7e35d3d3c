"""The identity of a run, field by field: what counts makes another run, titles and places do not."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core import studies
from core.methods import METHODS
from core.parts import Part
from core.records import Exemplar, Score
from core.stages import evaluation, exemplars, generation, plans, training
from core.stages.plans import PLANS, EvaluationPlan, ExemplarsPlan, GenerationPlan, TrainingPlan
from core.store import queries
from core.students.config import TrainConfig
from core.students.part import Asking, Learning
from core.teachers import TEACHERS, Option, open_teacher
from core.teachers.part import Teaching, identity
from tests import runs
from tests.stages.test_study import spec
from tests.students.tiny import tiny_student

SHOWN = ({"question": "q", "rationale": "r", "answer": "1"},)
CONFIG = TrainConfig(student="here", answer_kind="integer")

# Of each part: one, a change to every field of it that counts, and to every one that does not.
PARTS: dict[str, tuple[Part, dict[str, Any], dict[str, Any]]] = {
    "generation": (
        GenerationPlan(method="m", teaching=Teaching(), rules="fine-tune-cot", benchmark="b"),
        {
            "method": "n", "teaching": Teaching(teachers={"teacher": {"key": "local"}}), "split": "all",
            "limit": 5, "rules": "robust", "benchmark": "c", "shown": SHOWN, "content": "of a file",
        },
        {"file": "renamed.json"},
    ),
    "teaching": (
        Teaching(),
        {
            "teachers": {"solver": {"key": "worked"}}, "sampling": {"temperature": 0.7},
            "samples": 2, "prompting": {"adaptive": False}, "exemplars": SHOWN, "clusters": {"k": 3},
        },
        {},
    ),
    "exemplars": (
        ExemplarsPlan(method="", settings={"rules": "paper"}, rationales="r"),
        {"method": "m", "settings": {"rules": "paper", "k": 3}, "rationales": "s"},
        {},
    ),
    "training": (
        TrainingPlan(
            method="m", student="here", base="b", config=CONFIG, learning=Learning(), asking=Asking()
        ),
        {
            "method": "n", "role": "solver", "base": "c", "tested": "questions", "samples": 8,
            "filters": {"steps": True}, "config": CONFIG.but(epochs=2),
        },
        {"student": "there", "learning": Learning(recipe="demo"), "asking": Asking(max_new_tokens=9)},
    ),
    "evaluation": (
        EvaluationPlan(
            method="m", student="here", students={"student": "s"}, rules="fine-tune-cot", question_set="q",
            sampling={"temperature": 0.0}, precision="fp32", max_input_tokens=512,
        ),
        {
            "method": "n", "students": {"student": "t"}, "rules": "robust", "question_set": "r",
            "sampling": {"temperature": 0.5}, "precision": "bf16", "max_input_tokens": 768, "shown": SHOWN,
            "seed": 1,
        },
        {
            "student": "there", "recipe": "paper", "tuning": "lora", "samples": 8, "filters": {"steps": True},
            "batch_size": 1,
        },
    ),
    "config": (
        CONFIG,
        {
            "recipe": "demo", "epochs": 2, "learning_rate": 1e-3, "schedule": "constant", "warmup": 0.5,
            "batch_size": 2, "accumulation": 2, "weight_decay": 0.1, "clip_norm": None, "tuning": "lora",
            "lora_rank": 4, "lora_alpha": 8, "lora_dropout": 0.5, "precision": "bf16", "seed": 1,
            "max_input_tokens": 9, "max_label_tokens": 9, "bucketing": False, "gradient_checkpointing": True,
            "selection": "last", "dev_fraction": 0.5, "dev_limit": 9, "max_new_tokens": 9,
            "early_max_new_tokens": 9, "temperature": 0.5, "top_p": 0.5, "stop": ("END",),
            "answer_kind": None, "rules": "robust", "answer_prefix": "-->", "training_set": "rows",
        },
        {
            "student": "there", "checkpoints_kept": 9, "eval_batch_size": 1, "method": "A title",
            "teacher": "t", "dataset": "d", "note": "n",
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PARTS)
def test_every_field_counts_or_does_not(name: str):
    part, counted, uncounted = PARTS[name]
    assert counted.keys() | uncounted.keys() == type(part).model_fields.keys(), (
        "a new field is decided on here"
    )
    drawn = {"sampling": {"temperature": 0.7}} if name == "teaching" else {}  # several samples need it
    for field, value in counted.items():
        extra = drawn if field == "samples" else {}
        assert part.but(**{field: value} | extra).hash != part.but(**extra).hash, f"{field} counts"
    for field, value in uncounted.items():
        changed = part.but(**{field: value})
        assert changed != part and changed.hash == part.hash, f"{field} does not count"


def test_every_kind_of_run_is_decided_on():
    assert {type(part) for part, *_ in PARTS.values()} >= set(PLANS.values())


@pytest.mark.parametrize("key", TEACHERS)
def test_of_a_teacher_counts_what_may_change_a_reply(key: str):
    row = TEACHERS[key]
    own = {name: "SOME" if value in (None, "") else value for name, value in row.defaults.items()}
    own |= {"key": key}
    for option in row.options:
        changed = own | {option.name: _another(option, own[option.name])}
        assert (identity(changed) != identity(own)) == option.counts, option.name
    shown_only = {option.name for option in row.options if not option.counts}
    assert shown_only >= {"price_in", "price_out", "concurrency"} & row.defaults.keys()


def _another(option: Option, value: Any) -> Any:
    if option.choices:
        return next(choice for choice in option.choices if choice != value)
    return f"{value}_2" if isinstance(value, str) else value + 1


def test_the_roots_of_a_run_count():
    """The same plan over other runs is another run."""
    plan = PARTS["generation"][0]
    one, other = (plans.Run(id=number, hash=str(number)) for number in (1, 2))
    assert len({plans.digest(plan), plans.digest(plan, (one,)), plans.digest(plan, (other,))}) == 3
    assert plans.digest(plan, (one,)) == plans.digest(plan, (plans.Run(id=7, hash="1"),)), (
        "by content, not by id"
    )


# ── places ──────────────────────────────────────────────────────────────────────────────────────


def test_a_teachers_weights_count_and_not_where_they_are(tmp_path: Path, student: str):
    here, there = student, str(shutil.copytree(student, tmp_path / "copy"))
    other = str(tiny_student(tmp_path / "other", seed=1))
    taught = {
        place: Teaching(teachers={"teacher": {"key": "local", "model": place}})
        for place in (here, there, other)
    }
    assert taught[here].hash == taught[there].hash != taught[other].hash
    options = {"mode": "completions", "batch_size": 1, "context": 9}
    replies = {place: open_teacher("local", model=place, **options).identity for place in taught}
    assert replies[here] == replies[there] != replies[other], "nor for the replies that are kept"


def test_a_recordings_content_counts_and_not_where_it_is(lab_home: Path, tmp_path: Path):
    files = {name: tmp_path / name / "recorded.jsonl" for name in ("here", "there", "other")}
    for name, path in files.items():
        path.parent.mkdir()
        path.write_text("other" if name == "other" else "the same")
    (lab_home / "uploads").mkdir(parents=True)
    shutil.copy(files["here"], lab_home / "uploads")
    places = {name: str(path) for name, path in files.items()} | {"home": "uploads/recorded.jsonl"}
    taught = {
        name: Teaching(teachers={"teacher": {"key": "recorded", "path": place}}).hash
        for name, place in places.items()
    }
    assert taught["here"] == taught["there"] == taught["home"] != taught["other"]


def test_an_encoders_weights_count_and_not_where_they_are(tmp_path: Path, student: str):
    there = shutil.copytree(student, tmp_path / "copy")
    plan = PARTS["exemplars"][0]
    one, other = (plan.but(settings={"rules": "paper", "encoder": str(place)}) for place in (student, there))
    assert one.hash == other.hash != plan.hash


# ── whole runs ──────────────────────────────────────────────────────────────────────────────────


def made(asked: studies.Study) -> dict[str, str]:
    """Hashes of what a study with its rationales at hand would run, by kind."""
    study = studies.open_study(asked)
    taught = generation.planned(study, "fine-tune-cot", asked.teaching)
    run = plans.opened(study, taught)
    if not queries.finished_samples(run.id):
        questions = studies.questions(study, "train")
        queries.save_completions(
            run.id, [(runs.written(q.index, "So."), Score(True, q.answer)) for q in questions]
        )
    queries.set_run(run.id, status="done")
    chosen = exemplars.plan(study, {"k": 3}, "")
    arm = (study, "fine-tune-cot", asked.students[0], 0, asked.parts)
    trained, _ = training.plan(*arm, "student", "")
    asked_run, _ = evaluation.plan(*arm, {"student": trained}, "")
    untrained = (study, "zero-shot", asked.students[0], 0, asked.parts)
    bare, _ = evaluation.plan(*untrained, {}, "")
    ids = {
        "generate": run.id,
        "exemplars": chosen,
        "train": trained,
        "evaluate": asked_run,
        "untrained": bare,
    }
    return {kind: queries.run(run_id).hash for kind, run_id in ids.items()}


def test_a_retitled_method_is_the_same_method(lab_home: Path, student: str, monkeypatch: pytest.MonkeyPatch):
    before = made(spec(student))
    row = METHODS["fine-tune-cot"]
    monkeypatch.setitem(
        METHODS, "fine-tune-cot", replace(row, title="Another", paper="x", about="y", order=1)
    )
    assert made(spec(student)) == before
    other = spec(student, name="Another name")
    assert made(other) == before, "a study's name counts nowhere"


def test_a_moved_home_and_a_copied_student_hash_the_same(
    lab_home: Path, student: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    before = made(spec(student))
    monkeypatch.setenv("LAB_HOME", str(tmp_path / "elsewhere"))
    copied = str(shutil.copytree(student, tmp_path / "elsewhere" / "copy"))
    assert made(spec(copied)) == before
    assert not any(str(tmp_path) in digest for digest in before.values())
    other = made(spec(str(tiny_student(tmp_path / "other", seed=1)), name="Other weights"))
    changed = {kind for kind in before if other[kind] != before[kind]}
    assert changed == {"train", "evaluate", "untrained"}


def test_prices_and_concurrency_change_no_run(lab_home: Path, student: str):
    def study(**display: Any) -> studies.Study:
        teacher = {"key": "llama.cpp", "base_url": "http://127.0.0.1:1/v1", "model": "m"} | display
        return spec(student, teacher=teacher)

    assert made(study()) == made(study(price_in=3.0, price_out=9.0, concurrency=1, timeout=5.0, retries=1))


def test_the_questions_that_choose_an_epoch_count(lab_home: Path, student: str):
    """Two studies that differ in their test questions alone train two students where those choose."""
    hashes = {
        (recipe, test): made(spec(student, recipe=recipe, test=test, name=f"{recipe} {test}"))["train"]
        for recipe in ("demo", "paper")
        for test in (6, 8)
    }
    assert hashes["demo", 6] == hashes["demo", 8]
    assert hashes["paper", 6] != hashes["paper", 8]


def test_exemplars_are_part_of_what_is_asked(lab_home: Path):
    study = studies.open_study(spec("any"))
    shown = [Exemplar("q", "r", "1")]
    one = generation.planned(study, "new-fine-tune-cot", Teaching(), shown=shown)
    assert one.exemplars == tuple(shown)
    assert one.hash != generation.planned(study, "new-fine-tune-cot", Teaching(), shown=[]).hash
