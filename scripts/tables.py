"""Writes the README's tables from the code's: `make docs`. A test holds the README to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"


def markdown(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def datasets() -> str:
    from core.datasets import DATASETS

    rows = ((f"`{d.key}`", d.title, d.kind, d.licence) for d in DATASETS.values())
    return markdown(("key", "benchmark", "answer", "licence"), rows)


def teachers() -> str:
    from core.teachers import TEACHERS

    return markdown(("key", "teacher"), ((f"`{t.key}`", t.title) for t in TEACHERS.values()))


def methods() -> str:
    from core.methods import METHODS

    return markdown(("key", "method", "source"), ((f"`{m.key}`", m.title, m.paper) for m in METHODS.values()))


def students() -> str:
    from core.students.table import STUDENTS

    return markdown(("student", "weights"), ((f"`{name}`", s.source) for name, s in STUDENTS.items()))


def filters() -> str:
    from core.methods.filters import FILTERS

    rows = ((f"`{f.key}`", f.about, f.allowed) for f in FILTERS.values())
    return markdown(("key", "filter", "value"), rows)


def rules() -> str:
    from core.answers import RULES

    return markdown(("key", "rule set"), ((f"`{r.key}`", r.title) for r in RULES.values()))


TABLES: dict[str, Callable[[], str]] = {
    "datasets": datasets,
    "teachers": teachers,
    "methods": methods,
    "filters": filters,
    "students": students,
    "rules": rules,
}


def rendered(text: str) -> str:
    """The README with every table between its markers made anew."""
    for name, table in TABLES.items():
        pattern = rf"<!-- {name} -->.*?<!-- /{name} -->"
        made = f"<!-- {name} -->\n{table()}\n<!-- /{name} -->"
        text = re.sub(pattern, lambda _, made=made: made, text, flags=re.S)
    return text


if __name__ == "__main__":
    README.write_text(rendered(README.read_text(encoding="utf-8")), encoding="utf-8")
