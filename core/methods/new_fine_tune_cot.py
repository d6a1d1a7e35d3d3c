r"""New-Fine-tune-CoT (J. Data Acquisition and Processing, 2024): a better-shown teacher, fewer calls.

Zero-shot rationales of all questions are clustered, one exemplar per cluster is chosen, checked and
reviewed (core.exemplars, core.review). Then the teacher answers every question again with them in view:

    Q: {exemplar}\nA: Let's think step by step. {rationale} The answer is {answer}.\n\n … \n\n
    Q: {question}\nA: Let's think step by step.

Where its reply asserts one answer behind an explicit marker, that is the answer; else a second call asks,
as Fine-tune-CoT does. So n questions cost n + misses calls. The student learns as in Fine-tune-CoT.

The paper gives no prompt, encoder, number of clusters, temperature or length. The prompt and the clusters
are Auto-CoT's; all else is Fine-tune-CoT's, so that each arm of the ablation has one change more than the
one before it: the same sampling (at most 128 tokens) and the same labels, with the sentence that names the
answer left where the teacher wrote it.
"""

from __future__ import annotations

from dataclasses import replace

from core.answers.asserted import asserted
from core.exemplars.prompt import few_shot_prompt
from core.methods import fine_tune_cot
from core.methods.base import Ask, Asserted, Given, Program, Written
from core.records import Question

# A model that goes on would write the next exemplar's question.
NEXT = ("\nQ:",)


def teach(question: Question, given: Given) -> Program:
    """One call where the reply says its answer, else two; always two where `adaptive` is off."""
    reasoned = yield Ask(few_shot_prompt(question.text, given.exemplars), stop=NEXT)
    if given.options.get("adaptive") and asserted(reasoned.text, given.kind, given.rules):
        return Written(reasoned.text, Asserted(reasoned))
    return (yield from fine_tune_cot.answered(reasoned, given, NEXT))


METHOD = replace(
    fine_tune_cot.METHOD,
    key="new-fine-tune-cot",
    order=70,
    title="New-Fine-tune-CoT",
    paper="J. Data Acquisition and Processing 2024",
    about="The teacher sees reviewed exemplars, one per cluster; a second call is made only where needed.",
    teach=teach,
    exemplars="chosen",
    options={"adaptive": True, **fine_tune_cot.METHOD.options},
)
