"""Alembic's entry: runs the scripts in versions/ on the engine that `core.store` hands over, all or none."""

from alembic import context

from core.store.models import Base

with context.config.attributes["engine"].connect() as connection:
    if connection.dialect.name == "sqlite":
        # A table that is made again is dropped in between, which would delete the rows that point to it.
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        # Python's driver would begin a transaction no earlier than at the first row that changes.
        connection.connection.driver_connection.isolation_level = None
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        # What is done meanwhile, such as reading weights, may take longer than a session may be idle.
        connection.exec_driver_sql("SET idle_in_transaction_session_timeout = 0")
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
    connection.invalidate()  # so that nobody gets it as it is now
