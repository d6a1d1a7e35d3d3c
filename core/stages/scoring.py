"""Which text of a completion is read for the answer, and how."""

from __future__ import annotations

from core import answers
from core.records import Completion, Score


def completion_score(completion: Completion, gold: str, kind: str, rules: str) -> Score:
    """Two-call completions are read in their answer text, one-call ones after `The answer is`."""
    if completion.answer_prompt or completion.answer_text:
        return answers.score(completion.answer_text, gold, kind=kind, rules=rules)
    return answers.score(completion.rationale, gold, kind=kind, rules=rules, prefix="The answer is")
