r"""New-Fine-tune-CoT (J. Data Acquisition and Processing, 2024): a better-shown teacher, fewer calls.

Zero-shot rationales of all questions are clustered, one exemplar a cluster is chosen, checked and
reviewed (core.exemplars, core.review). Then the teacher answers every question again with them in view:

    Q: {exemplar}\nA: Let's think step by step. {rationale} The answer is {answer}.\n\n … \n\n
    Q: {question}\nA: Let's think step by step.

Where its reply asserts one answer behind an explicit marker, that is the answer; else a second call asks,
as Fine-tune-CoT does. So n questions cost n + misses calls. The student learns as in Fine-tune-CoT; the
sentence that names the answer is not learnt twice.

The paper gives no prompt, encoder, number of clusters or temperature: Auto-CoT's are taken.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.answers.asserted import asserted
from core.exemplars.candidates import without_answer
from core.exemplars.prompt import few_shot_prompt
from core.methods import fine_tune_cot
from core.methods.base import Ask, Asserted, Given, Lesson, Method, Program, Text, Written
from core.records import Completion, Question, Sampling


def teach(question: Question, given: Given) -> Program:
    """One call where the reply says its answer, else two; always two where `adaptive` is off."""
    reasoned = yield Ask(few_shot_prompt(question.text, given.exemplars))
    if given.options.get("adaptive") and asserted(reasoned.text, given.kind, given.rules):
        return Written(reasoned.text, Asserted(reasoned))
    prompt = f"{reasoned.prompt}{reasoned.text}{given.options['trigger']}"
    answered = yield Ask(prompt, name="answer", sampling=ANSWER)
    return Written(reasoned.text, Text(answered))


def lessons(question: Question, written: Completion, given: Given) -> Iterator[Lesson]:
    text = without_answer(written.rationale)
    yield Lesson(given.form.input(question.text), given.form.label(text, question.answer), text)


# A model that goes on would write the next exemplar's question. 256 tokens: Auto-CoT's run_inference.py.
SAMPLING = Sampling(max_tokens=256, stop=("\nQ:",))
ANSWER = Sampling(max_tokens=fine_tune_cot.SAMPLING.max_tokens, stop=SAMPLING.stop)

METHOD = Method(
    key="new-fine-tune-cot",
    order=70,
    title="New-Fine-tune-CoT",
    paper="J. Data Acquisition and Processing 2024",
    about="The teacher sees reviewed exemplars, one per cluster; a second call is made only where needed.",
    teach=teach,
    lessons=lessons,
    solve=fine_tune_cot.solve,
    exemplars="chosen",
    sampling=SAMPLING,
    options={"adaptive": True, "trigger": fine_tune_cot.TRIGGER},
)
