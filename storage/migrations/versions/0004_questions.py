"""Schedules, check-ins and answers."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ACTIVE = sa.text("state = 'active'")
WAITS = sa.text("due_at IS NOT NULL")


def upgrade() -> None:
    """Make their tables."""
    _schedules()
    _occurrences()
    _days()


def _schedules() -> None:
    op.create_table(
        "schedule",
        sa.Column("id", ID, nullable=False),
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("object", ID, nullable=True),
        sa.Column("rrule", sa.Text(), nullable=False),
        sa.Column("local_time", sa.Text(), nullable=False),
        sa.Column("starts", sa.Text(), nullable=False),
        sa.Column("until", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=True),
        sa.Column("on_holidays", sa.Boolean(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["cohort_id"], ["cohort.id"], name=op.f("fk_schedule_cohort_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule")),
        sa.UniqueConstraint("cohort_id", "id", name=op.f("uq_schedule_cohort_id_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_schedule_name", "schedule", ["cohort_id", "name", "object"])
    op.create_table(
        "schedule_zone",
        sa.Column("schedule_id", ID, nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("next_date", sa.Text(), nullable=False),
        sa.Column("asked_to", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["schedule.id"], name=op.f("fk_schedule_zone_schedule_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("schedule_id", "time_zone", name=op.f("pk_schedule_zone")),
    )
    op.create_index("ix_schedule_zone_next_at", "schedule_zone", ["next_at"])


def _occurrences() -> None:
    op.create_table(
        "occurrence",
        sa.Column("schedule_id", ID, nullable=False),
        sa.Column("local_date", sa.Text(), nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cohort_id", "member_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_occurrence_cohort_id_member_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["cohort_id", "schedule_id"],
            ["schedule.cohort_id", "schedule.id"],
            name=op.f("fk_occurrence_cohort_id_schedule_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("schedule_id", "local_date", "member_id", name=op.f("pk_occurrence")),
    )
    op.create_index("ix_occurrence_member_id", "occurrence", ["member_id"])
    op.create_index("ix_occurrence_due_at", "occurrence", ["due_at"], sqlite_where=WAITS, postgresql_where=WAITS)
    op.create_index(
        "ix_member_zone", "member", ["cohort_id", "time_zone", "id"], sqlite_where=ACTIVE, postgresql_where=ACTIVE
    )


def _days() -> None:
    op.create_table(
        "missed_date",
        sa.Column("schedule_id", ID, nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("local_date", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["schedule.id"], name=op.f("fk_missed_date_schedule_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("schedule_id", "time_zone", "local_date", name=op.f("pk_missed_date")),
    )
    op.create_index("ix_missed_date_at", "missed_date", ["at"])
    op.create_table(
        "outage",
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("began_at", name=op.f("pk_outage")),
    )
    op.create_table(
        "holiday",
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("changed_by", ID, nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["cohort_id"], ["cohort.id"], name=op.f("fk_holiday_cohort_id")),
        sa.PrimaryKeyConstraint("cohort_id", "country", "day", name=op.f("pk_holiday")),
    )
    op.create_index("ix_holiday_changed_by", "holiday", ["changed_by"])
