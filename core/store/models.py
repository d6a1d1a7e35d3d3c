"""The tables of the store (SQLAlchemy 2). Rows are appended; finished work is never overwritten.

study ─┬─ run (generate) ── completion ─┬─ reply (raw, cached, shared by all studies)
       │                               └─ checked (what the quality checks say)
       ├─ training_set ──── training_row
       ├─ run (train) ───── metric
       ├─ run (evaluate) ── completion
       ├─ run (any that is reviewed) ── decision
       └─ dataset ───────── question

Every run carries its config, seed, versions, parents and the hash of what it was made from.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Dialect, ForeignKey, Index, String, Text, TypeDecorator, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from core.records import storable


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


class Words(TypeDecorator[str]):
    """A text of people or models, as every database keeps it (core.records.storable)."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else storable(value)


class Base(DeclarativeBase):
    type_annotation_map = {dict[str, Any]: JSON, list[Any]: JSON, str: Words}


class Dated:
    """What says when its row was written."""

    created: Mapped[datetime] = mapped_column(default=now)


class Dataset(Dated, Base):
    """One benchmark as read once: key, options and content hash. Identical content is stored once."""

    __tablename__ = "dataset"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(80), index=True)
    options: Mapped[dict[str, Any]]  # {"split": "default", "size": 300, "seed": 0, …}
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    n: Mapped[int]


class Question(Base):
    __tablename__ = "question"
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id"), primary_key=True)
    index: Mapped[int] = mapped_column("idx", primary_key=True)
    text: Mapped[str]
    answer: Mapped[str]
    split: Mapped[str] = mapped_column(String(10))
    solution: Mapped[str | None]


class Study(Dated, Base):
    """One benchmark, some methods, teachers and students, compared on the same test questions."""

    __tablename__ = "study"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id"))
    rules: Mapped[str] = mapped_column(String(40), default="fine-tune-cot")
    config: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Run(Dated, Base):
    """One generation, fine-tuning or evaluation, with its config, seed, versions and lineage."""

    __tablename__ = "run"
    __table_args__ = (UniqueConstraint("study_id", "kind", "hash"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))  # a key of core.stages.plans.PLANS
    method: Mapped[str] = mapped_column(String(60))
    teacher: Mapped[str] = mapped_column(default="")
    student: Mapped[str] = mapped_column(default="")
    seed: Mapped[int] = mapped_column(default=0)
    config: Mapped[dict[str, Any]]
    versions: Mapped[dict[str, Any]] = mapped_column(default=dict)
    parents: Mapped[list[Any]] = mapped_column(default=list)  # ids of the runs this one was made from
    hash: Mapped[str] = mapped_column(String(64))  # of config and of what it was made from
    summary: Mapped[dict[str, Any]] = mapped_column(default=dict)  # figures to show without a scan
    training_set: Mapped[str | None] = mapped_column(String(64))
    job_id: Mapped[str | None] = mapped_column(String(80))
    status: Mapped[str] = mapped_column(String(20), default="queued")
    finished: Mapped[datetime | None]


class Completion(Dated, Base):
    """What the models of a run wrote for a question, scored: a teacher's rationale, a student's answer.

    `(run, question, sample)` is there exactly once. Tokens, cost and calls are of all its `steps`.
    """

    __tablename__ = "completion"
    __table_args__ = (UniqueConstraint("run_id", "question_index", "sample_index"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"))
    question_index: Mapped[int]
    sample_index: Mapped[int]
    rationale: Mapped[str]
    steps: Mapped[list[Any]]  # records.Step, in their order
    answer: Mapped[dict[str, Any]]  # records.AnswerPlace: where the answer is read
    asked: Mapped[int]  # prompts that it took
    finish_reason: Mapped[str] = mapped_column(String(20))
    prompt_tokens: Mapped[int]
    completion_tokens: Mapped[int]
    cost: Mapped[float]
    calls: Mapped[int]  # of them fresh, the others kept from before
    error: Mapped[str | None]
    correct: Mapped[bool | None]  # under the study's rules; None while there is an error
    value: Mapped[str | None]
    answer_step: Mapped[int | None]  # the step in whose text the answer was found, at span_start:span_end
    span_start: Mapped[int | None]
    span_end: Mapped[int | None]
    note: Mapped[str] = mapped_column(default="")  # how it was found, where that was not by reading


Index("completion_filter", Completion.run_id, Completion.correct, Completion.finish_reason)


class Checked(Base):
    """Which quality checks flag a completion's rationale as its teacher wrote it.

    `flags` are the checks' keys with blanks around them (" lucky arithmetic "), so that one is found by
    " lucky "; `version` says by which checks: rows of other versions are written again.
    """

    __tablename__ = "checked"
    completion_id: Mapped[int] = mapped_column(
        ForeignKey("completion.id", ondelete="CASCADE"), primary_key=True
    )
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"))
    question_index: Mapped[int]
    sample_index: Mapped[int]
    version: Mapped[str] = mapped_column(String(16))
    flags: Mapped[str]


Index("checked_run", Checked.run_id, Checked.version)


class Reply(Dated, Base):
    """A teacher's raw reply, kept for good. Keyed by teacher, prompt, parameters and sample index."""

    __tablename__ = "reply"
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    teacher: Mapped[str]
    prompt: Mapped[str]
    params: Mapped[dict[str, Any]]
    sample_index: Mapped[int]
    text: Mapped[str]
    finish_reason: Mapped[str] = mapped_column(String(20))
    prompt_tokens: Mapped[int]
    completion_tokens: Mapped[int]
    cost: Mapped[float]


class LedgerEntry(Dated, Base):
    """One call to a teacher, as it happened: fresh or from the cache, in full or failed."""

    __tablename__ = "ledger"
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"), index=True)
    teacher: Mapped[str]
    step: Mapped[str]  # rationale, answer, …
    question_index: Mapped[int]
    sample_index: Mapped[int]
    prompt_tokens: Mapped[int]
    completion_tokens: Mapped[int]
    cost: Mapped[float]
    cached: Mapped[bool]
    error: Mapped[str | None]


class Decision(Dated, Base):
    """A person's decision on one rationale of a run. Appended; never changed, never deleted.

    One that changes its item names in `seen` the one before it (0 for the first), which only one can:
    of two tabs that decide on the same sight of an item, the database lets one through.
    """

    __tablename__ = "decision"
    __table_args__ = (UniqueConstraint("run_id", "question_index", "sample_index", "seen"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"))
    question_index: Mapped[int]
    sample_index: Mapped[int]
    kind: Mapped[str] = mapped_column(String(12))
    author: Mapped[str] = mapped_column(String(120))
    reason: Mapped[str]
    before: Mapped[str | None]
    after: Mapped[str | None]
    seen: Mapped[int | None]  # None for comments and drafts, which change nothing


Index("decision_order", Decision.run_id, Decision.id)
Index("decision_author", Decision.run_id, Decision.author, Decision.id)


class TrainingSet(Dated, Base):
    """Immutable; its hash is its name."""

    __tablename__ = "training_set"
    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id"))
    method: Mapped[str] = mapped_column(String(60))
    n: Mapped[int]


class TrainingRow(Base):
    __tablename__ = "training_row"
    training_set: Mapped[str] = mapped_column(ForeignKey("training_set.hash"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    input: Mapped[str]
    label: Mapped[str]
    question_index: Mapped[int]
    sample_index: Mapped[int]


class Metric(Dated, Base):
    """A point of a live curve: loss per step, accuracy per epoch."""

    __tablename__ = "metric"
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True)
    epoch: Mapped[float]
    value: Mapped[float]


class Job(Dated, Base):
    """What a job was asked to do, how far it is and its last words. Its status is the queue's (core.jobs).

    `once` is the hash of the request, held by the newest job that asked it. `journal` says with which code
    and in which LAB_HOME its finished steps were recorded. `former`: what a lab before 0006 knew of its end.
    """

    __tablename__ = "job"
    __allow_unmapped__ = True
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    title: Mapped[str]
    study_id: Mapped[int | None] = mapped_column(ForeignKey("study.id"))
    request: Mapped[dict[str, Any]]
    once: Mapped[str | None] = mapped_column(unique=True)
    journal: Mapped[str | None]
    former: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    attempt: Mapped[int] = mapped_column(default=0)  # how often it was resumed
    stage: Mapped[str] = mapped_column(default="")
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    # Not stored here: core.jobs fills them in from the queue.
    status: str = "queued"
    started: datetime | None = None
    finished: datetime | None = None


class JobLog(Dated, Base):
    __tablename__ = "job_log"
    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[str] = mapped_column(String(80), index=True)
    text: Mapped[str]


class Worker(Base):
    """A process that runs jobs. Its row goes when it leaves, or when another one declares it dead."""

    __tablename__ = "worker"
    id: Mapped[str] = mapped_column(primary_key=True)  # of this one process, and of no other ever
    host: Mapped[str]
    pid: Mapped[int]
    device: Mapped[str]
    memory: Mapped[float]  # of the device, in GB
    queues: Mapped[list[Any]]  # what it takes jobs from
    version: Mapped[str]  # of its code
    heartbeat: Mapped[datetime] = mapped_column(default=now)


class Claim(Base):
    """Work that one execution of a job does, so that no other does it too. It ends with its worker."""

    __tablename__ = "claim"
    key: Mapped[str] = mapped_column(primary_key=True)
    job_id: Mapped[str]
    owner: Mapped[str] = mapped_column(index=True)  # the execution: a resumed job is another one
    worker_id: Mapped[str] = mapped_column(ForeignKey("worker.id", ondelete="CASCADE"))


class Diversity(Base):
    """How much the rationales of one question of a run differ (core.quality.diversity)."""

    __tablename__ = "diversity"
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"), primary_key=True)
    question_index: Mapped[int] = mapped_column(primary_key=True)
    n: Mapped[int]
    texts: Mapped[int]
    paths: Mapped[int]
    similarity: Mapped[float | None]  # None for fewer than two
    effective: Mapped[float]


Index("diversity_order", Diversity.run_id, Diversity.effective)


class Point(Base):
    """A question on the cluster map of an exemplars run: its cluster, its place, and whether it qualifies."""

    __tablename__ = "point"
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"), primary_key=True)
    question_index: Mapped[int] = mapped_column(primary_key=True)
    sample_index: Mapped[int]
    cluster: Mapped[int]
    rank: Mapped[int]  # 1 is nearest to the cluster's centre
    distance: Mapped[float]
    x: Mapped[float]
    y: Mapped[float]
    correct: Mapped[bool]
    words: Mapped[int]  # of the question
    failures: Mapped[list[Any]]  # why it cannot be an exemplar; empty if it can
    duplicate: Mapped[int | None]  # the group of equal questions it is in, numbers masked
