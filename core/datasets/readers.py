r"""Readers: one benchmark file in, its questions out, in the file's order, texts as Fine-tune-CoT's.

MultiArith    {"iIndex": 0, "sQuestion": " For Halloween Debby …? ", "lSolutions": [39.0]}
              "For Halloween Debby …?"  "39"
SVAMP         {"Body": "Each pack of dvds costs 76 dollars. If …", "Question": "How much …?", "Answer": 51.0}
              "Each pack of dvds … How much …?"  "51.0"
GSM8K         {"question": "Janet's ducks …", "answer": "Janet sells 16 - 3 … #### 18"}
              "Janet's ducks …"  "18"
AQuA          {"question": "A car …", "options": ["A)5(√3 + 1)", …], "correct": "A", "rationale": …}
              "A car … Answer choices: (A) 5(√3 + 1), (B) …, (E) None of these."  "A"
Date          {"input": "Yesterday was April 30, 2021. What …?", "target_scores": {"05/01/2021": 1, …}}
              "Yesterday … What …?\nWhich choice is true? Answer choices: (A) 06/12/2021, … ."  "F"
ASDiv         <Body>Seven red apples …</Body><Question>How many …?</Question><Answer>9 (apples)</Answer>
              "Seven red apples … How many …?"  "9"

Texts and golds follow reasoning-teacher, notebooks/old/Data Preparation.ipynb, and equal the questions in
its published completions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHOICE_SEED = 0  # of the order in which Date Understanding's choices are shown


@dataclass(frozen=True, slots=True)
class RawQuestion:
    """A question before it is numbered: text, gold answer, worked solution where there is one."""

    text: str
    answer: str
    solution: str | None = None


Reader = Callable[[Path], list[RawQuestion]]


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _lines(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8") as stream:
        yield from (json.loads(line) for line in stream if line.strip())


def with_choices(question: str, choices: Sequence[str]) -> str:
    """A question with its choices spelt out: "… Answer choices: (A) x, (B) y."."""
    listed = ", ".join(f"({chr(ord('A') + i)}) {choice.strip()}" for i, choice in enumerate(choices))
    return f"{question} Answer choices: {listed}."


def equations(answer: Callable[[Any], str]) -> Reader:
    """SingleEq, AddSub and MultiArith: `answer` writes the one solution."""

    def read(path: Path) -> list[RawQuestion]:
        return [RawQuestion(row["sQuestion"].strip(), answer(row["lSolutions"][0])) for row in _json(path)]

    return read


def gsm8k(path: Path) -> list[RawQuestion]:
    """GSM8K: the gold answer follows "####" and keeps its commas."""
    items = []
    for row in _lines(path):
        solution, _, answer = row["answer"].partition("####")
        items.append(RawQuestion(row["question"], answer.strip(), solution.strip()))
    return items


def aqua(path: Path) -> list[RawQuestion]:
    """AQuA: five choices, their "A)" taken off."""
    return [
        RawQuestion(
            with_choices(row["question"].strip(), [option[2:] for option in row["options"]]),
            row["correct"],
            row["rationale"].strip(),
        )
        for row in _lines(path)
    ]


def svamp(path: Path) -> list[RawQuestion]:
    """SVAMP: body and question, one blank between."""
    return [
        RawQuestion(f"{row['Body'].strip()} {row['Question'].strip()}", str(row["Answer"]))
        for row in _json(path)
    ]


def commonsense_qa(path: Path) -> list[RawQuestion]:
    """CommonsenseQA: stem and five choices."""
    return [
        RawQuestion(
            with_choices(row["question"]["stem"].strip(), [c["text"] for c in row["question"]["choices"]]),
            row["answerKey"],
        )
        for row in _lines(path)
    ]


def strategy_qa(path: Path) -> list[RawQuestion]:
    """StrategyQA: "Yes" or "No", with the facts behind it as the worked solution."""
    items = []
    for row in _json(path)["examples"]:
        answer = next(choice for choice, score in row["target_scores"].items() if score == 1)
        items.append(
            RawQuestion(row["input"].strip(), answer, row["target"].removeprefix(f"{answer}.").strip())
        )
    return items


def multiple_choice(shuffled: bool) -> Reader:
    """BIG-bench choices, in the file's order or shuffled by one generator over the whole file.

    The file of Date Understanding always names the right choice first, so its choices are shuffled.
    The input is not stripped: Tracking Shuffled Objects ends in a blank that the recorded prompts keep.
    """

    def read(path: Path) -> list[RawQuestion]:
        import numpy

        random = numpy.random.RandomState(CHOICE_SEED)
        items = []
        for row in _json(path)["examples"]:
            scores = row["target_scores"]
            slots = random.permutation(len(scores)).tolist() if shuffled else list(range(len(scores)))
            placed = sorted(zip(slots, scores.items(), strict=True))
            answer = next(chr(ord("A") + slot) for slot, (_, score) in placed if score)
            choices = [choice.removesuffix(".") for _, (choice, _) in placed]
            items.append(RawQuestion(with_choices(f"{row['input']}\nWhich choice is true?", choices), answer))
        return items

    return read


def examples(path: Path) -> list[RawQuestion]:
    """Coin Flip and Last Letter Concatenation: question and answer as they are."""
    return [RawQuestion(row["question"], row["answer"]) for row in _json(path)["examples"]]


def asdiv(path: Path) -> list[RawQuestion]:
    """ASDiv: body and question; the gold answer without its unit in brackets; the formula as solution."""
    import xml.etree.ElementTree as ElementTree

    def text(problem: ElementTree.Element, tag: str) -> str:
        return (problem.findtext(tag) or "").strip()

    def gold(answer: str) -> str:
        return re.sub(r"^-\((\d+/\d+)\)$", r"-\1", re.sub(r"(?<=\w)\s*\([^()]*\)$", "", answer))

    return [
        RawQuestion(
            f"{text(problem, 'Body')} {text(problem, 'Question')}".strip(),
            gold(text(problem, "Answer")),
            text(problem, "Formula") or None,
        )
        for problem in ElementTree.parse(path).getroot().iter("Problem")
    ]
