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
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.errors import LabError, RefusedError
from core.exemplars.candidates import TRIGGER
from core.records import Exemplar
from core.students.formats import FEW_SHOT_MARK, FORMATS

_END = re.compile(rf"^(?P<rationale>.*\S)\s+{FEW_SHOT_MARK}\s+(?P<answer>\S.*?)\.?\s*$", re.DOTALL)


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
    return f"{FORMATS['causal'].few_shot(question, exemplars)} {TRIGGER}"


@dataclass(frozen=True, slots=True)
class Preview:
    """A prompt as the teacher will get it. Tokens are `counted`, else estimated from its length.

    `room` is what is left of the window once `new_tokens` are kept for the reply; below 0 it does not fit.
    """

    prompt: str
    tokens: int
    window: int
    new_tokens: int
    counted: bool

    @property
    def room(self) -> int:
        return self.window - self.tokens - self.new_tokens

    @property
    def fits(self) -> bool:
        return self.room >= 0


def preview(
    question: str,
    exemplars: Sequence[Exemplar],
    window: int,
    new_tokens: int,
    count: Callable[[str], int] | None = None,
) -> Preview:
    """The prompt for a question beside its size; `count` is the teacher's tokenizer, where it is known."""
    from core.teachers.base import count_tokens

    prompt = few_shot_prompt(question, exemplars)
    return Preview(prompt, (count or count_tokens)(prompt), window, new_tokens, count is not None)
