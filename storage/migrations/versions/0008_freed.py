"""Freed: a question knows what its asker was stuck on, so that the end of it frees that."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Two more columns; questions of before are about nothing."""
    op.add_column("ask", sa.Column("stuck_id", ID, nullable=True))
    op.add_column("ask", sa.Column("milestone_id", ID, nullable=True))
