"""`python -m core check-answers` and `corrections`: adaptive answers asked twice; what a review changed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from core.commands.common import Json, Study, emit
from core.commands.follow import follow
from core.errors import LabError
from core.results import corrections as told
from core.results import export
from core.results.statistics import wilson
from core.results.teachers import to_text
from core.stages import corrections as stage
from core.stages import second_calls
from core.store import queries


def check_answers(
    run: Annotated[int, typer.Option(help="A generation by New-Fine-tune-CoT.")],
    size: Annotated[
        int, typer.Option(help="At most this many of the questions that one call answered.")
    ] = 50,
    seed: Annotated[int, typer.Option(help="Seed of the sample.")] = 0,
    as_json: Json = False,
) -> None:
    """Ask a second time on a sample of the adaptive answers: how often the two differ. Nothing is changed."""
    follow(second_calls.submit(run, size, seed))
    stored = queries.run(run)
    found, spared = stored.summary["check"], second_calls.ledger(stored)
    n, differ = found["compared"], found["disagree"]
    rate = asdict(wilson(differ, n)) if n else None
    document = {"run": run, "rate": rate, **found, "ledger": _ledger(spared)}
    text = f"{differ} of {n} differ" + (
        f": {100 * rate['value']:.1f} % ({100 * rate['low']:.1f}–{100 * rate['high']:.1f})" if rate else ""
    )
    calls = f"{spared.saving.calls} calls instead of {2 * spared.saving.questions}"
    emit(document, as_json, f"{text}, {found['failed']} failed. {calls}.")


def corrections(
    study: Study,
    run: Annotated[
        int | None, typer.Option(help="A reviewed run: what depends on it. Default: what corrections did.")
    ] = None,
    rerun: Annotated[bool, typer.Option("--rerun", help="Run what depends on --run.")] = False,
    as_json: Json = False,
) -> None:
    """What the corrections of a review changed, and what is to be run again for them."""
    found = queries.study_named(study)
    if rerun and run is None:
        raise LabError("Say which review: add --run with the id of the run that was reviewed.")
    if run is not None:
        if queries.run(run).study_id != found.id:
            raise LabError(f"Run {run} is not of the study “{study}”: `python -m core results` lists them.")
        if rerun:
            follow(stage.submit(run))
        else:
            made = stage.plan(run)
            emit(asdict(made), as_json, f"To re-run: {stage.said(made)}.")
            return
    effects = [stage.effect(found.id, pair) for pair in stage.pairs(found.id)]
    document = [_effect(one) for one in effects]
    lines = [
        "\n".join(
            [
                f"Run {one.pair.before} → run {one.pair.after}: {told.summary(one.changes)}",
                *([to_text([one.teacher])] if one.teacher else []),
                *([export.to_text(one.students)] if one.students else []),
            ]
        )
        for one in effects
    ]
    emit(
        document,
        as_json,
        "\n\n".join(lines) or "Nothing has been re-run after a correction yet: add --run ID --rerun.",
    )


def _effect(one: Any) -> dict[str, Any]:
    return {
        "before": one.pair.before,
        "after": one.pair.after,
        "changes": [asdict(change) for change in one.changes],
        "teacher": one.teacher.as_dict() if one.teacher else None,
        "students": [export.as_dict(row) for row in one.students],
    }


def _ledger(spared: Any) -> dict[str, Any]:
    return {
        "questions": spared.saving.questions,
        "extracted": spared.saving.extracted,
        "calls": spared.saving.calls,
        "two_calls_for_all": 2 * spared.saving.questions,
        "marked": spared.marked,
        "tokens_saved_estimate": spared.tokens_saved,
        "cost_saved_estimate": spared.cost_saved,
    }
