"""Commands over a study: import, generate, train, evaluate, rescore, run, demo; and study schema."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any

import typer

from core import jobs, studies
from core.answers import RULES
from core.commands.common import Json, emit, one_of
from core.commands.follow import follow
from core.errors import LabError, find
from core.methods import METHODS, method_title
from core.methods.filters import FILTERS, parsed
from core.store import queries
from core.students.config import RECIPES
from core.teachers import TEACHERS
from core.teachers.part import Changes, Diverse, Teaching
from core.teachers.recorded import SOURCES

app = typer.Typer(no_args_is_help=True)

Study = Annotated[str, typer.Option(help="The study's name; made on first use.")]
Dataset = Annotated[str | None, typer.Option(help="Benchmark, as `datasets list` prints it.")]
Method = Annotated[str, typer.Option(help=one_of("How rationales are written and learnt", METHODS))]
Student = Annotated[str | None, typer.Option(help="A student's name, a hub id or a local folder.")]
Seed = Annotated[int, typer.Option(help="Seed of the student's training.")]
Samples = Annotated[int | None, typer.Option(min=1, help="D: how many rationales of each question count.")]
Limit = Annotated[int | None, typer.Option(min=1, help="At most this many questions of the split.")]
Filter = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        help=one_of("A filter of the training set, as max_words=120; may be given several times", FILTERS),
    ),
]


def sampling(name: str) -> Any:
    """The option for a field of how teachers are sampled; without it, the study's own or the method's."""
    about = Changes.about(name)
    return typer.Option(help=f"{about[0].upper()}{about[1:]}. Default: as the study says, else the method.")


@app.callback()
def study() -> None:
    """Study files: what an editor needs to complete and check them."""


@app.command()
def schema() -> None:
    """Print the JSON Schema of study files: what there is, what it may be, what it is for."""
    emit(studies.schema(), as_json=False)


def import_(
    file: Annotated[Path, typer.Argument(help="A recorded file.")],
    source: Annotated[str, typer.Option(help=one_of("Its layout", SOURCES))],
    study: Study,
    dataset: Dataset = None,
    samples: Samples = None,
    as_json: Json = False,
) -> None:
    """Import a recorded file's completions into a study; no call is made."""
    from core.stages import checking
    from core.stages.generation import import_file

    # Of a new study the file is the teacher.
    spec = _spec(study, dataset, {"key": "recorded", "source": source, "path": str(file.resolve())})
    made = import_file(studies.open_study(drawn(spec, samples)), file, source)
    checking.at_once(made["run"])
    emit(made, as_json)


def generate(
    study: Study,
    dataset: Dataset = None,
    method: Method = "fine-tune-cot",
    teacher: Annotated[
        list[str] | None,
        typer.Option(
            help=f"{one_of('Who writes, or ROLE=KEY', TEACHERS)} Default: the study's own, else local."
        ),
    ] = None,
    base_url: Annotated[
        list[str] | None, typer.Option(help="Address of an OpenAI-compatible endpoint, or ROLE=ADDRESS.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="Model at that endpoint, or a local folder; or ROLE=MODEL.")
    ] = None,
    split: Annotated[str, typer.Option(help="train, test or all.")] = "train",
    limit: Limit = None,
    samples: Annotated[int | None, typer.Option(help=f"{Teaching.about('samples')}.")] = None,
    temperature: Annotated[float | None, sampling("temperature")] = None,
    top_p: Annotated[float | None, sampling("top_p")] = None,
    max_tokens: Annotated[int | None, sampling("max_tokens")] = None,
    seed: Annotated[int | None, sampling("seed")] = None,
    as_json: Json = False,
) -> None:
    """Have teachers write rationales. Their keys are taken from the environment."""
    roles = find(METHODS, method, "method").teachers
    spec = _spec(study, dataset, {"key": "local"})
    options = {"base_url": by_role(base_url, roles), "model": by_role(model, roles)}
    asked = {"temperature": temperature, "top_p": top_p, "max_tokens": max_tokens, "seed": seed}
    teaching = taught(spec.teaching, roles, by_role(teacher, roles), options).but(
        sampling=spec.teaching.sampling | {name: value for name, value in asked.items() if value is not None},
        samples=spec.teaching.samples if samples is None else samples,
    )
    request = {"method": method, "split": split, "limit": limit}
    writers = dict.fromkeys(TEACHERS[teaching.of(role)["key"]].title for role in roles)
    title = f"Rationales by {', '.join(writers)}"
    _submit("generate", title, spec.but(teaching=teaching), request, as_json)


def taught(
    teaching: Teaching, roles: Collection[str], keys: dict[str, str], options: dict[str, dict[str, str]]
) -> Teaching:
    """The teaching with other teachers or options (name → role → value); what is not said stays."""
    panel = {}
    for role in roles:
        own, key = teaching.of(role), keys.get(role)
        config = own if key in (None, own["key"]) else {"key": key}
        panel[role] = config | {name: given[role] for name, given in options.items() if role in given}
    return teaching.but(teachers=teaching.teachers | panel)


def by_role(texts: list[str] | None, roles: Collection[str]) -> dict[str, str]:
    """["openai", "solver=local"] as what each role is given; a text without a role is for all of them."""
    pairs = [text.partition("=") for text in texts or []]
    named = {role: value for role, sign, value in pairs if sign and role in roles}
    plain = ["".join(pair) for pair in pairs if pair[0] not in roles or not pair[1]]
    return {role: text for text in plain for role in roles} | named


def train(
    study: Study,
    method: Method = "fine-tune-cot",
    student: Student = None,
    recipe: Annotated[str | None, typer.Option(help=one_of("How it is trained", RECIPES))] = None,
    samples: Samples = None,
    filter_: Filter = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Fine-tune a student and evaluate it on the study's test questions."""
    spec = _spec(study, None)
    spec = spec.but(learning=spec.learning.but(recipe=recipe or spec.learning.recipe))
    _arm("train", filtered(drawn(spec, samples), filter_), method, student, seed, as_json)


def evaluate(
    study: Study, method: Method = "zero-shot", student: Student = None, seed: Seed = 0, as_json: Json = False
) -> None:
    """Evaluate a student, which is trained first where the method asks for it and it was not yet."""
    _arm("evaluate", _spec(study, None), method, student, seed, as_json)


def rescore(
    study: Study,
    rules: Annotated[str, typer.Option(help=one_of("Rules to score by", RULES))] = "robust",
    as_json: Json = False,
) -> None:
    """Re-score a study's stored completions and predictions under other rules: what flips. No call."""
    from core.stages.scoring import rescore_study

    emit(rescore_study(queries.study_named(study).id, rules), as_json)


def run(file: Annotated[Path, typer.Argument(help="A study file (YAML).")], as_json: Json = False) -> None:
    """Run a whole study; run it again to resume."""
    _study(studies.read(file), as_json)


def demo(as_json: Json = False) -> None:
    """Run the demo study: no key, no model hub, a few minutes."""
    _study(studies.demo(), as_json)


def studies_(as_json: Json = False) -> None:
    """List the studies."""
    rows = [
        {"id": s.id, "name": s.name, "benchmark": queries.dataset(s.dataset_id).key}
        for s in queries.studies()
    ]
    text = "\n".join(f"{r['name']}  ({r['benchmark']})" for r in rows)
    emit(rows, as_json, text or "No studies yet: `python -m core demo` makes one.")


def _study(spec: studies.Study, as_json: bool) -> None:
    from core.commands.results import results

    _submit("study", spec.name, spec, {}, as_json=None)
    results(study=spec.name, json=as_json)


def _arm(kind: str, spec: studies.Study, method: str, student: str | None, seed: int, as_json: bool) -> None:
    student = student or spec.students[0]
    request = {"method": method, "student": student, "seed": seed}
    _submit(kind, f"{student}, {method_title(method)}, seed {seed}", spec, request, as_json)


def _submit(
    kind: str, title: str, spec: studies.Study, request: dict[str, Any], as_json: bool | None
) -> None:
    job_id = studies.submit(kind, title, spec, request)
    follow(job_id)
    if as_json is not None:
        job = jobs.job(job_id)
        emit({"job": job_id, "status": job.status, "study": spec.name}, as_json, f"Done: {title}")


def filtered(spec: studies.Study, given: list[str] | None) -> studies.Study:
    """The study with these filters; with its own where none are given."""
    return spec.but(learning=spec.learning.but(filters=parsed(given))) if given else spec


def drawn(spec: studies.Study, samples: int | None) -> studies.Study:
    """The study with so many rationales of each question; its own number where none is given.

    A recorded file does not say how they were drawn: as the papers draw several, unless the study says.
    """
    if samples is None:
        return spec
    several = {"temperature": Diverse().temperature} if samples > 1 else {}
    teaching = spec.teaching
    return spec.but(teaching=teaching.but(samples=samples, sampling=several | teaching.sampling))


def _spec(study: str, dataset: str | None, teacher: dict[str, Any] | None = None) -> studies.Study:
    """The study of this name; else a new one on the given benchmark, with this teacher."""
    if (existing := queries.study_by_name(study)) is not None:
        return studies.Study.read(existing.config)
    if dataset is None:
        raise LabError(f"There is no study “{study}” yet: add --dataset to make it.")
    own = {"teacher": teacher} if teacher else {}
    return studies.Study.read({"name": study, "benchmark": dataset, **own})
