"""Zero-shot: the student as it is, asked the bare question.

T5 reads "question: {question}", GPT-2 "Q: {question}\\n\\nA:" (Fine-tune-CoT, src/data/format.py).
"""

from core.methods.base import Ask, Given, Method, Program, Text, Written
from core.records import Question


def solve(question: Question, given: Given) -> Program:
    said = yield Ask(given.form.zero_shot(question.text), "student", "answer")
    return Written(said.text, Text(said))


METHOD = Method(
    key="zero-shot",
    order=10,
    title="Zero-shot",
    paper="Ho et al. 2023 (baseline)",
    about="The untrained student answers the bare question.",
    solve=solve,
)
