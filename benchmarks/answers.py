"""How well answers are read: robust rules against the papers', and adaptive answers against second calls.

    python -m benchmarks.answers [--data FOLDER] [--show]

Per recording: how many verdicts the robust rules change, and in how many of these they are right; and how
many second calls an explicit marker would have spared, with the answers that are right there by what the
rationale asserts, and by the recorded second call. --show prints every text whose verdict changes.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.recordings import recordings
from core import settings
from core.answers import KINDS, Rescored, matches, rescore, score_completion
from core.answers.asserted import asserted
from core.datasets import find_dataset, load
from core.records import Completion
from core.teachers.recorded import find_source, records


@dataclass(frozen=True)
class Measured:
    """Counts over the n records of one file. `asked_right`: by the second call, of those that are spared."""

    name: str
    n: int
    rules: Rescored
    spared: int
    spared_right: int
    asked_right: int

    @property
    def changed(self) -> int:
        return len(self.rules.flips)

    @property
    def robust_right(self) -> int:
        return sum(flip.after.correct for flip in self.rules.flips)


def measured(data: Path) -> list[Measured]:
    """Every recording under the folder."""
    return [_measured(*one) for one in recordings(data)]


def _measured(path: Path, source: str, key: str) -> Measured:
    layout, kind = find_source(source), find_dataset(key).kind
    if layout.as_numbers and KINDS[kind].form == "number":
        kind = "decimal"
    made = [(r.completion, r.gold) for r in records(path, source, load(key)) if r.completion.error is None]
    counts = [0, 0, 0]
    for completion, gold in made:
        found = asserted(_rationale(completion), kind, layout.rules) if len(completion.steps) > 1 else None
        if found is not None:
            second = score_completion(completion, gold, kind=kind, rules=layout.rules)
            right = matches(found.value, gold, kind=kind, rules=layout.rules)
            counts = [a + b for a, b in zip(counts, (1, right, second.correct), strict=True)]
    return Measured(
        path.stem, len(made), rescore(made, kind=kind, before=layout.rules, after="robust"), *counts
    )


def _rationale(completion: Completion) -> str:
    """The text before the answer; a trace's plan is none, its solution is read twice."""
    return completion.steps[-1].text if completion.steps[0].name == "steps" else completion.rationale


def table(results: list[Measured]) -> Iterator[str]:
    head = ("n", "changed", "robust right", "spared", "right", "by 2nd call")
    yield f"{'':48}" + "".join(f"{title:>14}" for title in head)
    for row in results:
        cells = (row.n, row.changed, row.robust_right, row.spared, row.spared_right, row.asked_right)
        yield f"{row.name[:46]:48}" + "".join(f"{cell:14}" for cell in cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=settings.data_dir(), help="recordings, laid out by source"
    )
    parser.add_argument("--show", action="store_true", help="print the texts whose verdict changes")
    options = parser.parse_args()
    if not (options.data / "reasoning-teacher").is_dir():
        sys.exit(f"There are no recordings in {options.data}: give their folder with --data.")
    os.environ["LAB_DATA_DIR"] = str(options.data)
    results = measured(options.data)
    print("\n".join(table(results)))
    for flip in (flip for row in results for flip in row.rules.flips if options.show):
        text = flip.completion.steps[flip.completion.answer.step].text
        print(f"\n{flip.gold}: {flip.before.value} → {flip.after.value}\n{text}")


if __name__ == "__main__":
    main()
