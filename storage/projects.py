"""Projects: what each member works on, so far as `find` and a profile need it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.base import Id, insert, member_id, same_cohort, table, text

project = table(
    "project",
    sa.Column("id", Id, primary_key=True),
    sa.Column("cohort_id", Id, nullable=False),
    member_id(),
    text("title"),
    text("goal"),
    sa.Column("topic", sa.Text),
    sa.Index("ix_project_member_id", "member_id"),
    same_cohort("member_id"),
    personal={"member_id": "delete"},
    sqlite_autoincrement=True,
)


@dataclass(frozen=True, slots=True)
class Project:
    """One reform project in its owner's words."""

    id: int
    title: str | None
    goal: str | None
    topic: str | None


class Projects:
    """A member's own project."""

    def __init__(self, connection: Connection, renew: Callable[[int], None]) -> None:
        self._connection = connection
        self._renew = renew

    def mine(self, member_number: int) -> Project | None:
        """A member's project, or None."""
        found = self._connection.execute(
            sa.select(project.c.id, project.c.title, project.c.goal, project.c.topic)
            .where(project.c.member_id == member_number)
            .order_by(project.c.id)
            .limit(1)
        ).one_or_none()
        return None if found is None else Project(*found)

    def write(self, cohort_id: int, member_number: int, **values: Any) -> None:
        """Begin a member's project, or change it."""
        mine = self.mine(member_number)
        if mine is None:
            insert(self._connection, project, cohort_id=cohort_id, member_id=member_number, **values)
        else:
            self._connection.execute(sa.update(project).where(project.c.id == mine.id).values(**values))
        self._renew(member_number)
