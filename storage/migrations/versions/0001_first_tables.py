"""The first tables: cohorts and members, what they say of themselves, what the bot says, and what is to happen."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make them. There is no way down: a backup is the way back."""
    op.create_table(
        "cohort",
        sa.Column("id", ID, nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("default_language", sa.Text(), nullable=False),
        sa.Column("default_time_zone", sa.Text(), nullable=False),
        sa.Column("ends", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cohort")),
        sa.UniqueConstraint("slug", name=op.f("uq_cohort_slug")),
    )
    op.create_table(
        "dialog",
        sa.Column("id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("about", JSON, nullable=False),
        sa.Column("answers", JSON, nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("question", ID, nullable=True),
        sa.Column("parked", sa.Boolean(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dialog")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_dialog_expires_at", "dialog", ["expires_at"], unique=False)
    op.create_index("ix_dialog_member_id", "dialog", ["member_id"], unique=False)
    op.create_index(
        "uq_dialog_waiting",
        "dialog",
        ["member_id"],
        unique=True,
        sqlite_where=sa.text("parked IS 0"),
        postgresql_where=sa.text("parked IS false"),
    )
    op.create_table(
        "inbox",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ack", JSON, nullable=True),
        sa.Column("error_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("source", "external_id", name=op.f("pk_inbox")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_inbox_received_at", "inbox", ["received_at"], unique=False)
    op.create_table(
        "lane",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("gen", sa.Integer(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("paused_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lane")),
    )
    op.create_table(
        "meta",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_meta")),
    )
    op.create_table(
        "outbox",
        sa.Column("seq", ID, nullable=False),
        sa.Column("idem", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("member_id", ID, nullable=True),
        sa.Column("class", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("body", JSON, nullable=True),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("on_behalf", ID, nullable=True),
        sa.Column("edits", ID, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=True),
        sa.Column("sending_at", sa.BigInteger(), nullable=True),
        sa.Column("lane_gen", sa.Integer(), nullable=True),
        sa.Column("doubt_since", sa.BigInteger(), nullable=True),
        sa.Column("resend_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("platform_ref", sa.Text(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_outbox")),
        sa.UniqueConstraint("idem", name=op.f("uq_outbox_idem")),
        sa.UniqueConstraint("key", name=op.f("uq_outbox_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_outbox_claim",
        "outbox",
        ["lane", "priority", "seq"],
        unique=False,
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "ix_outbox_edits",
        "outbox",
        ["edits"],
        unique=False,
        sqlite_where=sa.text("edits IS NOT NULL"),
        postgresql_where=sa.text("edits IS NOT NULL"),
    )
    op.create_index(
        "ix_outbox_held",
        "outbox",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("state = 'held'"),
        postgresql_where=sa.text("state = 'held'"),
    )
    op.create_index("ix_outbox_member_id", "outbox", ["member_id", "seq"], unique=False)
    op.create_index(
        "ix_outbox_on_behalf",
        "outbox",
        ["on_behalf"],
        unique=False,
        sqlite_where=sa.text("on_behalf IS NOT NULL"),
        postgresql_where=sa.text("on_behalf IS NOT NULL"),
    )
    op.create_index(
        "ix_outbox_open",
        "outbox",
        ["lane", "conversation"],
        unique=False,
        sqlite_where=sa.text("state IN ('sending', 'in_doubt')"),
        postgresql_where=sa.text("state IN ('sending', 'in_doubt')"),
    )
    op.create_index(
        "ix_outbox_settled_at",
        "outbox",
        ["settled_at"],
        unique=False,
        sqlite_where=sa.text("body IS NOT NULL AND settled_at IS NOT NULL"),
        postgresql_where=sa.text("body IS NOT NULL AND settled_at IS NOT NULL"),
    )
    op.create_index(
        "ix_outbox_unnamed",
        "outbox",
        ["conversation"],
        unique=False,
        sqlite_where=sa.text("member_id IS NULL"),
        postgresql_where=sa.text("member_id IS NULL"),
    )
    op.create_index(
        "uq_outbox_edits_queued",
        "outbox",
        ["edits"],
        unique=True,
        sqlite_where=sa.text("state = 'queued' AND edits IS NOT NULL"),
        postgresql_where=sa.text("state = 'queued' AND edits IS NOT NULL"),
    )
    op.create_table(
        "throttle",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "kind", name=op.f("pk_throttle")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "timer",
        sa.Column("id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("object", ID, nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timer")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_timer_due_at", "timer", ["due_at", "id"], unique=False)
    op.create_index("ix_timer_member_id", "timer", ["member_id", "name"], unique=False)
    op.create_table(
        "member",
        sa.Column("id", ID, nullable=False),
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("preset", sa.Text(), server_default="careful", nullable=False),
        sa.Column("invited_by", ID, nullable=True),
        sa.Column("trusted_id", ID, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("joined_at", sa.BigInteger(), nullable=True),
        sa.Column("paused_until", sa.BigInteger(), nullable=True),
        sa.Column("leaving_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["cohort_id"], ["cohort.id"], name=op.f("fk_member_cohort_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
        sa.UniqueConstraint("cohort_id", "id", name=op.f("uq_member_cohort_id_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_member_invited_by", "member", ["invited_by"], unique=False)
    op.create_index(
        "ix_member_paused_until",
        "member",
        ["paused_until"],
        unique=False,
        sqlite_where=sa.text("state = 'paused'"),
        postgresql_where=sa.text("state = 'paused'"),
    )
    op.create_index("ix_member_roster", "member", ["cohort_id", "role", "state", "id"], unique=False)
    op.create_index("ix_member_trusted_id", "member", ["trusted_id"], unique=False)
    op.create_table(
        "outbox_about",
        sa.Column("outbox_seq", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["outbox_seq"], ["outbox.seq"], name=op.f("fk_outbox_about_outbox_seq"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("outbox_seq", "member_id", name=op.f("pk_outbox_about")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_outbox_about_member_id", "outbox_about", ["member_id"], unique=False)
    op.create_table(
        "account",
        sa.Column("id", ID, nullable=False),
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("installation", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("preferred", sa.Boolean(), nullable=False),
        sa.Column("reachable", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cohort_id", "member_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_account_cohort_id_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint(
            "platform", "installation", "external_id", name=op.f("uq_account_platform_installation_external_id")
        ),
    )
    op.create_index("ix_account_member_id", "account", ["member_id"], unique=False)
    op.create_table(
        "ally",
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("other_id", ID, nullable=False),
        sa.Column("introduction_id", ID, nullable=True),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cohort_id", "member_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_ally_cohort_id_member_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["cohort_id", "other_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_ally_cohort_id_other_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("member_id", "other_id", name=op.f("pk_ally")),
    )
    op.create_index("ix_ally_other_id", "ally", ["other_id"], unique=False)
    op.create_table(
        "apart",
        sa.Column("id", ID, nullable=False),
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("other_id", ID, nullable=True),
        sa.Column("sector", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["cohort_id", "member_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_apart_cohort_id_member_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["cohort_id", "other_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_apart_cohort_id_other_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_apart")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_apart_member_id", "apart", ["member_id"], unique=False)
    op.create_index("ix_apart_other_id", "apart", ["other_id"], unique=False)
    op.create_table(
        "audit",
        sa.Column("id", ID, nullable=False),
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("actor_id", ID, nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("about_id", ID, nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cohort_id", "about_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_audit_cohort_id_about_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["cohort_id", "actor_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_audit_cohort_id_actor_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_about_id", "audit", ["about_id", "action", "at"], unique=False)
    op.create_index("ix_audit_actor_id", "audit", ["actor_id"], unique=False)
    op.create_index("ix_audit_cohort_id", "audit", ["cohort_id", "at"], unique=False)
    op.create_table(
        "consent",
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cohort_id", "member_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_consent_cohort_id_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("member_id", "purpose", name=op.f("pk_consent")),
    )
    op.create_table(
        "introduction",
        sa.Column("id", ID, nullable=False),
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("asker_id", ID, nullable=True),
        sa.Column("other_id", ID, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("card", JSON, nullable=True),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("closes_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("request_message", ID, nullable=True),
        sa.Column("asker_message", ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["cohort_id", "asker_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_introduction_cohort_id_asker_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["cohort_id", "other_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_introduction_cohort_id_other_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["cohort_id"], ["cohort.id"], name=op.f("fk_introduction_cohort_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_introduction")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_introduction_asker_id", "introduction", ["asker_id", "closed_at"], unique=False)
    op.create_index("ix_introduction_other_id", "introduction", ["other_id", "closed_at"], unique=False)
    op.create_table(
        "invite",
        sa.Column("id", ID, nullable=False),
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("prefilled", JSON, nullable=False),
        sa.Column("invited_by", ID, nullable=True),
        sa.Column("for_member", ID, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cohort_id", "for_member"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_invite_cohort_id_for_member"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["cohort_id", "invited_by"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_invite_cohort_id_invited_by"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["cohort_id"], ["cohort.id"], name=op.f("fk_invite_cohort_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invite")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_invite_code_hash")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_invite_cohort_id", "invite", ["cohort_id", "expires_at"], unique=False)
    op.create_index("ix_invite_expires_at", "invite", ["expires_at"], unique=False)
    op.create_index("ix_invite_for_member", "invite", ["for_member"], unique=False)
    op.create_index("ix_invite_invited_by", "invite", ["invited_by"], unique=False)
    op.create_table(
        "member_coalition",
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("coalition", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cohort_id", "member_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_member_coalition_cohort_id_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("member_id", "coalition", name=op.f("pk_member_coalition")),
    )
    op.create_table(
        "member_language",
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cohort_id", "member_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_member_language_cohort_id_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("member_id", "language", name=op.f("pk_member_language")),
    )
    op.create_table(
        "member_topic",
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cohort_id", "member_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_member_topic_cohort_id_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("member_id", "topic", name=op.f("pk_member_topic")),
    )
    op.create_table(
        "portrait",
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("whole", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["cohort_id", "member_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_portrait_cohort_id_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_portrait")),
    )
    op.create_table(
        "profile",
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("other_name", sa.Text(), nullable=True),
        sa.Column("native_name", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("sector", sa.Text(), nullable=True),
        sa.Column("side", sa.Text(), nullable=True),
        sa.Column("organisation", sa.Text(), nullable=True),
        sa.Column("role_title", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["cohort_id", "member_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_profile_cohort_id_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_profile")),
    )
    op.create_table(
        "project",
        sa.Column("id", ID, nullable=False),
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("goal", sa.Text(), nullable=True),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["cohort_id", "member_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_project_cohort_id_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_project_member_id", "project", ["member_id"], unique=False)
    op.create_table(
        "report",
        sa.Column("id", ID, nullable=False),
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("reporter_id", ID, nullable=True),
        sa.Column("to_id", ID, nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cohort_id", "reporter_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_report_cohort_id_reporter_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["cohort_id", "to_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_report_cohort_id_to_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["cohort_id"], ["cohort.id"], name=op.f("fk_report_cohort_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_report_reporter_id", "report", ["reporter_id"], unique=False)
    op.create_index("ix_report_to_id", "report", ["to_id"], unique=False)
    op.create_table(
        "search_key",
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", ORDERED, nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("start", ORDERED, nullable=True),
        sa.ForeignKeyConstraint(
            ["cohort_id", "member_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_search_key_cohort_id_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("cohort_id", "kind", "key", "scope", "member_id", name=op.f("pk_search_key")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_search_key_member_id", "search_key", ["member_id", "kind", "key", "scope"], unique=False)
    op.create_index(
        "ix_search_key_start",
        "search_key",
        ["cohort_id", "kind", "scope", "start", "member_id", "key"],
        unique=False,
        sqlite_where=sa.text("start IS NOT NULL"),
        postgresql_where=sa.text("start IS NOT NULL"),
    )
    op.create_table(
        "visibility",
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("audience", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cohort_id", "member_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_visibility_cohort_id_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("member_id", "field", name=op.f("pk_visibility")),
    )
    op.create_table(
        "watch",
        sa.Column("id", ID, nullable=False),
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cohort_id", "member_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_watch_cohort_id_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watch")),
        sa.UniqueConstraint(
            "cohort_id", "kind", "key", "member_id", name=op.f("uq_watch_cohort_id_kind_key_member_id")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_watch_member_id", "watch", ["member_id"], unique=False)
    op.create_table(
        "wish",
        sa.Column("id", ID, nullable=False),
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["cohort_id", "member_id"],
            ["member.cohort_id", "member.id"],
            name=op.f("fk_wish_cohort_id_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wish")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_wish_member_id", "wish", ["member_id"], unique=False)
    op.create_table(
        "invite_use",
        sa.Column("invite_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["invite_id"], ["invite.id"], name=op.f("fk_invite_use_invite_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("invite_id", "member_id", name=op.f("pk_invite_use")),
    )
    op.create_index("ix_invite_use_member_id", "invite_use", ["member_id"], unique=False)
