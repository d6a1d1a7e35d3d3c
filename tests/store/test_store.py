"""The store: migrations, transactions, exactly-once rows."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing

import pytest
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from core import records, studies
from core import settings as lab_settings
from core.errors import LabError
from core.store import HEAD, MIGRATIONS, _engine, engine, queries, session
from core.store.models import Base, Completion, Job, Study


def test_head_is_the_newest_migration():
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_migrations_make_exactly_the_models(lab_home):
    from alembic.autogenerate import compare_metadata

    with engine().connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_a_failed_transaction_leaves_nothing(lab_home):
    with pytest.raises(ZeroDivisionError), session() as db:
        db.add(Job(id="x", kind="study", title="t", request={}))
        db.flush()
        raise ZeroDivisionError
    with session() as db:
        assert db.get(Job, "x") is None


def test_many_tabs_may_write_at_once(lab_home):
    engine()

    def write(i: int) -> None:
        for j in range(10):
            with session() as db:
                db.add(Job(id=f"{i}-{j}", kind="study", title="t", request={}))

    threads = [threading.Thread(target=write, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with session() as db:
        assert db.query(Job).count() == 80


def test_of_many_that_open_the_same_at_once_all_get_it(lab_home):
    """A double click, or two commands: one makes the study and the run, the others find them."""
    engine()
    found, together = [], threading.Barrier(8, timeout=20)

    def open_it() -> None:
        together.wait()
        study = studies.open_study(
            studies.Study(name="s", benchmark="coin_flip_generated", options={"size": 20})
        )
        together.wait()
        run = queries.open_run(study, "generate", "0" * 64, method="fine-tune-cot", config={})
        found.append((study, run.id))

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [(1, 1)] * 8


@pytest.fixture
def no_engine():
    """Without the engines that this process keeps: the database is opened anew."""
    _engine.cache_clear()
    yield
    _engine.cache_clear()


@pytest.mark.parametrize("content", [b"no database" * 5000, b"SQLite format 3\0" + b"\1" * 9000])
def test_a_damaged_database_is_one_sentence(content, lab_home, no_engine):
    (lab_settings.home() / "lab.db").write_bytes(content)
    with pytest.raises(LabError, match="is damaged .*: put a copy"), session():
        pass


def test_the_database_of_another_lab_is_one_sentence(lab_home, no_engine):
    with engine().begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    _engine.cache_clear()
    with pytest.raises(LabError, match="Another version of the lab.*: update the lab"):
        engine()


def test_a_database_that_another_program_holds_is_one_sentence(lab_home, monkeypatch, no_engine):
    monkeypatch.setattr("core.store.BUSY_SECONDS", 0.1)
    engine()
    with closing(sqlite3.connect(lab_settings.home() / "lab.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LabError, match="Another program holds"), session() as db:
            db.add(Job(id="x", kind="study", title="t", request={}))


@pytest.mark.parametrize("url", ["nonsense", "mysql://u@h/db", "nosuch://x"])
def test_a_database_url_that_means_nothing_is_one_sentence(url, lab_home, monkeypatch, no_engine):
    monkeypatch.setenv("LAB_DATABASE_URL", url)
    with pytest.raises(LabError, match="LAB_DATABASE_URL cannot be used"):
        engine()


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("LAB_HOME", str(blocked / "lab"))
    with pytest.raises(LabError, match="set LAB_HOME"):
        engine()


@pytest.fixture
def run_id(lab_home) -> int:
    questions = [records.Question(i, f"question {i}", str(i), "train") for i in range(20)]
    dataset_id = queries.add_dataset("addsub", {}, questions)
    assert queries.add_dataset("addsub", {}, questions) == dataset_id, "the same content is stored once"
    study_id = queries.add_study("s", dataset_id, "fine-tune-cot", {"benchmark": "addsub"})
    return queries.open_run(study_id, "generate", "h", method="fine-tune-cot", config={}).id


def completion(question: int, error: str | None = None, text: str = "so 1") -> records.Completion:
    return records.Completion(question, 0, text, (records.Step("rationale", "Q: …", text),), error=error)


def score(correct: bool = True) -> records.Score:
    return records.Score(correct, "1", 3, 4)


def test_a_run_is_opened_once(run_id):
    run = queries.run(run_id)
    again = queries.open_run(run.study_id, "generate", "h", method="fine-tune-cot", config={})
    assert again.id == run_id


def test_a_finished_completion_stays_and_a_failed_one_is_replaced(run_id):
    queries.save_completions(run_id, [(completion(1), score()), (completion(2, "no reply"), None)])
    queries.save_completions(run_id, [(completion(1, text="other"), score()), (completion(2), score(False))])
    rows = queries.completions(run_id)
    assert [(r.question_index, r.rationale, r.error, r.correct) for r in rows] == [
        (1, "so 1", None, True),
        (2, "so 1", None, False),
    ]
    assert queries.finished_samples(run_id) == {(1, 0), (2, 0)}


def test_what_was_written_comes_back_step_by_step(run_id):
    steps = (
        records.Step("steps", "Plan it.", "1. Add.", "delegate", "length", 5, 7, 0.5, cached=True),
        records.Step("rationale", "Solve it.", "3 + 4 = 7. --> 7", "solver"),
        records.Step("rationale", "Solve it.", "It is 8. --> 8", "solver"),
    )
    votes = tuple(records.AnswerPlace(step=step, after=2, prefix="-->") for step in (1, 2))
    made = records.Completion(3, 1, steps[1].text, steps, records.AnswerPlace("vote", of=votes))
    verdict = records.Score(True, "7", 15, 16, step=1, note="1 of 2 agree, a tie")
    queries.save_completions(run_id, [(made, verdict)])
    row = queries.completion_of(run_id, 3, 1)
    assert queries.record(row) == made
    assert (row.asked, row.calls, row.prompt_tokens, row.completion_tokens, row.cost) == (3, 2, 5, 7, 0.5)
    assert (row.answer_step, row.span_start, row.span_end, row.note) == (1, 15, 16, "1 of 2 agree, a tie")
    assert row.finish_reason == "stop", "of the step that is the rationale"
    assert queries.tokens_by_role(run_id) == {"delegate": (5, 7), "solver": (0, 0)}
    assert queries.completion_calls(run_id) == {"calls": 3, "prompt_tokens": 5, "completion_tokens": 7}
    assert queries.answer_counts_of(run_id) == {"n": 1, "marked": 0, "spared": 0}


def test_texts_that_no_database_keeps_are_kept_as_well_as_can_be(run_id):
    """A character that a model was cut within, and a NUL."""
    queries.save_completions(run_id, [(completion(1, text="3 \ud83d\0"), score())])
    row = queries.completion_of(run_id, 1)
    assert row.steps[0]["text"] == row.rationale == "3 \ufffd\ufffd"


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=30))
def test_whatever_the_order_each_item_is_there_once(run_id, events):
    with session() as db:
        db.query(Completion).delete()
    for question, failed in events:
        queries.save_completions(
            run_id, [(completion(question, "lost" if failed else None), None if failed else score())]
        )
    rows = queries.completions(run_id)
    assert [r.question_index for r in rows] == sorted({q for q, _ in events})
    succeeded = {q for q, failed in events if not failed}
    assert {r.question_index for r in rows if r.error is None} == succeeded


def test_filters_and_counts_agree(run_id):
    queries.save_completions(run_id, [(completion(i), score(i % 2 == 0)) for i in range(10)])
    assert queries.count_completions(run_id, correct=True) == 5
    assert len(queries.completions(run_id, correct=True, limit=3)) == 3
    assert queries.count_completions(run_id, search="question 7") == 1
    assert queries.count_completions(run_id, search="%") == 0, "a search is text, not a pattern"
    assert queries.count_completions(run_id, split="test") == 0


def test_studies_have_one_name(lab_home, run_id):
    with session() as db:
        assert [s.name for s in db.query(Study)] == ["s"]
