"""Few-shot-CoT (Wei et al. 2022): worked exemplars before the question, no training.

    Q: Roger has 5 tennis balls. …
    A: Roger started with 5 balls. … 5 + 6 = 11. The answer is 11.
    Q: {question}
    A:

The exemplars are the user's. The same prompt asks a teacher, in one call.
"""

from __future__ import annotations

from core.errors import LabError
from core.methods.base import Ask, Given, Method, Program, Text, Written
from core.records import Question, Sampling
from core.students.formats import FEW_SHOT_MARK


def _program(question: Question, given: Given, role: str) -> Program:
    """Exemplars, then the question. LabError where there are none."""
    if not given.exemplars:
        raise LabError(
            "Few-shot-CoT needs exemplars: give the study at least one (question, rationale, answer)."
        )
    said = yield Ask(given.form.few_shot(question.text, given.exemplars), role)
    return Written(said.text, Text(said, prefix=FEW_SHOT_MARK))


def teach(question: Question, given: Given) -> Program:
    return _program(question, given, "teacher")


def solve(question: Question, given: Given) -> Program:
    return _program(question, given, "student")


METHOD = Method(
    key="few-shot-cot",
    order=20,
    title="Few-shot-CoT",
    paper="Wei et al. 2022",
    about="Exemplars with rationales before the question; no training.",
    teach=teach,
    solve=solve,
    exemplars="own",
    max_input_tokens=768,  # Ho et al. 2023, src/custom: 512, but 768 with exemplars
    # A model that goes on would write the next exemplar's question.
    sampling=Sampling(max_tokens=256, stop=("\nQ:",)),
)
