"""What one method changes against another, told from their parts: how a table names the arms of an ablation.

changes(METHODS["fine-tune-cot"], METHODS["cluster-exemplars"], {"k": 8})
("+ exemplars of 8 clusters",)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from core.exemplars.selection import CHECKS, RULES
from core.methods.base import Method

WORDS = {"adaptive": "adaptive answers"}  # of options that are on or off


def changes(before: Method, after: Method, clusters: Mapping[str, Any] | None = None) -> tuple[str, ...]:
    """A phrase for each part in which a method differs from the one before it; () where they are alike.

    `clusters` is how the study chooses exemplars, as its file says it: k, and the rules of those methods
    that leave them to the study.
    """
    return tuple(phrase for told in PARTS for phrase in told(before, after, clusters or {}))


def titles(arms: Sequence[Method], clusters: Mapping[str, Any] | None = None) -> list[str]:
    """The first arm's title, and of each other one what it changes against the one before it."""
    told = [" and ".join(changes(before, after, clusters)) or after.title for before, after in pairwise(arms)]
    return [arms[0].title, *told] if arms else []


def _exemplars(before: Method, after: Method, clusters: Mapping[str, Any]) -> Iterator[str]:
    if before.exemplars != after.exemplars:
        chosen = f"exemplars of {clusters.get('k') or 'the'} clusters"
        yield {"chosen": f"+ {chosen}", "own": "+ exemplars of your own", None: "− exemplars"}[
            after.exemplars
        ]
        return
    own = clusters.get("rules") or "paper"
    was, now = (RULES[method.exemplar_rules or own] for method in (before, after))
    limits = was.limits.dump()
    for name, value in now.limits.dump().items():
        if value != limits[name]:
            yield f"{'+' if value else '−'} exemplars left out: {CHECKS[name].failure}"
    if was.text != now.text:
        yield "exemplars chosen by another text"


def _options(before: Method, after: Method, _clusters: Mapping[str, Any]) -> Iterator[str]:
    for name in dict.fromkeys([*before.options, *after.options]):
        was, now = before.options.get(name, False), after.options.get(name, False)
        if was == now:
            continue
        words = WORDS.get(name, name)
        yield f"{'+' if now else '−'} {words}" if isinstance(now, bool) else f"{words}: {now}"


def _asked(before: Method, after: Method, _clusters: Mapping[str, Any]) -> Iterator[str]:
    was = before.sampling.as_dict()
    yield from (f"{name}: {value}" for name, value in after.sampling.as_dict().items() if value != was[name])


def _learnt(before: Method, after: Method, _clusters: Mapping[str, Any]) -> Iterator[str]:
    if before.lessons != after.lessons:
        yield "other labels" if after.lessons else "no training"
    if before.solve != after.solve or before.students != after.students:
        yield "the student is asked in another way"
    if before.max_input_tokens != after.max_input_tokens:
        yield "the student reads longer prompts"


PARTS: tuple[Callable[[Method, Method, Mapping[str, Any]], Iterator[str]], ...] = (
    _exemplars,
    _options,
    _asked,
    _learnt,
)
