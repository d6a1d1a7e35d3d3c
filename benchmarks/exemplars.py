"""Embedding and review: ours beside SentenceTransformer.encode, and the time of a decision.

    python benchmarks/exemplars.py                     2,000 questions, 3 rounds; 10,000 items, 300 decisions
    python benchmarks/exemplars.py --dataset gsm8k     another benchmark's questions

encode      questions a second on the same texts, in turn, medians of the rounds; nothing is kept between
            rounds. `distinct` leaves duplicates out, so that only batching counts.
second      the same texts once more: nothing is computed
decision    one decision on a review of so many items, all of them decided on before: reading what is new,
            counting the queues and appending
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core import settings
from core.datasets import load as questions
from core.exemplars.candidates import shown
from core.exemplars.encoding import DEFAULT_ENCODER, encode, encoder_folder, load
from core.records import Question
from core.review import desk
from core.store import queries


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def fresh_home(models: Path) -> None:
    """A new LAB_HOME with the same models, so that nothing is kept."""
    os.environ["LAB_HOME"] = tempfile.mkdtemp(prefix="bench-")
    (settings.home() / "models").symlink_to(models)


def bench_encode(texts: list[str], rounds: int, models: Path) -> None:
    model = load(str(encoder_folder(DEFAULT_ENCODER)))
    model.encode(texts[:64])
    distinct = list(dict.fromkeys(texts))
    print(f"{len(texts)} texts, {len(distinct)} distinct, on {model.device}")
    for name, part in {"all": texts, "distinct": distinct}.items():
        ours, theirs = [], []
        for _ in range(rounds):
            theirs.append(seconds(lambda part=part: model.encode(part)))
            fresh_home(models)
            ours.append(seconds(lambda part=part: encode(part)))
        fast, slow = len(part) / median(ours), len(part) / median(theirs)
        print(
            f"{name:10} ours {fast:8.1f}/s   SentenceTransformer.encode {slow:8.1f}/s   "
            f"ratio {fast / slow:.2f}"
        )
    print(f"{'second':10} {seconds(lambda: encode(texts)):.3f} s")


def bench_decisions(items: int, decided: int) -> None:
    study = queries.add_study("bench", queries.add_dataset("none", {}, [Question(0, "q", "1")]), "robust", {})
    run = queries.open_run(study, "generate", "0" * 64, method="fine-tune-cot", config={}).id
    text = "There are 31 pieces. They eat 8 pieces. 31 - 8 = 23 pieces are left. " * 5
    took = seconds(lambda: desk.bulk(run, "accept", "ana", [((i, 0), 0, text) for i in range(items)]))
    print(f"{'bulk':10} {items} items in {took:.2f} s")
    made: list[desk.Board] = []
    took = seconds(lambda: made.append(desk.board(run)))
    print(f"{'first':10} {took * 1000:.0f} ms to read the whole review")
    board, random, times, undos = made[0], Random(0), [], []
    for number in range(decided):
        key = (random.randrange(items), 0)
        began = time.perf_counter()
        board = desk.board(run, board)
        board.counts(items)
        item = board.item(key)
        edit = f"{item.text}{number}" if number % 2 else None
        desk.decide(
            run,
            key,
            "edit" if edit else "reject",
            "ana",
            seen=item.last,
            before=item.text or text,
            after=edit,
        )
        times.append(1000 * (time.perf_counter() - began))
        if number % 10 == 9:
            undos.append(1000 * seconds(lambda: desk.undo(run, "ana")))
    for name, values in {"decision": times, "undo": undos}.items():
        print(
            f"{name:10} p50 {median(values):.1f} ms   p95 {quantiles(values, n=20)[-1]:.1f} ms   "
            f"of {len(values)}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", default="arithmetic_generated")
    parser.add_argument("--limit", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--decisions", type=int, default=300)
    args = parser.parse_args()
    models = settings.folder("models")
    size = args.limit if args.dataset.endswith("_generated") else None
    texts = [shown(q.text) for q in questions(args.dataset, size=size)][: args.limit]
    bench_encode(texts, args.rounds, models)
    bench_decisions(args.items, args.decisions)


if __name__ == "__main__":
    main()
