"""How long work tells how far it is: by calling a Report, which may raise to stop it."""

from __future__ import annotations

from collections.abc import Callable

Report = Callable[[str, int, int], None]  # what is being done, how much of it, of how much


def silent(_stage: str, _done: int, _total: int) -> None:
    """Tells nobody."""
