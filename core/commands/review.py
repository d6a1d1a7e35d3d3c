"""`python -m core review …`: decide on a run's rationales, undo, redo, and export the history."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from core import settings
from core.commands.common import Json, emit, say, write
from core.errors import LabError
from core.quality.checks import CHECKS
from core.review import desk
from core.review.agreement import agreement as compare
from core.review.agreement import reviewers
from core.review.history import lines
from core.stages import checking
from core.stages.reviewed import original
from core.store import checked, decisions, queries

app = typer.Typer(help="Decide on exemplars and rationales; export the history.", no_args_is_help=True)

Run = Annotated[int, typer.Argument(help="The run under review.")]
Author = Annotated[str | None, typer.Option(help="Who decides. Default: your user name.")]


@app.command()
def queues(run: Run, as_json: Json = False) -> None:
    """How many rationales are in each queue."""
    counts = desk.board(run).counts(queries.count_completions(queries.run(run).id))
    emit(counts, as_json, "\n".join(f"{name:10}{n:>8}" for name, n in counts.items()))


@app.command()
def check(
    run: Annotated[int, typer.Argument(help="The generation whose rationales are checked.")],
    as_json: Json = False,
) -> None:
    """Run the quality checks on rationales not yet checked; how many each check flags."""
    checking.at_once(run)
    found = {name: len(checked.keys(run, name)) for name in CHECKS}
    emit(found, as_json, "\n".join(f"{name:12}{n:>8}" for name, n in found.items()))


@app.command()
def decide(
    run: Run,
    question: Annotated[int, typer.Argument(help="The question's index.")],
    kind: Annotated[str, typer.Argument(help="accept, reject, edit, comment, skip, flag or adjudicate.")],
    sample: Annotated[int, typer.Option(help="Which of the question's rationales.")] = 0,
    text: Annotated[str | None, typer.Option(help="The new text of an edit or an adjudication.")] = None,
    reason: Annotated[str, typer.Option(help="Why; a comment's text.")] = "",
    seen: Annotated[
        int | None, typer.Option(help="Last decision you saw on it. Default: as it stands now.")
    ] = None,
    author: Author = None,
    as_json: Json = False,
) -> None:
    """Append one decision."""
    key = (question, sample)
    current = desk.item(run, key)
    shown = original(run, key) if current.text is None else current.text
    made = desk.decide(
        run,
        key,
        kind,
        author or settings.author(),
        seen=current.last if seen is None else seen,
        before=shown,
        after=text,
        reason=reason,
    )
    _emit([made], as_json)


@app.command()
def undo(run: Run, author: Author = None, as_json: Json = False) -> None:
    """Undo your latest decision or bulk action."""
    _emit(desk.undo(run, author or settings.author()), as_json)


@app.command()
def redo(run: Run, author: Author = None, as_json: Json = False) -> None:
    """Redo what you last undid."""
    _emit(desk.redo(run, author or settings.author()), as_json)


@app.command()
def history(
    run: Run,
    out: Annotated[Path | None, typer.Option(help="File to write. Default: standard output.")] = None,
) -> None:
    """Every decision as JSON lines, oldest first."""
    text = "".join(lines(decisions.since(queries.run(run).id)))
    if out is None:
        print(text, end="")
        return
    write(out, text)
    say(f"{text.count(chr(10))} decisions in {out}")


@app.command()
def agreement(
    run: Run,
    first: Annotated[
        str | None, typer.Argument(help="A reviewer. Default: the two who decided most.")
    ] = None,
    second: Annotated[str | None, typer.Argument(help="Another one.")] = None,
    as_json: Json = False,
) -> None:
    """Cohen's kappa of two reviewers with its 95 % interval, and where they disagree."""
    found = desk.board(run)
    if first is None or second is None:
        known = [name for name in reviewers(found) if name != first]
        if len(known) < (2 if first is None else 1):
            raise LabError("Agreement needs two reviewers: have a second person decide on some items.")
        first, second = (known[0], known[1]) if first is None else (first, known[0])
    made = compare(found, first, second)
    kappa = made.kappa
    shown = f"{kappa.value:.3f} [{kappa.low:.3f}, {kappa.high:.3f}]" if kappa else "undefined"
    lines = [
        f"{first} and {second}: {made.same} of {made.n} alike, kappa {shown}",
        *(
            f"Question {q}, sample {s}" + (": open" if (q, s) in made.open else "")
            for q, s in made.disagreements
        ),
    ]
    emit(asdict(made), as_json, "\n".join(lines))


def _emit(items: list[Any], as_json: bool) -> None:
    rows = [
        {"question": one.key[0], "sample": one.key[1], "queue": one.queue, "text": one.text, "last": one.last}
        for one in items
    ]
    lines = (f"Question {r['question']}, sample {r['sample']}: {r['queue']}" for r in rows)
    emit(rows, as_json, "\n".join(lines))
