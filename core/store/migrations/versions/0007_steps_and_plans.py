"""Completions of steps, predictions among them; run configs as typed plans, known by content"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

TOGETHER = 1000  # rows read, and written, at a time
OF_ONE_CALL = "The answer is"  # behind which the answer was looked for, where no second call was made
ANSWER_ONLY = ("zero-shot", "fine-tune")  # methods whose students write no rationale

KEPT = ("question_index", "finish_reason", "correct", "value", "span_start", "span_end")
GONE = ("prompt", "answer_prompt", "answer_text", "cached")
NEW: dict[str, Any] = {"steps": sa.JSON(), "answer": sa.JSON(), "asked": sa.Integer(), "note": sa.Text()}


def upgrade() -> None:
    db = op.get_bind()
    for name, kind in NEW.items():
        op.add_column("completion", sa.Column(name, kind))
    op.add_column("completion", sa.Column("answer_step", sa.Integer()))
    tables = sa.MetaData()
    tables.reflect(db)
    _completions(db, tables.tables["completion"])
    _predictions(db, tables)
    op.drop_table("prediction")
    with op.batch_alter_table("completion") as table:
        for name in GONE:
            table.drop_column(name)
        for name, kind in NEW.items():
            table.alter_column(name, existing_type=kind, nullable=False)
    with op.batch_alter_table("training_row") as table:
        table.drop_column("completion_id")
    if db.dialect.name == "postgresql":  # SQLite keeps texts of any length as it is
        for table_name, column in (
            ("study", "name"), ("run", "teacher"), ("run", "student"), ("reply", "teacher"),
            ("ledger", "teacher"), ("ledger", "step"),
        ):  # fmt: skip
            op.alter_column(table_name, column, type_=sa.Text())
    from core.stages.adopted import adopt

    adopt(db)
    with op.batch_alter_table("training_set") as table:
        table.drop_column("dropped")


def _completions(db: sa.Connection, completion: sa.Table) -> None:
    """What was one prompt and perhaps a second one becomes a list of steps."""
    change = sa.update(completion).where(completion.c.id == sa.bindparam("own"))
    query = sa.select(completion).order_by(completion.c.id).limit(TOGETHER)
    last = 0
    while rows := db.execute(query.where(completion.c.id > last)).all():
        last = rows[-1].id
        db.execute(change, [{"own": row.id} | _written(row) for row in rows])


def _written(row: Any) -> dict[str, Any]:
    """The steps of a completion, and where its answer is: in the text of the second call, at the end of the
    rationale (an adaptive answer), or behind what exemplars write before theirs."""
    said = row.answer_text
    # A recording made no call: what it gives as its answer is a text of its own.
    adaptive = bool(
        said and not row.answer_prompt and (row.calls or row.cached) and row.rationale.endswith(said)
    )
    two = not adaptive and bool(said or row.answer_prompt)
    after = len(row.rationale) - len(said) if adaptive else 0
    first = _step(
        "rationale", row.prompt, row.rationale, "teacher",
        "stop" if row.error and two else row.finish_reason,
        row.prompt_tokens, row.completion_tokens, row.cost, row.calls < 1 + two,
    )  # fmt: skip
    second = _step(
        "answer", row.answer_prompt, said, "teacher", "error" if row.error else "stop", cached=not row.calls
    )
    return {
        "steps": [first, second] if two else [first],
        "answer": _place(int(two), after, None if adaptive or two else OF_ONE_CALL),
        "asked": 1 + two,
        "answer_step": None if row.correct is None else int(two),
        "span_start": None if row.span_start is None else row.span_start + after,
        "span_end": None if row.span_end is None else row.span_end + after,
        "note": "",
    }


def _predictions(db: sa.Connection, tables: sa.MetaData) -> None:
    """What a student wrote is a completion of its run."""
    run_, prediction, completion = (tables.tables[name] for name in ("run", "prediction", "completion"))
    for run in db.execute(sa.select(run_).where(run_.c.kind == "evaluate").order_by(run_.c.id)).all():
        name = "answer" if run.method in ANSWER_ONLY else "rationale"
        same = {
            "run_id": run.id, "sample_index": 0, "created": run.created, "asked": 1, "answer_step": 0,
            "answer": _place(0, 0, run.config.get("prefix")), "note": "", "error": None, "calls": 1,
            "cost": 0.0, "cached": False, "prompt_tokens": 0, "answer_prompt": "", "answer_text": "",
        }  # fmt: skip
        query = sa.select(prediction).where(prediction.c.run_id == run.id)
        made = [
            same
            | {column: getattr(row, column) for column in KEPT}
            | {"prompt": row.prompt, "rationale": row.text, "completion_tokens": row.tokens}
            | {"steps": [_step(name, row.prompt, row.text, "student", row.finish_reason, 0, row.tokens)]}
            for row in db.execute(query.order_by(prediction.c.question_index))
        ]
        if made:
            db.execute(sa.insert(completion), made)


def _step(
    name: str, prompt: str, text: str, role: str, finish_reason: str,
    prompt_tokens: int = 0, completion_tokens: int = 0, cost: float = 0.0, cached: bool = False,
) -> dict[str, Any]:  # fmt: skip
    return dict(locals())


def _place(step: int, after: int, prefix: str | None) -> dict[str, Any]:
    return {"by": "text", "step": step, "after": after, "prefix": prefix, "of": []}
