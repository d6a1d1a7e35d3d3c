"""The checks' flags, kept: all of a generation, once, and again when the checks change."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import jobs, quality, stages, studies
from core.quality import checks, version
from core.records import Completion, Score
from core.stages import checking
from core.store import checked, queries, session
from core.store.models import Checked
from tests import runs
from tests.performing import Silent, done, plain

RIGHT = "There were 10 pens and 4 were sold. 10 - 4 = 6. The answer is 6."
WRONG = "There were 10 pens and 4 were sold. 10 - 4 = 7. The answer is 7."
ODD = "There were 10 pens, 4 were sold and 17 were lost. 10 - 4 = 6. The answer is 6."


@pytest.fixture
def run_id(lab_home: Path) -> int:
    """A finished generation of 6 rationales over two questions, one of them failed."""
    spec = studies.Study(name="pens", benchmark="arithmetic_generated", options={"size": 10, "seed": 0})
    study_id = studies.open_study(spec)
    run = runs.generation(study_id)
    texts = [RIGHT, WRONG, ODD, RIGHT, "", WRONG]
    queries.save_completions(
        run.id,
        [
            (_completion(i, text), None if not text else Score(text == RIGHT, "6", None, None))
            for i, text in enumerate(texts)
        ],
    )
    queries.set_run(run.id, status="done", summary={"n": 6})
    return run.id


def _completion(i: int, text: str) -> Completion:
    return runs.written(i // 3, text, i % 3, error=None if text else "HTTP 500")


def _rows(run_id: int) -> dict[tuple[int, int], set[str]]:
    with session() as db:
        found = db.query(Checked).filter_by(run_id=run_id)
        return {(row.question_index, row.sample_index): set(row.flags.split()) for row in found}


def _check(run_id: int) -> None:
    stages.check(Silent(), {"run_id": run_id}, plain)


def test_every_finished_rationale_is_looked_at_once(run_id: int):
    assert not checking.seen(queries.run(run_id))
    _check(run_id)
    found = _rows(run_id)
    assert set(found) == {(0, 0), (0, 1), (0, 2), (1, 0), (1, 2)}  # (1, 1) failed
    assert "arithmetic" in found[0, 1] and "arithmetic" not in found[0, 0]
    assert checking.seen(queries.run(run_id)) and queries.run(run_id).summary["n"] == 6
    assert checking.plan(run_id) == (0, [])


def test_what_is_kept_is_what_the_checks_say(run_id: int):
    _check(run_id)
    asked = {q.index: q for q in queries.questions(queries.study(queries.run(run_id).study_id).dataset_id)}
    rows = queries.completions(run_id, failed=False)
    said = {
        (r.question_index, r.sample_index): set(checks.problems(checking.item(asked[r.question_index], r)))
        for r in rows
    }
    assert _rows(run_id) == said
    for key in checks.CHECKS:
        flagged = {place for place, flags in said.items() if key in flags}
        assert checked.keys(run_id, key) == flagged
        kept = queries.completions(run_id, check=key)
        assert {(row.question_index, row.sample_index) for row in kept} == flagged
        assert queries.count_completions(run_id, check=key) == len(flagged)


def test_a_batch_that_is_there_is_not_done_again(run_id: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checking, "BATCH", 2)
    total, batches = checking.plan(run_id)
    assert total == 5 and len(batches) == 3
    checking.batch(Silent(), run_id, *batches[1], 2, 5)
    assert checking.plan(run_id)[0] == 3
    assert checking.batch(Silent(), run_id, *batches[1], 2, 5) == 0
    _check(run_id)
    assert len(_rows(run_id)) == 5


def test_changed_checks_look_again(run_id: int, monkeypatch: pytest.MonkeyPatch):
    _check(run_id)
    for module in (checked, checking):
        monkeypatch.setattr(module, "version", lambda: "another")
    assert not checking.seen(queries.run(run_id))
    assert checked.keys(run_id, "arithmetic") == set()
    assert checking.plan(run_id)[0] == 5
    _check(run_id)
    assert checking.seen(queries.run(run_id)) and len(_rows(run_id)) == 5
    assert checked.keys(run_id, "arithmetic") == {(0, 1), (1, 2)}


def test_the_version_is_of_every_file_that_the_checks_use():
    folder = Path(quality.__file__).parent
    used, waiting = set(), ["checks"]
    while waiting:
        name = waiting.pop()
        used.add(name)
        waiting += [other for other in _imported(folder / f"{name}.py") if other not in used]
    assert used == set(version.FILES)


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("core.quality."):
            yield node.module.removeprefix("core.quality.")


def test_a_generation_is_checked_when_it_closes(lab_home: Path):
    spec = studies.Study(
        name="flips", benchmark="coin_flip_generated", options={"size": 20, "seed": 0, "flips": 2},
        teacher={"key": "worked"},
    )  # fmt: skip
    study_id = studies.open_study(spec)
    request = {"study_id": study_id, "spec": spec.dump()}
    run_id = stages.generate(Silent(), request, plain)
    assert checking.seen(queries.run(run_id))
    assert len(_rows(run_id)) == queries.completion_counts(run_id)["n"] > 0


def test_the_command_checks_and_counts(run_id: int, capsys: pytest.CaptureFixture[str]):
    from core.commands.review import check

    check(run_id, as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert list(found) == list(checks.CHECKS) and found["arithmetic"] == 2
    assert checking.seen(queries.run(run_id))


def test_a_generation_of_before_is_checked_by_a_job(run_id: int, queued: list[str]):
    job_id = jobs.submit("check", "Checks", {"run_id": run_id}, None, queue="endpoint")
    done(job_id)
    assert checking.seen(queries.run(run_id))
    assert any("5 rationales checked" in line.text for line in jobs.log(job_id))
