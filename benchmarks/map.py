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

Chromium draws without a graphics card here (SwiftShader), so a desktop is quicker. It is watched over bare
DevTools, with no inspector of scripts: Playwright's has the source place of every error looked up that
plotly.js catches as it starts, which alone takes 0.4 to 0.6 s, of this map and of any other figure.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core import settings, studies
from core.records import Completion, Question, Score, Step
from core.stages import plans
from core.stages.plans import ExemplarsPlan, GenerationPlan
from core.store import queries
from core.store.models import now
from core.teachers.part import Teaching
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
COUNTS = """window.received = 0; window.WebSocket = class extends WebSocket {
  constructor(...given) {
    super(...given);
    this.addEventListener('message', ({data}) => { received += data.size ?? data.byteLength; });
  }
}"""
# A hover over the middle of what is drawn: the map answers once it names a point near it.
ANSWERS = """(() => {
  const map = document.querySelector('.st-key-map .js-plotly-plot');
  const area = map && map.querySelector('.nsewdrag');
  if (!area || !map._fullData || !map.querySelector('canvas')) return false;
  if (!map.listens) { map.listens = true; map.on('plotly_hover', () => { map.found = true; }); }
  const {xaxis, yaxis} = map._fullLayout, trace = map._fullData[0], box = area.getBoundingClientRect();
  const at = {clientX: box.left + xaxis.c2p(trace.x[0]), clientY: box.top + yaxis.c2p(trace.y[0])};
  for (const kind of ['mouseover', 'mousemove'])
    area.dispatchEvent(new MouseEvent(kind, {bubbles: true, ...at}));
  return map.found === true;
})()"""


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
    spec = studies.Study(name=f"{points} points", benchmark="arithmetic_generated")
    study = queries.add_study(spec.name, dataset, "robust", spec.dump())
    plan = GenerationPlan(method="fine-tune-cot", split="all", rules="robust", benchmark="synthetic",
                          teaching=Teaching())  # fmt: skip
    made = plans.opened(study, plan, teacher="synthetic")
    queries.set_run(made.id, status="done", finished=now())
    one = Completion(0, 0, "It is so.", (Step("rationale", "Q", "It is so."),))
    queries.save_completions(made.id, [(one, Score(True, "0", 0, 1))])
    config = {"rules": "paper", "k": CLUSTERS}
    plan = ExemplarsPlan(method="new-fine-tune-cot", settings=config, rationales="synthetic")
    run = plans.opened(study, plan, (made,), teacher="synthetic")
    queries.save_points(run.id, [
        {"question_index": i, "sample_index": 0, "cluster": i % CLUSTERS, "rank": 1 + i // CLUSTERS,
         "distance": i / points, "correct": i % 3 > 0, "words": 20, "duplicate": None,
         "failures": [] if i % 2 else ["the answer is wrong"],
         "x": draw.gauss(4 * (i % 4), 1), "y": draw.gauss(4 * (i % CLUSTERS // 4), 1)}
        for i in range(points)
    ])  # fmt: skip
    curves = [
        {"k": k, "silhouette": 0.4 - abs(k - CLUSTERS) / 100, "inertia": points / k, "sample": points}
        for k in range(2, 21)
    ]
    summary = config | {"seed": 0, "n_init": 10, "encoder": "all-MiniLM-L6-v2", "text": "question",
                        "records": points, "eligible": points // 2, "correct_among_eligible": 100.0,
                        "picks": CLUSTERS, "gaps": [], "note": "", "map": "UMAP",
                        "curves": curves}  # fmt: skip
    queries.set_run(run.id, status="done", summary=summary, finished=now())
    return run.id, dataset


class Tab:
    """A new tab of a browser, driven over the DevTools protocol without its Runtime events."""

    def __init__(self, connection: Any) -> None:
        self.connection, self.calls = connection, 0
        self.call("Page.enable")
        self.call("Page.addScriptToEvaluateOnNewDocument", source=COUNTS)

    def call(self, method: str, **values: Any) -> dict[str, Any]:
        self.calls += 1
        self.connection.send(json.dumps({"id": self.calls, "method": method, "params": values}))
        while (reply := json.loads(self.connection.recv(timeout=90))).get("id") != self.calls:
            pass
        return reply.get("result", {})

    def evaluate(self, script: str) -> Any:
        return self.call("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def wait(self, script: str) -> None:
        for _ in range(9_000):
            if self.evaluate(script):
                return
            time.sleep(0.01)
        raise TimeoutError(script)


@contextmanager
def new_tab(port: int) -> Iterator[Tab]:
    from websockets.sync.client import connect

    asked = urllib.request.Request(f"http://127.0.0.1:{port}/json/new?about:blank", method="PUT")
    with connect(json.load(urllib.request.urlopen(asked))["webSocketDebuggerUrl"], max_size=None) as made:
        tab = Tab(made)
        yield tab
        tab.call("Page.close")
    time.sleep(0.5)


def opening(tab: Tab, address: str) -> Opening:
    """Open the map in a new tab and wait until it answers; then from another page."""
    began = time.perf_counter()
    tab.call("Page.navigate", url=f"{address}/clusters")
    tab.wait(ANSWERS)
    seconds, sent = time.perf_counter() - began, tab.evaluate("received")
    tab.call("Page.navigate", url=address)
    tab.wait("document.querySelector('h1') !== null")
    time.sleep(1)
    began = time.perf_counter()
    tab.evaluate("document.querySelector('[data-testid=stSidebarNav] a[href$=clusters]').click()")
    tab.wait(ANSWERS)
    return Opening(seconds, sent, time.perf_counter() - began)


@contextmanager
def browser() -> Iterator[int]:
    """A headless Chromium with a profile of its own; its DevTools port."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    profile = tempfile.mkdtemp(prefix="bench-map-browser-")
    asked = [f"--remote-debugging-port={port}", f"--user-data-dir={profile}", "--window-size=1280,900"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = subprocess.Popen([path, "--headless", "--remote-allow-origins=*", *asked, *CHROMIUM], **quiet)
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/json/version").read()
                break
            except OSError:
                time.sleep(0.1)
        yield port
    finally:
        started.terminate()
        started.wait()
        shutil.rmtree(profile, ignore_errors=True)


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


def bench(port: int, points: int, rounds: int) -> None:
    home = Path(tempfile.mkdtemp(prefix="bench-map-"))
    os.environ["LAB_HOME"] = str(home)
    try:
        run_id, dataset_id = fill(points)
        print(f"{points:,} points", flush=True)
        with running(home) as address, plain(run_id, dataset_id, home) as beside:
            ours, theirs = [], []
            for _ in range(1 + rounds):
                for openings, server in ((ours, address), (theirs, beside)):
                    with new_tab(port) as tab:
                        openings.append(opening(tab, server))
        say("lab", ours)
        say("plain", theirs)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    for points in args.points:
        with browser() as port:
            bench(port, points, args.rounds)


if __name__ == "__main__":
    main()
