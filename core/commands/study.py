"""Commands over a study: import, generate, train, evaluate, rescore, run, demo."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from core import studies
from core.commands.common import Json, emit, say
from core.errors import LabError

app = typer.Typer(no_args_is_help=True)

Study = Annotated[str, typer.Option(help="The study's name; made on first use.")]
Dataset = Annotated[str | None, typer.Option(help="Benchmark, as `datasets list` prints it.")]
Method = Annotated[str, typer.Option(help="How rationales are got and what the student learns.")]
Student = Annotated[str | None, typer.Option(help="A student's name, a hub id or a local folder.")]
Seed = Annotated[int, typer.Option(help="Seed of the student's training.")]
Samples = Annotated[int | None, typer.Option(min=1, help="D: rationales of each question that count.")]
Limit = Annotated[int | None, typer.Option(help="At most so many questions of the split.")]


Filter = Annotated[
    list[str] | None,
    typer.Option("--filter", help="Of the training set, again and again: steps, max_words=120, diverse=4, …"),
]


@app.callback()
def study() -> None:
    """Study files: what an editor needs to complete and check them."""


@app.command()
def schema() -> None:
    """Print the JSON Schema of study files: what there is, what it may be, what it is for."""
    emit(studies.schema(), as_json=False)


def import_(
    file: Annotated[Path, typer.Argument(help="A recorded file.")],
    source: Annotated[str, typer.Option(help="Its format, as `score --help` lists them.")],
    study: Study,
    dataset: Dataset = None,
    samples: Samples = None,
    as_json: Json = False,
) -> None:
    """Bring a recorded file's completions into a study; no call is made."""
    from core.stages import checking
    from core.stages.generation import import_file
    from core.store import queries

    spec = _spec(study, dataset)
    if queries.study_by_name(study) is None:  # the file is then the study's teacher
        spec = replace(spec, teacher={"key": "recorded", "source": source, "path": str(file.resolve())})
    made = import_file(studies.open_study(drawn(spec, samples)), file, source)
    checking.at_once(made["run"])
    emit(made, as_json)


def generate(
    study: Study,
    dataset: Dataset = None,
    method: Method = "fine-tune-cot",
    teacher: Annotated[
        str, typer.Option(help="openai, vllm, ollama, llama-cpp, local, recorded or worked.")
    ] = "local",
    base_url: Annotated[str | None, typer.Option(help="Address of an OpenAI-compatible endpoint.")] = None,
    model: Annotated[str | None, typer.Option(help="Model name at that endpoint, or a local folder.")] = None,
    split: Annotated[str, typer.Option(help="train, test or all.")] = "train",
    limit: Limit = None,
    samples: Annotated[int, typer.Option(help="D: rationales per question.")] = 1,
    temperature: Annotated[float, typer.Option(help="0 is greedy; the papers use 0.7 for D > 1.")] = 0.0,
    top_p: Annotated[
        float, typer.Option(help="Words are drawn from those of this probability; 1: all.")
    ] = 1.0,
    max_tokens: Annotated[int, typer.Option(help="Longest rationale, in tokens.")] = 128,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Have a teacher write rationales. Its key is taken from the environment."""
    options = {"base_url": base_url, "model": model}
    spec = replace(
        _spec(study, dataset),
        teacher={"key": teacher} | {name: value for name, value in options.items() if value},
        sampling={"temperature": temperature, "top_p": top_p, "max_tokens": max_tokens, "seed": seed},
        samples=samples,
    )
    request = {"method": method, "split": split, "limit": limit}
    _submit("generate", f"Rationales by {teacher}", spec, request, as_json)


def train(
    study: Study,
    method: Method = "fine-tune-cot",
    student: Student = None,
    recipe: Annotated[str | None, typer.Option(help="default, paper or demo.")] = None,
    samples: Samples = None,
    filter_: Filter = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Fine-tune a student and evaluate it on the study's test questions."""
    spec = _spec(study, None)
    spec = filtered(drawn(replace(spec, recipe=recipe or spec.recipe), samples), filter_)
    _arm("train", spec, method, student, seed, as_json)


def evaluate(
    study: Study, method: Method = "zero-shot", student: Student = None, seed: Seed = 0, as_json: Json = False
) -> None:
    """Evaluate a student; a method that trains is trained first unless it was."""
    _arm("evaluate", _spec(study, None), method, student, seed, as_json)


def rescore(
    study: Study,
    rules: Annotated[str, typer.Option(help="fine-tune-cot, zero-shot-cot or robust.")] = "robust",
    as_json: Json = False,
) -> None:
    """Re-score a study's stored completions and predictions under other rules: what flips. No call."""
    from core.stages.scoring import rescore_study
    from core.store import queries

    emit(rescore_study(queries.study_named(study).id, rules), as_json)


def run(file: Annotated[Path, typer.Argument(help="A study file (YAML).")], as_json: Json = False) -> None:
    """Run a whole study; run it again to resume."""
    _study(studies.read(file), as_json)


def demo(as_json: Json = False) -> None:
    """Run the demo study: no key, no model hub, a few minutes."""
    _study(studies.demo(), as_json)


def studies_(as_json: Json = False) -> None:
    """List the studies."""
    from core.store import queries

    rows = [{"id": s.id, "name": s.name, "benchmark": s.config["benchmark"]} for s in queries.studies()]
    text = "\n".join(f"{r['name']}  ({r['benchmark']})" for r in rows)
    emit(rows, as_json, text or "No studies yet: `python -m core demo` makes one.")


def _study(spec: studies.Spec, as_json: bool) -> None:
    from core.commands.results import results

    _submit("study", spec.name, spec, {}, as_json=None)
    results(study=spec.name, json=as_json)


def _arm(kind: str, spec: studies.Spec, method: str, student: str | None, seed: int, as_json: bool) -> None:
    student = student or spec.students[0]
    request = {"method": method, "student": student, "seed": seed}
    _submit(kind, f"{student}, {method}", spec, request, as_json)


def _submit(kind: str, title: str, spec: studies.Spec, request: dict[str, Any], as_json: bool | None) -> None:
    from core import jobs
    from core.commands.follow import follow

    job_id = studies.submit(kind, title, spec, request)
    say(f"Job {job_id}: {title}")
    follow(job_id)
    if as_json is not None:
        job = jobs.job(job_id)
        emit({"job": job_id, "status": job.status, "study": spec.name}, as_json, f"Done: {title}")


def filtered(spec: studies.Spec, given: list[str] | None) -> studies.Spec:
    """The study with these filters; with its own where none are given."""
    from core.methods.filters import parsed

    return replace(spec, filters=parsed(given)) if given else spec


def drawn(spec: studies.Spec, samples: int | None) -> studies.Spec:
    """The study with so many rationales of each question; its own number where none is given.

    A recorded file does not say how they were drawn: as the papers draw several, unless the study says.
    """
    if samples is None:
        return spec
    several = {"temperature": studies.DIVERSE["temperature"]} if samples > 1 else {}
    return replace(spec, samples=samples, sampling=several | spec.sampling)


def _spec(study: str, dataset: str | None) -> studies.Spec:
    """The spec of an existing study, else of a new one on the given benchmark."""
    from core.store import queries

    if (existing := queries.study_by_name(study)) is not None:
        return studies.from_dict(existing.config)
    if dataset is None:
        raise LabError(f"There is no study “{study}” yet: add --dataset to make it.")
    return studies.Spec(name=study, benchmark=dataset)
