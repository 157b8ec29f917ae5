"""Teams: who is in a collective project, whom a facilitator proposed, and who would like to join."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.base import Id, Moment, member_id, rows, same_cohort, table, upsert
from storage.projects import COLUMNS, Project, project, same_project

project_member = table(
    "project_member",
    sa.Column("cohort_id", Id, nullable=False),
    sa.Column("project_id", Id, primary_key=True),
    member_id(primary_key=True),
    sa.Column("state", sa.Text, nullable=False),  # in, proposed (by a facilitator), wants (to join), declined
    member_id("proposed_by", nullable=True),
    sa.Column("message", Id),  # the question that waits: on the screen of the one who was proposed
    sa.Column("at", Moment, nullable=False),
    same_project(),
    same_cohort("member_id"),
    same_cohort("proposed_by"),
    sa.Index("ix_project_member_member_id", "member_id", "state"),
    sa.Index("ix_project_member_proposed_by", "proposed_by"),
    personal={"member_id": "delete", "proposed_by": "unlink"},
    own={"member_id": ("message",)},
)

IN, PROPOSED, WANTS, DECLINED = "in", "proposed", "wants", "declined"
_m = project_member.c


@dataclass(frozen=True, slots=True)
class Place:
    """Where one member stands to one team."""

    project_id: int
    member_id: int
    state: str
    proposed_by: int | None
    message: int | None
    at: datetime


_PLACE = [_m[name] for name in Place.__dataclass_fields__]


class Teams:
    """Numbers only: what members of a team see of each other is decided by `storage.shared_projects`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def place(self, project_id: int, member_number: int, *, lock: bool = False) -> Place | None:
        """Where a member stands to a team, or None."""
        statement = sa.select(*_PLACE).where(_m.project_id == project_id, _m.member_id == member_number)
        found = self._connection.execute(statement.with_for_update() if lock else statement).one_or_none()
        return None if found is None else Place(*found)

    def put(self, cohort_id: int, project_id: int, member_number: int, state: str, now: datetime, **more: Any) -> None:
        """A member stands here from now on; `more`: proposed_by, message."""
        known = {"proposed_by": None, "message": None, **more}
        row = {"cohort_id": cohort_id, "project_id": project_id, "member_id": member_number, "state": state, "at": now}
        upsert(self._connection, project_member, row | known, ("project_id", "member_id"))

    def remove(self, project_id: int, member_number: int) -> bool:
        """A member no longer stands anywhere to a team; False when they did not."""
        done = self._connection.execute(
            sa.delete(project_member).where(_m.project_id == project_id, _m.member_id == member_number)
        )
        return rows(done) == 1

    def members(self, project_id: int, *, limit: int = 50) -> list[int]:
        """Who is in a team, the longest first."""
        return self.of_all([project_id], limit=limit).get(project_id, [])

    def of_all(self, projects: Collection[int], *, limit: int = 1000) -> dict[int, list[int]]:
        """Who is in each of several teams, the longest first; one read."""
        if not projects:
            return {}
        found: dict[int, list[int]] = {}
        rows_ = self._connection.execute(
            sa.select(_m.project_id, _m.member_id)
            .where(_m.project_id.in_(sorted(projects)), _m.state == IN)
            .order_by(_m.at, _m.member_id)
            .limit(limit)
        )
        for row in rows_:
            found.setdefault(row.project_id, []).append(row.member_id)
        return found

    def of(self, member_number: int, *, limit: int = 20) -> list[Project]:
        """The open projects whose team a member is in."""
        found = self._connection.execute(
            sa.select(*COLUMNS)
            .join(project_member, _m.project_id == project.c.id)
            .where(_m.member_id == member_number, _m.state == IN, project.c.state == "open")
            .order_by(project.c.id)
            .limit(limit)
        )
        return [Project(*row) for row in found]

    def waiting(self, project_id: int, states: Collection[str] = (PROPOSED, WANTS), *, limit: int = 20) -> list[Place]:
        """Who was proposed, or would like to join, oldest first."""
        found = self._connection.execute(
            sa.select(*_PLACE)
            .where(_m.project_id == project_id, _m.state.in_(sorted(states)))
            .order_by(_m.at, _m.member_id)
            .limit(limit)
        )
        return [Place(*row) for row in found]

    def wants_of(self, member_number: int) -> int:
        """How many teams a member would like to join."""
        counted = sa.select(sa.func.count()).where(_m.member_id == member_number, _m.state == WANTS)
        return self._connection.scalar(counted) or 0

    def decline(self, project_id: int, member_number: int) -> None:
        """A private no to a proposal; it is known to nobody else."""
        self._connection.execute(
            sa.update(project_member)
            .where(_m.project_id == project_id, _m.member_id == member_number, _m.state == PROPOSED)
            .values(state=DECLINED)
        )

    def asked(self, project_id: int, member_number: int, message: int | None) -> None:
        """The message that asks a member is this one."""
        self._connection.execute(
            sa.update(project_member)
            .where(_m.project_id == project_id, _m.member_id == member_number)
            .values(message=message)
        )

    def proposals(self, member_number: int) -> list[Place]:
        """The teams that a facilitator proposed to a member and that wait for a yes or no."""
        found = self._connection.execute(
            sa.select(*_PLACE).where(_m.member_id == member_number, _m.state == PROPOSED).order_by(_m.at).limit(20)
        )
        return [Place(*row) for row in found]
