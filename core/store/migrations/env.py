"""Alembic's entry: runs the scripts in versions/ on the engine that `core.store` hands over."""

from alembic import context

from core.store.models import Base

with context.config.attributes["engine"].connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
