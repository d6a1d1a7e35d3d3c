"""Zero-shot: the student as it is, asked the bare question.

T5 reads "question: {question}", GPT-2 "Q: {question}\\n\\nA:" (Fine-tune-CoT, src/data/format.py).
"""

from core.methods.base import Method

ZERO_SHOT = Method(
    key="zero-shot",
    title="Zero-shot",
    paper="Ho et al. 2023 (baseline)",
    about="The untrained student answers the bare question.",
    input=lambda question, form, _exemplars: form.zero_shot(question),
    template="zero-shot",
)
