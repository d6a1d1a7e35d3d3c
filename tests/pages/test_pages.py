"""Every page through the frame: on an empty lab, on a filled one, with filters in the URL, with errors."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core import jobs, settings, studies
from core.datasets.part import Benchmark
from core.records import AnswerPlace, Completion, Score, Step
from core.store import models, queries, session
from pages.components.frame import PAGES
from tests.pages.conftest import Filled  # noqa: F401  the type of a fixture

Open = Callable[..., AppTest]
SMALL = {"key": "coin_flip_generated", "options": {"size": 8}}
TITLES = {name: "CoT Distillation Lab" if name == "overview" else title for name, (title, _) in PAGES.items()}


def shown(app: AppTest) -> str:
    """Everything a page says."""
    kinds = ("title", "subheader", "markdown", "caption", "html", "code", "error", "info", "metric")
    elements = [element for kind in kinds for element in app.get(kind)]
    return "\n".join(
        str(getattr(e, "value", "") or getattr(e.proto, "body", "")) + str(getattr(e, "label", ""))
        for e in elements
    )


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_lab_says_what_to_do(app: Open, page: str):
    opened = app(page)
    assert opened.title[0].value == TITLES[page]
    assert opened.get("page_link"), "a way on from every page"
    assert not opened.error


@pytest.mark.parametrize("page", PAGES)
def test_a_filled_lab_opens_every_page(app: Open, filled: Filled, page: str):
    opened = app(page)
    assert opened.title[0].value == TITLES[page]
    assert opened.get("page_link")
    assert not opened.error
    assert opened.sidebar.selectbox(key="study").value == filled.study


@pytest.mark.parametrize("page", [name for name in PAGES if name != "overview"])
def test_a_page_opened_alone_begins_inside_the_frame(filled: Filled, page: str):
    opened = AppTest.from_file(str(settings.ROOT / "app.py"), default_timeout=30).run()
    opened.switch_page(f"pages/{page}.py").run()
    assert not opened.exception
    assert opened.title[0].value == TITLES[page]
    assert opened.sidebar.selectbox(key="study").value == filled.study


def test_the_first_page_counts_what_is_there(app: Open, filled: Filled):
    figures = {metric.label: metric.value for metric in app().metric}
    assert figures["Studies"] == "1"
    assert figures["Completions"] == f"{queries.completion_counts(filled.generation)['n']:,}"


def test_the_demo_study_can_be_started(app: Open, queued: list[str]):
    opened = app()
    opened.button(key="demo").click().run()
    assert queued == [jobs.jobs()[0].id]
    assert opened.sidebar.selectbox(key="study").value == studies.demo().name
    assert jobs.jobs()[0].kind == "study"
    assert opened.button(key="demo").disabled


def test_a_question_in_the_url_is_shown(app: Open, filled: Filled):
    dataset = queries.study(filled.study_id).dataset_id
    question = queries.questions(dataset)[7]
    assert question.text.split()[0] in shown(app("datasets", question="7"))


def test_question_filters_live_in_the_url(app: Open, filled: Filled):
    dataset = queries.study(filled.study_id).dataset_id
    test = app("datasets", part="test")
    assert test.get("segmented_control") or test.get("button_group")
    expected = [q.index for q in queries.question_page(dataset, "test", "", 0, 15)]
    assert list(test.dataframe[0].value["index"]) == expected


def test_completion_filters_live_in_the_url(app: Open, filled: Filled):
    opened = app("rationales", verdict="correct", of="train")
    right = queries.completions(filled.generation, correct=True, split="train", limit=15)
    table = opened.dataframe[0].value
    assert list(table["question"]) == [row.question_index for row in right] != []
    assert set(table["verdict"]) == {"correct"}


def test_a_completion_is_shown_with_its_answer_marked(app: Open, filled: Filled):
    row = next(r for r in queries.completions(filled.generation, correct=True) if r.span_start is not None)
    opened = app("rationales", completion=str(row.id))
    assert "<mark" in shown(opened)
    assert row.rationale.split()[-1].strip(".") in shown(opened)


@pytest.mark.parametrize(
    ("page", "query"), [("rationales", {"completion": "99999"}), ("results", {"test_question": "99999"})]
)
def test_what_is_not_there_is_said_and_the_rest_of_the_page_stays(app: Open, filled: Filled, page, query):
    opened = app(page, **query)
    assert "99999" in opened.error[0].value
    assert any("Next step" in caption.value for caption in opened.caption)


def _open_row(page: AppTest, key: str) -> int | None:
    """The row that is open; None too where the filter leaves none."""
    return next((widget.value for widget in page.number_input if widget.key == key), None)


@pytest.mark.parametrize("key", ["text", "verdict", "length", "of", "check"])
def test_another_filter_lets_go_of_the_completion_that_was_open(app: Open, filled: Filled, key: str):
    last = list(queries.completions(filled.generation))[-1]
    opened = app("rationales", completion=str(last.id))
    assert opened.number_input(key="completion").value == last.id
    (widget,) = (
        w for w in [*opened.text_input, *opened.selectbox, *opened.segmented_control] if w.key == key
    )
    widget.set_value("a" if key == "text" else widget.options[1]).run()
    assert not opened.exception and _open_row(opened, "completion") is None


def test_another_filter_lets_go_of_the_prediction_that_was_open(app: Open, filled: Filled):
    opened = app("results", test_question="5")
    opened.segmented_control(key="shown").set_value("wrong").run()
    assert not opened.exception and _open_row(opened, "test_question") is None
    assert "test_question" not in opened.query_params


def test_the_results_table_has_n_interval_and_a_paired_test(app: Open, filled: Filled):
    table = app("results").dataframe[0].value
    assert set(table["n"]) == {len(queries.verdicts(filled.evaluations[0]))}
    assert all("–" in cell for cell in table["accuracy %"])
    assert any(cell for cell in table["p"])
    assert any(cell for cell in table["difference"])


@pytest.mark.parametrize("view", ["Predictions", "Training rows", "Flips between two runs", "Other rules"])
def test_every_view_behind_a_row_opens(app: Open, filled: Filled, view: str):
    opened = app("results", view=view)
    assert not opened.error
    assert len(opened.get("html")) > 0 or opened.caption


def test_a_training_row_leads_to_its_rationale(app: Open, filled: Filled):
    opened = app("results", view="Training rows", row="3")
    links = [link for link in opened.get("page_link") if "rationale" in link.proto.label.lower()]
    row = queries.training_rows(queries.run(filled.train).training_set, 3, 1)[0]
    written = queries.completion_of(filled.generation, row.question_index, row.sample_index)
    assert any(f"completion={written.id}" in str(link.proto) for link in links)


def test_the_table_can_be_taken_away(app: Open, filled: Filled):
    assert {button.proto.label for button in app("results").get("download_button")} == {
        "CSV",
        "LaTeX",
        "JSONL",
    }


def test_the_curves_are_drawn(app: Open, filled: Filled):
    assert app("train").get("plotly_chart")


def test_the_estimate_is_called_an_upper_bound(app: Open, filled: Filled):
    opened = app("generate")
    assert "upper bound" in shown(opened)
    assert {"Calls, at most", "Cost, at most"} <= {metric.label for metric in opened.metric}


def test_a_key_is_named_and_never_asked_for(app: Open, filled: Filled, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    opened = app("generate")
    opened.selectbox(key=f"study{filled.study_id}_teacher").set_value("openai").run()
    assert "is set" in shown(opened)
    assert "sk-very-secret" not in str(opened)
    monkeypatch.delenv("OPENAI_API_KEY")
    opened.run()
    assert "is not set" in shown(opened)


def test_an_error_is_one_sentence_and_the_page_stays(app: Open, filled: Filled):
    opened = app("datasets", question="999999999")
    assert [error.value for error in opened.error]
    assert "no question 999999999" in opened.error[0].value
    assert opened.title[0].value == "Datasets"


def test_a_failed_job_shows_its_sentence_log_and_resume(app: Open, filled: Filled):
    with session() as db:
        db.add(
            models.Job(
                id="generate-1", kind="generate", title="<b>Rationales</b>", request={"queue": "device"},
                study_id=filled.study_id, error="Nobody answers: *check* the base URL.",
                former={"status": "failed", "started": None, "finished": None},
            )
        )  # fmt: skip
        db.add(models.JobLog(job_id="generate-1", text="\x1b[31mdown"))
    opened = app("jobs")
    assert opened.button(key="job_resume")
    assert r"\*check\*" in opened.error[0].value
    assert "␛[31mdown" in opened.code[0].value
    assert r"\<b\>" in shown(opened)


def test_hostile_text_of_a_teacher_is_shown_as_text(app: Open, filled: Filled):
    text = "<img src=x onerror=alert(1)> $x$ **b** \x1b[31m"
    steps = (Step("<u>rationale</u>", "p <i>", text), Step("answer", "q", "</p><h1>43</h1>", "<b>solver</b>"))
    written = Completion(0, 99, text, steps, AnswerPlace(step=1))
    queries.save_completions(filled.generation, [(written, Score(True, "43", 8, 10, step=1, note="<i>"))])
    row = queries.latest_completions(filled.generation, 1)[0]
    for opened in (app("rationales", completion=str(row.id)), app("generate")):
        bodies = "".join(element.proto.body for element in opened.get("html"))
        assert "<img" not in bodies and "<h1>" not in bodies
        assert "&lt;img src=x" in bodies and "␛[31m" in bodies


def test_a_study_with_a_hostile_name_opens_every_page(app: Open, lab_home: object):
    spec = studies.demo().but(name="<script>x</script> **a** $b$", benchmark=Benchmark(**SMALL))
    studies.open_study(spec)
    for page in PAGES:
        assert not app(page).error


def test_the_app_never_imports_torch(lab_home: object):
    code = (
        "import sys; from streamlit.testing.v1 import AppTest; "
        "app = AppTest.from_file('app.py', default_timeout=60).run(); assert not app.exception; "
        "from pages.components.frame import PAGES; "
        "[app.switch_page(f'pages/{page}.py').run() for page in PAGES]; "
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'umap', 'sklearn'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=settings.ROOT, capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0, ended.stderr
