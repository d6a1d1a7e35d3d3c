"""How often each check of core.quality flags correct rationales, and how many errors it finds.

    python benchmarks/quality.py [--data FOLDER] [--each 100] [--seed 0] [--only addsub,…] [--show CHECK]

False alarms: real rationales whose answer is right (recorded text-davinci-002, Llama-2, Zephyr and
GPT-4 completions; GSM8K's worked solutions), the share of them that a check flags; "breaks off" counts
where the file does not say that the text was cut. Some do have a wrong step (all of arithmetic's and dates'
that were looked at), so the rate is an upper bound; --show prints what was flagged, to judge it by eye.
The checks were changed with AddSub, SingleEq, the traces, GSM8K's training solutions and half of AQuA's
test set in view, and with single cases of MultiArith ("repeated") and Date ("dates"). Of Last Letter's and
Shuffled Objects' rationales and of GSM8K's test solutions only totals were seen: `--only last,tracking`
measures them alone.

Recall: rationales of the same recordings that the check in question is silent about, with one error
put in by a seeded generator, `--each` of every kind in CORRUPTIONS; the share found by the check that
is meant to find it, and by any check.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.recordings import recordings
from core import settings
from core.commands.check import rationales
from core.datasets import load
from core.errors import LabError
from core.quality.arithmetic import equations
from core.quality.checks import CHECKS, Rationale, has_dates, problems
from core.quality.steps import Number, numbers, steps
from core.records import Exemplar
from core.results.statistics import wilson


@dataclass(frozen=True)
class Corpus:
    """Correct rationales of one source and benchmark."""

    name: str
    items: list[Rationale]


def corpora(data: Path) -> Iterator[Corpus]:
    """Every recording under the data folder whose benchmark is known."""
    for path, source, key in recordings(data):
        if not path.stem.endswith("_zero_shot"):  # answers alone
            yield from _corpus(path, source, key)
    solved = [q for q in load("gsm8k") if q.solution and q.split == "test"]
    yield Corpus("gsm8k · worked solutions", [_solved(q.text, q.solution, q.answer) for q in solved])


def _solved(question: str, solution: str, gold: str) -> Rationale:
    return Rationale(question, solution.rpartition("####")[0].strip() or solution, gold, gold, correct=True)


def _corpus(path: Path, source: str, key: str) -> Iterator[Corpus]:
    try:
        items = rationales(path, key, source)
    except LabError as error:
        print(f"left out {path.name}: {error}", file=sys.stderr)
        return
    yield Corpus(f"{key} · {path.stem}"[:48], [item for item in items if item.correct])


# ── errors put in on purpose: an item in, the item with one error out, None where it has no place ──


def changed_result(item: Rationale, rng: random.Random, _others: list[Rationale]) -> Rationale | None:
    """The result of one equation is off."""
    found = [
        e for e in equations(item.rationale) if e.correct and re.fullmatch(r"[\d.,]+", e.right.lstrip("$"))
    ]
    if not found:
        return None
    e = rng.choice(found)
    start = e.end - len(e.right)
    return _with(item, start, e.end, _other_number(e.right, rng))


def changed_operand(item: Rationale, rng: random.Random, _others: list[Rationale]) -> Rationale | None:
    """One number on the left of an equation is another."""
    spots = []
    for e in equations(item.rationale):
        left = item.rationale[e.start : e.start + len(e.left)]
        if e.correct and left == e.left:
            spots += [(e.start + m.start(), m.group()) for m in re.finditer(r"\d+(?:\.\d+)?", left)]
    spots = [(at, text) for at, text in spots if float(text) > 1]
    if not spots:
        return None
    at, text = rng.choice(spots)
    return _with(item, at, at + len(text), _other_number(text, rng))


# An equation said in words, and what may be said in passing.
PHRASES = {
    "+": ("the sum of {a} and {b} is {c}", "adding {a} to {b} gives {c}", "{a} plus {b} equals {c}",
          "if you add {a} and {b}, you get {c}", "{b} more than {a} is {c}", "{a} increased by {b} is {c}"),
    "-": ("{a} minus {b} is {c}", "subtracting {b} from {a} leaves {c}", "{b} less than {a} is {c}",
          "the difference between {a} and {b} is {c}", "taking {b} away from {a}, we get {c}"),
    "*": ("{a} times {b} is {c}", "the product of {a} and {b} is {c}", "multiplying {a} by {b} gives {c}",
          "{a} multiplied by {b} equals {c}"),
    "/": ("{a} divided by {b} is {c}", "dividing {a} by {b} gives us {c}",
          "the quotient of {a} and {b} is {c}"),
}  # fmt: skip
ASIDES = (
    "Half of {a} is {half}.", "Twice {a} is {double}.", "{a} dozen is {dozen}.", "Double {a} makes {double}.",
    "{a} hours are {sixty} minutes.", "There are {n60} minutes in an hour.", "{a} weeks = {seven} days.",
    "{a} dollars is {cents} cents.", "{cents} cents make {a} dollars.", "{a} feet equals {dozen} inches.",
    "So 20% of {cents} is {twenty}.", "A day has {n24} hours.",
)  # fmt: skip
ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen".split()


def said_in_words(item: Rationale, rng: random.Random, _others: list[Rationale]) -> Rationale | None:
    """One equation is said in words, small numbers too, and its result is off."""
    found = []
    for e in equations(item.rationale):
        parts = re.fullmatch(r"\$?(\d+)\s*([-+*x×/÷])\s*\$?(\d+)", e.left)
        if (
            e.correct
            and parts
            and e.right.lstrip("$").isdigit()
            and item.rationale[e.start :].startswith(e.left)
        ):
            found.append((e, parts))
    if not found:
        return None
    e, parts = rng.choice(found)
    phrase = rng.choice(PHRASES[{"x": "*", "×": "*", "÷": "/"}.get(parts[2], parts[2])])
    a, b, c = (
        ONES[int(n)] if int(n) < len(ONES) and rng.random() < 0.5 else n
        for n in (parts[1], parts[3], _other_number(e.right.lstrip("$"), rng))
    )
    return _with(item, e.start, e.end, phrase.format(a=a, b=b, c=c))


def wrong_aside(item: Rationale, rng: random.Random, _others: list[Rationale]) -> Rationale | None:
    """A share, a multiple or a conversion is said in passing, and is off."""
    a = 2 * rng.randint(2, 15)
    right = {"half": a // 2, "double": 2 * a, "dozen": 12 * a, "sixty": 60 * a, "seven": 7 * a,
             "cents": 100 * a, "twenty": 20 * a, "n60": 60, "n24": 24}  # fmt: skip
    aside = rng.choice(ASIDES)
    name = rng.choice([name for name in right if f"{{{name}}}" in aside])
    values = {"a": a, **right} | {name: _other_number(str(right[name]), rng)}
    made = steps(item.rationale)
    place = rng.choice([step.end for step in made]) if made else 0
    return _with(item, place, place, f"\n{aside.format(**values)}\n")


def wrong_date(item: Rationale, rng: random.Random, _others: list[Rationale]) -> Rationale | None:
    """A date, a day or a time is counted off by one or more."""
    start = datetime(2000 + rng.randint(0, 30), rng.randint(1, 12), rng.randint(1, 28), rng.randint(1, 9), 5)
    n, slip = rng.randint(2, 20), rng.choice([-10, -2, -1, 1, 2, 10])
    forms = (
        ("{n} days after {a:%m/%d/%Y} is {b:%m/%d/%Y}.", timedelta(days=n)),
        ("{n} weeks before {a:%B} {a.day}, {a.year} was {b:%B} {b.day}, {b.year}.", timedelta(weeks=-n)),
        ("{a:%m/%d/%Y} + {n} days = {b:%m/%d/%Y}.", timedelta(days=n)),
        ("The day before {a:%B} {a.day} is {b:%B} {b.day}.", timedelta(days=-1)),
        ("{n} minutes after {a.hour}:{a:%M} is {b.hour}:{b:%M}.", timedelta(minutes=n)),
    )
    form, move = rng.choice(forms)
    off = slip * (timedelta(minutes=1) if "minutes" in form else timedelta(days=1))
    return replace(item, rationale=f"{item.rationale}\n{form.format(n=n, a=start, b=start + move + off)}")


def changed_answer(item: Rationale, rng: random.Random, _others: list[Rationale]) -> Rationale | None:
    """The answer given is not the one that was worked out."""
    if not item.answer or not re.fullmatch(r"-?\d+(?:\.\d+)?", item.answer):
        return None
    return replace(item, answer=_other_number(item.answer, rng), correct=False)


def cut_short(item: Rationale, rng: random.Random, _others: list[Rationale]) -> Rationale | None:
    """The rationale stops in mid-sentence; its finish reason does not say so."""
    said = [m.end() for m in re.finditer(r"\w+", item.rationale)]
    inside = [
        at
        for at in said[len(said) // 3 : -1]
        if not re.match(r"\s*[.!?\n]", item.rationale[at:]) and item.rationale[at:].strip()
    ]
    return replace(item, rationale=item.rationale[: rng.choice(inside)]) if inside else None


def said_twice(item: Rationale, rng: random.Random, _others: list[Rationale]) -> Rationale | None:
    """A step comes again later."""
    made = [s for s in steps(item.rationale) if len(s.text.split()) >= 6]
    if not made:
        return None
    step = rng.choice(made)
    return replace(item, rationale=item.rationale.rstrip() + "\n" + step.text)


def misread_once(item: Rationale, rng: random.Random, _others: list[Rationale]) -> Rationale | None:
    """A number of the question is another one at one place outside the equations, and that one stands
    nowhere else: neither in the question nor in the rationale."""
    given = {n.value for n in numbers(item.question)}
    outside = _outside_equations(item.rationale)
    spots = [n for n in numbers(item.rationale) if n.value in given and n.value > 2 and outside(n.start)]
    spots = [n for n in spots if item.rationale[n.start : n.end].isdigit()]
    if not spots or has_dates(item.question):
        return None
    spot = rng.choice(spots)
    other = _new_number(item, spot, rng, item.rationale)
    return None if other is None else _with(item, spot.start, spot.end, other)


def misread_throughout(item: Rationale, rng: random.Random, _others: list[Rationale]) -> Rationale | None:
    """The rationale goes on from another number than the question has: here the question's is changed,
    to one that stands nowhere else."""
    told = {n.value for n in numbers(item.rationale)}
    given = numbers(item.question)
    spots = [n for n in given if n.value in told and n.value > 2 and item.question[n.start : n.end].isdigit()]
    spots = [n for n in spots if sum(n.value == other.value for other in given) == 1]
    if not spots or has_dates(item.question):
        return None
    spot = rng.choice(spots)
    other = _new_number(item, spot, rng, item.question)
    if other is None:
        return None
    question = item.question[: spot.start] + other + item.question[spot.end :]
    return replace(item, question=question, correct=False)


def left_out(item: Rationale, rng: random.Random, _others: list[Rationale]) -> Rationale | None:
    """Every step with one of the question's numbers is gone, and every step with a number that is neither
    given nor worked out by an equation that stays: it may have come of the one left out."""
    given = {n.value for n in numbers(item.question)}
    choices = [n.value for n in numbers(item.question) if not n.spelled and n.value != 1]
    rng.shuffle(choices)
    made = steps(item.rationale)
    if has_dates(item.question):
        return None
    for value in choices:
        known, kept = given - {value}, []
        for step in made:
            for e in equations(step.text):
                if e.stated is not None and {n.value for n in numbers(e.left)} <= known:
                    known.add(e.stated)
            if value not in (told := {n.value for n in numbers(step.text)}) and told <= known:
                kept.append(step.text)
        if 0 < len(kept) < len(made):
            return replace(item, rationale="\n".join(kept))
    return None


def from_an_exemplar(item: Rationale, rng: random.Random, others: list[Rationale]) -> Rationale | None:
    """One step is an exemplar's."""
    other = rng.choice(others)
    long = [s for s in steps(other.rationale) if len(s.text.split()) >= 9]
    made = steps(item.rationale)
    if other.question == item.question or not long or not made:
        return None
    step, place = rng.choice(long), rng.choice(made)
    exemplar = Exemplar(other.question, other.rationale, other.answer or "")
    return replace(_with(item, place.start, place.end, step.text), exemplars=(exemplar,))


CORRUPTIONS: dict[
    str, tuple[str, Callable[[Rationale, random.Random, list[Rationale]], Rationale | None]]
] = {
    "result of an equation changed": ("arithmetic", changed_result),
    "operand of an equation changed": ("arithmetic", changed_operand),
    "equation said in words, result changed": ("arithmetic", said_in_words),
    "wrong share, multiple or conversion": ("arithmetic", wrong_aside),
    "date or time counted wrongly": ("dates", wrong_date),
    "wrong step, right answer": ("lucky", changed_result),
    "number of the question misread once": ("stranger", misread_once),
    "number of the question misread throughout": ("stranger", misread_throughout),
    "… so that it is never used": ("unused", misread_throughout),
    "steps with one given number removed": ("unused", left_out),
    "answer differs from the last step": ("last-step", changed_answer),
    "cut in mid-sentence": ("truncated", cut_short),
    "a step said twice": ("repeated", said_twice),
    "a step copied from an exemplar": ("copied", from_an_exemplar),
}
NOT_FOUND = """Why not all:
stranger   a misread number may come of others by two sums, and is then no different from a sum done in the
           head; up to four it may have been counted
unused     likewise; and a number whose noun is neither asked for nor spoken of passes for one that a question
           says only to distract
truncated  a line that ends on a number or on what it counts ("= 39 pieces") may be whole, and any line of
           a rationale that writes no full stops. Zero-shot-CoT's logs do not say what was cut at the token
           limit: what is flagged there mostly was
repeated   a state ("The coin is now tails up.") may come again
Both stranger and unused pass over questions that do not ask for a number, and over those about dates."""


def corrupted(items: list[Rationale], kind: str, n: int, seed: int) -> list[Rationale]:
    """n items with one error of a kind, each made from another rationale that its check is silent about."""
    check, corrupt = CORRUPTIONS[kind]
    rng = random.Random(f"{seed} {kind}")
    made: list[Rationale] = []
    for item in rng.sample(items, len(items)):
        if len(made) == n:
            break
        if check in problems(item):
            continue
        changed = corrupt(item, rng, items)
        if changed is not None and changed != item:
            made.append(changed)
    return made


def _with(item: Rationale, start: int, end: int, text: str) -> Rationale:
    return replace(item, rationale=item.rationale[:start] + text + item.rationale[end:])


def _new_number(item: Rationale, spot: Number, rng: random.Random, text: str) -> str | None:
    """Another number for the one at a spot of `text`, that stands neither in question nor rationale."""
    there = {n.value for n in (*numbers(item.question), *numbers(item.rationale))}
    for _ in range(20):
        other = _other_number(text[spot.start : spot.end], rng)
        if Fraction(other) > 0 and Fraction(other) not in there:
            return other
    return None


def _other_number(text: str, rng: random.Random) -> str:
    """A number that a slip could have made of it: off by a little, or two digits swapped, never equal."""
    sign, body = ("-", text[1:]) if text.startswith("-") else ("", text)
    money = "$" if body.startswith("$") else ""
    plain = body.lstrip("$").replace(",", "").rstrip(".")
    digits = len(plain.partition(".")[2])
    value = float(plain)
    while True:
        if digits == 0 and len(plain) > 1 and rng.random() < 0.3:
            shuffled = list(plain)
            rng.shuffle(shuffled)
            made = "".join(shuffled).lstrip("0") or "0"
        else:
            step = rng.choice([-10, -2, -1, 1, 2, 10]) * 10**-digits
            made = f"{abs(value + step):.{digits}f}"
        if float(made) != value:
            return sign + money + made


def _outside_equations(text: str) -> Callable[[int], bool]:
    spans = [(e.start, e.end) for e in equations(text)]
    return lambda at: not any(start <= at < end for start, end in spans)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=settings.data_dir(), help="recordings, laid out by source"
    )
    parser.add_argument("--each", type=int, default=100, help="errors of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--only", default="", help="benchmarks to measure on, by how their names start: addsub,single_eq"
    )
    parser.add_argument("--show", choices=list(CHECKS), help="print what this check flags")
    options = parser.parse_args()
    if not (options.data / "reasoning-teacher").is_dir():
        sys.exit(f"There are no recordings in {options.data}: give their folder with --data.")

    import os

    os.environ["LAB_DATA_DIR"] = str(options.data)
    wanted = options.only.split(",")
    found = [c for c in corpora(options.data) if any(c.name.startswith(name) for name in wanted)]
    if not found:
        sys.exit(f"No recording's name starts with {options.only}.")
    print("False alarms: correct rationales flagged, percent\n")
    print(f"{'':52}{'n':>6}" + "".join(f"{key:>12}" for key in CHECKS))
    total = {key: 0 for key in CHECKS}
    start = time.perf_counter()
    for corpus in found:
        flagged = {key: 0 for key in CHECKS}
        for item in corpus.items:
            for key, flags in problems(item).items():
                if key == "truncated" and item.finish_reason == "length":
                    continue  # cut at the token limit: no false alarm
                flagged[key] += 1
                if key == options.show:
                    print(f"\n{item.question}\n  → {item.rationale}\n  → {item.answer}: {flags}")
        print(f"{corpus.name:52}{len(corpus.items):6}" + _rates(flagged, len(corpus.items)))
        total = {key: total[key] + flagged[key] for key in CHECKS}
    n = sum(len(c.items) for c in found)
    seconds = time.perf_counter() - start
    print(f"{'all':52}{n:6}" + _rates(total, n) + f"   {n / seconds:.0f} rationales/s")
    print("copied: no exemplars were shown here; measured with foreign ones below.\n")

    pool = [item for corpus in found for item in corpus.items]
    print(f"{'Errors found, percent (95 % interval)':44}{'n':>5}  {'by':12}{'recall':>20}{'any check':>12}")
    for kind, (check, _) in CORRUPTIONS.items():
        items = corrupted(pool, kind, options.each, options.seed)
        hits = [problems(item) for item in items]
        own = wilson(sum(check in hit for hit in hits), len(hits))
        any_check = 100 * sum(bool(hit) for hit in hits) / len(hits)
        recall = f"{100 * own.value:.0f} ({100 * own.low:.0f}–{100 * own.high:.0f})"
        print(f"{kind:44}{len(items):5}  {check:12}{recall:>20}{any_check:12.0f}")
    print(f"\n{NOT_FOUND}")
    foreign = [replace(item, exemplars=_others(pool, i)) for i, item in enumerate(pool[:500])]
    alarms = sum("copied" in problems(item) for item in foreign)
    print(f"\ncopied: false alarms with eight other rationales as exemplars {alarms}/{len(foreign)}")


def _others(pool: list[Rationale], i: int) -> tuple[Exemplar, ...]:
    chosen = random.Random(i).sample(pool, 8)
    return tuple(Exemplar(x.question, x.rationale, "") for x in chosen if x.question != pool[i].question)


def _rates(flagged: dict[str, int], n: int) -> str:
    return "".join(f"{100 * count / n if n else 0:12.1f}" for count in flagged.values())


if __name__ == "__main__":
    main()
