r"""What the teacher is shown: exemplars, then the question, as in Auto-CoT (run_inference.py, utils.py).

    Q: Wendy uploaded 45 pictures to Facebook. …
    A: Let's think step by step. First, we know that … each album would have 2 pictures. The answer is 2.

    Q: {question}
    A: Let's think step by step.

In review an exemplar is one text, what follows "A: ", so that an edit changes exactly what the teacher
will read: the rationale, and after "The answer is" the answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.errors import LabError, RefusedError
from core.exemplars.candidates import TRIGGER
from core.records import Exemplar
from core.students.formats import FEW_SHOT_MARK, FORMATS

_END = re.compile(rf"^(?P<rationale>.*\S)\s+{FEW_SHOT_MARK}\s+(?P<answer>\S.*?)\.?\s*$", re.DOTALL)

BLANK_LINE = "\n\n"  # as Auto-CoT has it between exemplars; Fine-tune-CoT's few-shot students read none


def parse(question: str, text: str) -> Exemplar:
    """The exemplar in a reviewed text. LabError where it does not end with an answer."""
    if (match := _END.match(text)) is None:
        raise LabError(
            f"The text must be a rationale that ends with “{FEW_SHOT_MARK} …”: write the answer there."
        )
    return Exemplar(question, match["rationale"], match["answer"])


def revised(
    question: str, text: str, gold: str, *, kind: str, rules: str, correct_only: bool = True
) -> Exemplar:
    """The exemplar of an edited text. RefusedError where `correct_only` and its answer is not the gold one.

    `kind` is the benchmark's kind of answer, `rules` a key of core.answers.RULES.
    """
    from core.answers import score

    made = parse(question, text)
    if correct_only and not score(made.answer, gold, kind=kind, rules=rules).correct:
        raise RefusedError(
            f"The edited exemplar answers {made.answer!r} and the benchmark says {gold!r}: "
            "these rules show the teacher right answers only."
        )
    return made


def few_shot_prompt(question: str, exemplars: Sequence[Exemplar]) -> str:
    """The whole prompt. LabError without exemplars."""
    if not exemplars:
        raise LabError("There is no exemplar to show: accept at least one in the review.")
    return f"{FORMATS['causal'].few_shot(question, exemplars, between=BLANK_LINE)} {TRIGGER}"
