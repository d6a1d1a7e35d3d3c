r"""New-Fine-tune-CoT (J. Data Acquisition and Processing, 2024): a better-shown teacher, fewer calls.

Zero-shot rationales of all questions are clustered, one exemplar a cluster is chosen, checked and
reviewed (core.exemplars, core.review). Then the teacher answers every question again with them in view:

    Q: {exemplar}\nA: Let's think step by step. {rationale} The answer is {answer}.\n\n … \n\n
    Q: {question}\nA: Let's think step by step.

Where its reply says its answer behind an explicit marker, that is the answer; else a second call asks,
as Fine-tune-CoT does. So n questions cost n + misses calls. The student learns as in Fine-tune-CoT.

The paper gives no prompt, encoder, number of clusters or temperature: Auto-CoT's are taken.

Its ablation adds one change at a time to Fine-tune-CoT. Two rows stand between the two methods, each
with two calls for every question: exemplars as they come, and exemplars whose answer is right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.errors import LabError
from core.exemplars.adaptive import extract
from core.exemplars.candidates import without_answer
from core.exemplars.prompt import few_shot_prompt
from core.methods import fine_tune_cot
from core.methods.base import Examples, Kept, Method, Removed, read_plain
from core.records import Question, Sampling

# A model that goes on would write the next exemplar's question.
STOP = ("\nQ:",)
MAX_TOKENS = 256  # Auto-CoT's, run_inference.py


def prompt(question: str, options: Mapping[str, Any]) -> str:
    """The first call: `options["exemplars"]`, then the question."""
    return few_shot_prompt(question, options["exemplars"])


def answer_in(rationale: str, options: Mapping[str, Any]) -> str | None:
    """What the rationale says behind its marker, from the answer on; None where a second call is needed."""
    if not options["adaptive"]:
        return None
    if options["kind"] is None:
        raise LabError("Adaptive answers are read by kind: set `kind` to the benchmark's kind of answer.")
    found = extract(rationale, options["kind"], options["rules"])
    return rationale[found.after :] if found else None


def choose(questions: Sequence[Question], completions: Kept) -> tuple[Examples, Removed]:
    """As Fine-tune-CoT; the sentence that names the answer is not learnt twice."""
    examples, dropped = fine_tune_cot.choose(questions, completions)
    return [(q, sample, without_answer(text or "")) for q, sample, text in examples], dropped


NEW_FINE_TUNE_COT = Method(
    key="new-fine-tune-cot",
    title="New-Fine-tune-CoT",
    paper="J. Data Acquisition and Processing 2024",
    about="The teacher sees reviewed exemplars, one a cluster; its second call is made only where needed.",
    input=read_plain,
    template="rationale",
    trains=True,
    needs_teacher=True,
    needs_exemplars=True,
    chosen_exemplars=True,
    prompt=prompt,
    answer_prompt=fine_tune_cot.answer_prompt,
    answer_in=answer_in,
    sampling=Sampling(max_tokens=MAX_TOKENS, stop=STOP),
    answer_sampling=Sampling(max_tokens=fine_tune_cot.MAX_TOKENS, stop=STOP),
    choose=choose,
    options={
        "exemplars": (),
        "adaptive": True,
        "kind": None,  # the benchmark's kind of answer
        "rules": "fine-tune-cot",
        "trigger": fine_tune_cot.TRIGGER,
    },
)

# Without `answer_in` there is nothing to adapt: the second call is always made.
TWO_CALLS = replace(
    NEW_FINE_TUNE_COT,
    answer_in=None,
    options={name: NEW_FINE_TUNE_COT.options[name] for name in ("exemplars", "trigger")},
)

CLUSTER_EXEMPLARS = replace(
    TWO_CALLS,
    key="cluster-exemplars",
    title="Cluster exemplars",
    about="New-Fine-tune-CoT's first change alone: an exemplar a cluster, right or wrong; two calls each.",
    exemplar_rules="no-correction",
)

HEURISTIC_CORRECTION = replace(
    TWO_CALLS,
    key="heuristic-correction",
    title="Heuristic correction",
    about="Its second change added: only exemplars whose answer is right; two calls each.",
    exemplar_rules="paper",
)
