"""Rationales: from questions to scored completions, batch by durable batch; and from recorded files."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from core import methods, studies, teachers
from core.datasets import find_dataset
from core.exemplars.own import whole
from core.jobs.progress import Progress
from core.records import Exemplar, Question, Sampling, content_hash
from core.stages import diversity
from core.stages.scoring import scorer
from core.store import queries
from core.store.models import Run, now
from core.studies import Spec

BATCH = 256  # questions a durable step; every reply is kept as it arrives, so a step may be long


def plan(study_id: int, spec: Spec, asked: dict[str, Any], job_id: str) -> tuple[int, list[tuple[int, int]]]:
    """Open the run and cut its questions into batches [first, last)."""
    study = queries.study(study_id)
    method = methods.METHODS[asked.get("method", "fine-tune-cot")]
    sampling = spec.sampled(method.sampling)
    shown = None
    if "exemplars" in asked:
        from core.stages.exemplars import as_reviewed

        shown = [asdict(exemplar) for exemplar in as_reviewed(asked["exemplars"])]
    elif method.needs_exemplars and "exemplars" not in spec.prompting:
        shown = [asdict(exemplar) for exemplar in whole(spec.exemplars)]
    config = {
        "method": method.key,
        "teacher": spec.teacher,
        "sampling": sampling.as_dict(),
        "prompting": prompting(spec, method, shown),
        "samples": spec.samples,
        "split": asked.get("split", "train"),
        "limit": asked.get("limit"),
        "rules": study.rules,
    }
    run = queries.open_run(
        study_id,
        "generate",
        content_hash([config, queries.dataset(study.dataset_id).hash]),
        method=method.key,
        teacher=teachers.label(spec.teacher),
        seed=sampling.seed or 0,
        config=config,
        versions=versions("openai", "transformers", "torch"),
        parents=[asked["exemplars"]] if "exemplars" in asked else [],
        job_id=job_id,
    )
    queries.set_run(run.id, status="running", job_id=job_id)
    n = len(run_questions(run))
    return run.id, [(first, min(first + BATCH, n)) for first in range(0, n, BATCH)]


def batch(progress: Progress, run_id: int, first: int, last: int) -> int:
    """Ask for what questions [first, last) of the run lack. Returns how many completions were written."""
    run = queries.run(run_id)
    everyone = run_questions(run)
    own = scorer(run.study_id)
    total = len(everyone) * run.config["samples"]
    finished = queries.finished_samples(run_id)
    missing = [
        (question, sample)
        for question in everyone[first:last]
        for sample in range(run.config["samples"])
        if (question.index, sample) not in finished
    ]
    written = 0
    progress.at("Teacher writes rationales", len(finished), total)
    with teachers.opened(run.config["teacher"], everyone, own.kind) as teacher:
        teacher.waiting = progress.check
        ask = teachers.asking(teacher, sampled(run), run_id)
        options = as_options(run.config["prompting"])
        for completion in methods.generate(missing, methods.METHODS[run.method], ask, options):
            queries.save_completions(run_id, [(completion, own.completion(completion))])
            written += 1
            progress.at("Teacher writes rationales", len(finished) + written, total)
    return written


def sampled(run: Run) -> Sampling:
    """How a generation's teacher was sampled."""
    values = run.config["sampling"]
    return Sampling(**values | {"stop": tuple(values["stop"])})


def prompting(
    spec: Spec, method: methods.Method, shown: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    """The options of a method's prompts in a study, as plain values; `shown`: not the study's exemplars."""
    exemplars = list(spec.exemplars) if shown is None else shown
    own = {"kind": find_dataset(spec.benchmark).kind, "rules": spec.rules, "exemplars": exemplars}
    return {name: value for name, value in (own | spec.prompting).items() if name in method.options}


def as_options(prompting: dict[str, Any]) -> dict[str, Any]:
    """What `prompting` says, as the method takes it: exemplars as records."""
    if "exemplars" not in prompting:
        return prompting
    return prompting | {"exemplars": [Exemplar(**values) for values in prompting["exemplars"]]}


def shown(run: Run) -> list[Exemplar]:
    """The exemplars that a generation's prompt held."""
    return [Exemplar(**one) for one in run.config.get("prompting", {}).get("exemplars", ())]


def close(progress: Progress, run_id: int) -> dict[str, int]:
    """Sum the run up; failed items are said, and asked again when the job is resumed."""
    counts, taken = queries.completion_counts(run_id), takes(queries.run(run_id))
    measured = diversity.measure(run_id, progress.at)
    summary = queries.run(run_id).summary | counts | taken | measured  # a check of its answers stays
    queries.set_run(run_id, status="done", summary=summary, finished=now())
    progress.say(f"{counts['n']} rationales, {counts['correct']} correct, {counts['truncated']} truncated.")
    if counts["failed"]:
        first = queries.completions(run_id, failed=True, limit=1)[0]
        progress.say(f"{counts['failed']} items failed: resume the job to ask for them again.")
        progress.say(f"The first of them: {first.error}")
    return counts


def takes(run: Run) -> dict[str, Any]:
    """What a run's rationales take of a teacher that writes: calls, tokens, cost; and what was paid of it.

    A kept reply counts as the call that it stands for: two arms that share one both need it.
    """
    if not teachers.TEACHERS[run.config["teacher"]["key"]].writes:
        return {}
    asked, paid = queries.completion_calls(run.id), queries.ledger_totals(run.id)
    prices = teachers.prices(run.config["teacher"])
    return asked | {
        "cost": prices.cost(asked["prompt_tokens"], asked["completion_tokens"]),
        "paid_calls": paid["calls"],
        "paid_cost": paid["cost"],
    }


def latest(study_id: int, method: str, spec: Spec | None = None) -> int | None:
    """The study's generation by this method that finished last, if any; made as `spec` asks, if given.

    Not the one opened last: where an edit was undone, the run of before is finished anew.
    """
    done = [
        run
        for run in queries.runs(study_id, "generate")
        if run.status == "done" and run.method == method and (spec is None or _serves(run, spec))
    ]
    return max(done, key=lambda run: (run.finished or run.created, run.id)).id if done else None


def _serves(run: Run, spec: Spec) -> bool:
    """Whether a study finds its rationales in this run: as many, sampled so; an import needs only enough."""
    if "sampling" not in run.config:
        return run.config.get("samples", 1) >= spec.samples
    own = spec.sampled(methods.METHODS[run.method].sampling).as_dict()
    return (run.config["samples"], run.config["sampling"]) == (spec.samples, own)


def import_file(study_id: int, path: Path, source: str) -> dict[str, Any]:
    """Bring a recorded file's completions into a study as a finished generation run. No call is made."""
    from core.teachers import recorded

    study = queries.study(study_id)
    questions = queries.questions(study.dataset_id)
    own = scorer(study_id)
    completions = recorded.read(path, source, questions, own.kind)
    config = {
        "method": "fine-tune-cot",
        "teacher": {"key": "recorded", "source": source},
        "samples": max((c.sample_index for c in completions), default=-1) + 1,
        "split": "all",
        "file": Path(path).name,
        "rules": study.rules,
    }
    digest = content_hash(
        [config, [[c.question_index, c.sample_index, c.rationale, c.answer_text] for c in completions]]
    )
    run = queries.open_run(
        study_id, "generate", digest, method=config["method"], teacher=f"recorded: {source}", config=config
    )
    queries.save_completions(run.id, ((c, own.completion(c)) for c in completions))
    counts = queries.completion_counts(run.id)
    measured = diversity.measure(run.id)
    queries.set_run(run.id, status="done", summary=counts | measured, finished=now())
    return {"study": study.name, "run": run.id, "records": counts["n"], "correct": counts["correct"]}


def run_questions(run: Run) -> list[Question]:
    """The questions that a generation asks about: the study's, of its split, in index order."""
    study = queries.study(run.study_id)
    split = run.config["split"]
    if split == "all":
        chosen = studies.questions(study.id, "train") + studies.questions(study.id, "test")
        chosen.sort(key=lambda q: q.index)
    else:
        chosen = studies.questions(study.id, split)
    return studies.at_most(chosen, run.config.get("limit"))


def versions(*packages: str) -> dict[str, str]:
    """What made this run: the packages' versions."""
    return {name: version(name) for name in packages}
