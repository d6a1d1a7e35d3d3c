"""Teachers, corrections and adaptive answers on their pages, over a lab with two generations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import jobs, studies
from core.records import Completion, Question, Score, Step
from core.review import desk
from core.stages import exemplars
from core.store import models, queries, session
from core.store.models import now
from core.teachers.part import Teaching
from tests import runs
from tests.pages.test_pages import shown

Open = Callable[..., AppTest]
N = 60
EXEMPLAR = {"question": "Add 0.", "rationale": "Six and one.", "answer": "7"}
EDITED = EXEMPLAR | {"rationale": "6 + 1 = 7, <b>surely</b>."}


@dataclass(frozen=True)
class Lab:
    study: int
    bare: int
    chosen: int
    before: int
    after: int
    other: int


@pytest.fixture
def lab(lab_home: Path, queued: list[str]) -> Lab:
    """Zero-shot 3 of 60 right, few-shot 5, with a corrected exemplar 7; and one over other questions."""
    spec = studies.Study(
        name="S", benchmark="addsub", teacher={"key": "local"}, methods=("new-fine-tune-cot",)
    )
    dataset = queries.add_dataset("addsub", {}, [Question(i, f"Add {i}.", "7") for i in range(N + 40)])
    study = queries.add_study("S", dataset, spec.rules, spec.dump())
    bare = _generation(study, "fine-tune-cot", set(range(3)), None)
    chosen = runs.exemplars(study, (queries.run(bare),))
    queries.set_run(chosen.id, status="done", finished=now(), summary={"k": 1})
    point = {
        "question_index": 0,
        "sample_index": 0,
        "cluster": 0,
        "rank": 1,
        "distance": 0.0,
        "x": 0.0,
        "y": 0.0,
    }
    qualified = {"correct": True, "words": 2, "failures": [], "duplicate": None}
    queries.save_points(chosen.id, [point | qualified])
    before = _generation(study, "new-fine-tune-cot", set(range(2, 7)), EXEMPLAR, (chosen,))
    after = _generation(study, "new-fine-tune-cot", set(range(2, 9)), EDITED, (chosen,))
    other = _generation(study, "fine-tune-cot", {1}, None, n=20, failed={19})
    return Lab(study, bare, chosen.id, before, after, other)


def _generation(study, method, right, exemplar, parents=(), n=N, failed=frozenset()) -> int:
    made = runs.generation(
        study, method, parents=parents, teaching=Teaching(teachers={"teacher": {"key": "local"}}),
        shown=[exemplar] if exemplar else [], limit=None if n == N else n,
    )  # fmt: skip
    rows = []
    for i in range(n):
        value = "7" if i in right else "8"
        adaptive = exemplar is not None and i % 2 == 0
        said = f"So it is. The answer is {value}." if adaptive else "So it is."
        steps = (Step("rationale", "p", said), Step("answer", "q", f" {value}."))
        one = Completion(i, 0, said, steps[:1] if adaptive else steps)
        if i in failed:
            one = Completion(i, 0, "", error="It was not answered.")
        rows.append((one, None if i in failed else Score(i in right, value, 1, 2, step=len(one.steps) - 1)))
    queries.save_completions(made.id, rows)
    summary = queries.completion_counts(made.id)
    queries.set_run(made.id, status="done", finished=now(), summary=summary, teacher="SmolLM2 (local)")
    return made.id


def table(app: AppTest, column: str):
    return next(frame.value for frame in app.dataframe if column in frame.value.columns)


def test_teachers_are_shown_before_any_student_is_evaluated(app: Open, lab: Lab):
    page = app("results", study="S")
    rows = table(page, "accuracy %").set_index("run")
    assert rows.loc[lab.bare, "accuracy %"] == "5.0 (1.7–13.7)"
    assert rows.loc[lab.after, "accuracy %"].startswith("11.7 (")
    assert rows.loc[lab.other, "failed"] == 1 and rows.loc[lab.other, "n"] == 19
    assert "No student of this study has been evaluated yet" in shown(page)


def test_every_other_run_stands_beside_the_baseline_or_says_why_not(app: Open, lab: Lab):
    page = app("results", study="S", teacher_baseline=_label(page_label=lab.bare))
    rows = table(page, "accuracy %").set_index("run")
    assert rows.loc[lab.bare, "difference"] == ""
    assert rows.loc[lab.after, "difference"].startswith("+6.7 (")
    assert rows.loc[lab.after, "gained / lost"] == "6 / 2"
    assert rows.loc[lab.after, "p"] == "0.289"
    assert rows.loc[lab.other, "difference"] == "not comparable"
    assert "asked different questions" in shown(page)


def _label(page_label: int) -> str:
    from pages.components.rationales import label

    return label(queries.run(page_label))


def test_what_corrections_did_to_the_teacher_with_the_edit_word_by_word(app: Open, lab: Lab):
    page = app("results", study="S", teacher_view="What corrections did")
    rows = table(page, "who")
    assert list(rows["difference"])[0].startswith("+3.3 (")
    assert list(rows["before"]) == ["5 of 60"] and list(rows["n"]) == [60]
    text = shown(page)
    assert "1 edited" in text and "<ins" in text and "&lt;b&gt;" in text and "<b>surely" not in text


def test_without_corrections_it_says_what_to_do(app: Open, lab: Lab):
    with session() as db:
        for run_id in (lab.before, lab.after):
            db.get_one(models.Run, run_id).status = "running"
    page = app("results", study="S", teacher_view="What corrections did")
    assert "Nothing has been re-run after a correction yet" in shown(page)


def test_the_ledger_of_adaptive_answers_and_a_check_that_can_be_started(app: Open, lab: Lab):
    queries.set_run(
        lab.after,
        summary=queries.run(lab.after).summary
        | {
            "check": {
                "size": 2, "seed": 0, "compared": 2, "disagree": 1, "failed": 0,
                "items": [
                    {"question": 2, "sample": 0, "first": "7", "correct": True, "second": "9",
                     "second_correct": False, "text": " <i>9</i>", "agree": False},
                    {"question": 4, "sample": 0, "first": "7", "correct": True, "second": "7",
                     "second_correct": True, "text": " 7", "agree": True},
                ],
            }
        },
    )  # fmt: skip
    page = app("rationales", study="S", generation=_label(lab.after))
    figures = {metric.label: metric.value for metric in page.metric}
    assert figures["Calls, at two per question"] == "90 of 120"
    assert figures["Answers read in the rationale"] == "30 of 60"
    assert figures["Tokens saved, estimated"] == "—"
    text = shown(page)
    assert "50.0 % of the rationales contain a marker" in text
    assert "for 1 of 2" in text and "9.5–90.5" in text
    assert "&lt;i&gt;9" in text and "<i>9" not in text
    page.number_input(key="check_size").set_value(5).run()
    page.button(key="check_answers").click().run()
    assert not page.exception and not page.error
    (job,) = jobs.jobs(lab.study)
    assert (job.kind, job.request["run"], job.request["size"]) == ("check-answers", lab.after, 5)


def test_a_generation_without_adaptive_answers_has_no_ledger(app: Open, lab: Lab):
    page = app("rationales", study="S", generation=_label(lab.bare))
    assert "Calls, at two per question" not in {metric.label for metric in page.metric}


def test_a_review_offers_to_run_again_what_depends_on_it(app: Open, lab: Lab):
    page = app("review", study="S", reviewer="ana", review=_review_label(lab.bare))
    assert not [button for button in page.button if button.key == "rerun_preview"]
    row = queries.completions(lab.bare)[0]
    desk.decide(lab.bare, (0, 0), "edit", "ana", seen=0, before=row.rationale, after="Other words.")
    page.run()
    page.button(key="rerun_preview").click().run()
    assert not page.exception and not page.error
    assert "Nothing has to run: every result was made" in shown(page), "no student was trained on it"


def test_the_button_runs_again_what_an_edited_exemplar_was_shown_to(app: Open, lab: Lab):
    (slot,) = exemplars.standing(lab.chosen, desk.board(lab.chosen))
    after = "Let's think step by step. 6 + 1 = 7. The answer is 7."
    desk.decide(lab.chosen, (0, 0), "edit", "ana", seen=0, before=slot.text, after=after)
    page = app("review", study="S", reviewer="ana", review=_review_label(lab.chosen))
    page.button(key="rerun_preview").click().run()
    assert f"1 generation of at most {2 * (N + 40)} calls" in shown(page), "two for each of the study"
    assert list(table(page, "instead of")["instead of"]) == [f"run {lab.after}"]
    page.button(key="rerun_start").click().run()
    assert not page.exception and not page.error
    (job,) = jobs.jobs(lab.study)
    assert (job.kind, job.request["run"], job.request["arms"]) == ("rerun", lab.chosen, [])
    (asked,) = job.request["generations"]
    assert (asked["method"], asked["exemplars"], asked["replaces"]) == (
        "new-fine-tune-cot", lab.chosen, lab.after,
    )  # fmt: skip


def _review_label(run_id: int) -> str:
    from pages.components.review.runs import label

    return label(queries.run(run_id))
