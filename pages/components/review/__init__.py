"""The Review page's parts: what is under review, one card of it, the keys that decide, and what is beside it.

A card keeps what its reader saw (`seen`, the last decision on it, and its text), and every decision is made
against that: core.review.desk refuses it where the item changed in between, and the page shows both.

    runs       a run, its decisions folded, how much is left      editing    an edit under way
    queues     the filters, the card before and after             clashes    both versions after a conflict
    cards      a rationale with all that its card shows         and in the tabs beside the card:
    marks      steps, flags and word diffs as inert HTML          prompt     the prompt the teacher will get
    face       the card                                           history    what was decided, as a file
    shortcuts  the buttons and their keys                         reviewers  how far two agree
    deciding   what a press does                                  bulk       many at once
    author     whose decisions these are
"""
