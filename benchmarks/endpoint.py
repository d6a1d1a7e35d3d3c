"""Two-step rationales from an endpoint: ours, the ideal, and two usual ways, side by side in one run.

    python benchmarks/endpoint.py                      500 questions, 300 ms, 32 in flight
    python benchmarks/endpoint.py --fault-every 20     one reply in twenty is 429, 500 or dropped

ideal        two calls a question, every slot always busy: ceil(questions / in flight) × 2 × latency
ours         core.methods.driver over core.teachers.desk as a job does it: every reply is claimed, stored
             and in the ledger
barrier      the synchronous openai client in a thread pool: all first calls, then all second calls
             (nothing stored)
one by one   20 prompts a round, one call after the other, as Fine-tune-CoT's src/oai/inference.py
             does; measured on one round of 20 and scaled
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.server import running
from core.methods import METHODS, Given
from core.methods.driver import run, started
from core.records import Question
from core.store.claims import Holder
from core.teachers import open_teacher
from core.teachers.desk import Desk

METHOD = METHODS["fine-tune-cot"]
GIVEN = Given(options=METHOD.options)
ROUND = 20


def ours(questions: list[Question], url: str, in_flight: int) -> int:
    """Completions made; replies are stored and the ledger written."""
    run_id, holder = job()
    options = {"base_url": url, "model": "any", "mode": "completions", "concurrency": in_flight}
    with open_teacher("openai", **options) as one, Desk({"teacher": one}, run_id, holder) as desk:
        programs = started([(q, 0) for q in questions], METHOD.teach, GIVEN, METHOD.sampling)
        done = list(run(programs, desk))
    failed = [c.error for c in done if c.error]
    assert len({(c.question_index, c.sample_index) for c in done}) == len(done) == len(questions), len(done)
    assert not failed, failed[:3]
    return len(done)


def barrier(questions: list[Question], url: str, in_flight: int) -> int:
    """The usual thread pool: the second step starts when the first is over for all."""
    import openai

    with openai.OpenAI(api_key="none", base_url=url, max_retries=8) as client:

        def call(prompt: str) -> str:
            return client.completions.create(model="any", prompt=prompt, max_tokens=128).choices[0].text

        with ThreadPoolExecutor(in_flight) as pool:
            prompts = [next(METHOD.teach(q, GIVEN)).prompt for q in questions]
            rationales = list(pool.map(call, prompts))
            trigger = METHOD.options["trigger"]
            seconds = [f"{p}{r}{trigger}" for p, r in zip(prompts, rationales, strict=True)]
            return len(list(pool.map(call, seconds)))


def one_by_one(questions: list[Question], url: str, _in_flight: int) -> int:
    """A plain loop."""
    return barrier(questions, url, 1)


def job() -> tuple[int, Holder]:
    """The run that the ledger belongs to, and who holds its claims."""
    from core.store import models, queries, session

    study = queries.study_by_name("benchmark")
    study_id = (
        study.id
        if study
        else queries.add_study("benchmark", queries.add_dataset("benchmark", {}, []), "", {})
    )
    with session() as db:
        db.merge(models.Worker(id="w", host="", pid=0, device="", memory=0, queues=[], version=""))
    run = queries.open_run(study_id, "generate", "benchmark", method=METHOD.key, config={})
    return run.id, Holder("benchmark", "benchmark", "w")


def seconds(work, questions: list[Question], url: str, in_flight: int) -> float:
    started = time.perf_counter()
    work(questions, url, in_flight)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--questions", type=int, default=500)
    parser.add_argument("--latency", type=float, default=0.3, help="seconds")
    parser.add_argument("--in-flight", type=int, default=32)
    parser.add_argument("--fault-every", type=int, default=0)
    asked = parser.parse_args()
    questions = [
        Question(i, f"Tom has {i} apples and buys 4. How many?", str(i + 4)) for i in range(asked.questions)
    ]
    ideal = math.ceil(len(questions) / asked.in_flight) * 2 * asked.latency
    print(f"{len(questions)} questions × 2 calls, {asked.latency * 1000:.0f} ms, {asked.in_flight} in flight")
    print(f"{'ideal':<28}{ideal:8.2f} s   1.00 × ideal")

    def report(name: str, took: float, note: str = "") -> None:
        print(f"{name:<28}{took:8.2f} s  {took / ideal:5.2f} × ideal  {note}")

    with tempfile.TemporaryDirectory() as home:
        os.environ["LAB_HOME"] = home
        os.environ.pop("LAB_DATABASE_URL", None)
        job()
        started = time.perf_counter()
        import openai  # noqa: F401 - each way below needs it, and a worker imports it once

        print(
            f"{'import openai':<28}{time.perf_counter() - started:8.2f} s  once a process, in none of these"
        )
        with running(latency=asked.latency, fault_every=asked.fault_every) as server:
            report("ours", seconds(ours, questions, server.url, asked.in_flight))
            first = server.stats()["calls"]
            took = seconds(ours, questions, server.url, asked.in_flight)
            report(
                "ours again",
                took,
                f"{server.stats()['calls'] - first} calls at the server (first run: {first})",
            )
        with running(latency=asked.latency, fault_every=asked.fault_every) as server:
            report("barrier (thread pool)", seconds(barrier, questions, server.url, asked.in_flight))
        with running(latency=asked.latency, fault_every=asked.fault_every) as server:
            took = seconds(one_by_one, questions[:ROUND], server.url, 1) * len(questions) / ROUND
            report("one by one (20 a round)", took, f"scaled from {ROUND} questions")


if __name__ == "__main__":
    main()
