"""Which checks these are: a hash over the files that they are written in.

    version()   "5f0c9d2ab1e47731"

What the checks said is kept under it, so that a changed check is asked again.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

FILES = ("arithmetic", "checks", "expressions", "known", "steps", "tokens", "units", "vocabulary", "worded")


@cache
def version() -> str:
    """16 hexadecimal digits; other ones whenever a file of the checks is changed."""
    folder = Path(__file__).parent
    paths = [*(folder / f"{name}.py" for name in FILES), folder / "words.yaml"]
    return sha256(b"\0".join(path.read_bytes() for path in paths)).hexdigest()[:16]
