"""Labs of before: a database and a LAB_HOME of lab 0.1 open, resume and show the same results.

lab-0.1.tar.xz holds a small lab as lab 0.1 left it, and what that printed of it: `rows.json`, the rows of its
tables; `home/runs`, its run folders without weights; `said.json`; and `make.py`, which made it with lab 0.1.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from typer.testing import CliRunner

from core import jobs, settings, studies
from core.__main__ import app
from core.jobs.workflows import perform
from core.records import question_set_hash
from core.review import desk
from core.stages import adopted, children, corrections, exemplars, plans
from core.store import HEAD, engine, models, queries, session
from core.students import checkpoints
from core.students.folder import RunFolder
from tests.answering import Answering, answering
from tests.older import make_tables
from tests.performing import done, plain

LAB = Path(__file__).with_name("lab-0.1.tar.xz")
EPOCH, TRAINED, TWIN = 23, 4, 5  # ids of runs: one epoch of three, the first student, its evaluation
GPT2 = {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}
Rows = dict[str, dict[str, Any]]  # of a table: "columns", and "rows" of their values


class Older:
    """Lab 0.1's rows and run folders, to be changed before they are opened."""

    def __init__(self, home: Path) -> None:
        root = home.parent / "lab-0.1"
        with tarfile.open(LAB) as archive:
            archive.extractall(root, filter="data")
        for path in root.rglob("*.json"):
            path.write_text(path.read_text("utf-8").replace("/lab-0.1/", f"{root}/"), "utf-8")
        home.parent.mkdir(exist_ok=True)
        (root / "home").rename(home)
        (root / "home").symlink_to(home)
        self.student = root / "student"
        for student in (self.student, home / f"runs/{TRAINED}/student"):  # never loaded here
            student.mkdir()
            (student / "config.json").write_text(json.dumps(GPT2), "utf-8")
            (student / "model.safetensors").write_bytes(b"weights")
        self.rows: Rows = json.loads((root / "rows.json").read_text("utf-8"))
        self.said: dict[str, Any] = json.loads((root / "said.json").read_text("utf-8"))

    def table(self, name: str) -> list[dict[str, Any]]:
        found = self.rows[name]
        return [dict(zip(found["columns"], row, strict=True)) for row in found["rows"]]

    def set(self, name: str, rows: list[dict[str, Any]]) -> None:
        self.rows[name]["rows"] = [[row[column] for column in self.rows[name]["columns"]] for row in rows]

    def change(self, run_id: int, change: Callable[[dict[str, Any]], Any]) -> None:
        """Change the config of a run."""
        runs = self.table("run")
        for run in runs:
            if run["id"] == run_id:
                config = json.loads(run["config"])
                change(config)
                run["config"] = json.dumps(config)
        self.set("run", runs)

    def write(self) -> None:
        """Write the rows into the empty database of the settings."""
        made = sa.create_engine(settings.database_url())
        with made.begin() as db:
            make_tables(db)
            known = sa.MetaData()
            known.reflect(db)
            for table in known.sorted_tables:
                if table.name in self.rows and table.name != "alembic_version":
                    plain_values = sa.table(table.name, *(sa.column(c.name) for c in table.columns))
                    boolean = {c.name for c in table.columns if isinstance(c.type, sa.Boolean)}
                    values = [
                        {k: bool(v) if k in boolean and v is not None else v for k, v in row.items()}
                        for row in self.table(table.name)
                    ]
                    db.execute(sa.insert(plain_values), values)
                    if made.dialect.name == "postgresql" and "id" in table.c:
                        _count_on(db, table)
        made.dispose()


def _count_on(db: sa.Connection, table: sa.Table) -> None:
    if isinstance(table.c.id.type, sa.Integer):
        own = sa.func.pg_get_serial_sequence(table.name, "id")
        db.execute(sa.select(sa.func.setval(own, sa.select(sa.func.max(table.c.id)).scalar_subquery())))


@pytest.fixture
def older(lab_home: Path) -> Older:
    return Older(lab_home)


def printed(command: str) -> Any:
    """What a command of the command line prints now."""
    result = CliRunner().invoke(app, json.loads(command))
    assert result.exit_code == 0, (command, result.output, result.exception)
    try:
        return json.loads(result.stdout)
    except ValueError:
        return result.stdout


def runs() -> list[tuple[int, str, str]]:
    with session() as db:
        return [
            (run.id, run.hash, run.status)
            for run in db.scalars(sa.select(models.Run).order_by(models.Run.id))
        ]


def calls() -> int:
    with session() as db:
        return db.scalar(sa.select(sa.func.count()).select_from(models.LedgerEntry)) or 0


# ── the same results ────────────────────────────────────────────────────────────────────────────


def test_an_older_lab_shows_the_same(database: str, older: Older):
    older.write()
    for command, said in older.said["commands"].items():
        if "new-fine-tune-cot" in command:  # it is asked in another way now
            assert "with other settings" in str(CliRunner().invoke(app, json.loads(command)).exception)
            study = queries.study_named("Sums")
            parts = studies.Study.read(study.config)
            teaching = parts.teaching.but(sampling={"max_tokens": 256, "stop": ["\nQ:"]})
            queries.update_study(study.id, parts.but(teaching=teaching).dump())
            assert printed(command)["n"] == said["n"]
            queries.update_study(study.id, study.config)
            continue
        now = printed(command)
        if "corrections" in command:  # the students of that method would learn other labels now
            now["unchanged"] += len(now["arms"])
            now["arms"] = [arm for arm in now["arms"] if arm["method"] != "new-fine-tune-cot"]
        assert holds(now, said), command
    assert {f"{row.run_id} {row.question_index} {row.sample_index}": shown(row) for row in completions()} == (
        older.said["texts"]
    )
    for run_id, said in older.said["standing"].items():
        slots = exemplars.standing(int(run_id), desk.board(int(run_id)))
        assert [[one.point.question_index, one.text, one.original] for one in slots] == said
    for name, said in older.said["pairs"].items():
        found = corrections.pairs(queries.study_named(name).id)
        assert [[p.before, p.after, [list(both) for both in p.evaluations]] for p in found] == said


def holds(now: Any, before: Any) -> bool:
    """Whether what a command prints holds all that the older lab printed; an interval that is reckoned by
    another method since may be another one."""
    if isinstance(before, dict):
        kept = before.keys() - {"difference_low", "difference_high"}
        return kept <= now.keys() and all(holds(now[name], before[name]) for name in kept)
    if isinstance(before, list):
        return len(now) == len(before) and all(map(holds, now, before))
    return bool(now == (pytest.approx(before) if isinstance(before, float) else before))


def completions() -> list[models.Completion]:
    with session() as db:
        return list(db.scalars(sa.select(models.Completion)))


def shown(row: models.Completion) -> list[str | None]:
    """The text, and what is marked in it or in the second call's."""
    found = row.span_start is not None and row.answer_step is not None
    return [
        row.rationale,
        row.steps[row.answer_step]["text"][row.span_start : row.span_end] if found else None,
    ]


def test_an_older_database_gets_exactly_the_models(database: str, older: Older):
    older.write()
    with engine().connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": "postgresql" in database})
        assert compare_metadata(context, models.Base.metadata) == []
        if "sqlite" in database:
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
    queries.add_study("another", queries.studies()[0].dataset_id, "robust", {})


def test_every_training_row_leads_to_the_rationale_it_was_made_of(older: Older):
    older.write()
    trained = queries.run(TRAINED)
    for row in queries.training_rows(trained.training_set):
        written = queries.completion_of(trained.parents[0], row.question_index, row.sample_index)
        assert written.correct and written.rationale.strip() in row.label


def test_what_was_dropped_is_said_by_each_run(older: Older):
    dropped = {row["hash"]: json.loads(row["dropped"]) for row in older.table("training_set")}
    older.write()
    trainings = [run for study in queries.studies() for run in queries.runs(study.id, "train")]
    assert any(dropped.values())
    for run in trainings:
        assert run.summary["dropped"] == dropped[run.training_set]


def test_no_path_of_this_machine_is_in_what_makes_a_run_known(older: Older):
    older.write()
    for study in queries.studies():
        for run in queries.runs(study.id):
            assert str(settings.home().parent) not in json.dumps(plans.plan_of(run).identity()), run.kind


def test_the_questions_that_chose_an_epoch_are_said(older: Older):
    older.change(EPOCH, lambda config: config.update(selection="test"))
    older.write()
    tested = studies.questions(queries.run(EPOCH).study_id, "test")
    assert plans.plan_of(queries.run(EPOCH)).tested == question_set_hash(tested)
    assert not plans.plan_of(queries.run(TRAINED)).tested


# ── asked again ─────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def idle(queued: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """No student's process can be started."""
    monkeypatch.setattr(children, "_start", lambda *_, **__: pytest.fail("something is trained"))


@pytest.mark.usefixtures("idle")
def test_the_same_studies_again_ask_nothing_and_train_nothing(database: str, older: Older):
    older.write()
    before, asked = runs(), calls()
    # New-Fine-tune-CoT's arm of Sums would be new: its rationales and labels were others then.
    for kind, name in (("study", "Coins"), ("train", "Sums"), ("train", "Imported")):
        study = studies.Study.read(queries.study_named(name).config)
        arm = {"method": study.methods[0], "student": study.students[0], "seed": 0}
        done(studies.submit(kind, "again", study, arm if kind == "train" else {}))
    assert (runs(), calls()) == (before, asked)


@pytest.mark.usefixtures("idle")
def test_of_the_same_work_done_twice_the_newest_stands(older: Older):
    """A lab that was moved evaluated anew, for the path of its student counted."""
    again = next(run for run in older.table("run") if run["id"] == TWIN)
    again |= {"id": 99, "hash": "f" * 64, "finished": "2031-01-01 00:00:00.000000"}
    older.set("run", [*older.table("run"), again])
    predictions = older.table("prediction")
    older.set("prediction", predictions + [p | {"run_id": 99} for p in predictions if p["run_id"] == TWIN])
    older.write()
    before = runs()
    assert queries.run(TWIN).hash != queries.run(99).hash
    done(studies.submit("study", "again", studies.Study.read(queries.study_named("Coins").config)))
    assert runs() == before
    rows = {
        tuple(row["runs"]): row["variant"]
        for row in printed('["results", "--study", "Coins", "--json"]')["rows"]
    }
    assert rows[99,] == "max_words=80" and rows[TWIN,] == f"earlier, run {TWIN}"


# ── what was interrupted ────────────────────────────────────────────────────────────────────────


@pytest.fixture
def teacher() -> Iterator[Answering]:
    """A teacher where lab 0.1 had its own: an address of this machine that nobody else listens at."""

    with answering(lambda _: " It is 1.", usage=(11, 7), address=("127.83.41.7", 18779)) as server:
        yield server


@pytest.mark.usefixtures("queued")
def test_half_a_generation_is_finished_and_nothing_is_asked_twice(older: Older, teacher: Answering):
    replies = [row for row in older.table("reply") if json.loads(row["params"])["max_tokens"] == 99]
    kept = {row["prompt"] for row in replies}
    older.write()
    study = queries.study_named("Half a generation")
    (run,) = queries.runs(study.id)
    before = {(row.question_index, row.rationale) for row in queries.completions(run.id, failed=False)}
    (job,) = jobs.jobs(study.id)
    assert 0 < len(before) < 6 and job.status == "interrupted"
    jobs.resume(job.id)
    assert perform(job.id, plain) == "done"
    (run,) = queries.runs(study.id)
    after = queries.completions(run.id)
    assert len(after) == 6 and not any(row.error for row in after) and run.status == "done"
    assert before <= {(row.question_index, row.rationale) for row in after}
    assert kept and not kept & set(teacher.prompts) and len(set(teacher.prompts)) == len(teacher.prompts)


def test_training_goes_on_from_the_checkpoint_of_before(older: Older):
    state = settings.home() / f"runs/{EPOCH}/checkpoints/epoch-1/state.json"
    was = json.loads(state.read_text())["identity"]
    older.write()
    run = queries.run(EPOCH)
    files = children.folder(run)
    assert files.path.name == run.hash and list(files.epochs()) == [1] and run.status == "running"
    config = files.config()
    assert config == plans.plan_of(run).config and config.epochs == 3
    assert len(files.rows()) == 6 and config.training_set == run.training_set
    wanted = {"model": was["model"], "data": was["data"], "config": config.identity()}
    checkpoints.preflight(files, files.checkpoints / "epoch-1", wanted)


# ── run folders ─────────────────────────────────────────────────────────────────────────────────


def test_a_student_in_a_run_folder_is_found_where_it_was(older: Older):
    older.write()
    trained = queries.run(TRAINED)
    assert children.student(trained).is_dir()
    (path,) = studies.Study.read(queries.study_named("Imported").config).students
    assert Path(path).resolve() == children.student(trained)


def test_another_labs_folder_with_the_same_number_is_not_taken(older: Older):
    folder = settings.home() / "runs"
    for first, second in ((TRAINED, "x"), (EPOCH, TRAINED), ("x", EPOCH)):
        (folder / str(first)).rename(folder / str(second))
    others = [run["id"] for run in older.table("run") if run["kind"] == "train" and run["id"] > TRAINED]
    (folder / str(others[0]) / "config.json").write_text("{cut")
    rows = folder / str(others[1]) / "rows.jsonl"
    rows.write_text(rows.read_text().replace("###", "##", 1))
    older.write()
    for run_id in (TRAINED, EPOCH, *others[:2]):
        assert not children.folder(queries.run(run_id)).path.exists()
        assert (folder / str(run_id)).is_dir() and not (folder / str(run_id)).is_symlink()


def test_another_machines_folders_are_named_when_it_works(older: Older):
    there = settings.home().with_name("there")
    (settings.home() / "runs").rename(there)
    older.write()
    engine()
    (settings.home() / "runs").rmdir()
    there.rename(settings.home() / "runs")
    with engine().connect() as db:
        adopted.name_folders(db)
    assert children.folder(queries.run(EPOCH)).config() == plans.plan_of(queries.run(EPOCH)).config
    assert list(children.folder(queries.run(EPOCH)).epochs()) == [1]


# ── odd labs ────────────────────────────────────────────────────────────────────────────────────


def test_a_student_that_is_gone_leaves_its_results_readable(older: Older):
    shutil.rmtree(older.student)
    older.write()
    for command, said in older.said["commands"].items():
        if '"results"' in command or '"rescore"' in command:
            assert holds(printed(command), said)


def test_configs_of_still_older_labs_are_read(older: Older):
    """Fields came one after the other; what a config does not say was as it is by default."""
    for run in older.table("run"):
        for field in ("prompting", "limit", "filters", "dev_limit", "bucketing", "early_max_new_tokens"):
            older.change(run["id"], lambda config, field=field: config.pop(field, None))
    older.write()
    assert len(runs()) == len(older.table("run"))
    assert printed('["results", "--study", "Coins", "--json"]')["rows"]
    assert all(plans.plan_of(run) for study in queries.studies() for run in queries.runs(study.id))


def test_a_run_that_cannot_be_read_is_set_aside_with_what_was_made_of_it(older: Older):
    older.change(TRAINED, lambda config: config.update(epochs="many"))
    older.write()
    kinds = {run.id: run.kind for run in queries.runs(queries.study_named("Coins").id)}
    assert kinds[TRAINED] == kinds[TWIN] == adopted.UNREADABLE
    rows = printed('["results", "--study", "Coins", "--json"]')["rows"]
    assert [row["runs"] for row in rows] == [[2], [3]]


def test_an_empty_older_database_is_opened(database: str, older: Older):
    older.rows = {}
    older.write()
    assert queries.studies() == []


# ── all or none ─────────────────────────────────────────────────────────────────────────────────

KILLED = """
import os, signal
from core.stages import adopted
name, named = adopted._name_folder, []
def first(*values):
    name(*values)
    named.append(values)
    if len(named) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
adopted._name_folder = first
from core.store import engine
engine()
"""


def test_a_migration_that_is_killed_begins_anew(database: str, older: Older):
    older.write()
    ended = subprocess.run([sys.executable, "-c", KILLED], cwd=settings.ROOT, env=os.environ)
    assert ended.returncode == -signal.SIGKILL
    made = sa.create_engine(settings.database_url())
    with made.connect() as db:
        assert db.scalar(sa.text("SELECT version_num FROM alembic_version")) == "0005" != HEAD
        assert db.scalar(sa.text("SELECT count(*) FROM prediction")) == len(older.table("prediction"))
    made.dispose()
    command = '["results", "--study", "Coins", "--json"]'
    assert holds(printed(command), older.said["commands"][command])
    for run in queries.runs(queries.study_named("Coins").id, "train"):
        assert RunFolder(settings.home() / "runs" / run.hash).filled
        assert (settings.home() / "runs" / str(run.id)).is_symlink()
