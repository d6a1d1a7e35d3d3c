"""Review and the cluster map in a browser: the keyboard, two tabs on one item, a set drawn on the map."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.review import desk
from core.stages import exemplars
from core.store import decisions, queries
from tests.clustered import Clustered
from tests.e2e.conftest import Lab, free_port

pytestmark = pytest.mark.browser

MAP = ".st-key-map .js-plotly-plot"
# Where each point of the map's cluster traces is in the window: id, x, y.
PLACES = """() => {
  const map = document.querySelector('.st-key-map .js-plotly-plot');
  const area = map.querySelector('.nsewdrag').getBoundingClientRect();
  const {xaxis, yaxis} = map._fullLayout;
  return map._fullData.flatMap(trace => trace.name === 'exemplars' ? [] : Array.from(trace.x, (x, i) => [
    trace.customdata[i], area.left + xaxis.c2p(x), area.top + yaxis.c2p(trace.y[i])
  ]));
}"""


@pytest.fixture
def lab(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clustered: Callable[[Path], Clustered]
) -> Iterator[Lab]:
    """A running lab with 60 questions in 6 clusters."""
    home = tmp_path / "lab"
    made = clustered(home)
    monkeypatch.setenv("LAB_HOME", str(home))
    running = Lab(home, free_port())
    running.made = made
    running.start()
    yield running
    running.stop()


@pytest.fixture
def made(lab: Lab) -> Clustered:
    """The ids of what the lab holds."""
    return lab.made


def until(what: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


def opened(tab, lab, path: str):
    """The page, drawn."""
    tab.goto(f"{lab.url}/{path}")
    tab.wait_for_selector(".st-key-card, .st-key-map .nsewdrag")
    settled(tab)
    return tab


def settled(tab) -> None:
    """Nothing runs on the server, and what it sent is drawn."""
    tab.wait_for_timeout(150)
    tab.wait_for_function(
        "document.querySelector('[data-testid=stApp]').dataset.testScriptState !== 'running'"
    )
    tab.wait_for_timeout(100)


def press(tab, run_id: int, *keys: str) -> None:
    """Press keys one after the other, each once its decision is stored and the next card is drawn."""
    for key in keys:
        before = len(decisions.since(run_id))
        tab.keyboard.press(key)
        until(lambda before=before: len(decisions.since(run_id)) > before)
        settled(tab)


def test_decisions_by_keyboard_are_all_there_in_order(page, lab, made: Clustered):
    run = made.generation
    label = f"{made.generation}: Fine-tune-CoT, recorded: fine-tune-cot, all rationales"
    tab = opened(page, lab, f"review?review={label}&reviewer=ana")
    press(tab, run, "a", "x", "f", "s", "a")
    shown = [d.question_index for d in decisions.since(run)]
    assert len(set(shown)) == 5, "each decision brings up the next one"
    press(tab, run, "u", "u", "y")

    tab.keyboard.press("n")
    tab.wait_for_function("document.activeElement.tagName === 'INPUT'")
    tab.keyboard.type("a wrong step: x, a, u")
    tab.keyboard.press("Tab")
    settled(tab)
    press(tab, run, "x")

    tab.keyboard.press("e")
    tab.wait_for_function("document.activeElement.tagName === 'TEXTAREA'")
    before = tab.locator("textarea").input_value()
    tab.keyboard.press("Control+Home")
    tab.keyboard.type("First. ")
    tab.keyboard.press("Control+Enter")
    tab.wait_for_selector("ins")
    assert tab.locator("ins").first.inner_text().strip() == "First."
    press(tab, run, "Alt+s")

    kept = decisions.since(run)
    kinds = ["accept", "reject", "flag", "skip", "accept", "undo", "undo", "redo", "reject", "edit"]
    assert [d.kind for d in kept] == kinds
    assert {d.author for d in kept} == {"ana"}
    assert kept[-2].reason == "a wrong step: x, a, u"
    assert kept[-1].after == f"First. {before}" == "First. " + kept[-1].before

    edited = (kept[-1].question_index, kept[-1].sample_index)
    for _ in range(3):
        press(tab, run, "u")
        assert desk.item(run, edited).text == kept[-1].before
        press(tab, run, "y")
        assert desk.item(run, edited).text == kept[-1].after

    tab.keyboard.press("h")
    tab.get_by_role("dialog").get_by_text("undo your last decision").wait_for()


def test_the_second_of_two_tabs_is_shown_the_conflict(page, browser, lab, made: Clustered):
    run = made.exemplars
    first = opened(page, lab, "review?reviewer=ana")
    second = opened(browser.new_page(), lab, "review?reviewer=ben")
    second.set_default_timeout(30_000)
    second.locator(".st-key-edit button").wait_for()  # whose key it is
    second.keyboard.press("e")
    second.wait_for_function("document.activeElement.tagName === 'TEXTAREA'")
    press(first, run, "a")
    second.keyboard.press("Control+Home")
    second.keyboard.type("Ben says. ")
    press(second, run, "Alt+s")  # kept as a draft
    second.get_by_text("changed before you could edit it").wait_for()
    accept, draft = decisions.since(run)
    assert (accept.kind, draft.kind, draft.author) == ("accept", "draft", "ben")
    assert draft.after == f"Ben says. {accept.before}"

    second.get_by_role("button", name="Edit again, from your text").click()
    second.wait_for_function("document.activeElement.tagName === 'TEXTAREA'")
    assert second.locator("textarea").input_value() == draft.after
    press(second, run, "Alt+s")
    key = (accept.question_index, accept.sample_index)
    assert desk.item(run, key).text == draft.after
    assert [d.kind for d in decisions.since(run)] == ["accept", "draft", "edit"]
    second.close()


@pytest.mark.parametrize("way", ["lasso", "box"])
def test_a_set_drawn_on_the_map_holds_exactly_the_points_inside(page, lab, made: Clustered, way: str):
    tab = opened(page, lab, "clusters?reviewer=ana")
    tab.locator(MAP).scroll_into_view_if_needed()
    tab.wait_for_timeout(500)
    places = {int(i): (x, y) for i, x, y in tab.evaluate(PLACES)}
    assert len(places) == 60
    xs, ys = sorted(x for x, _ in places.values()), sorted(y for _, y in places.values())
    left, right, top, bottom = _between(xs, 12), _between(xs, 45), _between(ys, 10), _between(ys, 48)
    tool = "Box Select" if way == "box" else "Lasso Select"
    tab.locator(f"{MAP} .modebar-btn[data-title='{tool}']").click()
    if way == "box":
        corners = [(left, top), (right, bottom)]
        inside = {i for i, (x, y) in places.items() if left < x < right and top < y < bottom}
    else:
        corners = [(left, top), (right, top), (left, bottom), (left, top)]
        inside = {
            i
            for i, (x, y) in places.items()
            if x > left and y > top and _under(x, y, right, top, left, bottom)
        }
    assert 3 < len(inside) < 57
    tab.mouse.move(*corners[0])
    tab.mouse.down()
    for corner in corners[1:]:
        tab.mouse.move(*corner, steps=12)
    tab.mouse.up()
    tab.get_by_text(f"{len(inside)} questions chosen").wait_for()
    tab.get_by_role("button", name="Preview: flag").click()
    tab.get_by_role("button", name="Flag them").click()
    until(lambda: decisions.since(made.exemplars))
    kept = decisions.since(made.exemplars)
    assert {d.question_index for d in kept} == inside
    assert {d.kind for d in kept} == {"flag"}
    standing = exemplars.standing(made.exemplars, desk.board(made.exemplars))
    picks = {slot.point.question_index for slot in standing}
    flagged = tab.locator("[data-testid=stDataFrame] td", has_text="flagged")
    assert picks & inside
    until(lambda: flagged.count() == len(picks & inside))


def _between(values: list[float], place: int) -> float:
    """A coordinate at which no point lies: the middle of the widest gap near a place."""
    near = range(place - 4, place + 4)
    best = max(near, key=lambda i: values[i + 1] - values[i])
    return (values[best] + values[best + 1]) / 2


def _under(x: float, y: float, x1: float, y1: float, x2: float, y2: float) -> bool:
    """Whether a point is on the side of the line (x1, y1)–(x2, y2) where (x2, y1) is."""

    def side(a: float, b: float) -> float:
        return (x2 - x1) * (b - y1) - (y2 - y1) * (a - x1)

    return side(x, y) * side(x2, y1) > 0


def test_the_browser_asks_no_other_machine(page, lab, made: Clustered):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path in ("review", "clusters"):
        opened(page, lab, path)
    assert any(url.startswith(lab.url) for url in asked)
    assert [url for url in asked if not url.startswith((lab.url, "data:", "blob:"))] == []


def test_a_click_on_a_point_opens_its_question(page, lab, made: Clustered):
    tab = opened(page, lab, "clusters")
    tab.locator(MAP).scroll_into_view_if_needed()
    tab.wait_for_timeout(500)
    places = {int(i): (x, y) for i, x, y in tab.evaluate(PLACES)}
    apart = max(
        places,
        key=lambda i: min(
            (places[i][0] - x) ** 2 + (places[i][1] - y) ** 2 for j, (x, y) in places.items() if j != i
        ),
    )
    tab.mouse.move(*places[apart])
    tab.mouse.click(*places[apart])
    opened_beside = tab.locator(".st-key-clicked")
    opened_beside.get_by_text(f"question {apart}", exact=True).wait_for()
    question = queries.question(queries.study(made.study_id).dataset_id, apart)
    assert question.text in opened_beside.inner_text()
    opened_beside.get_by_text("Review it").click()
    tab.locator(".st-key-card").get_by_text(f"question {apart}", exact=True).wait_for()
