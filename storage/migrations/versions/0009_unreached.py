"""Unreached: an account knows since when its member could be reached nowhere, so that it is told once."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """One more moment of an account; whoever could not be reached before is told of with the next message to them."""
    op.add_column("account", sa.Column("missed_at", sa.BigInteger(), nullable=True))
    missed = sa.text("missed_at IS NOT NULL")
    op.create_index("ix_account_missed_at", "account", ["missed_at"], sqlite_where=missed, postgresql_where=missed)
