"""What a student reads and writes: one row per format.

causal, the 26th question of AddSub
    input  "There were 28 bales of hay … store in the barn ? ###"
    label  " There are now 54 bales … 54 - 28 = 26. --> 26"     (+ the tokenizer's end-of-text token)

Templates as in Fine-tune-CoT (Ho et al. 2023), src/data/format.py. The answer in a label is
the benchmark's, not the teacher's wording.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.records import Exemplar

ANSWER_MARK = "-->"
"""What stands between rationale and answer in a label, and before the answer in a prediction."""

FEW_SHOT_MARK = "The answer is"
"""What the exemplars of few-shot-CoT write before the answer."""


@dataclass(frozen=True, slots=True)
class Format:
    """Templates of one family of students. A tokenizer adds its own end-of-text token to every label."""

    key: str
    question: str
    rationale_and_answer: str
    answer_only: str
    zero_shot_question: str

    def input(self, question: str) -> str:
        """What the student reads."""
        return self.question.format(question=question.strip())

    def label(self, rationale: str | None, answer: str) -> str:
        """What the student learns to write; without a rationale this is vanilla fine-tuning."""
        if rationale is None:
            return self.answer_only.format(answer=answer.strip())
        return self.rationale_and_answer.format(rationale=rationale.strip(), answer=answer.strip())

    def zero_shot(self, question: str) -> str:
        """What an untrained student reads."""
        return self.zero_shot_question.format(question=question.strip())

    def few_shot(self, question: str, exemplars: Sequence[Exemplar], between: str = "\n") -> str:
        """What an untrained student reads after exemplars (Wei et al. 2022)."""
        shown = "".join(f"Q: {e.question.strip()}\nA: {spoken(e)}{between}" for e in exemplars)
        return f"{shown}Q: {question.strip()}\nA:"


def spoken(exemplar: Exemplar) -> str:
    """The exemplar as one text, without its question."""
    return f"{exemplar.rationale.strip()} {FEW_SHOT_MARK} {exemplar.answer.strip()}."


FORMATS: dict[str, Format] = {
    row.key: row
    for row in (
        Format(
            key="t5",  # and Flan-T5 and other encoder-decoders
            question="{question}",
            rationale_and_answer="{rationale} " + ANSWER_MARK + " {answer}",
            answer_only="{answer}",
            zero_shot_question="question: {question}",
        ),
        Format(
            key="causal",  # GPT-2 and other decoders
            question="{question} ###",
            rationale_and_answer=" {rationale} " + ANSWER_MARK + " {answer}",
            answer_only=" {answer}",
            zero_shot_question="Q: {question}\n\nA:",
        ),
    )
}
