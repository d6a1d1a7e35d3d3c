"""`python -m core models …`: the embedded models and the table of students."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from core.commands.common import Json, emit, say, step
from core.models.embedded import EMBEDDED, as_dict, get_embedded, is_fetched
from core.models.embedded import fetch as fetch_one
from core.students.table import STUDENTS

app = typer.Typer(help="Fetch the embedded models; list models and students.", no_args_is_help=True)

Names = Annotated[list[str] | None, typer.Argument(help="Names of embedded models; all of them by default.")]


@app.command()
def fetch(names: Names = None, as_json: Json = False) -> None:
    """Fetch and convert the embedded models, except those that are already here."""
    rows = [get_embedded(name) for name in names] if names else list(EMBEDDED.values())
    for row in rows:
        if is_fetched(row):
            say(f"{row.name} is there.")
        else:
            fetch_one(row.name, step)
            say(f"{row.name} is ready in {row.path}")
    emit([as_dict(row) for row in rows], as_json, "\n".join(str(row.path) for row in rows))


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List the embedded models and whether they are here."""
    rows = [as_dict(row) for row in EMBEDDED.values()]
    lines = [
        f"{r['name']:24} {r['package']} {r['version']}  {'here' if r['fetched'] else 'not fetched'}"
        for r in rows
    ]
    emit(rows, as_json, "\n".join(lines))


@app.command()
def students(as_json: Json = False) -> None:
    """List the students; any hub id or folder of a checkpoint works as well."""
    rows = [asdict(row) for row in STUDENTS.values()]
    lines = [f"{r['name']:16} {r['source']:24} {r['parameters']:4} M  {r['licence']}" for r in rows]
    emit(rows, as_json, "\n".join(lines))
