"""The demo study as a newcomer runs it, small, with everything that may go wrong on the way."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from core import jobs
from core.store import queries
from tests.e2e.conftest import Lab

pytestmark = [pytest.mark.browser, pytest.mark.timeout(560)]
TRAIN, TEST = 24, 8
expect.set_options(timeout=30_000)


def until(condition: Callable[[], object], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.25)


def start_demo(page: Page) -> None:
    page.get_by_role("button", name="Size").click()
    for label, value in (("Training questions", TRAIN), ("Test questions", TEST)):
        page.get_by_label(label, exact=True).fill(str(value))
        page.get_by_label(label, exact=True).press("Enter")
    page.keyboard.press("Escape")
    expect(page.get_by_text(f"{TRAIN + TEST} coin-flip questions")).to_be_visible()
    page.get_by_role("button", name="Start the demo study").click()


def job():
    return jobs.jobs()[0]


def training_step() -> int:
    runs = [r for s in queries.studies() for r in queries.runs(s.id, "train")]
    return sum(len([m for m in queries.metrics(r.id) if m.name == "loss"]) for r in runs)


def test_the_demo_survives_reload_stop_and_kill_and_ends_in_a_table(lab: Lab, page: Page):
    start_demo(page)
    expect(page.get_by_role("button", name="Stop").first).to_be_visible()

    # A reload in mid-job: the study is in the URL, the job is still shown.
    until(lambda: training_step() >= 1)
    page.reload()
    expect(page.get_by_role("button", name="Stop").first).to_be_visible()

    # Stop and resume.
    page.get_by_role("button", name="Stop").first.click()
    expect(page.get_by_role("button", name="Resume").first).to_be_visible(timeout=90_000)
    assert job().status == "cancelled"
    page.get_by_role("button", name="Resume").first.click()
    until(lambda: job().status == "running")

    # kill -9 of the training process, then of the worker, then of the app.
    before = training_step()
    until(lambda: training_step() > before and lab.processes("core.students.child"))
    lab.processes("core.students.child")[0].kill()
    until(lambda: lab.processes("core.students.child"))
    lab.processes("core worker")[0].kill()
    lab.kill_server()
    until(lambda: not lab.processes("core worker"))
    lab.start()
    page.goto(lab.url)  # looking at the app wakes a worker
    until(lambda: job().status == "done", 300)

    study = queries.studies()[0]
    (generation,) = queries.runs(study.id, "generate")
    keys = [(c.question_index, c.sample_index) for c in queries.completions(generation.id)]
    assert len(keys) == len(set(keys)) == TRAIN
    evaluations = queries.runs(study.id, "evaluate")
    assert [r.method for r in evaluations] == ["fine-tune", "fine-tune-cot"]
    for run in evaluations:
        assert queries.count_completions(run.id) == TEST
    for run in queries.runs(study.id, "train"):
        steps = [m.step for m in queries.metrics(run.id) if m.name == "loss"]
        assert steps == list(range(steps[0], steps[0] + len(steps))) and len(steps) == 2 * TRAIN // 8

    # The table, and the way back from it to a question.
    page.goto(f"{lab.url}/results?study={study.name}")
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible()
    expect(page.get_by_text("Answer found")).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_every_page_of_an_empty_lab_says_what_to_do(lab: Lab, page: Page):
    for name in ("", "datasets", "generate", "rationales", "train", "results", "jobs"):
        page.goto(f"{lab.url}/{name}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.get_by_test_id("stException")).to_have_count(0)
        assert page.get_by_role("link").count() > 0
