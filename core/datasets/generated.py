"""Benchmarks made on the spot: seeded, of any size, each question with a worked solution.

coin flip       A coin is heads up. Nora flips the coin. Ivan does not flip the coin. Is the coin still
                heads up? Note that "flip" here means "reverse".
    solution    The coin starts heads up. Nora flips it: tails up. Ivan does not flip it: tails up.
                At the end it is tails up, which is not heads up. The answer is no.

A family is a function from a random generator and its options to one question. The first n questions of a
seed are the same for every size, and no question comes twice while the family has others left.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from core.datasets.readers import RawQuestion, with_choices
from core.errors import LabError

TRIES = 200  # draws without a new question before a family counts as exhausted
MOST = 1_000_000


@cache
def words() -> dict[str, Any]:
    """What questions are made of: generated.yaml, its lists of names taken apart."""
    made = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    return {name: own.split() if isinstance(own, str) else own for name, own in made.items()}


@dataclass(frozen=True, slots=True)
class Option:
    """A number the user may choose for a family: its default and what is allowed."""

    name: str
    title: str
    default: int
    allowed: tuple[int, ...]

    def check(self, value: int) -> int:
        if value not in self.allowed:
            listed = ", ".join(map(str, self.allowed))
            raise LabError(f"{self.name} = {value} is not possible: choose one of {listed}.")
        return value


Family = Callable[[random.Random, Mapping[str, int]], RawQuestion]


def generate(family: Family, options: Mapping[str, int], size: int, seed: int) -> list[RawQuestion]:
    """`size` questions of a family, the same for the same seed and options."""
    if type(size) is not int or not 1 <= size <= MOST:
        raise LabError(f"A benchmark of {size} questions cannot be made: choose a size from 1 to {MOST:,}.")
    if type(seed) is not int:
        raise LabError(f"The seed {seed!r} cannot be used: write a whole number.")
    source = random.Random(f"{family.__name__}:{seed}:{sorted(options.items())}")
    items: list[RawQuestion] = []
    seen: set[str] = set()
    tries = TRIES
    while len(items) < size:
        item = family(source, options)
        for _ in range(tries):
            if item.text not in seen:
                break
            item = family(source, options)
        else:
            tries = 0  # exhausted: further questions may repeat
        seen.add(item.text)
        items.append(item)
    return items


def last_letters(source: random.Random, options: Mapping[str, int]) -> RawQuestion:
    """Last letters of first and last names, concatenated (Wei et al. 2022)."""
    n = options["words"]
    names = [source.choice(words()["first_names" if i < (n + 1) // 2 else "last_names"]) for i in range(n)]
    answer = "".join(name[-1] for name in names)
    quoted = " ".join(names)
    steps = " ".join(f'The last letter of "{name}" is "{name[-1]}".' for name in names)
    return RawQuestion(
        f'Take the last letters of each words in "{quoted}" and concatenate them.',
        answer,
        f"{steps} The answer is {answer}.",
    )


def coin_flip(source: random.Random, options: Mapping[str, int]) -> RawQuestion:
    """People who flip a coin or do not (Wei et al. 2022)."""
    names = source.sample(words()["first_names"], options["flips"])
    heads, story, steps = True, [], []
    for name in names:
        flips = source.random() < 0.5
        heads ^= flips
        story.append(f"{name} {'flips' if flips else 'does not flip'} the coin.")
        side = "heads" if heads else "tails"
        steps.append(f"{name} {'flips' if flips else 'does not flip'} it: {side} up.")
    answer = "yes" if heads else "no"
    end = "heads up, which is still heads up" if heads else "tails up, which is not heads up"
    return RawQuestion(
        f"A coin is heads up. {' '.join(story)} Is the coin still heads up? "
        'Note that "flip" here means "reverse".',
        answer,
        f"The coin starts heads up. {' '.join(steps)} At the end it is {end}. The answer is {answer}.",
    )


def shuffled_objects(source: random.Random, options: Mapping[str, int]) -> RawQuestion:
    """Things that change hands in pairs, as many times as there are people (BIG-bench)."""
    n = options["objects"]
    scene, people = source.choice(words()["scenes"]), words()["people"][:n]
    things = source.sample(scene["things"], n)
    held = dict(zip(people, things, strict=True))

    def state() -> str:
        return ", ".join(scene["has"].format(person=p, thing=t) for p, t in held.items())

    start = state()
    story, steps = [], [f"Start: {start}."]
    for i in range(n):
        a, b = source.sample(people, 2)
        held[a], held[b] = held[b], held[a]
        word = "First" if i == 0 else "Finally" if i == n - 1 else "Then"
        swap = scene["swap"].format(a=a, b=b)
        story.append(f"{word}, {swap}.")
        steps.append(f"{swap}: {state()}.")
    asked = source.choice(people)
    opening = f"{', '.join(people[:-1])}, and {people[-1]} {scene['opening']}"
    unfinished = scene["has"].format(person=asked, thing="")
    answer = chr(ord("A") + things.index(held[asked]))
    end = scene["has"].format(person=asked, thing=held[asked])
    question = (
        f"{opening}: {start}.\n\n{scene['during']} {' '.join(story)} {scene['closing']}, {unfinished}"
        "\nWhich choice is true?"
    )
    return RawQuestion(
        with_choices(question, things),
        answer,
        f"{' '.join(steps)} So {end}. The answer is {answer}.",
    )


LARGEST = 2000  # no count in a problem goes beyond this


def arithmetic(source: random.Random, options: Mapping[str, int]) -> RawQuestion:
    """A count that changes in several steps; every step a whole number."""
    story, name = source.choice(words()["stories"]), source.choice(words()["first_names"])
    count = source.randint(12, 96)
    text, steps = [story["opening"].format(name=name, n=count)], [f"The start is {count}."]
    for _ in range(options["steps"]):
        sentences, k, sign, result = _change(source, story, count)
        text.append(source.choice(sentences).format(name=name, k=k))
        steps.append(f"{count} {sign} {k} = {result}.")
        count = result
    text.append(story["question"].format(name=name))
    return RawQuestion(" ".join(text), str(count), f"{' '.join(steps)} The answer is {count}.")


def _change(source: random.Random, story: dict[str, Any], count: int) -> tuple[list[str], int, str, int]:
    """One step: its sentences, its number, its sign, and the count after it."""
    choices = [(story["gain"], source.randint(2, 60), "+")]
    if count > 4:
        choices.append((story["lose"], source.randint(2, min(60, count - 1)), "-"))
    if count * 2 <= LARGEST:
        choices.append((story["times"], source.randint(2, min(5, LARGEST // count)), "*"))
    if divisors := [k for k in range(2, 10) if count % k == 0 and count // k > 1]:
        choices.append((story["share"], source.choice(divisors), "/"))
    sentences, k, sign = source.choice(choices)
    return sentences, k, sign, {"+": count + k, "-": count - k, "*": count * k, "/": count // k}[sign]
