r"""Fine-tune-CoT (Ho et al. 2023): a student learns the rationales of a large teacher.

The teacher is asked twice (zero-shot-CoT, Kojima et al. 2022), the second prompt being all that was
said so far:

    Q: {question}\nA: Let's think step by step.
    … {rationale}\nTherefore, the answer is

Prompts are raw concatenations: a rationale begins with the blanks that the model wrote, so that the
second call reads exactly what the first returned. Only the label of a training row is stripped. The
published completions were made so, although Fine-tune-CoT's src/data/format.py strips since.

Both calls write at most 128 tokens at temperature 0 and stop at END (src/oai/inference.py). Diverse
reasoning asks D times at temperature 0.7; the answer's call stays greedy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.methods.base import Examples, Kept, Method, Removed, read_plain
from core.records import Dropped, Question, Sampling

TRIGGER = "\nTherefore, the answer is"  # one for all benchmarks; Kojima et al. have one for each kind
STOP = ("END",)
MAX_TOKENS = 128


def prompt(question: str, _options: Mapping[str, Any]) -> str:
    """The first call."""
    return f"Q: {question}\nA: Let's think step by step."


def answer_prompt(prompt: str, rationale: str, options: Mapping[str, Any]) -> str:
    """The second call: everything so far and the trigger."""
    return f"{prompt}{rationale}{options['trigger']}"


def choose(questions: Sequence[Question], completions: Kept) -> tuple[Examples, Removed]:
    """Rationales whose answer is right, by question and sample; the rationale itself is not judged.

    Truncated ones stay (src/data/completion_dataset.py).
    """
    known = {question.index: question for question in questions}
    examples: Examples = []
    dropped: Removed = {"other split": [], "failed": [], "wrong answer": []}
    for completion, correct in sorted(completions, key=lambda c: (c[0].question_index, c[0].sample_index)):
        question = known.get(completion.question_index)
        if question is not None and completion.error is None and correct:
            examples.append((question, completion.sample_index, completion.rationale))
            continue
        reason = "other split" if question is None else "failed" if completion.error else "wrong answer"
        dropped[reason].append(
            Dropped(completion.question_index, completion.sample_index, reason, completion.error or "")
        )
    return examples, dropped


FINE_TUNE_COT = Method(
    key="fine-tune-cot",
    title="Fine-tune-CoT",
    paper="Ho et al. 2023",
    about="The student learns the teacher's rationales that end in the right answer.",
    input=read_plain,
    template="rationale",
    trains=True,
    needs_teacher=True,
    prompt=prompt,
    answer_prompt=answer_prompt,
    sampling=Sampling(temperature=0.0, max_tokens=MAX_TOKENS, stop=STOP),
    answer_sampling=Sampling(temperature=0.0, max_tokens=MAX_TOKENS, stop=STOP),
    choose=choose,
    options={"trigger": TRIGGER},
)
