"""Few-shot-CoT (Wei et al. 2022): worked exemplars before the question, no training.

    Q: Roger has 5 tennis balls. …
    A: Roger started with 5 balls. … 5 + 6 = 11. The answer is 11.

    Q: {question}
    A:

The exemplars are the user's. The same prompt asks a teacher, in one call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import LabError
from core.methods.base import Method
from core.records import Exemplar, Sampling
from core.students.formats import FORMATS, Format


def student_input(question: str, form: Format, exemplars: Sequence[Exemplar]) -> str:
    """Exemplars, then the question. LabError where there are none."""
    if not exemplars:
        raise LabError(
            "Few-shot-CoT needs exemplars: give the study at least one (question, rationale, answer)."
        )
    return form.few_shot(question, exemplars)


def teacher_prompt(question: str, options: Mapping[str, Any]) -> str:
    """The same for a teacher; `options["exemplars"]` are the exemplars."""
    return student_input(question, FORMATS["causal"], options["exemplars"])


FEW_SHOT_COT = Method(
    key="few-shot-cot",
    title="Few-shot-CoT",
    paper="Wei et al. 2022",
    about="Exemplars with rationales before the question; no training.",
    input=student_input,
    template="few-shot",
    needs_exemplars=True,
    max_input_tokens=768,  # Ho et al. 2023, src/custom: 512, but 768 with exemplars
    prompt=teacher_prompt,
    # A model that goes on would write the next exemplar's question.
    sampling=Sampling(max_tokens=256, stop=("\nQ:",)),
    options={"exemplars": ()},
)
