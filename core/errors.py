"""Two classes of error.

LabError                 shown to the user as written: one sentence that says what to do
└── RefusedError         the lab will not do this, because the result would be wrong

Anything else is a defect and shows as a traceback in the log.
"""


class LabError(Exception):
    """A sentence for the user: what is wrong and how to mend it."""


class RefusedError(LabError):
    """A comparison, resume or edit that would give a wrong result."""
