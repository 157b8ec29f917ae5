"""Discreet: a member's lock screen says only that there is a message."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """One more setting of a member; nobody is discreet who did not ask for it."""
    op.add_column("member", sa.Column("discreet", sa.Boolean(), nullable=False, server_default=sa.false()))
