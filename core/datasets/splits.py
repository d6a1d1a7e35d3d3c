"""Which questions are for training and which for testing: Fine-tune-CoT's splits, computed.

    seventy_thirty(508)    356 / 152    a seeded permutation, both parts sorted
    published([7473, 1319])             the source's own files, one after the other
    by_template(texts)     413 / 187    no template of MultiArith is on both sides

Rules as in Fine-tune-CoT (Ho et al. 2023; reasoning-teacher, src/data/generate_split.py and, for the
template splits, notebooks/old/Data Preparation.ipynb). NumPy's RandomState gives the same numbers in
every version, so it reproduces the published index files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.datasets.duplicates import same_template
from core.records import Question, content_hash

SEED = 0
TRAIN_SHARE = 0.7
TEMPLATE = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Split:
    """Indices of the training and the test questions, both sorted; an index may be in neither."""

    train: tuple[int, ...]
    test: tuple[int, ...]

    def part(self) -> dict[int, str]:
        """The part of each index that has one."""
        return dict.fromkeys(self.train, "train") | dict.fromkeys(self.test, "test")


# A rule reads the question texts (None where a question's file is absent) and the row counts of the files.
SplitRule = Callable[[Sequence[str | None], Sequence[int]], Split]


def _permutation(n: int) -> list[int]:
    import numpy

    return numpy.random.RandomState(SEED).permutation(n).tolist()


def _seventy_thirty(groups: Sequence[Sequence[int]]) -> Split:
    """70:30 by a seeded permutation of the groups."""
    order = _permutation(len(groups))
    cut = round(TRAIN_SHARE * len(groups))
    parts = (sorted(i for g in part for i in groups[g]) for part in (order[:cut], order[cut:]))
    return Split(*map(tuple, parts))


def seventy_thirty(texts: Sequence[str | None], counts: Sequence[int]) -> Split:
    """70:30 by a seeded permutation of all questions."""
    return _seventy_thirty([[i] for i in range(len(texts))])


def published(subsample: int | None = None) -> SplitRule:
    """The source's own training file then its test file; `subsample` training questions if given."""

    def rule(texts: Sequence[str | None], counts: Sequence[int]) -> Split:
        train_n, test_n = counts
        train = range(train_n) if subsample is None else sorted(_permutation(train_n)[:subsample])
        return Split(tuple(train), tuple(range(train_n, train_n + test_n)))

    return rule


def by_template(template: TEMPLATE) -> SplitRule:
    """70:30 over templates, in order of first appearance, so that no template is on both sides."""

    def rule(texts: Sequence[str | None], counts: Sequence[int]) -> Split:
        groups: dict[str, list[int]] = {}
        for i, text in enumerate(texts):
            groups.setdefault(template(text or ""), []).append(i)
        return _seventy_thirty(list(groups.values()))

    return rule


def all_test(texts: Sequence[str | None], counts: Sequence[int]) -> Split:
    """Every question is a test question: an out-of-domain test set, as in KPDD."""
    return Split((), tuple(range(len(texts))))


def masked(text: str) -> str:
    """A question with its numbers and names masked: MultiArith's 120 templates."""
    return re.sub(r"\b[A-Z][a-z]+", "N", re.sub(r"\d+", "#", text))


def context_before(closing: str) -> TEMPLATE:
    """A question without its closing part: Date Understanding asks nine dates of each context."""
    return lambda text: text[: text.find(closing)]


def subsample(indices: Sequence[int], n: int) -> list[int]:
    """n of the indices, sorted, as Fine-tune-CoT takes its few-shot training subsets (src/data/split.py)."""
    ordered = sorted(indices)
    return sorted(ordered[i] for i in _permutation(len(ordered))[:n])


def held_out(questions: Sequence[Question], fraction: float, limit: int) -> list[int]:
    """Indices of the questions on which an epoch is chosen, sorted; none of fewer than two.

    About `fraction` of the questions, at most `limit`. Questions that differ in their numbers only stay on
    one side. Which they are depends on their words alone, so all arms and seeds of a study hold out the same.
    """
    twins: dict[str, list[int]] = {}
    for question in questions:
        twins.setdefault(same_template(question.text), []).append(question.index)
    wanted = min(max(1, round(fraction * len(questions))), limit, len(questions) - 1)
    groups = sorted(twins, key=content_hash)
    held: list[int] = []
    for template in groups:
        if len(held) + len(twins[template]) <= wanted:
            held += twins[template]
    if not held and len(groups) > 1:  # each group is larger than what is wanted
        held = min((twins[template] for template in groups), key=len)
    return sorted(held)
