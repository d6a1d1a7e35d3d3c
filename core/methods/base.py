"""What a method says: what the teacher is asked, what the student reads, and what it is trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.records import Completion, Dropped, Exemplar, Question, Sampling
from core.students.formats import Format

# Examples whose student reads a question and learns to write a label: (question, sample index, rationale).
Examples = list[tuple[Question, int, str | None]]
Kept = Sequence[tuple[Completion, bool]]  # completions with their verdicts
Removed = dict[str, list[Dropped]]  # reason → what is no example for it, in the order of the reasons


@dataclass(frozen=True, slots=True)
class Method:
    """One row of METHODS.

    prompt         what the teacher is asked: (question, options) → prompt; None without a teacher
    answer_prompt  the second call of two-step prompting: (prompt, rationale, options) → prompt
    answer_in      where one call may be enough: (rationale, options) → answer text, None to ask again
    input          what the student reads: (question text, format, exemplars) → text
    template       which prefix of a format its answer stands behind
    choose         which examples the student is trained on, and what was dropped
    chosen_exemplars   the lab chooses its exemplars, one a cluster; else they are the user's own
    max_input_tokens   how much its student reads, where the paper gives it more than a recipe does
    exemplar_rules the rules by which its exemplars are chosen (core.exemplars.RULES); None: the study's
    options        what a study may set, with defaults
    """

    key: str
    title: str
    paper: str
    about: str
    input: Callable[[str, Format, Sequence[Exemplar]], str]
    template: str
    trains: bool = False
    needs_teacher: bool = False
    needs_exemplars: bool = False
    chosen_exemplars: bool = False
    max_input_tokens: int | None = None
    exemplar_rules: str | None = None
    prompt: Callable[[str, Mapping[str, Any]], str] | None = None
    answer_prompt: Callable[[str, str, Mapping[str, Any]], str] | None = None
    answer_in: Callable[[str, Mapping[str, Any]], str | None] | None = None
    sampling: Sampling = Sampling()
    answer_sampling: Sampling | None = None
    choose: Callable[[Sequence[Question], Kept], tuple[Examples, Removed]] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


def read_plain(question: str, form: Format, _exemplars: Sequence[Exemplar]) -> str:
    """A trained student reads the question as in its training rows."""
    return form.input(question)
