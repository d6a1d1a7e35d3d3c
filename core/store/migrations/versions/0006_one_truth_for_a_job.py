"""One truth for a job: its status is the queue's; claims; workers by process"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

INTERRUPTED = "The lab was updated while this job waited or ran: resume it, everything finished is kept."


def upgrade() -> None:
    with op.batch_alter_table("job") as batch_op:
        for name in ("once", "journal"):
            batch_op.add_column(sa.Column(name, sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("former", sa.JSON(), nullable=True))
    _remember(op.get_bind())
    with op.batch_alter_table("job") as batch_op:
        for name, was in (("id", 80), ("kind", 20), ("title", 200), ("stage", 200)):
            batch_op.alter_column(
                name, existing_type=sa.String(was), type_=sa.Text(), existing_nullable=False
            )
        for name in ("status", "cancel_requested", "started", "finished", "updated"):
            batch_op.drop_column(name)
        batch_op.create_unique_constraint("job_once", ["once"])

    op.drop_table("worker")  # those of an older lab hold nothing that a newer one could go on with
    op.create_table(
        "worker",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("memory", sa.Double(), nullable=False),
        sa.Column("queues", sa.JSON(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("heartbeat", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "claim",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["worker_id"], ["worker.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index(op.f("ix_claim_owner"), "claim", ["owner"])


def _remember(connection: sa.Connection) -> None:
    """How the jobs of an older lab ended. Those that had not can be resumed."""
    job = sa.Table("job", sa.MetaData(), autoload_with=connection)
    for row in connection.execute(sa.select(job)).all():
        over = row.status not in ("queued", "running")
        former = {
            "status": row.status if over else "interrupted",
            "started": row.started and row.started.isoformat(),
            "finished": row.finished and row.finished.isoformat(),
        }
        values = {"former": former, "error": row.error if over else INTERRUPTED}
        connection.execute(sa.update(job).where(job.c.id == row.id).values(values))
