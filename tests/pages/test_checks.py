"""The filter by quality check on the Rationales page: kept flags, or what to do while there are none."""

from __future__ import annotations

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from core import jobs
from core.quality.checks import CHECKS
from core.stages import checking
from core.store import checked, queries
from tests.pages.conftest import Filled
from tests.pages.test_pages import shown

Open = Callable[..., AppTest]


def test_rationales_of_one_check(app: Open, filled: Filled):
    checking.at_once(filled.generation)
    counts = {key: len(checked.keys(filled.generation, key)) for key in CHECKS}
    key = max(counts, key=lambda name: counts[name])
    page = app("rationales", check=CHECKS[key].title)
    if counts[key]:
        assert f"of {counts[key]:,}" in shown(page) or len(page.dataframe[-1].value) == counts[key]
        rows = page.dataframe[-1].value
        kept = checked.keys(filled.generation, key)
        assert set(zip(rows["question"], rows["sample"], strict=True)) <= kept
    else:
        assert "No completion matches" in shown(page)


def test_before_the_checks_nothing_is_filtered(app: Open, filled: Filled, queued: list[str]):
    queries.set_run(filled.generation, summary={})
    page = app("rationales", check=CHECKS["truncated"].title)
    assert "have not seen these rationales" in shown(page)
    assert len(page.dataframe[-1].value) > 0
    page.button(key="check_start").click().run()
    assert jobs.jobs()[0].request["run_id"] == filled.generation
    assert "The checks are running" in shown(page)
