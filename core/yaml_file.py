"""A YAML file as plain values, and the line of each: so that a mistake is one sentence with its line.

values, lines = read(Path("study.yaml"))
lines["teaching", "samples"]      4
"""

from __future__ import annotations

import re
from math import isfinite
from pathlib import Path
from typing import Any

import yaml

from core.errors import LabError

MOST_VALUES = 10_000  # an alias repeats what it stands for, so a few lines may be more than memory holds
PLAIN = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
Place = tuple[str | int, ...]
Lines = dict[Place, int]


class _Loader(yaml.SafeLoader):
    """Plain values only; 3e-4 is a number, as in YAML 1.2."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def read(path: Path) -> tuple[Any, Lines]:
    """(values, line of each place). LabError where it is no file of plain values, with the line."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise LabError(f"There is no file {path}: give the path of a study file (YAML).") from None
    except OSError as error:
        raise LabError(f"{path} cannot be read ({error.strerror}): give the path of a study file.") from None
    except UnicodeDecodeError:
        raise LabError(f"{path} is not text in UTF-8: save it as UTF-8.") from None
    try:
        reader = _Reader(text)
        return reader.whole(), reader.lines
    except _WrongError as error:
        raise LabError(f"{path}, line {error.line}: {error}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path}, line {mark.line + 1}" if mark else str(path)
        raise LabError(f"{where}: this is not YAML ({error.problem}): correct that line.") from None
    except (yaml.YAMLError, RecursionError) as error:
        deep = isinstance(error, RecursionError)
        said = "it is nested too deeply" if deep else " ".join(str(error).split())
        raise LabError(f"{path} is not YAML ({said}): correct it.") from None


def line(lines: Lines, place: Place) -> int:
    """The line of a value; of one that is not there, the line of what it belongs to."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


class _WrongError(Exception):
    def __init__(self, sentence: str, node: yaml.Node) -> None:
        super().__init__(sentence)
        self.line = node.start_mark.line + 1


class _Reader:
    """Values and lines of one document."""

    def __init__(self, text: str) -> None:
        self.loader, self.lines, self.values = _Loader(text), Lines(), 0

    def whole(self) -> Any:
        node = self.loader.get_single_node()
        return None if node is None else self.plain(node, (), [])

    def plain(self, node: yaml.Node, place: Place, above: list[yaml.Node]) -> Any:
        """The value of a node; `above` are the nodes that it stands in."""
        self.values += 1
        self.lines.setdefault(place, node.start_mark.line + 1)
        if node in above:
            raise _WrongError("an anchor stands for a value that holds it: write the value out.", node)
        if self.values > MOST_VALUES:
            raise _WrongError(f"the file has more than {MOST_VALUES:,} values: use fewer aliases.", node)
        if isinstance(node, yaml.CollectionNode) and node.tag not in PLAIN:
            raise _WrongError(f"{node.tag} is no plain value: leave the tag out.", node)
        above = [*above, node]
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(one, (*place, i), above) for i, one in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self.pairs(node, place, above)
        return self.scalar(node)

    def pairs(self, node: yaml.MappingNode, place: Place, above: list[yaml.Node]) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _WrongError("a list or pairs stand where a name belongs: write a name.", key)
            if key.value in own:
                raise _WrongError(f"`{key.value}` stands here twice: keep one.", key)
            if key.tag == "tag:yaml.org,2002:merge":  # <<: *anchor
                more = self.plain(value, place, above)
                for one in reversed(more if isinstance(more, list) else [more]):
                    merged |= one if isinstance(one, dict) else {}
                continue
            self.lines[*place, key.value] = key.start_mark.line + 1
            own[key.value] = self.plain(value, (*place, key.value), above)
        return merged | own

    def scalar(self, node: yaml.Node) -> Any:
        try:
            value = self.loader.construct_object(node)
        except (ValueError, yaml.YAMLError):  # also a number of 5,000 digits
            raise _WrongError("this value cannot be read: correct it.", node) from None
        if isinstance(value, str) and any(c == "\0" or "\ud800" <= c <= "\udfff" for c in value):
            raise _WrongError("the text holds a character that cannot be stored: remove it.", node)
        if isinstance(value, float) and not isfinite(value):
            raise _WrongError(f"{value} is no finite number: write another.", node)
        return value
