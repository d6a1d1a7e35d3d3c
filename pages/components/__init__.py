"""What the pages are made of: functions that draw a part and return the user's choice.

No page computes: a component reads rows (core.store.queries, core.jobs) or writes a request.
"""
