"""Completions of steps, predictions among them; run configs as typed plans, known by content"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    postgres = op.get_bind().dialect.name == "postgresql"
    for column in (
        sa.Column("steps", sa.JSON()),
        sa.Column("answer", sa.JSON()),
        sa.Column("asked", sa.Integer(), server_default="1"),
        sa.Column("answer_step", sa.Integer()),
        sa.Column("note", sa.Text(), server_default=""),
    ):
        op.add_column("completion", column)
    _steps(postgres)
    _predictions(postgres)
    op.drop_table("prediction")
    with op.batch_alter_table("completion") as table:
        for name in ("prompt", "answer_prompt", "answer_text", "cached"):
            table.drop_column(name)
        for name, kind in (("steps", sa.JSON()), ("answer", sa.JSON()), ("asked", sa.Integer())):
            table.alter_column(name, existing_type=kind, nullable=False, server_default=None)
        table.alter_column("note", existing_type=sa.Text(), nullable=False, server_default=None)
    with op.batch_alter_table("training_row") as table:
        table.drop_column("completion_id")
    _texts()
    _plans()
    with op.batch_alter_table("training_set") as table:
        table.drop_column("dropped")


def _steps(postgres: bool) -> None:
    """What was one prompt and perhaps a second one becomes a list of steps."""
    record = "json_build_object" if postgres else "json_object"
    array = "json_build_array" if postgres else "json_array"
    kept = "(calls = 0)" if postgres else "json(CASE WHEN calls = 0 THEN 'true' ELSE 'false' END)"
    # The answer of an adaptive completion was the end of its own rationale.
    ending = (
        "right(rationale, length(answer_text))" if postgres else "substr(rationale, -length(answer_text))"
    )
    own = f"(answer_prompt = '' AND answer_text <> '' AND {ending} = answer_text)"
    two = f"(NOT {own} AND (answer_prompt <> '' OR answer_text <> ''))"
    first = (
        f"{record}('name', 'rationale', 'prompt', prompt, 'text', rationale, 'role', 'teacher', "
        "'finish_reason', CASE WHEN finish_reason = 'error' THEN 'stop' ELSE finish_reason END, "
        "'prompt_tokens', prompt_tokens, 'completion_tokens', completion_tokens, 'cost', cost, "
        f"'cached', {kept})"
    )
    second = (
        f"{record}('name', 'answer', 'prompt', answer_prompt, 'text', answer_text, 'role', 'teacher', "
        f"'finish_reason', 'stop', 'prompt_tokens', 0, 'completion_tokens', 0, 'cost', 0.0, 'cached', {kept})"
    )
    after = f"CASE WHEN {own} THEN length(rationale) - length(answer_text) ELSE 0 END"
    step = f"CASE WHEN {two} THEN 1 ELSE 0 END"
    prefix = f"CASE WHEN {own} OR {two} THEN NULL ELSE 'The answer is' END"
    place = f"{record}('by', 'text', 'step', {step}, 'after', {after}, 'prefix', {prefix}, 'of', {array}())"
    op.execute(
        f"UPDATE completion SET steps = CASE WHEN {two} THEN {array}({first}, {second}) "
        f"ELSE {array}({first}) END, answer = {place}, asked = {step} + 1, "
        f"answer_step = CASE WHEN correct IS NULL THEN NULL ELSE {step} END, "
        f"span_start = span_start + {after}, span_end = span_end + {after}"
    )


def _predictions(postgres: bool) -> None:
    """What a student wrote is a completion of its run."""
    record = "json_build_object" if postgres else "json_object"
    array = "json_build_array" if postgres else "json_array"
    never = "false" if postgres else "json('false')"
    prefix = "(run.config->>'prefix')" if postgres else "json_extract(run.config, '$.prefix')"
    step = (
        f"{record}('name', 'rationale', 'prompt', prompt, 'text', text, 'role', 'student', 'finish_reason', "
        f"finish_reason, 'prompt_tokens', 0, 'completion_tokens', tokens, 'cost', 0.0, 'cached', {never})"
    )
    op.execute(
        "INSERT INTO completion (run_id, question_index, sample_index, prompt, rationale, finish_reason, "
        "answer_prompt, answer_text, prompt_tokens, completion_tokens, cost, calls, cached, correct, value, "
        "span_start, span_end, created, steps, answer, asked, answer_step, note) "
        "SELECT run_id, question_index, 0, prompt, text, finish_reason, '', '', 0, tokens, 0.0, 1, "
        f"{'false' if postgres else '0'}, correct, value, span_start, span_end, run.created, "
        f"{array}({step}), "
        f"{record}('by', 'text', 'step', 0, 'after', 0, 'prefix', {prefix}, 'of', {array}()), "
        "1, 0, '' FROM prediction JOIN run ON run.id = prediction.run_id "
        "ORDER BY run_id, question_index"
    )


def _texts() -> None:
    """Names and paths may be of any length."""
    for name, columns in (("study", ("name",)), ("run", ("teacher", "student"))):
        with op.batch_alter_table(name) as table:
            for column in columns:
                table.alter_column(column, type_=sa.Text(), existing_type=sa.String(200))
    for name in ("reply", "ledger"):
        with op.batch_alter_table(name) as table:
            table.alter_column("teacher", type_=sa.Text(), existing_type=sa.String(200))
            if name == "ledger":
                table.alter_column("step", type_=sa.Text(), existing_type=sa.String(20))


# ── run configs ─────────────────────────────────────────────────────────────────────────────────


def _plans() -> None:
    """Every run gets a plan for its config and an identity of content; its folder is named by that."""
    from core.stages.adopted import adopt

    adopt(op.get_bind())
