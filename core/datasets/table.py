"""DATASETS: one row per benchmark.

A new benchmark is a new row: how its files are read, what kind of answer it has, and how it is split;
files.tsv lists the files. Indices, texts, gold answers and splits of the first twelve are Fine-tune-CoT's
(Ho et al. 2023), so its published completions and splits can be used as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.datasets import generated, readers, splits
from core.datasets.files import File, listed
from core.datasets.generated import Family, Option
from core.datasets.readers import Reader
from core.datasets.splits import SplitRule
from core.errors import LabError


def _splits(default: SplitRule = splits.seventy_thirty, **more: SplitRule) -> dict[str, SplitRule]:
    return {"default": default, **more, "all-test": splits.all_test}


@dataclass(frozen=True, slots=True)
class Dataset:
    """One benchmark. `kind` is a key of core.answers.KINDS.

    Either `read` and `files`, or `family` with its `options` and default size `n`, or `stored`, a file that
    the user added. `exemplars` and `exemplar_lines` are what Auto-CoT (Zhang et al. 2023) shows a teacher:
    how many, one from each cluster, and the most lines of a rationale.
    """

    key: str
    title: str
    kind: str
    n: int
    source: str
    licence: str
    read: Reader | None = None
    files: tuple[File, ...] = ()
    family: Family | None = None
    options: tuple[Option, ...] = ()
    stored: Path | None = None
    splits: Mapping[str, SplitRule] = field(default_factory=_splits)
    exemplars: int = 8
    exemplar_lines: int = 5

    @property
    def generated(self) -> bool:
        return self.family is not None

    def settle_options(self, options: Mapping[str, int] | None) -> dict[str, int]:
        """The options with defaults filled in; LabError for one that does not exist or is not allowed."""
        given = dict(options or {})
        settled = {o.name: o.check(given.pop(o.name, o.default)) for o in self.options}
        if given:
            offered = ", ".join(o.name for o in self.options) or "none"
            raise LabError(f"{self.key} has no option {', '.join(given)}: its options are {offered}.")
        return settled


_ROWS = (
    Dataset(
        "single_eq", "SingleEq", "decimal", 508,
        "Koncel-Kedziorski et al. 2015, as in Zero-shot-CoT", "none stated",
        readers.equations(str),
    ),
    Dataset(
        "addsub", "AddSub", "decimal", 395,
        "Hosseini et al. 2014, as in Zero-shot-CoT", "none stated",
        readers.equations(str),
    ),
    Dataset(
        "multiarith", "MultiArith", "integer", 600,
        "Roy and Roth 2015, as in Zero-shot-CoT", "none stated",
        readers.equations(lambda solution: str(int(solution))),
        splits=_splits(template=splits.by_template(splits.masked)),
    ),
    Dataset(
        "gsm8k", "GSM8K", "integer", 8792,
        "Cobbe et al. 2021, openai/grade-school-math", "MIT",
        readers.gsm8k, splits=_splits(splits.published()),
    ),
    Dataset(
        "aqua", "AQuA", "choice-E", 97721,
        "Ling et al. 2017, deepmind/AQuA; its test file as in Zero-shot-CoT", "Apache-2.0",
        readers.aqua, splits=_splits(splits.published(subsample=10_000)), exemplars=4,
    ),
    Dataset(
        "svamp", "SVAMP", "decimal", 1000,
        "Patel et al. 2021, as in Zero-shot-CoT", "MIT",
        readers.svamp,
    ),
    Dataset(
        "date_understanding", "Date Understanding", "choice-F", 369,
        "BIG-bench, as in Zero-shot-CoT", "Apache-2.0",
        readers.multiple_choice(shuffled=True),
        splits=_splits(template=splits.by_template(splits.context_before("What is the date"))),
    ),
    Dataset(
        "tracking_shuffled_objects", "Tracking Shuffled Objects", "choice-C", 750,
        "BIG-bench, three objects, as in Zero-shot-CoT", "Apache-2.0",
        readers.multiple_choice(shuffled=False),
    ),
    Dataset(
        "last_letter_concatenation", "Last Letter Concatenation", "letters", 500,
        "Kojima et al. 2022 after Wei et al. 2022, Zero-shot-CoT", "none stated",
        readers.examples, exemplars=4, exemplar_lines=7,
    ),
    Dataset(
        "coin_flip", "Coin Flip", "yes-no-lower", 500,
        "Kojima et al. 2022 after Wei et al. 2022, Zero-shot-CoT", "none stated",
        readers.examples,
    ),
    Dataset(
        "commonsense_qa", "CommonsenseQA", "choice-E", 10962,
        "Talmor et al. 2019, as in Zero-shot-CoT", "MIT",
        readers.commonsense_qa, splits=_splits(splits.published()), exemplars=7,
    ),
    Dataset(
        "strategy_qa", "StrategyQA", "yes-no", 2290,
        "Geva et al. 2021, BIG-bench, as in Zero-shot-CoT", "Apache-2.0",
        readers.strategy_qa, exemplars=6,
    ),
    Dataset(
        "asdiv", "ASDiv", "open", 2305,
        "Miao et al. 2020, chaochun/nlu-asdiv-dataset", "CC BY-NC 4.0",
        readers.asdiv,
    ),
    Dataset(
        "last_letters_generated", "Last letters, generated", "letters", 500,
        "made here, after Wei et al. 2022", "the lab's own", family=generated.last_letters,
        options=(Option("words", "names in a question", 4, tuple(range(1, 13))),),
        exemplars=4, exemplar_lines=7,
    ),
    Dataset(
        "coin_flip_generated", "Coin flip, generated", "yes-no-lower", 500,
        "made here, after Wei et al. 2022", "the lab's own", family=generated.coin_flip,
        options=(Option("flips", "people in a question", 4, tuple(range(1, 17))),),
    ),
    Dataset(
        "shuffled_objects_generated", "Shuffled objects, generated", "choice-G", 500,
        "made here, after BIG-bench", "the lab's own", family=generated.shuffled_objects,
        options=(Option("objects", "objects and swaps in a question", 3, (3, 5, 7)),),
    ),
    Dataset(
        "arithmetic_generated", "Arithmetic word problems, generated", "integer", 500,
        "made here", "the lab's own", family=generated.arithmetic,
        options=(Option("steps", "calculations in a question", 3, tuple(range(1, 9))),),
    ),
)  # fmt: skip

DATASETS: dict[str, Dataset] = {row.key: replace(row, files=listed(row.key)) for row in _ROWS}
