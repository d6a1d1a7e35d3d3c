"""A study: one benchmark, some methods, teachers and students, compared on the same test questions.

A study file (YAML) is the whole experiment:

    name: coin-flip demo
    benchmark: coin_flip_generated
    options: {size: 334, flips: 4}
    train: 200                       # at most so many training questions (default: all)
    test: 100
    teacher: {key: worked}
    methods: [fine-tune, fine-tune-cot]
    students: [SmolLM2-135M]
    recipe: demo
    seeds: [0]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from core.errors import LabError, RefusedError, find
from core.records import Question, Sampling

if TYPE_CHECKING:
    from core.methods import Method

DEFAULT_RULES = "fine-tune-cot"
DIVERSE = {"samples": 8, "temperature": 0.7, "top_p": 1.0}  # the papers' diverse reasoning


@dataclass(frozen=True)
class Spec:
    """What a study file says. Raises LabError where a value cannot be used."""

    name: str
    benchmark: str
    options: dict[str, Any] = field(default_factory=dict)  # of the benchmark: size, seed, flips, …
    split: str = "default"
    train: int | None = None  # at most so many training questions
    test: int | None = None
    teacher: dict[str, Any] = field(default_factory=lambda: {"key": "worked"})
    sampling: dict[str, Any] = field(default_factory=dict)  # where it differs from the method's own
    prompting: dict[str, Any] = field(default_factory=dict)  # options of the method's prompts: trigger
    samples: int = 1  # D, the rationales per question ("diverse reasoning")
    diverse: dict[str, Any] = field(default_factory=dict)  # every taught arm again: samples, temperature, …
    methods: tuple[str, ...] = ("fine-tune", "fine-tune-cot")
    exemplars: tuple[dict[str, str], ...] = ()  # question, rationale, answer: the user's own
    clusters: dict[str, Any] = field(default_factory=dict)  # how they are chosen: rules, k, seed, …
    students: tuple[str, ...] = ("SmolLM2-135M",)
    recipe: str = "default"
    training: dict[str, Any] = field(default_factory=dict)  # overrides of the recipe
    max_new_tokens: int = 256  # of a student's answer
    seeds: tuple[int, ...] = (0,)
    filters: dict[str, Any] = field(default_factory=dict)  # of the training set: steps, max_words, …
    rules: str = DEFAULT_RULES

    def __post_init__(self) -> None:
        from core.answers import find_rules
        from core.datasets import find_dataset
        from core.exemplars.own import tidy
        from core.methods import METHODS, filters
        from core.teachers import TEACHERS, check

        if not self.name.strip():
            raise LabError("A study needs a name: fill in `name`.")
        if any("\ud800" <= character <= "\udfff" for character in self.name):
            raise LabError(
                "The study's name holds half of a surrogate pair, which cannot be stored: remove it."
            )
        find_dataset(self.benchmark)
        find_rules(self.rules)
        find(TEACHERS, str(self.teacher.get("key", "(none)")), "teacher")
        check(self.teacher)
        for method in self.methods:
            find(METHODS, method, "method")
        object.__setattr__(self, "exemplars", tidy(self.exemplars))
        if self.samples < 1:
            raise LabError(f"`samples` is {self.samples}: ask for at least one rationale per question.")
        if self.samples > 1 and not self.sampling.get("temperature"):
            raise LabError(
                "Several samples at temperature 0 are all the same: set `sampling: {temperature: 0.7}`."
            )
        filters.chosen(self.filters)
        _check_diverse(self)
        for name in ("train", "test"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise LabError(f"`{name}` is {value}: leave it out, or ask for at least one question.")
        known = {f.name for f in fields(Sampling)}
        if unknown := sorted(set(self.sampling) - known):
            raise LabError(
                f"`sampling` has unknown fields ({', '.join(unknown)}): use {', '.join(sorted(known))}."
            )
        _check_kinds(Sampling, self.sampling, "sampling: ")

    def sampled(self, own: Sampling) -> Sampling:
        """A method's own sampling with what the study sets."""
        changes = dict(self.sampling)
        if "stop" in changes:
            changes["stop"] = tuple(changes["stop"])
        return replace(own, **changes)

    def diversely(self) -> Spec:
        """The study as its diverse arms are run: D samples a question, drawn as `diverse` says."""
        drawn = DIVERSE | self.diverse
        samples = drawn.pop("samples")
        return replace(self, samples=samples, sampling=self.sampling | drawn, diverse={})

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def _check_diverse(spec: Spec) -> None:
    if not spec.diverse:
        return
    if unknown := sorted(set(spec.diverse) - set(DIVERSE)):
        raise LabError(
            f"`diverse` has unknown fields ({', '.join(unknown)}): use {', '.join(sorted(DIVERSE))}."
        )
    _check_kinds(Sampling, _without(spec.diverse, "samples"), "diverse: ")
    drawn = DIVERSE | spec.diverse
    _check_kinds(Spec, {"samples": drawn["samples"]}, "diverse: ")
    if drawn["samples"] < 2 or drawn["temperature"] <= 0:
        raise LabError("`diverse` needs several samples at a temperature above 0: as `{samples: 8}`.")
    if spec.samples > 1:
        raise LabError("`samples` and `diverse` both ask for several rationales: leave `samples` out.")


def _list_of(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list | tuple) and all(type(one) is kind for one in value)


KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {  # a field's annotation → what its value must be
    "str": ("a text", lambda value: isinstance(value, str)),
    "int": ("a whole number", lambda value: type(value) is int),
    "int | None": ("a whole number", lambda value: value is None or type(value) is int),
    "float": ("a number", lambda value: type(value) in (int, float)),
    "dict[str, Any]": ("`{name: value}` pairs", lambda value: isinstance(value, dict)),
    "tuple[str, ...]": ("a list of names, as `[one, two]`", _list_of(str)),
    "tuple[int, ...]": ("a list of whole numbers, as `[0, 1]`", _list_of(int)),
    "tuple[dict[str, str], ...]": ("a list of `{name: text}`", _list_of(dict)),
}


def _check_kinds(of: type, values: dict[str, Any], where: str = "") -> None:
    """LabError for a value that is not of its field's kind: `seeds: 1`, where a list belongs."""
    for one in fields(of):
        noun, fits = KINDS[one.type]
        if one.name in values and not fits(values[one.name]):
            raise LabError(f"`{where}{one.name}` must be {noun}: correct it.")


def from_dict(values: dict[str, Any]) -> Spec:
    """A Spec from plain values; unknown and missing fields are named in the error."""
    if not isinstance(values, dict):
        raise LabError("A study file is a list of `field: value` lines; see the example in the README.")
    known = {f.name: f for f in fields(Spec)}
    if unknown := sorted(set(values) - set(known)):
        raise LabError(f"The study has unknown fields ({', '.join(unknown)}): known are {', '.join(known)}.")
    missing = [
        n
        for n, f in known.items()
        if n not in values and f.default is MISSING and f.default_factory is MISSING
    ]
    if missing:
        raise LabError(f"The study lacks {', '.join(missing)}: add it to the file.")
    _check_kinds(Spec, _without(values, "filters"))  # which say themselves what they may be
    lists = {n: tuple(v) for n, v in values.items() if isinstance(v, list)}
    return Spec(**{**values, **lists})


def read(path: Path) -> Spec:
    """A Spec from a YAML file."""
    import yaml

    try:
        return from_dict(yaml.safe_load(Path(path).read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise LabError(f"There is no file {path}: give the path of a study file (YAML).") from None
    except OSError as error:
        raise LabError(f"{path} cannot be read ({error.strerror}): give the path of a study file.") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a number of 5,000 digits is a ValueError
        raise LabError(
            f"{path} is not valid YAML ({' '.join(str(error).split())}): mend that line."
        ) from None


def demo(train: int = 200, test: int = 100) -> Spec:
    """The demo study: real, small, needs no key and no model hub."""
    import math

    full = (train, test) == (200, 100)
    return Spec(
        name="Coin-flip demo" if full else f"Coin-flip demo {train}+{test}",
        benchmark="coin_flip_generated",
        # The split is 70:30: as many questions as both parts need.
        options={"size": math.ceil(max(train / 0.7, test / 0.3)) + 1, "seed": 0, "flips": 4},
        train=train,
        test=test,
        teacher={"key": "worked"},
        recipe="demo",
        max_new_tokens=160,
    )


def at_most(questions: list[Question], n: int | None) -> list[Question]:
    """n of the questions, chosen as Fine-tune-CoT chooses its few-shot training subsets; None: all."""
    if n is None or n >= len(questions):
        return questions
    from core.datasets import subsample

    return [questions[i] for i in subsample(range(len(questions)), n)]


def open_study(spec: Spec, progress: Any = None) -> int:
    """The id of the study of this name, made on first use.

    The same name with another benchmark or other questions is refused: its runs would not compare.
    """
    from sqlalchemy.exc import IntegrityError

    from core.store import queries

    existing = queries.study_by_name(spec.name)
    if existing is not None:
        frozen = ("benchmark", "options", "split", "test", "rules")
        old = from_dict(existing.config)
        changed = [name for name in frozen if getattr(old, name) != getattr(spec, name)]
        if changed:
            raise RefusedError(
                f"Study “{spec.name}” already exists with another {', '.join(changed)}: choose a new name."
            )
        queries.update_study(existing.id, spec.as_dict())
        return existing.id
    dataset_id = queries.add_dataset(
        spec.benchmark, {"split": spec.split, **spec.options}, load_benchmark(spec, progress)
    )
    try:
        return queries.add_study(spec.name, dataset_id, spec.rules, spec.as_dict())
    except IntegrityError:  # another tab or command has made it meanwhile
        return open_study(spec, progress)


def load_benchmark(spec: Spec, progress: Any = None) -> list[Question]:
    """All questions of a study's benchmark, downloaded or generated as its options say."""
    from core.datasets import load

    own = {name: spec.options[name] for name in ("size", "seed") if name in spec.options}
    rest = {name: value for name, value in spec.options.items() if name not in own}
    return load(spec.benchmark, split=spec.split, **own, options=rest or None, progress=progress)


def questions(study_id: int, split: str) -> list[Question]:
    """The questions of a study's split, at most as many as the study asks for."""
    from core.store import queries

    row = queries.study(study_id)
    return at_most(queries.questions(row.dataset_id, split), row.config.get(split))


class Arm(NamedTuple):
    """One student of a study: its row of the results table. `diverse`: of the study's diverse rationales."""

    method: str
    student: str
    seed: int
    diverse: bool = False

    @property
    def request(self) -> dict[str, Any]:
        """What a job for this arm is asked."""
        return {name: value for name, value in self._asdict().items() if value is not False}


def arms(spec: Spec) -> list[Arm]:
    """Every row of the results table, in the order in which they run."""
    from core.methods import METHODS

    return [
        Arm(method, student, seed, diverse)
        for student in spec.students
        for method in spec.methods
        for diverse in _ways(spec, METHODS[method])
        for seed in (spec.seeds if METHODS[method].trains else spec.seeds[:1])
    ]


def generations(spec: Spec) -> list[tuple[str, bool]]:
    """(method, diverse) of every set of rationales that the study's arms need."""
    from core.methods import METHODS

    taught = [name for name in spec.methods if METHODS[name].needs_teacher]
    return [(name, diverse) for name in taught for diverse in _ways(spec, METHODS[name])]


def _ways(spec: Spec, method: Method) -> tuple[bool, ...]:
    return (False, True) if spec.diverse and method.needs_teacher else (False,)


def ablation(spec: Spec, seeds: tuple[int, ...], diverse: dict[str, Any]) -> Spec:
    """The study with the four arms of New-Fine-tune-CoT's ablation beside the methods that it has.

    What would blur the arms is left to them: which exemplars qualify, whether answers are adaptive, and
    how many rationales are drawn at which temperature. LabError where the arms could not differ.
    """
    from core.results.ablation import ARMS
    from core.teachers import TEACHERS

    if not TEACHERS[spec.teacher["key"]].writes:
        raise LabError(
            f"{TEACHERS[spec.teacher['key']].title} cannot answer with exemplars in view: "
            "choose a teacher that writes on the Generate page, such as the embedded model."
        )
    clusters = _without(spec.clusters, "rules", "own")
    own = _without(spec.clusters.get("own") or {}, "correct")
    return replace(
        spec,
        methods=tuple(dict.fromkeys([*spec.methods, *ARMS])),
        seeds=seeds,
        samples=1,
        diverse=diverse,
        sampling=_without(spec.sampling, "temperature", "top_p"),
        prompting=_without(spec.prompting, "adaptive", "exemplars"),
        clusters=clusters | ({"own": own} if own else {}),
    )


def _without(values: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def submit(kind: str, title: str, spec: Spec, request: dict[str, Any] | None = None) -> str:
    """Open the study and queue a job on it: generate, train, evaluate or study. Returns the job's id."""
    from core import jobs
    from core.teachers import TEACHERS

    study_id = open_study(spec)
    alone = kind == "generate" and not TEACHERS[spec.teacher["key"]].uses_device
    values = {"study_id": study_id, "spec": spec.as_dict(), **(request or {})}
    return jobs.submit(kind, title, values, study_id, queue="endpoint" if alone else "device")
