"""Dependencies point one way: app, pages → commands → jobs → stages → tables → answers, records, errors."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# A module may import, at its top, modules of its own rank or below.
RANK = {
    "artefacts": 0, "errors": 0, "parts": 0, "process": 0, "progress": 0, "records": 0, "settings": 0,
    "uploads": 0, "yaml_file": 0,
    "answers": 1, "quality": 1,
    "datasets": 2, "models": 2, "store": 2,
    "students": 3, "teachers": 3, "exemplars": 3, "review": 3, "results": 3,
    "methods": 4, "studies": 4,
    "jobs": 5, "stages": 5,
    "commands": 6, "__main__": 6,
}  # fmt: skip


def imports(path: Path) -> set[str]:
    """Names of the modules imported at the top of a file."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def all_imports(path: Path) -> set[str]:
    """Also those inside functions."""
    tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    names = [a.name for n in tree if isinstance(n, ast.Import) for a in n.names]
    tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return set(names) | {n.module for n in tree if isinstance(n, ast.ImportFrom) and n.module}


CORE = sorted((ROOT / "core").rglob("*.py"))


@pytest.mark.parametrize("path", CORE, ids=lambda p: str(p.relative_to(ROOT)))
def test_core_imports_downwards_and_never_streamlit(path: Path):
    assert not {name for name in all_imports(path) if name.split(".")[0] in ("streamlit", "pages", "app")}
    parts = path.relative_to(ROOT / "core").with_suffix("").parts
    own = RANK.get(parts[0])
    if own is None:
        assert parts[0] == "__init__", f"give {parts[0]} a rank"
        return
    used = {name.split(".")[1] for name in imports(path) if name.startswith("core.")}
    too_high = {name for name in used if RANK.get(name, own) > own}
    assert not too_high


HEAVY = {
    "torch",
    "transformers",
    "sentence_transformers",
    "umap",
    "sklearn",
    "statsmodels",
    "peft",
    "accelerate",
}


@pytest.mark.parametrize("path", [*CORE, *sorted((ROOT / "pages").rglob("*.py")), ROOT / "app.py"], ids=str)
def test_heavy_packages_are_imported_where_they_are_used(path: Path):
    assert not {name for name in imports(path) if name.split(".")[0] in HEAVY}
