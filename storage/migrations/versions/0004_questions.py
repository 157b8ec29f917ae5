"""Schedules, check-ins and answers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ACTIVE = sa.text("state = 'active'")
WAITS = sa.text("due_at IS NOT NULL")


def upgrade() -> None:
    """Make their tables."""
    _schedules()
    _occurrences()
    _days()
    _checkins()
    _cards()
    _promises()


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
    op.create_index("ix_schedule_zone_next_at", "schedule_zone", ["next_at", "schedule_id"])


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


def _checkins() -> None:
    op.create_table(
        "checkin",
        sa.Column("id", ID, nullable=False),
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("maker_id", ID, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("options", JSON, nullable=False),
        sa.Column("readers", sa.Text(), nullable=False),
        sa.Column("audience", JSON, nullable=False),
        sa.Column("rhythm", JSON, nullable=False),
        sa.Column("schedule_id", ID, nullable=True),
        sa.Column("first_on", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cohort_id", "maker_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_checkin_cohort_id_maker_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkin")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_checkin_cohort_id", "checkin", ["cohort_id", "id"])
    op.create_index("ix_checkin_maker_id", "checkin", ["maker_id"])
    op.create_table(
        "question",
        sa.Column("id", ID, nullable=False),
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("checkin_id", ID, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("options", JSON, nullable=False),
        sa.Column("readers", sa.Text(), nullable=False),
        sa.Column("maker_id", ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["cohort_id", "maker_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_question_cohort_id_maker_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question")),
        sa.UniqueConstraint("checkin_id", "revision", "slug", name=op.f("uq_question_checkin_id_revision_slug")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_question_maker_id", "question", ["maker_id"])
    op.create_table(
        "answer",
        sa.Column("id", ID, nullable=False),
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=True),
        sa.Column("checkin_id", ID, nullable=False),
        sa.Column("question_id", ID, nullable=False),
        sa.Column("on_date", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("closes_at", sa.BigInteger(), nullable=False),
        sa.Column("choice", sa.Text(), nullable=True),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("day", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("skipped_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["cohort_id", "member_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_answer_cohort_id_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer")),
        sa.UniqueConstraint("checkin_id", "member_id", "on_date", name=op.f("uq_answer_checkin_id_member_id_on_date")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_answer_closes", "answer", ["cohort_id", "closes_at"])
    op.create_index("ix_answer_checkin_id", "answer", ["checkin_id", "id"])
    op.create_index("ix_answer_member_id", "answer", ["member_id", "id"])
    op.create_index("ix_answer_question_id", "answer", ["question_id", "id"])


def _cards() -> None:
    op.create_table(
        "card",
        sa.Column("id", ID, nullable=False),
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("week", sa.Text(), nullable=False),
        sa.Column("parts", JSON, nullable=False),
        sa.Column("message", ID, nullable=True),
        sa.Column("opens_at", sa.BigInteger(), nullable=False),
        sa.Column("closes_at", sa.BigInteger(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("reminded_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["cohort_id", "member_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_card_cohort_id_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card")),
        sa.UniqueConstraint("member_id", "week", name=op.f("uq_card_member_id_week")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "silence",
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("unanswered", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("rested", sa.Boolean(), nullable=False),
        sa.Column("chosen", sa.Boolean(), nullable=False),
        sa.Column("judged", sa.Text(), nullable=True),
        sa.Column("week", sa.Text(), nullable=True),
        sa.Column("step", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["cohort_id", "member_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_silence_cohort_id_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_silence")),
    )
    op.create_table(
        "talk",
        sa.Column("id", ID, nullable=False),
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("introduction_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=True),
        sa.Column("other_id", ID, nullable=True),
        sa.Column("ask_from", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("said", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("value", sa.Integer(), nullable=True),
        sa.Column("said_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["cohort_id", "member_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_talk_cohort_id_member_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["cohort_id", "other_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_talk_cohort_id_other_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_talk")),
        sa.UniqueConstraint("introduction_id", "member_id", name=op.f("uq_talk_introduction_id_member_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_talk_cohort_id", "talk", ["cohort_id", "said", "introduction_id"])
    op.create_index("ix_talk_member_id", "talk", ["member_id", "said", "ask_from"])
    op.create_index("ix_talk_other_id", "talk", ["other_id"])


def _promises() -> None:
    op.create_table(
        "promise",
        sa.Column("id", ID, nullable=False),
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("day", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("said", sa.Text(), nullable=True),
        sa.Column("said_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["cohort_id", "member_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_promise_cohort_id_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promise")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_promise_member_id", "promise", ["member_id", "state", "id"])
    op.create_table(
        "stuck",
        sa.Column("id", ID, nullable=False),
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("promise_id", ID, nullable=True),
        sa.Column("what", sa.Text(), nullable=True),
        sa.Column("who", sa.Text(), nullable=True),
        sa.Column("day", sa.Text(), nullable=True),
        sa.Column("readers", sa.Text(), nullable=False),
        sa.Column("told_to", ID, nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["cohort_id", "member_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_stuck_cohort_id_member_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["cohort_id", "told_to"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_stuck_cohort_id_told_to"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stuck")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_stuck_member_id", "stuck", ["member_id", "closed_at"])
    op.create_index("ix_stuck_told_to", "stuck", ["told_to", "closed_at", "id"])
