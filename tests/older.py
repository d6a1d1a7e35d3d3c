"""Databases of lab 0.1, as it left them: its tables, empty."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, text

TABLES = Path(__file__).with_name("lab-0.1.sql")
POSTGRESQL = {"DATETIME": "TIMESTAMP", "DOUBLE": "DOUBLE PRECISION", "(id INTEGER": "(id SERIAL"}


def make_tables(connection: Connection) -> None:
    """Make the tables of lab 0.1 in an empty database."""
    statements = TABLES.read_text(encoding="utf-8")
    if connection.dialect.name == "postgresql":
        for word, own in POSTGRESQL.items():
            statements = statements.replace(word, own)
    for statement in statements.split(";\n"):
        if statement.strip():
            connection.execute(text(statement))
