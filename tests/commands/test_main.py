"""The command line: quick help, one JSON document, one sentence and status 2."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from core import settings
from core.__main__ import COMMANDS


def lab(*arguments: str, home) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "core", *arguments],
        cwd=settings.ROOT,
        env=os.environ | {"LAB_HOME": str(home)},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def test_help_names_every_command_and_imports_little(lab_home):
    code = (
        "import runpy, sys; sys.argv = ['core', '--help']\n"
        "try: runpy.run_module('core', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'sqlalchemy', 'dbos', 'pandas', 'transformers', 'streamlit', 'openai'}\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=settings.ROOT, capture_output=True, text=True)
    assert "HEAVY []" in done.stdout
    for name in COMMANDS:
        assert name in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name, lab_home):
    done = lab(name, "--help", home=lab_home)
    assert done.returncode == 0 and "Usage" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("results", "--study", "nope"),
        ("rescore", "--study", "nope"),
        ("train", "--study", "nope"),
        ("jobs", "show", "nope"),
        ("run", "nope.yaml"),
        ("import", "nope.json", "--source", "jsonl", "--study", "s", "--dataset", "nope"),
    ],
)
def test_a_users_error_is_one_sentence_and_status_2(arguments, lab_home):
    done = lab(*arguments, home=lab_home)
    assert done.returncode == 2
    assert done.stdout == "" and "Traceback" not in done.stderr
    assert done.stderr.startswith("Error: ") and len(done.stderr.strip().splitlines()) == 1


def test_json_is_exactly_one_document(lab_home):
    for arguments in (("jobs", "list"), ("studies",), ("datasets", "list")):
        done = lab(*arguments, "--json", home=lab_home)
        assert done.returncode == 0
        assert isinstance(json.loads(done.stdout), list)
