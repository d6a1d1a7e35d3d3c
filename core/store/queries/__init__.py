"""What the stages write and the pages read: one small function each, records in, rows out.

    queries.completions(run_id, correct=False, limit=50)     a page of a generation's wrong completions

One file for each subject, naming in `__all__` what is called as `queries.…`. Lists that can be long take
`offset` and `limit`; counts are made by the database.
"""

# ruff: noqa: F403  each file's `__all__` says what it gives
from core.store.queries._benchmarks import *
from core.store.queries._calls import *
from core.store.queries._completions import *
from core.store.queries._measures import *
from core.store.queries._studies import *
from core.store.queries._training import *
