"""Asks models as the stages do, without a stage, a job or a study.

served(teacher, requests)                     a model alone; nothing is kept
asked(teacher, requests, run_id)              through a desk: replies are kept, the ledger is written
written(teacher, METHODS[…], questions)       a method's program for every question, through a desk
run([…], Answers(lambda request: "…"))        programs of core.methods.driver beside no model at all
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from core.methods.base import Given, Method
from core.methods.driver import run, started
from core.records import Completion, Question, Reply, Request, Sampling
from core.store.claims import Holder
from core.teachers.base import Inbox, Teacher
from core.teachers.desk import Desk

Then = Callable[[Reply], Sequence[Request]]  # the requests that follow from a reply


def served(
    teacher: Teacher, requests: Sequence[Request], then: Then = lambda _: (), stop_after: int | None = None
) -> list[Reply]:
    """Every reply to the requests and to those that follow; of `stop_after` replies the inbox is stopped."""
    inbox, replies = Inbox(), []
    left = len(requests)

    def out(found: Sequence[Reply]) -> None:
        nonlocal left
        replies.extend(found)
        following = [request for reply in found for request in then(reply)]
        left += len(following) - len(found)
        inbox.put(following)
        if left == 0 or len(replies) == stop_after:
            inbox.close(stop=left > 0)

    inbox.put(requests)
    teacher.serve(inbox, out)
    return replies


def asking(
    panel: Teacher | Mapping[str, Teacher], requests: Sequence[Request], run_id: int | None = None
) -> Iterator[Reply]:
    """Replies as they come through a desk; who stops reading stops the work."""
    panel = {"teacher": panel} if isinstance(panel, Teacher) else panel
    with Desk(panel, run_id) as desk:
        desk.ask(requests)
        left = len(requests)
        while left:
            for reply in desk.replies():
                left -= 1
                yield reply


def asked(
    panel: Teacher | Mapping[str, Teacher], requests: Sequence[Request], run_id: int | None = None
) -> list[Reply]:
    """Every reply, once all are there."""
    return list(asking(panel, requests, run_id))


def written(
    panel: Teacher | Mapping[str, Teacher],
    method: Method,
    questions: Iterable[Question],
    run_id: int | None = None,
    *,
    given: Given | None = None,
    sampling: Sampling | None = None,
    samples: int = 1,
    holder: Holder | None = None,
) -> list[Completion]:
    """What the teachers write by a method, as it is finished."""
    panel = {"teacher": panel} if isinstance(panel, Teacher) else panel
    pairs = [(question, sample) for question in questions for sample in range(samples)]
    given = given or Given(options=method.options)
    with Desk(panel, run_id, holder) as desk:
        return list(run(started(pairs, method.teach, given, sampling or method.sampling), desk))


class Answers:
    """What a program asks is answered by a function, the newest request first. `asked`: all of them."""

    def __init__(self, answer: Callable[[Request], str | Reply]) -> None:
        self.answer = answer
        self.asked: list[Request] = []
        self.waiting: list[Request] = []

    def ask(self, requests: Sequence[Request]) -> None:
        self.asked += requests
        self.waiting += requests

    def replies(self) -> list[Reply]:
        request = self.waiting.pop()
        answer = self.answer(request)
        return [answer if isinstance(answer, Reply) else Reply(request, answer)]
