"""`python -m core exemplars …`: choose exemplars by cluster from a recorded file; stores nothing."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from core.commands.common import Json, Recorded, RecordedOn, emit, one_of, say
from core.exemplars import RULES, TEXTS, choose
from core.exemplars.candidates import read
from core.exemplars.clustering import N_INIT, SEED
from core.exemplars.encoding import DEFAULT_ENCODER
from core.teachers.recorded import SOURCES

app = typer.Typer(help="Choose exemplars by cluster.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Choose exemplars by cluster."""


@app.command()
def select(
    file: Recorded,
    dataset: RecordedOn,
    source: Annotated[str, typer.Option(help=one_of("Layout", SOURCES))],
    rules: Annotated[str, typer.Option(help=one_of("What qualifies", RULES))] = "paper",
    k: Annotated[
        int | None,
        typer.Option(help="Number of clusters, one exemplar each. Default: Auto-CoT's for the benchmark."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of k-means.")] = SEED,
    n_init: Annotated[int, typer.Option(help="Starts of k-means; the best one counts.")] = N_INIT,
    encoder: Annotated[str, typer.Option(help="Embedded model, folder or hub id.")] = DEFAULT_ENCODER,
    text: Annotated[str | None, typer.Option(help=one_of("What is encoded", TEXTS))] = None,
    split: Annotated[str, typer.Option(help="Questions to choose from: train, test or all.")] = "all",
    question_words: Annotated[int | None, typer.Option(help="Longest question, in words.")] = None,
    rationale_lines: Annotated[int | None, typer.Option(help="Longest rationale, in lines.")] = None,
    rationale_words: Annotated[int | None, typer.Option(help="Longest rationale, in words.")] = None,
    as_json: Json = False,
) -> None:
    """The question nearest each cluster's centre that qualifies. Clusters without one are named."""
    limits = {
        "question_words": question_words,
        "rationale_lines": rationale_lines,
        "rationale_words": rationale_words,
    }
    made = choose(
        read(file, dataset, source, split),
        rules=rules,
        dataset=dataset,
        k=k,
        seed=seed,
        n_init=n_init,
        encoder=encoder,
        text=text,
        own={name: value for name, value in limits.items() if value is not None},
    )
    chosen = made.selection
    result: dict[str, Any] = made.settings | {
        "records": chosen.records,
        "eligible": chosen.eligible,
        "eligible_correct": chosen.correct_among_eligible,
        "correct_among_eligible": chosen.accuracy,  # percent, as everywhere on the command line
        "exemplars": [pick.as_dict() for pick in chosen.picks],
        "without_exemplar": [
            {"cluster": gap.cluster, "size": gap.size, "reason": gap.sentence} for gap in chosen.gaps
        ],
    }
    for gap in chosen.gaps:
        say(gap.sentence)
    emit(result, as_json, _text(result))


def _text(result: dict[str, Any]) -> str:
    lines = [
        f"{result['records']} records, {result['eligible']} qualify, "
        f"{result['eligible_correct']} of them with the right answer."
    ]
    for e in result["exemplars"]:
        mark = "right" if e["correct"] else "wrong"
        lines += [
            "",
            f"Question {e['index']}, {mark}: cluster {e['cluster']}, rank {e['rank']}, "
            f"distance {e['distance']:.4f}",
            f"Q: {e['question']}",
            f"A: {e['rationale']} The answer is {e['answer']}.",
        ]
    return "\n".join(lines)
