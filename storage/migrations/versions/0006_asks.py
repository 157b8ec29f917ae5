"""Asks: a question, those who got it, and what came of it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the two tables."""
    op.create_table(
        "ask",
        sa.Column("id", ID, nullable=False),
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.ForeignKeyConstraint(
            ["cohort_id", "member_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_ask_cohort_id_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ask")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_ask_member_id", "ask", ["member_id", "state"])
    op.create_table(
        "asked",
        sa.Column("ask_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("message", ID, nullable=True),
        sa.ForeignKeyConstraint(["ask_id"], ["ask.id"], name=op.f("fk_asked_ask_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["cohort_id", "member_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_asked_cohort_id_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("ask_id", "member_id", name=op.f("pk_asked")),
    )
    op.create_index("ix_asked_member_id", "asked", ["member_id", "asked_at"])
