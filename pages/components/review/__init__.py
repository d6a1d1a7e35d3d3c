"""The Review page's parts: what is under review, one card of it, the keys that decide, and what is beside it.

A card keeps what its reader saw (`seen`, the last decision on it, and its text), and every decision is made
against that: core.review.desk refuses it where the item changed in between, and the page shows both.

    runs       a run, its decisions folded, how much is left      editing    an edit under way
    queues     the filters, the card before and after             clashes    both versions after a conflict
    cards      a rationale with all that its card shows           tabs       what is beside the card:
    marks      steps, flags and word diffs as inert HTML            prompt     the prompt the teacher will get
    face       the card                                             history    what was decided, as a file
    shortcuts  the buttons and their keys                           reviewers  how far two agree
    deciding   what a press does                                    bulk       many at once
    author     whose decisions these are
"""

from pages.components.review.author import choose_author
from pages.components.review.bulk import many
from pages.components.review.cards import find_flags, open_card
from pages.components.review.clashes import conflict
from pages.components.review.editing import typed_text
from pages.components.review.face import badges, card, choose_card
from pages.components.review.marks import steps_html
from pages.components.review.queues import ALL, filters
from pages.components.review.runs import (
    Review,
    board,
    choose_run,
    gaps,
    key_of,
    label,
    map_points,
    open_review,
    progress,
)
from pages.components.review.shortcuts import keys
from pages.components.review.tabs import beside

__all__ = [
    "ALL",
    "Review",
    "badges",
    "beside",
    "board",
    "card",
    "choose_author",
    "choose_card",
    "choose_run",
    "conflict",
    "filters",
    "find_flags",
    "gaps",
    "key_of",
    "keys",
    "label",
    "many",
    "map_points",
    "open_card",
    "open_review",
    "progress",
    "steps_html",
    "typed_text",
]
