"""Alembic's entry: runs the scripts in versions/ on the engine that `core.store` hands over."""

from alembic import context

from core.store.models import Base

with context.config.attributes["engine"].connect() as connection:
    if connection.dialect.name == "sqlite":
        # A table that is made anew is dropped in between, which would delete the rows that point to it.
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.commit()
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
    connection.invalidate()  # so that nobody gets it with its foreign keys off
