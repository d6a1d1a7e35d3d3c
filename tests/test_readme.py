"""The README says what is so: its tables are the code's, its commands exist."""

from __future__ import annotations

import re

import pytest
import yaml

from core import settings
from core.__main__ import COMMANDS
from core.studies import Study
from scripts.tables import README, TABLES, rendered

TEXT = README.read_text(encoding="utf-8")


def test_its_tables_are_the_codes():
    assert rendered(TEXT) == TEXT, "run `make docs`"


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_its_place(name):
    assert f"<!-- {name} -->" in TEXT and len(TABLES[name]().splitlines()) > 2


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_named(name):
    assert re.search(rf"\b{name}\b", TEXT)


def test_its_first_commands_are_make_targets():
    targets = re.findall(r"^([a-z]+):", (settings.ROOT / "Makefile").read_text(), flags=re.M)
    assert {"run", "test", "demo", "docs", "check"} <= set(targets)
    assert re.search(r"make run .*\nmake test ", TEXT)
    assert "make check" in (settings.ROOT / ".ci" / "run").read_text()


def test_its_pictures_are_there():
    for path in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", TEXT):
        assert (settings.ROOT / path).is_file(), path


def test_its_study_file_is_one():
    (block,) = re.findall(r"```yaml\n(.*?)```", TEXT, flags=re.S)
    study = Study.read(yaml.safe_load(block))
    assert study.teaching.samples == 4 and study.learning.filters == {"steps": True}
