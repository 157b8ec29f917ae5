"""Lanes with leases, what is told to many, and what a row needs to be sent at the right hour."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Add them. What is held until its moment is found by an index without what waits to be released."""
    op.create_table(
        "content",
        sa.Column("id", ID, nullable=False),
        sa.Column("broadcast_id", ID, nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("body", JSON, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_content")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_content_broadcast_id", "content", ["broadcast_id"], unique=False)
    _partial("ix_content_created_at", "content", ["created_at"], "body IS NOT NULL")
    op.add_column("member", sa.Column("hours", sa.Text(), nullable=True))
    op.add_column("member", sa.Column("narrowed_seq", ID, nullable=True))
    for column in (
        sa.Column("content_id", ID, nullable=True),
        sa.Column("purpose", sa.Text(), nullable=True),
        sa.Column("released", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("counted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("deaths", sa.Integer(), server_default=sa.text("0"), nullable=False),
    ):
        op.add_column("outbox", column)
    op.drop_index("ix_outbox_held", "outbox")
    _partial("ix_outbox_held", "outbox", ["due_at"], "state = 'held' AND released IS {true}")
    _partial("ix_outbox_content_id", "outbox", ["content_id", "state", "seq"], "content_id IS NOT NULL")
    _partial("ix_outbox_unwell", "outbox", ["state", "settled_at"], "state IN ('failed', 'unreachable', 'unconfirmed')")
    _partial("ix_outbox_counted", "outbox", ["member_id", "sending_at"], "counted IS {true}")


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    """An index over some rows, whose condition each database writes in its own way."""
    op.create_index(
        name,
        table,
        columns,
        unique=False,
        sqlite_where=sa.text(where.format(true="1")),
        postgresql_where=sa.text(where.format(true="true")),
    )
