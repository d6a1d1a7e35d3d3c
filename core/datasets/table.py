"""DATASETS: the benchmarks, a row each.

A new benchmark is a new row: where its files are, how they are read, what kind of answer it has, and how
it is split. Indices, texts, gold answers and splits of the first twelve are Fine-tune-CoT's
(Ho et al. 2023), so its published completions and splits can be used as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.datasets import generated, readers, splits
from core.datasets.files import File
from core.datasets.generated import Family, Option
from core.datasets.readers import Reader
from core.datasets.splits import SplitRule
from core.errors import LabError

ZERO_SHOT_COT = "kojima-takeshi188/zero_shot_cot/5ef330fcdeec0cd26aee27943504f91f8ec1c33c"
GRADE_SCHOOL_MATH = "openai/grade-school-math/3101c7d5072418e28b9008a6636bde82a006892c"
NLU_ASDIV = "chaochun/nlu-asdiv-dataset/883f90a9a65bf00304ba8f37423910fe743abc47"
RAW = "https://raw.githubusercontent.com"


@dataclass(frozen=True, slots=True)
class Dataset:
    """One benchmark. `kind` is a key of core.answers.KINDS.

    Either `files` and `read`, or `family` with its `options` and default size `n`, or `stored`, a file that
    the user added. `exemplars` and `exemplar_lines` are what Auto-CoT (Zhang et al. 2023) shows a teacher:
    how many, one from each cluster, and the most lines of a rationale.
    """

    key: str
    title: str
    kind: str
    n: int
    source: str
    licence: str
    files: tuple[File, ...] = ()
    read: Reader | None = None
    family: Family | None = None
    options: tuple[Option, ...] = ()
    stored: Path | None = None
    splits: Mapping[str, SplitRule] = field(default_factory=dict)
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


def _zero_shot_cot(path: str, sha256: str, size: int, rows: int) -> File:
    url = f"{RAW}/{ZERO_SHOT_COT}/dataset/{path}"
    return File(f"zero_shot_cot/dataset/{path}", url, sha256, size, rows)


def _gsm8k(path: str, sha256: str, size: int, rows: int) -> File:
    url = f"{RAW}/{GRADE_SCHOOL_MATH}/grade_school_math/data/{path}"
    return File(f"grade-school-math/{path}", url, sha256, size, rows)


def _splits(default: SplitRule = splits.seventy_thirty, **more: SplitRule) -> dict[str, SplitRule]:
    return {"default": default, **more, "all-test": splits.all_test}


_ROWS = (
    Dataset(
        "single_eq", "SingleEq", "decimal", 508,
        "Koncel-Kedziorski et al. 2015, as in Zero-shot-CoT", "none stated",
        (_zero_shot_cot("SingleEq/questions.json",
                        "051507bd2b489c257057b485774a83d2710c23a4bc0f4a58e1822ae2773ef05e", 137870, 508),),
        readers.equations(str), splits=_splits(),
    ),
    Dataset(
        "addsub", "AddSub", "decimal", 395,
        "Hosseini et al. 2014, as in Zero-shot-CoT", "none stated",
        (_zero_shot_cot("AddSub/AddSub.json",
                        "21930fa90385c72b5a15f4b9a4dda27276b889ae9ff44285505cdd9fa0a20df8", 131373, 395),),
        readers.equations(str), splits=_splits(),
    ),
    Dataset(
        "multiarith", "MultiArith", "integer", 600,
        "Roy and Roth 2015, as in Zero-shot-CoT", "none stated",
        (_zero_shot_cot("MultiArith/MultiArith.json",
                        "dc9db1b6cc68b1ecc2dec830d15aaf8c9a0932aa31d5ffce88ef3628179d36f4", 254012, 600),),
        readers.equations(readers.whole_number), splits=_splits(template=splits.by_template(splits.masked)),
    ),
    Dataset(
        "gsm8k", "GSM8K", "integer", 8792,
        "Cobbe et al. 2021, openai/grade-school-math", "MIT",
        (_gsm8k("train.jsonl",
                "17f347dc51477c50d4efb83959dbb7c56297aba886e5544ee2aaed3024813465", 4166206, 7473),
         _gsm8k("test.jsonl",
                "3730d312f6e3440559ace48831e51066acaca737f6eabec99bccb9e4b3c39d14", 749738, 1319)),
        readers.gsm8k, splits=_splits(splits.published()),
    ),
    Dataset(
        "aqua", "AQuA", "choice-E", 97721,
        "Ling et al. 2017, deepmind/AQuA; its test file as in Zero-shot-CoT", "Apache-2.0",
        # The checksum of the training file is the one that the Hugging Face script of aqua_rat lists for
        # it; that script's checksum of the test file is the one of Zero-shot-CoT's copy.
        (File("zero_shot_cot/dataset/AQuA/train.json", f"{RAW}/deepmind/AQuA/master/train.json",
              "35b70c7cb1660c34d302bb932dfd3656ce3d05e8c982c797767fec31d7d1e0ba", 47570935, 97467,
              optional=True),
         _zero_shot_cot("AQuA/test.json",
                        "de41581881ef95c5588c44ddc701c77fd480839241dd422a0d181262af24520c", 130192, 254)),
        readers.aqua, splits=_splits(splits.published(subsample=10_000)), exemplars=4,
    ),
    Dataset(
        "svamp", "SVAMP", "decimal", 1000,
        "Patel et al. 2021, as in Zero-shot-CoT", "MIT",
        (_zero_shot_cot("SVAMP/SVAMP.json",
                        "5be77703a6d891ae476d7c082787ad361392aa02453b132516cdd5f4e7934e3e", 339970, 1000),),
        readers.svamp, splits=_splits(),
    ),
    Dataset(
        "date_understanding", "Date Understanding", "choice-F", 369,
        "BIG-bench, as in Zero-shot-CoT", "Apache-2.0",
        (_zero_shot_cot("Bigbench_Date/task.json",
                        "ff716f0e399109146db3a998281c39954907b78268a9b633a95582d63847822f", 119336, 369),),
        readers.multiple_choice(shuffled=True),
        splits=_splits(template=splits.by_template(splits.context_before("What is the date"))),
    ),
    Dataset(
        "tracking_shuffled_objects", "Tracking Shuffled Objects", "choice-C", 750,
        "BIG-bench, three objects, as in Zero-shot-CoT", "Apache-2.0",
        (_zero_shot_cot("Bigbench_object_tracking/task.json",
                        "74b74d3c8827c0387a3f24ee9efa7edd90b2d53af3daacb9961341af66f750a0", 465146, 750),),
        readers.multiple_choice(shuffled=False), splits=_splits(),
    ),
    Dataset(
        "last_letter_concatenation", "Last Letter Concatenation", "letters", 500,
        "Kojima et al. 2022 after Wei et al. 2022, Zero-shot-CoT", "none stated",
        (_zero_shot_cot("last_letters/last_letters.json",
                        "60e8d092d0a6423d3256e87e0c249b69aefea4cd27985082095fa4e93931fb02", 84400, 500),),
        readers.examples, splits=_splits(), exemplars=4, exemplar_lines=7,
    ),
    Dataset(
        "coin_flip", "Coin Flip", "yes-no-lower", 500,
        "Kojima et al. 2022 after Wei et al. 2022, Zero-shot-CoT", "none stated",
        (_zero_shot_cot("coin_flip/coin_flip.json",
                        "68cf201737a1463ef6bed5419622805a8934d92bff6a28a9dfbf83be3135ba5a", 136576, 500),),
        readers.examples, splits=_splits(),
    ),
    Dataset(
        "commonsense_qa", "CommonsenseQA", "choice-E", 10962,
        "Talmor et al. 2019, as in Zero-shot-CoT", "MIT",
        (_zero_shot_cot("CommonsenseQA/train_rand_split.jsonl",
                        "58ffa3c8472410e24b8c43f423d89c8a003d8284698a6ed7874355dedd09a2fb", 3785890, 9741),
         _zero_shot_cot("CommonsenseQA/dev_rand_split.jsonl",
                        "3210497fdaae614ac085d9eb873dd7f4d49b6f965a93adadc803e1229fd8a02a", 471653, 1221)),
        readers.commonsense_qa, splits=_splits(splits.published()), exemplars=7,
    ),
    Dataset(
        "strategy_qa", "StrategyQA", "yes-no", 2290,
        "Geva et al. 2021, BIG-bench, as in Zero-shot-CoT", "Apache-2.0",
        (_zero_shot_cot("StrategyQA/task.json",
                        "60af9081fed20102fd8bb1e02dc7d9f12238efcba33e4c1a56b4d61cb6409803", 854248, 2290),),
        readers.strategy_qa, splits=_splits(), exemplars=6,
    ),
    Dataset(
        "asdiv", "ASDiv", "open", 2305,
        "Miao et al. 2020, chaochun/nlu-asdiv-dataset", "CC BY-NC 4.0",
        (File("nlu-asdiv-dataset/ASDiv.xml", f"{RAW}/{NLU_ASDIV}/dataset/ASDiv.xml",
              "ef8904068482919ac48c8eeaaf6df344b8a308ba66d048c2d4d87eab82dc4929", 947401, 2305),),
        readers.asdiv, splits=_splits(),
    ),
    Dataset(
        "last_letters_generated", "Last letters, generated", "letters", 500,
        "made here, after Wei et al. 2022", "the lab's own", family=generated.last_letters,
        options=(Option("words", "names in a question", 4, tuple(range(1, 13))),), splits=_splits(),
        exemplars=4, exemplar_lines=7,
    ),
    Dataset(
        "coin_flip_generated", "Coin flip, generated", "yes-no-lower", 500,
        "made here, after Wei et al. 2022", "the lab's own", family=generated.coin_flip,
        options=(Option("flips", "people in a question", 4, tuple(range(1, 17))),), splits=_splits(),
    ),
    Dataset(
        "shuffled_objects_generated", "Shuffled objects, generated", "choice-G", 500,
        "made here, after BIG-bench", "the lab's own", family=generated.shuffled_objects,
        options=(Option("objects", "objects and swaps in a question", 3, (3, 5, 7)),), splits=_splits(),
    ),
    Dataset(
        "arithmetic_generated", "Arithmetic word problems, generated", "integer", 500,
        "made here", "the lab's own", family=generated.arithmetic,
        options=(Option("steps", "calculations in a question", 3, tuple(range(1, 9))),), splits=_splits(),
    ),
)  # fmt: skip

DATASETS: dict[str, Dataset] = {row.key: row for row in _ROWS}
