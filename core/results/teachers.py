"""What the teachers themselves got right: one row a generation, beside one of them as baseline.

    run 1  fine-tune-cot      60 questions  5.0 % (1.7–13.7)
    run 3  new-fine-tune-cot  60 questions  11.7 % (5.8–22.2)  +6.7 (-3.6 to +17.0)  gained 6, lost 2  p 0.29

A failed item is neither right nor wrong: it is counted in a column of its own, and a difference is over
the questions that both runs answered. Where D rationales a question were asked for, the question stays
the unit, as `statistics` tells. Accuracies in percent, differences in points.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.errors import RefusedError
from core.results import export, statistics
from core.results.table import compared


@dataclass(frozen=True, slots=True)
class Generation:
    """One finished generation: verdicts by question, one a sample, None where the teacher failed.

    Calls, tokens and cost (US dollars) are of fresh calls; what came from the cache was paid for before.
    """

    run_id: int
    method: str
    teacher: str
    split: str
    verdicts: Mapping[int, tuple[bool | None, ...]]
    shown: int = 0  # exemplars in the prompt
    edited: int = 0  # of them, changed by reviewers
    seen: frozenset[int] = frozenset()  # the questions that they are of: their answers stood in the prompt
    calls: int = 0
    cached: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0

    @property
    def answered(self) -> dict[int, tuple[bool, ...]]:
        """The questions all of whose samples are there."""
        whole = {q: tuple(v for v in all_ if v is not None) for q, all_ in self.verdicts.items()}
        return {q: found for q, found in whole.items() if found and len(found) == len(self.verdicts[q])}

    def without(self, questions: Collection[int]) -> Generation:
        """The same generation, of these questions none."""
        left = {q: found for q, found in self.verdicts.items() if q not in questions}
        return replace(self, verdicts=left)


@dataclass(frozen=True, slots=True)
class TeacherRow:
    """One line of the table: `n` questions were answered, `failed` were not; `samples` of each count.

    Beside a baseline run: the paired difference over `pairs` questions, or why it is `refused`. `gained`
    and `lost` where one rationale a question stands against one. `unseen` is the same row without the
    questions that this run or the baseline was shown with their answers; None where there were none.
    """

    run: Generation
    n: int
    failed: int
    samples: int
    accuracy: float | None = None
    low: float | None = None
    high: float | None = None
    baseline: int | None = None
    pairs: int | None = None
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    gained: int | None = None
    lost: int | None = None
    p: float | None = None
    p_adjusted: float | None = None
    refused: str | None = None
    unseen: TeacherRow | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values, the run's own among them, its questions left out; `unseen` has the figures alone."""
        names = [name for name in self.run.__dataclass_fields__ if name not in ("verdicts", "seen")]
        figures = self._figures()
        return (
            {name: getattr(self.run, name) for name in names}
            | figures
            | {"unseen": self.unseen._figures() if self.unseen else None}
        )

    def _figures(self) -> dict[str, Any]:
        names = (name for name in self.__dataclass_fields__ if name not in ("run", "unseen"))
        return {name: getattr(self, name) for name in names}


def table(
    generations: Sequence[Generation], baseline: int | None = None, adjustment: str = "holm"
) -> tuple[TeacherRow, ...]:
    """A row each, in the order given; with the id of a baseline run, each other one stands against it, and
    p-values are adjusted over all of them.

    What cannot be compared says why in `refused`.
    """
    first = next((one for one in generations if one.run_id == baseline), None)
    rows = []
    for one in generations:
        row = alone(one)
        if first is not None and one is not first:
            try:
                row = beside(row, first)
            except RefusedError as error:
                row = replace(row, baseline=baseline, refused=str(error))
        rows.append(replace(row, unseen=_unseen(one, first)))
    tested = [i for i, row in enumerate(rows) if row.p is not None]
    for i, p in zip(tested, statistics.adjust([rows[i].p or 0.0 for i in tested], adjustment), strict=True):
        rows[i] = replace(rows[i], p_adjusted=p)
    return tuple(rows)


def _unseen(one: Generation, baseline: Generation | None) -> TeacherRow | None:
    """A generation's row without the questions whose answers stood in its prompt or in the baseline's."""
    seen = one.seen | (baseline.seen if baseline else frozenset())
    if seen.isdisjoint(one.verdicts):
        return None
    row = alone(one.without(seen))
    if baseline is None or baseline is one:
        return row
    try:
        return beside(row, baseline.without(seen))
    except RefusedError:
        return row


def alone(one: Generation) -> TeacherRow:
    """A generation's accuracy with its interval."""
    answered = one.answered
    row = TeacherRow(one, len(answered), len(one.verdicts) - len(answered), _depth(answered))
    if not answered:
        return row
    found = statistics.accuracy(_matrix(answered, sorted(answered)))
    return replace(row, accuracy=100 * found.value, low=100 * found.low, high=100 * found.high)


def beside(row: TeacherRow, baseline: Generation) -> TeacherRow:
    """The row with its paired difference to another run. RefusedError where the questions are others."""
    one = row.run
    if one.verdicts.keys() != baseline.verdicts.keys():
        raise RefusedError(
            f"Runs {baseline.run_id} and {one.run_id} were asked different questions "
            f"({len(baseline.verdicts)} and {len(one.verdicts)}): have both answer the same ones, "
            "or choose another baseline."
        )
    ours, theirs = one.answered, baseline.answered
    both = sorted(ours.keys() & theirs.keys())
    if not both:
        raise RefusedError(
            f"Runs {baseline.run_id} and {one.run_id} have no answered question in common: "
            "resume the one whose items failed."
        )
    found = compared(_matrix(ours, both), _matrix(theirs, both))
    return replace(row, baseline=baseline.run_id, pairs=len(both), **found)


def _depth(answered: Mapping[int, tuple[bool, ...]]) -> int:
    """How many samples every answered question has: the first so many count."""
    return min(map(len, answered.values()), default=0)


def _matrix(answered: Mapping[int, tuple[bool, ...]], questions: Sequence[int]) -> list[list[bool]]:
    """Samples × questions."""
    depth = _depth({q: answered[q] for q in questions})
    return [[answered[q][sample] for q in questions] for sample in range(depth)]


def accuracy_text(row: TeacherRow) -> str:
    """ "11.7 (5.8–22.2)"."""
    return "—" if row.accuracy is None else f"{row.accuracy:.1f} ({row.low:.1f}–{row.high:.1f})"


def difference_text(row: TeacherRow) -> str:
    """ "+6.7 (-3.6 to +17.0)"; nothing without a baseline."""
    return "not comparable" if row.refused else export.difference_text(row)


def to_text(rows: Sequence[TeacherRow]) -> str:
    """The table for a terminal, and below it why some rows stand alone."""
    lines = [
        f"run {row.run.run_id}  {row.run.method}  {row.run.teacher}  {row.run.shown} exemplars  "
        f"{row.n} questions, {row.failed} failed  {accuracy_text(row)} %"
        + (
            f"  {difference_text(row)} to run {row.baseline}, p {export.p_text(row.p)}"
            f", adjusted {export.p_text(row.p_adjusted)}"
            if row.difference is not None
            else ""
        )
        + (
            f"  without questions shown in the prompt: {accuracy_text(row.unseen)} % of {row.unseen.n}"
            if row.unseen
            else ""
        )
        + f"  {row.run.calls} calls, {row.run.prompt_tokens + row.run.completion_tokens} tokens, "
        f"${row.run.cost:.4f}"
        for row in rows
    ]
    return "\n".join([*lines, *(row.refused for row in rows if row.refused)])
