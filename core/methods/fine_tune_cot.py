r"""Fine-tune-CoT (Ho et al. 2023): a student learns the rationales of a large teacher.

The teacher is asked twice (zero-shot-CoT, Kojima et al. 2022), the second prompt being all that was
said so far:

    Q: {question}\nA: Let's think step by step.
    … {rationale}\nTherefore, the answer is

Prompts are raw concatenations: a rationale begins with the blanks that the model wrote, so that the
second call reads exactly what the first returned. Only the label of a training row is stripped. The
published completions were made so, although Fine-tune-CoT's src/data/format.py strips since.

Both calls write at most 128 tokens at temperature 0 and stop at END (src/oai/inference.py). Diverse
reasoning asks D times at temperature 0.7; the answer's call stays greedy. Truncated rationales are
learnt like others (src/data/completion_dataset.py).
"""

from __future__ import annotations

from collections.abc import Iterator

from core.methods.base import Ask, Given, Lesson, Method, Program, Text, Written
from core.records import Completion, Question, Sampling, Step
from core.students.formats import ANSWER_MARK

TRIGGER = "\nTherefore, the answer is"  # one for all benchmarks; Kojima et al. have one for each kind
SAMPLING = Sampling(temperature=0.0, max_tokens=128, stop=("END",))


def teach(question: Question, given: Given) -> Program:
    """Two calls: the rationale, then the answer."""
    reasoned = yield Ask(f"Q: {question.text}\nA: Let's think step by step.")
    return (yield from answered(reasoned, given))


def answered(reasoned: Step, given: Given, stop: tuple[str, ...] = ()) -> Program:
    """The second call, behind all that was said so far."""
    prompt = f"{reasoned.prompt}{reasoned.text}{given.options['trigger']}"
    said = yield Ask(prompt, name="answer", sampling=SAMPLING, stop=stop)
    return Written(reasoned.text, Text(said))


def lessons(question: Question, written: Completion, given: Given) -> Iterator[Lesson]:
    """The rationale, and behind the mark the benchmark's answer, not the teacher's wording."""
    text = written.rationale
    yield Lesson(given.form.input(question.text), given.form.label(text, question.answer), text)


def solve(question: Question, given: Given) -> Program:
    """The student reads the question as in its training rows."""
    said = yield Ask(given.form.input(question.text), "student")
    return Written(said.text, Text(said, prefix=ANSWER_MARK))


METHOD = Method(
    key="fine-tune-cot",
    order=40,
    title="Fine-tune-CoT",
    paper="Ho et al. 2023",
    about="The student learns the teacher's rationales that end in the right answer.",
    teach=teach,
    lessons=lessons,
    solve=solve,
    sampling=SAMPLING,
    options={"trigger": TRIGGER},
)
