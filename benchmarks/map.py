"""The cluster map in a browser: seconds until it answers and what is sent, beside a plain plotly figure.

    python benchmarks/map.py                       10,000 and 100,000 points, 3 openings of each
    python benchmarks/map.py --points 10000

first     the first opening after a start of the server, which also reads the points
again     openings after it, in new tabs, their median; with the time that Streamlit takes to begin
switched  the same from another page of the app, by a click in the navigation, their median
sent      bytes of all messages from the server until the map answers, in a new tab
plain     plotly.express.scatter of the same points with the question, its cluster and its answer in the
          hover text: what one writes first; by the same server, in turn
answers   drawn by WebGL, and a hover over a point finds it

Chromium draws without a graphics card here (SwiftShader), so a desktop is quicker.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core import settings, studies
from core.records import Completion, Question, Score
from core.store import queries
from core.store.models import now
from scripts.screenshots import CHROMIUM, running

CLUSTERS = 8
STORY = "{who} had {a} {what} and found {b} more in the {where}, then gave {c} of all of these to {whom}."
WHO = ("Ana", "Ben", "Chiara", "Dmitri", "Eko", "Fatima")
WHAT = ("marbles", "pencils", "stickers", "seashells", "pancakes", "batteries")
WHERE = ("garden", "attic", "classroom", "kitchen", "basement")
PLAIN = """
import plotly.express as px, streamlit as st
from core.store import queries
@st.cache_data
def rows(run_id, dataset_id):
    questions = {q.index: q for q in queries.questions(dataset_id)}
    return [{"x": p.x, "y": p.y, "cluster": str(p.cluster), "id": p.question_index,
             "question": questions[p.question_index].text, "answer": questions[p.question_index].answer}
            for p in queries.points(run_id)]
def map():
    with st.container(key="map"):
        st.plotly_chart(px.scatter(rows(%d, %d), x="x", y="y", color="cluster", render_mode="webgl",
                                   hover_data=["id", "question", "answer"]), on_select="rerun")
st.navigation([st.Page(lambda: st.title("Overview"), title="Overview", url_path="overview"),
               st.Page(map, title="Clusters", url_path="clusters")]).run()
"""
# A hover over the middle of what is drawn: the map answers once it names a point near it.
ANSWERS = """() => {
  const map = document.querySelector('.st-key-map .js-plotly-plot');
  const area = map && map.querySelector('.nsewdrag');
  if (!area || !map._fullData || !map.querySelector('canvas')) return false;
  if (!map.listens) { map.listens = true; map.on('plotly_hover', () => { map.found = true; }); }
  const {xaxis, yaxis} = map._fullLayout, trace = map._fullData[0], box = area.getBoundingClientRect();
  const at = {clientX: box.left + xaxis.c2p(trace.x[0]), clientY: box.top + yaxis.c2p(trace.y[0])};
  for (const kind of ['mouseover', 'mousemove'])
    area.dispatchEvent(new MouseEvent(kind, {bubbles: true, ...at}));
  return map.found === true;
}"""


@dataclass(frozen=True)
class Opening:
    """One opening of the map: seconds until it answers in a new tab, and bytes received till then; and
    seconds by a click on another page."""

    seconds: float
    sent: int
    switched: float


def fill(points: int) -> tuple[int, int]:
    """A study with a finished exemplars run of so many questions. Returns the ids of run and dataset."""
    draw = random.Random(0)
    questions = [
        Question(i, STORY.format(who=draw.choice(WHO), whom=draw.choice(WHO), what=draw.choice(WHAT),
                                 where=draw.choice(WHERE), a=i, b=i % 97, c=i % 13), str(i))
        for i in range(points)
    ]  # fmt: skip
    dataset = queries.add_dataset("arithmetic_generated", {"size": points}, questions)
    spec = studies.Spec(name=f"{points} points", benchmark="arithmetic_generated")
    study = queries.add_study(spec.name, dataset, "robust", spec.as_dict())
    fields = {"method": "fine-tune-cot", "teacher": "synthetic", "config": {"split": "all", "samples": 1}}
    made = queries.open_run(study, "generate", "1" * 64, **fields)
    queries.set_run(made.id, status="done", finished=now())
    one = Completion(0, 0, "Q", "It is so.", "stop", "", "", 1, 1, 0.0, 1, False, None)
    queries.save_completions(made.id, [(one, Score(True, "0", 0, 1))])
    config = {"rules": "paper", "k": CLUSTERS}
    run = queries.open_run(study, "exemplars", "2" * 64, method="new-fine-tune-cot", teacher="synthetic",
                           config=config, parents=[made.id])  # fmt: skip
    queries.save_points(run.id, [
        {"question_index": i, "sample_index": 0, "cluster": i % CLUSTERS, "rank": 1 + i // CLUSTERS,
         "distance": i / points, "correct": i % 3 > 0, "words": 20, "duplicate": None,
         "failures": [] if i % 2 else ["the answer is wrong"],
         "x": draw.gauss(4 * (i % 4), 1), "y": draw.gauss(4 * (i % CLUSTERS // 4), 1)}
        for i in range(points)
    ])  # fmt: skip
    summary = config | {"seed": 0, "n_init": 10, "encoder": "all-MiniLM-L6-v2", "text": "question",
                        "records": points, "eligible": points // 2, "correct_among_eligible": 100.0,
                        "picks": CLUSTERS, "gaps": [], "note": "", "map": "UMAP", "curves": []}  # fmt: skip
    queries.set_run(run.id, status="done", summary=summary, finished=now())
    return run.id, dataset


def opening(window, address: str) -> Opening:
    """Open the map in a new tab and wait until it answers; then from another page."""
    tab = window.new_page()
    tab.set_default_timeout(90_000)
    sizes: list[int] = []
    tab.on("websocket", lambda socket: socket.on("framereceived", lambda frame: sizes.append(len(frame))))
    began = time.perf_counter()
    tab.goto(f"{address}/clusters")
    tab.wait_for_function(ANSWERS, polling=50)
    seconds, sent = time.perf_counter() - began, sum(sizes)
    tab.goto(address)
    tab.wait_for_selector("h1")
    tab.wait_for_timeout(1000)
    began = time.perf_counter()
    tab.get_by_test_id("stSidebarNav").get_by_text("Clusters").click()
    tab.wait_for_function(ANSWERS, polling=50)
    made = Opening(seconds, sent, time.perf_counter() - began)
    tab.close()
    return made


def say(name: str, found: list[Opening]) -> None:
    first, *rest = found
    print(
        f"  {name:6} first {first.seconds:6.2f} s   again {median(o.seconds for o in rest):6.2f} s   "
        f"switched {median(o.switched for o in found):6.2f} s   "
        f"sent {first.sent / 1e6:7.2f} MB",
        flush=True,
    )


@contextmanager
def plain(run_id: int, dataset_id: int, home: Path) -> Iterator[str]:
    """A server with the plain figure alone."""
    page = home / "plain.py"
    page.write_text(
        f"import sys; sys.path.insert(0, {str(settings.ROOT)!r})\n" + PLAIN % (run_id, dataset_id)
    )
    with running(home, page) as address:
        yield address


def bench(browser, points: int, rounds: int) -> None:
    home = Path(tempfile.mkdtemp(prefix="bench-map-"))
    os.environ["LAB_HOME"] = str(home)
    try:
        run_id, dataset_id = fill(points)
        print(f"{points:,} points", flush=True)
        with running(home) as address, plain(run_id, dataset_id, home) as beside:
            ours, theirs = [], []
            window = browser.new_context(viewport={"width": 1280, "height": 900})
            for _ in range(1 + rounds):
                ours.append(opening(window, address))
                theirs.append(opening(window, beside))
        say("lab", ours)
        say("plain", theirs)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM)
        for points in args.points:
            bench(browser, points, args.rounds)


if __name__ == "__main__":
    main()
