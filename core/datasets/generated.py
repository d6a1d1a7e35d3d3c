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

from core.datasets.readers import RawQuestion, with_choices
from core.errors import LabError

TRIES = 200  # draws without a new question before a family counts as exhausted
MOST = 1_000_000

FIRST_NAMES = (
    "Ada Aisha Amara Anders Anika Arun Astrid Aydin Beatriz Bela Bruno Camila Carmen Cedric Chandra Chloe "
    "Ciaran Dalia Darius Delphine Dmitri Eamon Edith Elif Emeka Esteban Farah Felix Fiona Gustav Hamid "
    "Hana Harper Hiroshi Ines Ingrid Ivan Jamal Jasper Joaquin Kai Keiko Kofi Lars Laszlo Leila Lena Lorenzo "
    "Maeve Magnus Malik Marta Mateo Mei Milan Mira Nadia Naveed Niamh Nils Nora Obi Olga Omar Oscar Paloma "
    "Petra Priya Quentin Rafael Ravi Rosa Rowan Saanvi Samir Selma Sigrid Soren Stella Tamar Tariq Thandi "
    "Theo Tomas Uma Valentin Vera Viktor Wanda Wei Xavier Yara Yusuf Zainab Zoltan Zuri"
).split()
LAST_NAMES = (
    "Abadi Almeida Andersen Baptiste Bauer Becker Bianchi Calloway Castillo Chowdhury Costa Dubois "
    "Eriksen Ferrari Fischer Fontaine Gallagher Greco Haddad Hansen Hoffman Ibarra Ito Jansen Kapoor "
    "Kaya Keller Kowalski Kuznetsov Larsen Lindqvist Lopez Mahmoud Marchetti Mbeki Moreau Mueller "
    "Murphy Nakamura Navarro Novak Okafor Olsen Park Patel Pereira Petrov Quigley Ramirez Reyes "
    "Rossi Sato Schmidt Silva Singh Suzuki Takahashi Tanaka Torres Varga Vogel Weber Yamamoto Zhang "
    "Zimmerman"
).split()


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
    names = [source.choice(FIRST_NAMES if i < (n + 1) // 2 else LAST_NAMES) for i in range(n)]
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
    names = source.sample(FIRST_NAMES, options["flips"])
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


@dataclass(frozen=True, slots=True)
class Scene:
    """One setting of the shuffled objects: how it opens, what changes hands, how it ends."""

    opening: str
    has: str  # "{person} has the {thing}"
    during: str
    swap: str  # "{a} and {b} …"
    closing: str
    things: tuple[str, ...]


PEOPLE = ("Alice", "Bob", "Claire", "Dave", "Eve", "Fred", "Gertrude")
SCENES = (
    Scene(
        "are playing a game. At the start, each of them holds a ball",
        "{person} has the {thing}",
        "As the game goes on, pairs of players trade balls.",
        "{a} and {b} trade balls",
        "At the end of the game",
        tuple(f"{c} ball" for c in "red blue green white black orange purple yellow pink".split()),
    ),
    Scene(
        "are at a book fair. Each of them has just bought one book",
        "{person} has the {thing}",
        "Over the afternoon, pairs of them exchange books.",
        "{a} and {b} exchange books",
        "When the fair closes",
        tuple(f"{c} book" for c in "history travel poetry cookery physics chess gardening music art".split()),
    ),
    Scene(
        "are rehearsing a concert. To begin with, each of them has one instrument",
        "{person} plays the {thing}",
        "During the rehearsal, pairs of players change instruments.",
        "{a} and {b} change instruments",
        "When the rehearsal ends",
        ("violin", "cello", "flute", "oboe", "trumpet", "harp", "piano", "clarinet", "drum"),
    ),
    Scene(
        "are giving presents. At the start, each of them holds one box",
        "{person} holds the {thing}",
        "Before anything is opened, pairs of them swap boxes.",
        "{a} and {b} swap boxes",
        "In the end",
        tuple(f"{c} box" for c in "round square tiny striped golden silver wooden paper tall".split()),
    ),
)


def shuffled_objects(source: random.Random, options: Mapping[str, int]) -> RawQuestion:
    """Things that change hands in pairs, as many times as there are people (BIG-bench)."""
    n = options["objects"]
    scene, people = source.choice(SCENES), PEOPLE[:n]
    things = source.sample(scene.things, n)
    held = dict(zip(people, things, strict=True))

    def state() -> str:
        return ", ".join(scene.has.format(person=p, thing=t) for p, t in held.items())

    story, steps = [], [f"Start: {state()}."]
    for i in range(n):
        a, b = source.sample(people, 2)
        held[a], held[b] = held[b], held[a]
        word = "First" if i == 0 else "Finally" if i == n - 1 else "Then"
        swap = scene.swap.format(a=a, b=b)
        story.append(f"{word}, {swap}.")
        steps.append(f"{swap}: {state()}.")
    asked = source.choice(people)
    opening = f"{', '.join(people[:-1])}, and {people[-1]} {scene.opening}"
    start = ", ".join(scene.has.format(person=p, thing=t) for p, t in zip(people, things, strict=True))
    unfinished = scene.has.format(person=asked, thing="")
    answer = chr(ord("A") + things.index(held[asked]))
    question = (
        f"{opening}: {start}.\n\n{scene.during} {' '.join(story)} {scene.closing}, {unfinished}"
        "\nWhich choice is true?"
    )
    return RawQuestion(
        with_choices(question, things),
        answer,
        f"{' '.join(steps)} So {scene.has.format(person=asked, thing=held[asked])}. The answer is {answer}.",
    )


@dataclass(frozen=True, slots=True)
class Story:
    """One setting of the arithmetic problems: a count that starts, changes step by step, and is asked for."""

    opening: str
    gain: tuple[str, ...]
    lose: tuple[str, ...]
    times: tuple[str, ...]
    share: tuple[str, ...]
    question: str


STORIES = (
    Story(
        "{name} has {n} marbles.",
        ("{name} finds {k} more marbles in a drawer.", "A neighbour gives {name} {k} marbles."),
        ("{name} loses {k} marbles on the way to school.", "{name} gives {k} marbles to a cousin."),
        ("After a winning game {name} has {k} times as many marbles as before.",),
        ("{name} puts the marbles into {k} equal bags and keeps just one bag.",),
        "How many marbles does {name} have now?",
    ),
    Story(
        "{name} bakes {n} rolls for the market.",
        ("{name} bakes {k} more rolls before noon.", "A second oven adds {k} rolls."),
        ("{name} sells {k} rolls.", "{k} rolls burn and are thrown away."),
        ("A large order makes {name} bake until there are {k} times as many rolls.",),
        ("{name} spreads the rolls evenly over {k} stalls and looks after one stall.",),
        "How many rolls are with {name} at the end?",
    ),
    Story(
        "{name} starts the month with {n} dollars.",
        ("{name} earns {k} dollars by washing cars.", "{name}'s aunt sends {k} dollars."),
        ("{name} spends {k} dollars on a jacket.", "{name} pays a bill of {k} dollars."),
        ("A lucky sale makes {name}'s money {k} times what it was.",),
        ("{name} splits the money evenly with the others in a group of {k} and keeps one share.",),
        "How many dollars does {name} have left?",
    ),
    Story(
        "There are {n} passengers on {name}'s train.",
        ("At the next station {k} passengers get on.", "{k} more passengers board in the suburbs."),
        ("{k} passengers get off at the bridge.", "At the airport {k} passengers leave the train."),
        ("At the main station so many people join that there are {k} times as many passengers.",),
        ("The passengers are divided equally between {k} coaches, and {name} counts one coach.",),
        "How many passengers does {name} count at the end?",
    ),
    Story(
        "{name}'s orchard gives {n} baskets of pears.",
        ("A late tree gives {k} more baskets.", "A neighbour brings {k} baskets of pears."),
        ("{name} sells {k} baskets at the gate.", "{k} baskets spoil in the heat."),
        ("The second harvest brings the total to {k} times as many baskets.",),
        ("{name} shares the baskets equally among {k} barns and checks one barn.",),
        "How many baskets of pears does {name} have in the end?",
    ),
    Story(
        "{name} has read {n} pages of a novel and keeps a tally of pages.",
        ("On Monday {name} reads {k} pages and adds them.", "{name} adds {k} pages on the bus."),
        ("{name} finds that {k} pages were counted by mistake and takes them off.",),
        ("After the holidays the tally is {k} times as large.",),
        ("The tally is split into {k} equal chapters, and {name} writes down the pages of one chapter.",),
        "What number of pages does {name} write down last?",
    ),
)
LARGEST = 2000  # no count in a problem goes beyond this


def arithmetic(source: random.Random, options: Mapping[str, int]) -> RawQuestion:
    """A count that changes in several steps; every step a whole number."""
    story, name = source.choice(STORIES), source.choice(FIRST_NAMES)
    count = source.randint(12, 96)
    text, steps = [story.opening.format(name=name, n=count)], [f"The start is {count}."]
    for _ in range(options["steps"]):
        sentences, k, sign, result = _change(source, story, count)
        text.append(source.choice(sentences).format(name=name, k=k))
        steps.append(f"{count} {sign} {k} = {result}.")
        count = result
    text.append(story.question.format(name=name))
    return RawQuestion(" ".join(text), str(count), f"{' '.join(steps)} The answer is {count}.")


def _change(source: random.Random, story: Story, count: int) -> tuple[tuple[str, ...], int, str, int]:
    """One step: its sentences, its number, its sign, and the count after it."""
    choices = [(story.gain, source.randint(2, 60), "+")]
    if count > 4:
        choices.append((story.lose, source.randint(2, min(60, count - 1)), "-"))
    if count * 2 <= LARGEST:
        choices.append((story.times, source.randint(2, min(5, LARGEST // count)), "*"))
    if divisors := [k for k in range(2, 10) if count % k == 0 and count // k > 1]:
        choices.append((story.share, source.choice(divisors), "/"))
    sentences, k, sign = source.choice(choices)
    return sentences, k, sign, {"+": count + k, "-": count - k, "*": count * k, "/": count // k}[sign]
