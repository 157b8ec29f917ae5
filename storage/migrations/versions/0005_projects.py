"""Projects with members, milestones and updates."""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """A project may be a team's: its owner may be nobody, and it has steps, people and a history."""
    _widen_project()
    _make_keys()
    _make_milestones()
    _make_teams()
    _make_history()


def _same_cohort(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["cohort_id", column],
        ["member.cohort_id", "member.id"],
        name=op.f(f"fk_{table}_cohort_id_{column}"),
        ondelete="CASCADE",
    )


def _same_project(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["cohort_id", "project_id"],
        ["project.cohort_id", "project.id"],
        name=op.f(f"fk_{table}_cohort_id_project_id"),
        ondelete="CASCADE",
    )


def _widen_project() -> None:
    """SQLite cannot let a column be empty afterwards, so both databases get the table anew, with its rows."""
    connection = op.get_bind()
    old = connection.execute(
        sa.text("SELECT id, cohort_id, member_id, title, goal, topic FROM project ORDER BY id")
    ).all()
    op.drop_table("project")
    op.create_table(
        "project",
        sa.Column("id", ID, nullable=False),
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("goal", sa.Text(), nullable=True),
        sa.Column("topics", JSON, nullable=False),
        sa.Column("coalitions", JSON, nullable=False),
        sa.Column("looking", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("blocked", sa.Boolean(), nullable=False),
        sa.Column("next_due", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["cohort_id"], ["cohort.id"], name=op.f("fk_project_cohort_id")),
        _same_cohort("project", "member_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project")),
        sa.UniqueConstraint("cohort_id", "id", name=op.f("uq_project_cohort_id_id")),
        sqlite_autoincrement=True,
    )
    _fill_project(connection, [row._mapping for row in old])
    op.create_index("ix_project_member_id", "project", ["member_id", "state", "id"], unique=False)
    op.create_index("ix_project_next_due", "project", ["cohort_id", "state", "next_due", "id"], unique=False)
    op.create_index("ix_project_blocked", "project", ["cohort_id", "state", "blocked", "id"], unique=False)


def _fill_project(connection: sa.Connection, old: list[sa.RowMapping]) -> None:
    insert = sa.text(
        "INSERT INTO project (id, cohort_id, member_id, title, goal, topics, coalitions, state, blocked) VALUES "
        "(:id, :cohort_id, :member_id, :title, :goal, CAST(:topics AS JSONB), CAST(:coalitions AS JSONB), 'open', "
        "false)"
        if connection.dialect.name == "postgresql"
        else "INSERT INTO project (id, cohort_id, member_id, title, goal, topics, coalitions, state, blocked) VALUES "
        "(:id, :cohort_id, :member_id, :title, :goal, :topics, :coalitions, 'open', 0)"
    )
    for row in old:
        values = {name: row[name] for name in ("id", "cohort_id", "member_id", "title", "goal")}
        topics = json.dumps([row["topic"]] if row["topic"] else [])
        connection.execute(insert, {**values, "topics": topics, "coalitions": "[]"})
    if connection.dialect.name == "postgresql" and old:
        connection.execute(sa.text("SELECT setval(pg_get_serial_sequence('project', 'id'), max(id)) FROM project"))


def _make_keys() -> None:
    op.create_table(
        "project_key",
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", ORDERED, nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("project_id", ID, nullable=False),
        _same_project("project_key"),
        sa.PrimaryKeyConstraint("cohort_id", "kind", "key", "scope", "project_id", name=op.f("pk_project_key")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_project_key_project_id", "project_key", ["project_id"], unique=False)


def _make_milestones() -> None:
    op.create_table(
        "milestone",
        sa.Column("id", ID, nullable=False),
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("written_by", ID, nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("blocked", sa.Boolean(), nullable=False),
        sa.Column("dropped", sa.Boolean(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=True),
        _same_project("milestone"),
        _same_cohort("milestone", "written_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_milestone")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_milestone_project_id", "milestone", ["project_id", "id"], unique=False)
    op.create_index("ix_milestone_written_by", "milestone", ["written_by"], unique=False)


def _make_teams() -> None:
    op.create_table(
        "project_member",
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("proposed_by", ID, nullable=True),
        sa.Column("message", ID, nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        _same_project("project_member"),
        _same_cohort("project_member", "member_id"),
        _same_cohort("project_member", "proposed_by"),
        sa.PrimaryKeyConstraint("project_id", "member_id", name=op.f("pk_project_member")),
    )
    op.create_index("ix_project_member_member_id", "project_member", ["member_id", "state"], unique=False)
    op.create_index("ix_project_member_proposed_by", "project_member", ["proposed_by"], unique=False)


def _make_history() -> None:
    op.create_table(
        "project_update",
        sa.Column("id", ID, nullable=False),
        sa.Column("cohort_id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("milestone_id", ID, nullable=True),
        sa.Column("member_id", ID, nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("who", sa.Text(), nullable=True),
        sa.Column("link", sa.Text(), nullable=True),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        _same_project("project_update"),
        sa.ForeignKeyConstraint(
            ["milestone_id"], ["milestone.id"], name=op.f("fk_project_update_milestone_id"), ondelete="SET NULL"
        ),
        _same_cohort("project_update", "member_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project_update")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_project_update_project_id", "project_update", ["project_id", "id"], unique=False)
    op.create_index("ix_project_update_milestone_id", "project_update", ["milestone_id", "id"], unique=False)
    op.create_index("ix_project_update_member_id", "project_update", ["member_id"], unique=False)
