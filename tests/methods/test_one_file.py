"""A method is one file: added to a copy of the project with nothing else edited, it is shown everywhere.

Twice: a vote over three samples, and two teachers, which is the worked example of CONTRIBUTING.md. Both are
run as a study by the command line, with teachers behind real HTTP servers and a tiny student.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from core import settings
from core.datasets import load
from tests.answering import Answering, answering
from tests.students.tiny import tiny_student

LONGEST = 60  # lines of a method's file
BENCHMARK, SIZE, TRAIN, TEST = "arithmetic_generated", 40, 9, 5
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".lab", "__pycache__", ".*_cache", "images")
EXAMPLE = re.search(
    r"`core/methods/two_teachers\.py`.*?```python\n(.*?)```",
    (settings.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"),
    re.DOTALL,
)

VOTE = '''
"""Self-consistency (Wang et al. 2023): three samples are drawn, and the answer is the one that most give."""

from core.methods.base import Ask, Lesson, Method, Text, Vote, Written
from core.records import Sampling
from core.students.formats import ANSWER_MARK


def teach(question, given):
    said = yield [Ask(f"Q: {question.text}\\nA:")] * 3
    return Written(said[0].text, Vote(tuple(Text(one) for one in said)))


def lessons(question, written, given):
    text = written.rationale
    yield Lesson(given.form.input(question.text), given.form.label(text, question.answer), text)


def solve(question, given):
    drawn = Sampling(temperature=0.7, max_tokens=12)
    said = yield [Ask(given.form.input(question.text), "student", "answer", drawn)] * 3
    return Written(said[0].text, Vote(tuple(Text(one, prefix=ANSWER_MARK) for one in said)))


METHOD = Method(
    key="vote",
    title="Vote over three",
    paper="Wang et al. 2023",
    about="Three rationales of each question are drawn; the answer is the one that most of them give.",
    teach=teach,
    lessons=lessons,
    solve=solve,
    sampling=Sampling(temperature=0.7, seed=0),
)
'''.lstrip()

FILES = {"two_teachers": EXAMPLE[1] if EXAMPLE else "", "vote": VOTE}
METHODS = {"two-teachers": "Two teachers and a vote", "vote": "Vote over three"}  # key → title


@dataclass(frozen=True)
class Lab:
    """The copy, after its study was run; `asked` are each teacher's prompts, by role."""

    root: Path
    home: Path
    study: Path
    asked: dict[str, list[str]]

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *command],
            cwd=self.root,
            env=os.environ | {"LAB_HOME": str(self.home), "PYTHONPATH": "."} | environment,
            capture_output=True,
            text=True,
            timeout=280,
        )

    def told(self, script: str) -> object:
        """What a script prints, run in the copy."""
        done = self.run("-c", textwrap.dedent(script))
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])


def solver(body: dict, golds: dict[str, str]) -> str:
    return next(f" {gold}." for question, gold in golds.items() if question in body["prompt"])


def voter(body: dict, golds: dict[str, str]) -> str:
    """The first of three is wrong, as it is asked with the seed of its draw."""
    right = solver(body, golds).strip(" .")
    return f" It is {int(right) + 1 if body['seed'] % 3 == 0 else right}."


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("one file")
    root, home = folder / "lab", folder / "home"
    shutil.copytree(settings.ROOT, root, ignore=LEFT_OUT)
    for name, text in FILES.items():
        (root / "core" / "methods" / f"{name}.py").write_text(text, encoding="utf-8")
    golds = {q.text: q.answer for q in load(BENCHMARK, size=SIZE)}
    says: dict[str, Callable[[dict], str]] = {
        "planner": lambda body: " 1. Add up.",
        "solver": lambda body: solver(body, golds),
        "teacher": lambda body: voter(body, golds),
    }
    with ExitStack() as stack:
        servers: dict[str, Answering] = {
            role: stack.enter_context(answering(answer)) for role, answer in says.items()
        }
        study = {
            "name": "One file",
            "benchmark": {"key": BENCHMARK, "options": {"size": SIZE}, "train": TRAIN, "test": TEST},
            "teaching": {
                "teachers": {
                    role: {"key": "llama.cpp", "base_url": server.url} for role, server in servers.items()
                }
            },
            "learning": {"recipe": "demo", "training": {"epochs": 1}},
            "asking": {"max_new_tokens": 12},
            "methods": list(METHODS),
            "students": [str(tiny_student(folder / "tiny"))],
        }
        file = folder / "study.yaml"
        file.write_text(json.dumps(study), encoding="utf-8")
        made = Lab(root, home, file, {role: server.prompts for role, server in servers.items()})
        try:
            done = made.run("-m", "core", "run", str(file), "--json")
            assert done.returncode == 0, done.stderr
            yield made
        finally:
            for pid in made.told(WORKERS):
                os.kill(pid, signal.SIGTERM)


WORKERS = """
    import json
    from core import jobs
    print(json.dumps([worker.pid for worker in jobs.workers()]))
"""


@pytest.mark.parametrize("name", FILES)
def test_a_method_s_file_is_short(name: str) -> None:
    assert 0 < len(FILES[name].splitlines()) <= LONGEST


def test_nothing_else_was_edited(lab: Lab) -> None:
    for path in (lab.root / "core").rglob("*.py"):
        original = settings.ROOT / path.relative_to(lab.root)
        if path.stem not in FILES:
            assert path.read_bytes() == original.read_bytes()


def test_each_teacher_is_asked_its_role_s_prompts_alone(lab: Lab) -> None:
    planner, solver, teacher = (lab.asked[role] for role in ("planner", "solver", "teacher"))
    assert len(planner) == len(solver) == TRAIN and len(teacher) == 3 * TRAIN
    assert all(prompt.startswith("Write a short plan to solve this") for prompt in planner)
    assert all("Follow this plan:\n 1. Add up.\n" in prompt for prompt in solver)
    assert all(prompt.startswith("Q: ") and prompt.endswith("\nA:") for prompt in teacher)
    assert {prompt: teacher.count(prompt) for prompt in teacher} == dict.fromkeys(teacher, 3)


def test_what_the_teachers_wrote_is_stored_step_by_step(lab: Lab) -> None:
    stored = lab.told(
        """
        import json
        from core.store import queries
        print(json.dumps({
            run.method: [
                [row.correct, row.note, [[step["role"], step["name"]] for step in row.steps]]
                for row in queries.completions(run.id)
            ]
            for run in queries.runs(1, "generate")
        }))
        """
    )
    planned = [["planner", "plan"], ["solver", "solution"]]
    assert stored == {
        "two-teachers": [[True, "", planned]] * TRAIN,
        "vote": [[True, "2 of 3 agree", [["teacher", "rationale"]] * 3]] * TRAIN,
    }


def test_its_student_learns_and_votes(lab: Lab) -> None:
    """Rows of the training sets, and three answers to each test question."""
    learnt, answered = lab.told(
        """
        import json
        from core.store import queries
        sets = {run.method: run.training_set for run in queries.runs(1, "train")}
        print(json.dumps([
            {key: [row.label for row in queries.training_rows(one)] for key, one in sets.items()},
            {run.method: [[len({s["prompt"] for s in row.steps}), [s["role"] for s in row.steps], row.note]
                          for row in queries.completions(run.id)] for run in queries.runs(1, "evaluate")},
        ]))
        """
    )
    assert all(re.fullmatch(r" 1\. Add up\.\n (\d+)\. --> \1", label) for label in learnt["two-teachers"])
    assert all(re.fullmatch(r" It is \d+\. --> \d+", label) for label in learnt["vote"])
    assert len(learnt["two-teachers"]) == len(learnt["vote"]) == TRAIN
    for method in METHODS:
        assert len(answered[method]) == TEST
        for prompts, roles, note in answered[method]:
            assert (prompts, roles) == (1, ["student"] * 3)
            assert re.match(r"\d of 3 agree|none of 3 gives an answer", note)


def test_each_is_a_row_of_the_results(lab: Lab) -> None:
    done = lab.run("-m", "core", "results", "--study", "One file", "--json")
    assert {row["method"]: row["n"] for row in json.loads(done.stdout)["rows"]} == dict.fromkeys(
        METHODS, TEST
    )


def test_running_it_again_asks_nothing(lab: Lab) -> None:
    before = {role: len(prompts) for role, prompts in lab.asked.items()}
    done = lab.run("-m", "core", "run", str(lab.study), "--json")
    assert done.returncode == 0, done.stderr
    assert {role: len(prompts) for role, prompts in lab.asked.items()} == before


@pytest.mark.parametrize("command", ["generate", "train", "evaluate"])
def test_the_commands_name_it(lab: Lab, command: str) -> None:
    said = lab.run("-m", "core", command, "--help", COLUMNS="1000").stdout
    assert all(re.search(rf"\b{key}\b", said) for key in METHODS)


def test_the_readme_has_its_row_and_the_table_tests_pass(lab: Lab) -> None:
    """Before `make docs` the README's test says that a row is missing."""
    tables = "tests/test_readme.py::test_its_tables_are_the_codes"
    assert "make docs" in lab.run("-m", "pytest", tables).stdout
    lab.run("-m", "scripts.tables")
    readme = (lab.root / "README.md").read_text(encoding="utf-8")
    for key, title in METHODS.items():
        assert f"| `{key}` | {title} |" in readme
    done = lab.run("-m", "pytest", "-vv", tables, "tests/methods/test_methods.py")
    assert done.returncode == 0, done.stdout
    for key in METHODS:
        assert re.search(rf"test_every_row_is_complete\[{key}\] PASSED", done.stdout)


def test_the_pages_show_it(lab: Lab) -> None:
    """Generate and Train offer it, each role has its teacher there, and Rationales names it."""
    generate, roles, train, rationales = lab.told(
        """
        import json, runpy
        from streamlit.runtime.scriptrunner import script_runner
        from streamlit.testing.v1 import AppTest

        script_runner._mpa_v1 = lambda path: runpy.run_path(path, run_name="__main__")
        app = AppTest.from_file("app.py", default_timeout=120).run()

        def said(page):
            app.switch_page(f"pages/{page}.py").run()
            assert not app.exception and not app.error, (app.exception, app.error)
            return app

        options = [option for box in said("generate").selectbox for option in box.options]
        methods = next(box for box in app.selectbox if box.label == "Method")
        methods.select("two-teachers").run()
        roles = [box.label for box in app.selectbox]
        methods = said("train").multiselect[0]
        chosen = [methods.options, [text.value for text in app.caption]]
        print(json.dumps([options, roles, chosen, str(said("rationales"))]))
        """
    )
    assert {"Planner", "Solver"} <= set(roles)
    for title in METHODS.values():
        assert title in generate and title in train[0]
        assert any(f"**{title}**" in text for text in train[1])
        assert title in rationales
