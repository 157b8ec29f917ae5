"""Messages to all, their contents and their answers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Messages, the parts in which they leave, and the answers; and indexes by which an audience is found."""
    _broadcasts()
    _parts_and_answers()
    op.create_index("ix_profile_country", "profile", ["cohort_id", "country", "member_id"])
    op.create_index("ix_profile_sector", "profile", ["cohort_id", "sector", "member_id"])
    op.create_index("ix_member_topic_topic", "member_topic", ["cohort_id", "topic", "member_id"])
    op.create_index("ix_member_coalition_coalition", "member_coalition", ["cohort_id", "coalition", "member_id"])


def _broadcasts() -> None:
    op.create_table(
        "broadcast",
        sa.Column("id", ID, nullable=False),
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("sender_id", ID, nullable=True),
        sa.Column("root_id", ID, nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("said", JSON, nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("labels", JSON, nullable=True),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("audience_key", sa.Text(), nullable=True),
        sa.Column("timing", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=True),
        sa.Column("session_at", sa.BigInteger(), nullable=True),
        sa.Column("session_minutes", sa.Integer(), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=True),
        sa.Column("leaves_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("recipients", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("cursor", ID, server_default=sa.text("0"), nullable=False),
        sa.Column("card", ID, nullable=True),
        sa.Column("shown", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["cohort_id", "sender_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_broadcast_cohort_id_sender_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcast")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_broadcast_cohort_id", "broadcast", ["cohort_id", "id"])
    op.create_index("ix_broadcast_sender_id", "broadcast", ["sender_id"])
    op.create_index("ix_broadcast_root_id", "broadcast", ["root_id"])


def _parts_and_answers() -> None:
    op.create_table(
        "broadcast_part",
        sa.Column("broadcast_id", ID, nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("content_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_broadcast_part_broadcast_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("broadcast_id", "language", "time_zone", name=op.f("pk_broadcast_part")),
    )
    op.create_index("ix_broadcast_part_content_id", "broadcast_part", ["content_id"])
    op.create_table(
        "broadcast_answer",
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("broadcast_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("choice", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cohort_id", "member_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_broadcast_answer_cohort_id_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("broadcast_id", "member_id", name=op.f("pk_broadcast_answer")),
    )
    op.create_index("ix_broadcast_answer_member_id", "broadcast_answer", ["member_id"])
    op.create_index("ix_broadcast_answer_choice", "broadcast_answer", ["broadcast_id", "choice", "member_id"])
