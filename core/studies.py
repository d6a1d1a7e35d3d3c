"""A study: one benchmark, some methods, teachers and students, compared on the same test questions.

A study file (YAML) is the whole experiment, in parts:

    name: Coin-flip demo
    benchmark: {key: coin_flip_generated, options: {size: 335, flips: 4}, train: 200, test: 100}
    teaching: {teachers: {teacher: {key: worked}}}
    learning: {recipe: demo}
    asking: {max_new_tokens: 160}
    methods: [fine-tune, fine-tune-cot]
    students: [SmolLM2-135M]
    seeds: [0]

The fields of the parts may also stand at the top, as in FLAT: `benchmark: coin_flip_generated`, `train: 200`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self

from pydantic import Field, JsonValue, model_validator

from core import yaml_file
from core.answers import RULES
from core.datasets import subsample
from core.datasets.part import Benchmark
from core.errors import LabError, RefusedError
from core.methods import METHODS, Method
from core.parts import Mistake, NotCounted, Numbers, OneOf, Part, Place, Some, Texts, refused
from core.progress import Report, silent
from core.records import Question
from core.store import found_or_made, queries
from core.students.part import Asking, Learning
from core.teachers import TEACHERS, queue
from core.teachers.part import TEACHER, Diverse, Teaching

# Where a field at the top of a file belongs.
FLAT: dict[str, tuple[str, ...]] = {
    **{name: ("benchmark", name) for name in ("options", "split", "train", "test")},
    "teacher": ("teaching", "teachers", TEACHER),
    **{name: ("teaching", name) for name in ("sampling", "samples", "prompting", "exemplars", "clusters")},
    **{name: ("learning", name) for name in ("recipe", "training", "filters")},
    "max_new_tokens": ("asking", "max_new_tokens"),
}


class Study(Part):
    """One benchmark, some methods, teachers and students, compared on the same test questions."""

    name: Annotated[str, NotCounted] = Field(description="what the study is called")
    benchmark: Benchmark
    teaching: Teaching = Teaching()
    learning: Learning = Learning()
    asking: Asking = Asking()
    methods: Annotated[tuple[Annotated[str, OneOf(lambda: METHODS, "method")], ...], Field(strict=False)] = (
        Field(("fine-tune", "fine-tune-cot"), description="what is compared")
    )
    students: Texts = Field(("SmolLM2-135M",), description="names of students, hub ids or folders")
    seeds: Numbers = Field((0,), description="of the students' training: one student each")
    rules: Annotated[str, OneOf(lambda: RULES, "rules")] = Field(
        "fine-tune-cot", description="how answers are read and compared"
    )
    diverse: Annotated[dict[str, JsonValue], Some(Diverse)] = Field(
        default={}, description="every taught arm a second time, with several rationales per question"
    )

    @property
    def parts(self) -> tuple[Teaching, Learning, Asking]:
        """How an arm of it is taught, trained and asked."""
        return self.teaching, self.learning, self.asking

    def diversely(self) -> Study:
        """The study as its diverse arms are run."""
        return self.but(teaching=self.teaching.diversely(self.diverse), diverse={})

    @model_validator(mode="before")
    @classmethod
    def _nested(cls, values: Any) -> Any:
        """The fields at the top of a file in the parts that they belong to."""
        if not isinstance(values, Mapping):
            return values
        nested = {name: value for name, value in values.items() if name not in FLAT}
        if isinstance(values.get("benchmark"), str):
            nested["benchmark"] = {"key": values["benchmark"]}
        for name in [name for name in FLAT if name in values]:
            *rooms, field = FLAT[name]
            inside = nested
            for room in rooms:
                if not isinstance(inside.get(room, {}), Mapping | Part):
                    return nested  # and is refused for it
                inside[room] = inside = dict(inside.get(room, {}))
            if field in inside:
                raise refused(f"`{'.'.join(FLAT[name])}` says it too: keep one of the two.", name)
            inside[field] = values[name]
        return nested

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if not self.name.strip():
            raise refused("a study needs a name: fill it in.", "name")
        if any("\ud800" <= character <= "\udfff" for character in self.name):
            raise refused("it holds half of a surrogate pair, which cannot be stored: remove it.", "name")
        if self.diverse and self.teaching.samples > 1:
            raise refused("`samples` asks for several rationales too: leave `samples` out.", "diverse")
        return self

    @classmethod
    def _as_written(cls, place: Place, values: Any) -> Place:
        if not isinstance(values, Mapping):
            return place
        flat = {name: target for name, target in FLAT.items() if name in values}
        if isinstance(values.get("benchmark"), str):
            flat["benchmark"] = ("benchmark", "key")
        for name, target in flat.items():
            if place[: len(target)] == target:
                return (name, *place[len(target) :])
        return place

    @classmethod
    def _known(cls) -> list[str]:
        return [*super()._known(), *FLAT]


def read(path: Path) -> Study:
    """The study of a YAML file. LabError with the line of what cannot be used."""
    values, lines = yaml_file.read(Path(path))
    try:
        return Study.read(values)
    except Mistake as mistake:
        raise LabError(f"{path}, line {yaml_file.line(lines, mistake.place)}: {mistake}") from None


def schema() -> dict[str, Any]:
    """The JSON Schema of study files, in parts or flat, with what there is to choose."""
    made = Study.model_json_schema()
    parts, fields = made["$defs"], made["properties"]
    fields["benchmark"] = {"anyOf": [parts["Benchmark"]["properties"]["key"], {"$ref": "#/$defs/Benchmark"}]}
    for name, (room, *inside) in FLAT.items():
        field = parts[str(room).capitalize()]["properties"][inside[0]]
        fields[name] = field if inside == [name] else field["additionalProperties"]
    return made


def demo(train: int = 200, test: int = 100) -> Study:
    """The demo study: real, small, needs no key and no model hub."""
    full = (train, test) == (200, 100)
    # The split is 70:30: as many questions as both parts need.
    size = ceil(max(train / 0.7, test / 0.3)) + 1
    options = {"size": size, "seed": 0, "flips": 4}
    return Study(
        name="Coin-flip demo" if full else f"Coin-flip demo {train}+{test}",
        benchmark=Benchmark(key="coin_flip_generated", options=options, train=train, test=test),
        learning=Learning(recipe="demo"),
        asking=Asking(max_new_tokens=160),
    )


def at_most(questions: list[Question], n: int | None) -> list[Question]:
    """n of the questions, chosen as Fine-tune-CoT chooses its few-shot training subsets; None: all."""
    if n is None or n >= len(questions):
        return questions
    return [questions[i] for i in subsample(range(len(questions)), n)]


def open_study(study: Study, progress: Report = silent) -> int:
    """The id of the study of this name, made on first use.

    The same name with another benchmark or other questions is refused: its runs would not compare.
    """

    def fixed(one: Study) -> dict[str, Any]:
        """What may not change."""
        own = one.benchmark.dump()
        return {"benchmark": own.pop("key"), **_without(own, "train"), "rules": one.rules}

    def stored() -> int:
        existing = queries.study_by_name(study.name)
        if existing is None:
            chosen = study.benchmark
            options = {"split": chosen.split, **chosen.options}
            dataset_id = queries.add_dataset(chosen.key, options, chosen.load(progress))
            return queries.add_study(study.name, dataset_id, study.rules, study.dump())
        before, now = fixed(Study.read(existing.config)), fixed(study)
        if changed := [name for name in now if before[name] != now[name]]:
            raise RefusedError(
                f"Study “{study.name}” already exists with another {', '.join(changed)}: choose a new name."
            )
        queries.update_study(existing.id, study.dump())
        return existing.id

    return found_or_made(stored)


def questions(study_id: int, split: str) -> list[Question]:
    """The questions of a study's split, at most as many as the study asks for."""
    row = queries.study(study_id)
    chosen = Study.read(row.config).benchmark
    n = {"train": chosen.train, "test": chosen.test}.get(split)
    return at_most(queries.questions(row.dataset_id, split), n)


def keep_exemplars(study_id: int, rows: Sequence[Mapping[str, str]]) -> None:
    """Keep the user's own exemplars in a study; the rest of it stays as it is."""
    study = Study.read(queries.study(study_id).config)
    changed = study.but(teaching=study.teaching.but(exemplars=rows))
    queries.update_study(study_id, changed.dump())


class StudyArm(NamedTuple):
    """One student of a study: its row of the results table. `diverse`: of the study's diverse rationales."""

    method: str
    student: str
    seed: int
    diverse: bool = False

    @property
    def request(self) -> dict[str, Any]:
        """What a job for this arm is asked."""
        return {name: value for name, value in self._asdict().items() if value is not False}


def arms(study: Study) -> list[StudyArm]:
    """Every row of the results table, in the order in which they run."""
    return [
        StudyArm(method, student, seed, diverse)
        for student in study.students
        for method in study.methods
        for diverse in _ways(study, METHODS[method])
        for seed in (study.seeds if METHODS[method].trains else study.seeds[:1])
    ]


def generations(study: Study) -> list[tuple[str, bool]]:
    """(method, diverse) of every set of rationales that the study's arms need."""
    taught = [name for name in study.methods if METHODS[name].needs_teacher]
    return [(name, diverse) for name in taught for diverse in _ways(study, METHODS[name])]


def _ways(study: Study, method: Method) -> tuple[bool, ...]:
    return (False, True) if study.diverse and method.needs_teacher else (False,)


def ablation(study: Study, seeds: tuple[int, ...], diverse: Mapping[str, Any]) -> Study:
    """The study with the four arms of New-Fine-tune-CoT's ablation beside the methods that it has.

    What would blur the arms is left to them: which exemplars qualify, whether answers are adaptive, and
    how many rationales are drawn at which temperature. LabError where the arms could not differ.
    """
    from core.results.ablation import ARMS

    teaching = study.teaching
    if not (teacher := TEACHERS[teaching.teacher["key"]]).writes:
        raise LabError(
            f"{teacher.title} cannot answer with exemplars in view: "
            "choose a teacher that writes on the Generate page, such as the embedded model."
        )
    clusters = _without(teaching.clusters, "rules", "own")
    limits: Any = teaching.clusters.get("own") or {}
    own = _without(limits, "correct")
    return study.but(
        methods=tuple(dict.fromkeys([*study.methods, *ARMS])),
        seeds=seeds,
        diverse=diverse,
        teaching=teaching.but(
            samples=1,
            sampling=_without(teaching.sampling, "temperature", "top_p"),
            prompting=_without(teaching.prompting, "adaptive", "exemplars"),
            clusters=clusters | ({"own": own} if own else {}),
        ),
    )


def _without(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def submit(kind: str, title: str, study: Study, request: dict[str, Any] | None = None) -> str:
    """Open the study and queue a job on it: generate, train, evaluate or study. Returns the job's id."""
    from core import jobs

    study_id, asked = open_study(study), request or {}
    roles = METHODS[asked["method"]].teachers if "method" in asked else (TEACHER,)
    where = queue(map(study.teaching.of, roles)) if kind == "generate" else "device"
    values = {"study_id": study_id, "spec": study.dump(), **asked}
    return jobs.submit(kind, title, values, study_id, queue=where)
