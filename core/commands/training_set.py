"""`python -m core training-set --study NAME`: what a student would learn, and what each filter drops."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core import studies
from core.commands.common import Json, Study, emit, say, write
from core.commands.study import Filter, Method, Samples, Student, drawn, filtered
from core.errors import find
from core.methods import METHODS
from core.methods.filters import chosen, label
from core.stages import training_sets
from core.store import queries
from core.students.formats import FORMATS
from core.students.table import resolve


def training_set(
    study: Study,
    method: Method = "fine-tune-cot",
    student: Student = None,
    samples: Samples = None,
    filter_: Filter = None,
    out: Annotated[Path | None, typer.Option(help="Also write the rows, as JSONL.")] = None,
    as_json: Json = False,
) -> None:
    """The training set that `train` would use with these filters; nothing is trained or stored."""
    found = queries.study_named(study)
    find(METHODS, method, "method")
    spec = filtered(drawn(studies.Study.read(found.config), samples), filter_)
    form = FORMATS[resolve(student or spec.students[0]).format]
    built = training_sets.built(found.id, method, spec.teaching, spec.learning, form)
    filters = chosen(spec.learning.filters)
    result = {
        "study": study,
        "method": method,
        "filters": filters,
        "n": len(built.made.rows),
        "questions": len({row.question_index for row in built.made.rows}),
        "hash": built.hash,
        "dropped": built.made.dropped,
    }
    if out is not None:
        write(out, "".join(training_sets.lines(built.made)))
        say(f"Wrote {out}.")
    text = [f"{step.before:>8,} - {step.dropped:,} {step.reason}" for step in built.steps]
    named = f", filters {label(filters)}" if filters else ""
    text.append(f"{result['n']:>8,} rows of {result['questions']:,} questions{named}")
    emit(result, as_json, "\n".join([*text, f"hash {result['hash']}"]))
