"""What is beside the card: only the part that is open is made."""

from __future__ import annotations

from collections.abc import Sequence

from core.review.fold import Key
from pages.components import frame
from pages.components.review.bulk import many
from pages.components.review.cards import Card
from pages.components.review.history import shown_history
from pages.components.review.prompt import shown_prompt
from pages.components.review.reviewers import shown_agreement
from pages.components.review.runs import Review


def beside(review: Review, card: Card | None, shown: Sequence[Key], author: str) -> None:
    """What else there is to see: only the part that is open is made."""
    parts = {
        "History": lambda: shown_history(review, card),
        "Reviewers": lambda: shown_agreement(review),
        "Many at once": lambda: many(review, shown, author),
    }
    if review.points:
        parts = {"Prompt": lambda: shown_prompt(review, card)} | parts
    frame.tabs(parts, f"beside_{review.run.kind}")
