"""What a method is: what the teachers are asked, what each student learns, what the students are asked.

    def teach(question, given):
        plan = yield Ask(delegate(question.text), role="delegate", name="steps")
        said = yield Ask(solve(question.text, plan.text), role="solver")
        return Written(said.text, Text(said))

A program asks by yielding and is sent what was written: a Step for an Ask, a list of Steps for a list of
Asks, which are asked at once. core.methods.driver runs it, with teachers and with students alike.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from core.errors import LabError
from core.records import AnswerPlace, Completion, Exemplar, Question, Sampling, Step
from core.students.formats import FORMATS, Format


@dataclass(frozen=True, slots=True)
class Ask:
    """One prompt to the model of a role.

    `sampling` where the step is sampled unlike the others; `stop`, texts at which this prompt's reply
    ends too, however it is sampled.
    """

    prompt: str
    role: str = "teacher"
    name: str = "rationale"
    sampling: Sampling | None = None
    stop: tuple[str, ...] = ()

    def sampled(self, others: Sampling) -> Sampling:
        """How it is asked where the method's steps are asked as `others` says."""
        own = self.sampling or others
        return replace(own, stop=tuple(dict.fromkeys((*own.stop, *self.stop))))


@dataclass(frozen=True, slots=True)
class Text:
    """The answer is read by the rules in what was written: from a character on, behind a prefix."""

    step: Step
    after: int = 0
    prefix: str | None = None

    def place(self, steps: list[Step]) -> AnswerPlace:
        number = next(i for i, step in enumerate(steps) if step is self.step)
        return AnswerPlace("text", number, self.after, self.prefix)


@dataclass(frozen=True, slots=True)
class Asserted:
    """The answer is the one that what was written asserts, see core.answers.asserted."""

    step: Step
    prefix: None = None

    def place(self, steps: list[Step]) -> AnswerPlace:
        return replace(Text(self.step).place(steps), by="asserted")


@dataclass(frozen=True, slots=True)
class Vote:
    """The answer is the one that most of these give; of a tie, the one that came first."""

    of: tuple[Text, ...]

    @property
    def prefix(self) -> str | None:
        """What the answers stand behind."""
        return self.of[0].prefix if self.of else None

    def place(self, steps: list[Step]) -> AnswerPlace:
        return AnswerPlace("vote", of=tuple(one.place(steps) for one in self.of))


@dataclass(frozen=True, slots=True)
class Written:
    """A program's result: the text to read, check and learn, and where the answer is."""

    rationale: str
    answer: Text | Asserted | Vote


@dataclass(frozen=True, slots=True)
class Given:
    """What a program may use besides its question. `form` is the format of the student that is asked."""

    kind: str = "open"  # of answer, a key of core.answers.KINDS
    rules: str = "fine-tune-cot"
    exemplars: tuple[Exemplar, ...] = ()
    form: Format = FORMATS["causal"]
    options: Mapping[str, Any] = field(default_factory=dict)


Program = Generator[Any, Any, Written]


@dataclass(frozen=True, slots=True)
class Lesson:
    """One row of a student's training set. `text` is what filters judge: what it learns of the rationale."""

    input: str
    label: str
    text: str = ""
    role: str = "student"


@dataclass(frozen=True, slots=True)
class Method:
    """One row of METHODS.

    teach       what the teachers are asked for a question; None without a teacher
    lessons     what each student learns from a question and what was written for it (an empty completion
                without a teacher); None: nothing is trained
    solve       what the students are asked for a question
    teachers    the roles in `teach`;  students: those in `solve`
    exemplars   whose exemplars its prompts show: "own", the user's; "chosen", one per cluster; None, none
    exemplar_rules    the rules by which they are chosen (core.exemplars.RULES); None: the study's
    max_input_tokens  how much its student reads, where the paper gives it more than a recipe does
    sampling    how a model is asked where an Ask does not say it
    options     what a study may set, with defaults
    order       its place in tables, the smallest first
    """

    key: str
    title: str
    paper: str
    about: str
    solve: Callable[[Question, Given], Program]
    teach: Callable[[Question, Given], Program] | None = None
    lessons: Callable[[Question, Completion, Given], Iterable[Lesson]] | None = None
    teachers: tuple[str, ...] = ("teacher",)
    students: tuple[str, ...] = ("student",)
    exemplars: str | None = None
    exemplar_rules: str | None = None
    max_input_tokens: int | None = None
    sampling: Sampling = Sampling()
    options: Mapping[str, Any] = field(default_factory=dict)
    order: int = 100

    def asking(self) -> Callable[[Question, Given], Program]:
        """`teach`. LabError where the method asks no teacher."""
        if self.teach is None:
            raise LabError(f"{self.title} asks no teacher: choose another method to generate rationales.")
        return self.teach

    @property
    def trains(self) -> bool:
        return self.lessons is not None

    @property
    def needs_teacher(self) -> bool:
        """Whether its students learn from what teachers write."""
        return self.trains and self.teach is not None
