"""Who did what with power over others: privileged acts, looks at profiles, reports."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.base import Id, Moment, insert, member_id, same_cohort, table, text

audit = table(
    "audit",
    sa.Column("id", Id, primary_key=True),
    sa.Column("cohort_id", Id, nullable=False),
    member_id("actor_id", nullable=True),
    sa.Column("action", sa.Text, nullable=False),
    member_id("about_id", nullable=True),
    sa.Column("at", Moment, nullable=False),
    sa.Index("ix_audit_about_id", "about_id", "action", "at"),
    sa.Index("ix_audit_cohort_id", "cohort_id", "at"),
    sa.Index("ix_audit_actor_id", "actor_id"),
    same_cohort("actor_id"),
    same_cohort("about_id"),
    personal={"actor_id": "keep", "about_id": "keep"},  # numbers only: an audit that can be erased is none
    own={"actor_id": (), "about_id": ()},
    sqlite_autoincrement=True,
)

report = table(
    "report",
    sa.Column("id", Id, primary_key=True),
    sa.Column("cohort_id", Id, sa.ForeignKey("cohort.id"), nullable=False),
    member_id("reporter_id", nullable=True),
    member_id("to_id", nullable=True),
    text("text"),
    sa.Column("at", Moment, nullable=False),
    sa.Index("ix_report_reporter_id", "reporter_id"),
    sa.Index("ix_report_to_id", "to_id"),
    same_cohort("reporter_id"),
    same_cohort("to_id"),
    personal={"reporter_id": "blank", "to_id": "keep"},
    own={"reporter_id": ()},
    sqlite_autoincrement=True,
)


@dataclass(frozen=True, slots=True)
class Look:
    """A facilitator looked at a profile."""

    actor_id: int | None
    at: datetime


class Audit:
    """Rows are only added."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def note(self, cohort_id: int, actor: int | None, action: str, now: datetime, about: int | None = None) -> None:
        """Write down a privileged act."""
        insert(self._connection, audit, cohort_id=cohort_id, actor_id=actor, action=action, about_id=about, at=now)

    def looks_at(self, member_number: int, limit: int = 20) -> list[Look]:
        """Who looked at a member's profile, newest first."""
        found = self._connection.execute(
            sa.select(audit.c.actor_id, audit.c.at)
            .where(audit.c.about_id == member_number, audit.c.action == "people.look")
            .order_by(audit.c.at.desc())
            .limit(limit)
        )
        return [Look(*row) for row in found]

    def report(self, cohort_id: int, reporter: int, to: int | None, text: str, now: datetime) -> int:
        """Keep a report; `to` is None when it goes to the operator."""
        return insert(self._connection, report, cohort_id=cohort_id, reporter_id=reporter, to_id=to, text=text, at=now)

    def reports_to_operator(self) -> int:
        """How many reports wait for the operator, for `doctor`."""
        return self._connection.scalar(sa.select(sa.func.count()).where(report.c.to_id.is_(None))) or 0
