"""The words that the checks know: words.yaml, its texts as lists of words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


def _lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _lists(own) for name, own in value.items()}
    if isinstance(value, list):
        return value
    return str(value).split()


WORDS: dict[str, Any] = _lists(yaml.safe_load(Path(__file__).with_name("words.yaml").read_text("utf-8")))
