"""Where the scripts begin: the tables of lab 0.1. A new database is made from the models as they are now."""

revision = "0005"
down_revision = None


def upgrade() -> None:
    """Nothing: no database is below this one."""
