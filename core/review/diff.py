"""What an edit changed, word by word.

    words("3 + 4 = 8 left.", "3 + 4 = 7 left.")     same "3 + 4 = ", removed "8 ", added "7 ", same "left."

Joined, "same" and "removed" are the old text and "same" and "added" the new one, byte for byte.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from os.path import commonprefix

_TOKEN = re.compile(r"\w+\s*|[^\w\s]\s*|\s+")  # a word takes the white space after it along
_SENTENCE = re.compile(r"[^.!?\n]*[.!?\n]+|[^.!?\n]+")
MANY = 1500  # tokens between the first and the last change, above which whole sentences are compared


@dataclass(frozen=True, slots=True)
class Change:
    """A stretch of text: `kind` is "same", "removed" or "added"."""

    kind: str
    text: str


def words(before: str, after: str) -> list[Change]:
    """The changes from one text to another, in reading order."""
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    first = len(commonprefix([old, new]))
    rest = old[first:], new[first:]
    last = len(commonprefix([tokens[::-1] for tokens in rest]))
    middle_old, middle_new = (tokens[: len(tokens) - last] for tokens in rest)
    if many := max(len(middle_old), len(middle_new)) > MANY:
        middle_old, middle_new = (_SENTENCE.findall("".join(m)) for m in (middle_old, middle_new))
    changes = [Change("same", "".join(old[:first]))]
    # Its shortcut for long texts (autojunk) may show as changed what is the same, so only there.
    for kind, i, j, k, m in SequenceMatcher(None, middle_old, middle_new, autojunk=many).get_opcodes():
        changes.append(Change("same" if kind == "equal" else "removed", "".join(middle_old[i:j])))
        if kind != "equal":
            changes.append(Change("added", "".join(middle_new[k:m])))
    changes.append(Change("same", "".join(old[len(old) - last :])))
    groups = groupby((change for change in changes if change.text), lambda change: change.kind)
    return [Change(kind, "".join(change.text for change in group)) for kind, group in groups]
