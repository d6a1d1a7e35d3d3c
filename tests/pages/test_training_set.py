"""The training set on the Train page: the form, what each filter drops, the rows; training uses the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import studies
from core.methods.filters import FILTERS
from core.stages import training
from core.stages.plans import plan_of
from core.store import queries
from core.students.formats import FORMATS
from core.students.part import Learning
from pages.components import training_set
from tests.pages.conftest import Filled
from tests.students.tiny import tiny_student

Open = Callable[..., AppTest]


@pytest.fixture
def train(app: Open, filled: Filled) -> AppTest:
    """The Train page, with the set of the method that has rationales."""
    opened = app("train")
    arms = opened.selectbox(key=f"set{filled.study_id}_arm")
    return arms.set_value(next(name for name in arms.options if "CoT" in name)).run()


def field(app: AppTest, filled: Filled, key: str):
    kind = app.number_input if FILTERS[key].least else app.selectbox
    return kind(key=f"set{filled.study_id}_{key}")


def table(app: AppTest) -> dict[str, tuple[int, int, int]]:
    found = next(frame.value for frame in app.dataframe if "reason" in frame.value)
    return {row["reason"]: (row["before"], row["dropped"], row["after"]) for _, row in found.iterrows()}


def said(app: AppTest) -> str:
    return "\n".join(caption.value for caption in app.caption)


def plain_set(filled: Filled, **filters: object):
    teaching, learning, _ = studies.Study.read(queries.study(filled.study_id).config).parts
    learning = learning.but(filters=filters)
    return training.build_set(filled.study_id, "fine-tune-cot", teaching, learning, FORMATS["t5"])[0]


def middling(filled: Filled) -> int:
    """A number of words that some of the set's rationales exceed; a T5 label has "-->" and the answer too."""
    words = sorted({len(row.label.split()) for row in plain_set(filled).rows})
    return words[(len(words) - 1) // 2] - 2


def test_every_filter_has_a_field_and_none_is_on(train: AppTest, filled: Filled):
    assert not train.error
    for key in FILTERS:
        assert field(train, filled, key).value in (None, "off")
    made = plain_set(filled)
    assert f"{len(made.rows):,} training row" in said(train)
    assert made.hash[:12] in said(train)
    assert set(table(train)) == set(made.dropped)


def test_a_filter_changes_the_set_and_the_table_adds_up(train: AppTest, filled: Filled):
    field(train, filled, "max_words").set_value(middling(filled)).run()
    field(train, filled, "steps").set_value("on").run()
    made = plain_set(filled, max_words=middling(filled), steps=True)
    assert made.hash[:12] in said(train) and made.hash != plain_set(filled).hash
    rows = table(train)
    assert list(rows)[-2:] == ["wrong step", "too long"]
    assert rows["too long"][1] == made.dropped["too long"] > 0
    before = len(made.rows) + len(made.removed)
    for first, dropped, after in rows.values():
        assert first == before and after == first - dropped
        before = after
    assert before == len(made.rows)


def test_what_was_dropped_is_shown_with_its_reason(train: AppTest, filled: Filled):
    field(train, filled, "max_words").set_value(middling(filled)).run()
    train.selectbox(key="set_shown").set_value("too long").run()
    assert not train.exception and not train.error
    first = next(
        one for one in plain_set(filled, max_words=middling(filled)).removed if one.reason == "too long"
    )
    html = "\n".join(element.proto.body for element in train.get("html"))
    assert f"too long. {first.why}" in html
    rationale = queries.completion_of(filled.generation, first.question_index).rationale
    assert rationale.split()[-2] in html
    kept = plain_set(filled, max_words=middling(filled)).rows[1]
    train.selectbox(key="set_shown").set_value(training_set.KEPT).run()
    train.session_state["set_row"] = (kept.question_index, kept.sample_index)
    train.run()
    assert kept.label.split()[-1] in "\n".join(element.proto.body for element in train.get("html"))


def test_filters_that_leave_nothing_say_so_and_the_page_stays(train: AppTest, filled: Filled):
    field(train, filled, "min_words").set_value(9999).run()
    assert "leave no training row" in train.warning[0].value
    assert table(train)["too short"][2] == 0
    assert train.button(key="start")


def test_the_set_is_what_training_uses(train: AppTest, filled: Filled, queued: list[str], tmp_path: Path):
    reads_alike = str(tiny_student(tmp_path / "t5", "t5"))
    field(train, filled, "max_words").set_value(middling(filled)).run()
    train.button(key="start").click().run()
    spec = studies.Study.read(queries.study(filled.study_id).config)
    assert spec.learning.filters == {"max_words": middling(filled)}

    def planned(learning: Learning) -> int:
        chosen = (filled.study_id, "fine-tune-cot", reads_alike, 0)
        return training.plan(*chosen, (spec.teaching, learning, spec.asking), "student", "job")[0]

    run_id = planned(spec.learning)
    run = queries.run(run_id)
    assert plan_of(run).filters == {"max_words": middling(filled)}
    assert run.training_set[:12] in said(train)
    plain = planned(spec.learning.but(filters={}))
    assert plain != run_id, "another set is another run"


def test_what_was_set_is_there_when_one_comes_back(train: AppTest, filled: Filled):
    field(train, filled, "duplicates").set_value("near").run()
    train.switch_page("pages/jobs.py").run()
    train.switch_page("pages/train.py").run()
    assert field(train, filled, "duplicates").value == "near"


def test_a_large_set_is_built_when_asked_for(train: AppTest, filled: Filled, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(training_set, "QUICK", 1)
    field(train, filled, "first").set_value(1).run()
    assert "training row" not in said(train)
    train.button(key="build_set").click().run()
    assert plain_set(filled, first=1).hash[:12] in said(train)
    train.run()
    assert plain_set(filled, first=1).hash[:12] in said(train), "and it stays"
