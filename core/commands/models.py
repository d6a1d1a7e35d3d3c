"""`python -m core models …`: the embedded models and the table of students."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from core.commands.common import Json, emit, say
from core.models.embedded import EMBEDDED, as_dict, get_embedded, is_fetched
from core.models.embedded import fetch as fetch_one
from core.students.table import STUDENTS

app = typer.Typer(help="Fetch the embedded models; list models and students.", no_args_is_help=True)

Names = Annotated[list[str] | None, typer.Argument(help="Names of embedded models; all of them by default.")]


@app.command()
def fetch(names: Names = None, as_json: Json = False) -> None:
    """Fetch and convert the embedded models; what is already there is left alone."""
    rows = [get_embedded(name) for name in names] if names else list(EMBEDDED.values())
    for row in rows:
        if is_fetched(row):
            say(f"{row.name} is there.")
        else:
            with _bar() as bar:
                fetch_one(row.name, bar)
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


class _bar:
    """A progress bar per stage on standard error."""

    bar: Any = None
    stage = ""

    def __enter__(self) -> _bar:
        return self

    def __call__(self, stage: str, done: int, total: int) -> None:
        from tqdm import tqdm

        if stage != self.stage:
            self.__exit__()
            self.stage, unit = stage, ("B" if total > 1 else "model")
            self.bar = tqdm(total=total, desc=stage, unit=unit, unit_scale=total > 1, dynamic_ncols=True)
        self.bar.n = done
        self.bar.refresh()

    def __exit__(self, *_exception: object) -> None:
        if self.bar is not None:
            self.bar.close()
