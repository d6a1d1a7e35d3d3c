"""Rationales: from questions to scored completions, batch by durable batch; and from recorded files."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from core import methods, studies, teachers
from core.datasets import find_dataset
from core.exemplars.own import whole
from core.jobs.progress import Progress
from core.methods import METHODS
from core.methods.base import Given
from core.records import Exemplar, Question, content_hash
from core.stages import asking, diversity, plans
from core.stages.plans import GenerationPlan
from core.stages.scoring import scorer
from core.store import queries
from core.store.models import Run, now
from core.teachers.part import Teaching
from core.teachers.stored import Stored

STAGE = "Teacher writes rationales"


def planned(
    study_id: int,
    method_key: str,
    teaching: Teaching,
    split: str = "train",
    limit: int | None = None,
    shown: list[Exemplar] | None = None,
) -> GenerationPlan:
    """What the teachers are to be asked; `shown` are chosen exemplars, else the user's own where needed."""
    study, method = queries.study(study_id), METHODS[method_key]
    method.asking()
    methods.options(method, teaching.prompting)
    if shown is None:
        shown = list(whole(teaching.exemplars)) if method.exemplars == "own" else []
    return GenerationPlan(
        method=method_key,
        teaching=as_method_asks(teaching, method_key),
        split=split,
        limit=limit,
        rules=study.rules,
        benchmark=queries.dataset(study.dataset_id).hash,
        shown=tuple(asdict(one) for one in shown),
    )


def as_method_asks(teaching: Teaching, method_key: str) -> Teaching:
    """The teaching as a method uses it: its sampling in full, and nothing that it does not read."""
    method = METHODS[method_key]
    used = {role: teaching.of(role) for role in method.teachers}
    return teaching.but(
        teachers=used,
        sampling=teaching.sampled(method.sampling).as_dict(),
        prompting={name: value for name, value in teaching.prompting.items() if name in method.options},
        exemplars=(),
        clusters={},
    )


def plan(
    study_id: int,
    method_key: str,
    teaching: Teaching,
    split: str,
    limit: int | None,
    chosen: int | None,
    job_id: str,
) -> tuple[int, list[tuple[int, int]]]:
    """Open the run, with the exemplars of run `chosen` in view if any. Returns its id and its batches."""
    from core.stages.exemplars import as_reviewed

    shown = as_reviewed(chosen) if chosen is not None else None
    made = planned(study_id, method_key, teaching, split, limit, shown)
    run = plans.opened(
        study_id,
        made,
        (queries.run(chosen),) if chosen is not None else (),
        ("openai", "transformers", "torch"),
        teacher=" + ".join(dict.fromkeys(teachers.label(one) for one in made.teaching.teachers.values())),
        seed=made.teaching.sampling.get("seed") or 0,
        job_id=job_id,
    )
    queries.set_run(run.id, status="running", job_id=job_id)
    return run.id, asking.batches(len(run_questions(run)))


def batch(progress: Progress, run_id: int, first: int, last: int) -> int:
    """Ask for what questions [first, last) of the run lack. Returns how many completions were written."""
    run = queries.run(run_id)
    made: GenerationPlan = plans.plan_of(run)
    everyone, samples = run_questions(run), made.teaching.samples
    lacking = asking.missing(run_id, everyone[first:last], samples)
    total, method = len(everyone) * samples, METHODS[run.method]
    used = given(run.study_id, run.method, made.teaching.prompting, made.exemplars)
    panel = teachers.panel(made.teaching.teachers, everyone, used.kind)
    alone = next(iter(panel.values()))
    if isinstance(alone, Stored):
        completions = (alone.completion(question.index, sample) for question, sample in lacking)
        return asking.store(progress, run, STAGE, total, completions)
    sampling = made.teaching.sampled(method.sampling)
    return asking.ask(progress, run, STAGE, lacking, total, method.asking(), used, sampling, panel)


def given(study_id: int, method_key: str, prompting: dict[str, Any], shown: tuple[Exemplar, ...]) -> Given:
    """What a method's programs use besides their questions, in a study."""
    study = queries.study(study_id)
    kind = find_dataset(queries.dataset(study.dataset_id).key).kind
    return Given(kind, study.rules, shown, options=methods.options(METHODS[method_key], prompting))


def shown(run: Run) -> list[Exemplar]:
    """The exemplars that a generation's prompt held."""
    return list(plans.plan_of(run).exemplars)


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
    """What a run's rationales take of teachers that write: calls, tokens, cost; and what was paid of it.

    A kept reply counts as the call that it stands for: two arms that share one both need it.
    """
    used = plans.plan_of(run).teaching.teachers
    if not all(teachers.TEACHERS[config["key"]].writes for config in used.values()):
        return {}
    asked, paid = queries.completion_calls(run.id), queries.ledger_totals(run.id)
    return asked | {
        "cost": sum(
            teachers.prices(used[role]).cost(read, written)
            for role, (read, written) in queries.tokens_by_role(run.id).items()
        ),
        "paid_calls": paid["calls"],
        "paid_cost": paid["cost"],
    }


def latest(study_id: int, method: str, teaching: Teaching | None = None) -> int | None:
    """The study's generation by this method that finished last, if any; asked so, if given.

    Not the one opened last: where an edit was undone, the earlier run is finished again.
    """
    done = [
        run
        for run in queries.finished(study_id, "generate")
        if run.method == method and (teaching is None or _serves(run, teaching))
    ]
    return done[-1].id if done else None


def _serves(run: Run, teaching: Teaching) -> bool:
    """Whether a study finds its rationales in this run: as many, sampled so; an import needs only enough."""
    made: GenerationPlan = plans.plan_of(run)
    if made.content:
        return made.teaching.samples >= teaching.samples
    wanted = as_method_asks(teaching, run.method)
    return (made.teaching.samples, made.teaching.sampling) == (wanted.samples, wanted.sampling)


def import_file(study_id: int, path: Path, source: str) -> dict[str, Any]:
    """Bring a recorded file's completions into a study as a finished generation run. No call is made."""
    from core.teachers import recorded

    study = queries.study(study_id)
    own = scorer(study_id)
    completions = recorded.read(path, source, queries.questions(study.dataset_id), own.kind)
    samples = max((c.sample_index for c in completions), default=-1) + 1
    written = [
        [c.question_index, c.sample_index, c.rationale, *(step.text for step in c.steps)] for c in completions
    ]
    made = GenerationPlan(
        method=IMPORTED_AS,
        # Nobody knows how a recording was sampled; several samples of a question were, somehow.
        teaching=Teaching(
            teachers={"teacher": {"key": "recorded", "source": source}},
            samples=samples,
            sampling={"temperature": 0.7} if samples > 1 else {},
        ),
        split="all",
        rules=study.rules,
        benchmark=queries.dataset(study.dataset_id).hash,
        content=content_hash(written),
        file=Path(path).name,
    )
    run = plans.opened(study_id, made, teacher=f"recorded: {source}")
    queries.save_completions(run.id, ((c, own.completion(c)) for c in completions))
    counts = queries.completion_counts(run.id)
    measured = diversity.measure(run.id)
    queries.set_run(run.id, status="done", summary=counts | measured, finished=now())
    return {"study": study.name, "run": run.id, "records": counts["n"], "correct": counts["correct"]}


IMPORTED_AS = "fine-tune-cot"  # whose shape recordings have: rationales of a teacher that saw no exemplar


def run_questions(run: Run) -> list[Question]:
    """The questions that a generation asks about: the study's, of its split, in index order."""
    made: GenerationPlan = plans.plan_of(run)
    if made.split == "all":
        chosen = studies.questions(run.study_id, "train") + studies.questions(run.study_id, "test")
        chosen.sort(key=lambda q: q.index)
    else:
        chosen = studies.questions(run.study_id, made.split)
    return studies.at_most(chosen, made.limit)
