"""Milestones of projects and what is told of them: steps with a day, and the history of what changed."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.domain.progress import Status, Step, is_blocked, next_due
from storage.base import Id, Moment, insert, member_id, rows, same_cohort, table, text
from storage.prepared import Prepared
from storage.projects import project, same_project
from storage.teams import project_member

milestone = table(
    "milestone",
    sa.Column("id", Id, primary_key=True),
    sa.Column("cohort_id", Id, nullable=False),
    sa.Column("project_id", Id, nullable=False),
    member_id("written_by", nullable=True),  # a team's milestone stays the team's when its writer is erased
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("due", sa.Date),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("blocked", sa.Boolean, nullable=False),
    sa.Column("dropped", sa.Boolean, nullable=False),
    sa.Column("asked_at", Moment),  # when its writer was asked about it after its day: once a day that was set
    same_project(),
    same_cohort("written_by"),
    sa.Index("ix_milestone_project_id", "project_id", "id"),
    sa.Index("ix_milestone_written_by", "written_by"),
    personal={"written_by": "unlink"},
    sqlite_autoincrement=True,
)

project_update = table(
    "project_update",
    sa.Column("id", Id, primary_key=True),
    sa.Column("cohort_id", Id, nullable=False),
    sa.Column("project_id", Id, nullable=False),
    sa.Column("milestone_id", Id, sa.ForeignKey("milestone.id", ondelete="SET NULL")),
    member_id(nullable=True),
    sa.Column("kind", sa.Text, nullable=False),  # changed, stuck, or what became of a milestone (see `KINDS`)
    text("words"),  # what changed, or what holds it up
    text("who"),  # who outside the team changed because of it; or who could help
    text("link"),  # public evidence; shown, never fetched
    sa.Column("day", sa.Date),  # by when help is needed, or the new date
    sa.Column("told", sa.Boolean, nullable=False),  # may facilitators read the words?
    sa.Column("at", Moment, nullable=False),
    same_project(),
    same_cohort("member_id"),
    sa.Index("ix_project_update_project_id", "project_id", "id"),
    sa.Index("ix_project_update_milestone_id", "milestone_id", "id"),
    sa.Index("ix_project_update_member_id", "member_id"),
    personal={"member_id": "blank"},
    sqlite_autoincrement=True,
)

CHANGED, STUCK, UNSTUCK, DROPPED, TAKEN_UP, DUE = "changed", "stuck", "unstuck", "dropped", "taken_up", "due"
JOINED, LEFT, CLOSED, KEPT, REOPENED = "joined", "left", "closed", "kept", "reopened"
KINDS = (CHANGED, STUCK, UNSTUCK, DROPPED, TAKEN_UP, DUE, JOINED, LEFT, CLOSED, KEPT, REOPENED, *Status)


@dataclass(frozen=True, slots=True)
class Milestone:
    """One step of a project; status is self-reported."""

    id: int
    project_id: int
    written_by: int | None
    title: str
    due: date | None
    status: Status
    blocked: bool
    dropped: bool
    asked_at: datetime | None

    @property
    def step(self) -> Step:
        """What `bot.domain.progress` needs of it."""
        return Step(self.status, self.due, self.blocked, self.dropped)


@dataclass(frozen=True, slots=True)
class Update:
    """One line of a project's history; `told` is whether facilitators may read the words."""

    id: int
    project_id: int
    milestone_id: int | None
    member_id: int | None
    kind: str
    words: str | None
    who: str | None
    link: str | None
    day: date | None
    told: bool
    at: datetime


_MILESTONE = [milestone.c[name] for name in Milestone.__dataclass_fields__]
_OF_PROJECTS = Prepared(
    sa.select(*_MILESTONE).where(milestone.c.project_id.in_(sa.bindparam("projects", expanding=True)))
)
_OWN = Prepared(sa.select(project.c.id).where(project.c.member_id == sa.bindparam("member"), project.c.state == "open"))
_TEAMS = Prepared(
    sa.select(project.c.id)
    .join(project_member, project_member.c.project_id == project.c.id)
    .where(
        project_member.c.member_id == sa.bindparam("member"),
        project_member.c.state == "in",
        project.c.state == "open",
    )
)
_UPDATE = [project_update.c[name] for name in Update.__dataclass_fields__]


def _read(row: Any) -> Milestone:
    values = row._asdict()
    return Milestone(**{**values, "status": Status(values["status"])})


class Milestones:
    """Milestones by number or project; whoever asks has made sure that the project may be seen."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, cohort_id: int, project_id: int, by: int | None, title: str, **values: Any) -> int:
        """A new milestone; its number. `values`: due, status, blocked, dropped."""
        known = {"due": None, "status": Status.NOT_STARTED.value, "blocked": False, "dropped": False, **values}
        number = insert(
            self._connection,
            milestone,
            cohort_id=cohort_id,
            project_id=project_id,
            written_by=by,
            title=title,
            **known,
        )
        self._sum_up(project_id)
        return number

    def get(self, number: int) -> Milestone | None:
        """A milestone by number, or None."""
        found = self._connection.execute(sa.select(*_MILESTONE).where(milestone.c.id == number)).one_or_none()
        return None if found is None else _read(found)

    def of(self, project_id: int) -> list[Milestone]:
        """A project's milestones in the order of their dates; those without one last."""
        return self.of_all([project_id]).get(project_id, [])

    def of_all(self, projects: Collection[int]) -> dict[int, list[Milestone]]:
        """The milestones of several projects; one read."""
        found: dict[int, list[Milestone]] = defaultdict(list)
        if projects:
            for row in _OF_PROJECTS.all(self._connection, projects=sorted(projects)):
                found[row.project_id].append(_read(row))
        for some in found.values():
            some.sort(key=lambda one: (one.due or date.max, one.id))
        return dict(found)

    def open_of(self, member_number: int) -> list[Milestone]:
        """What is still to do in a member's own projects and teams, soonest first, without what is dropped."""
        numbers = [row.id for one in (_OWN, _TEAMS) for row in one.all(self._connection, member=member_number)]
        some = [one for found in self.of_all(numbers).values() for one in found if one.step.is_open]
        return sorted(some, key=lambda one: (one.due or date.max, one.id))

    def change(self, number: int, **values: Any) -> None:
        """Overwrite some values of a milestone; its project's sums follow. Another date may be asked about again."""
        if "due" in values:
            values = {"asked_at": None, **values}
        found = self.get(number)
        if found is not None:
            self._connection.execute(sa.update(milestone).where(milestone.c.id == number).values(**values))
            self._sum_up(found.project_id)

    def advance(self, number: int, before: Status, after: Status) -> bool:
        """From one status to another, once: False when it no longer stood there (a second press, another member)."""
        done = self._connection.execute(
            sa.update(milestone)
            .where(milestone.c.id == number, milestone.c.status == before.value)
            .values(status=after.value)
        )
        found = self.get(number) if rows(done) else None
        if found is None:
            return False
        self._sum_up(found.project_id)
        return True

    def remove(self, number: int) -> None:
        """Erase a milestone; what was told of it stays in the history."""
        found = self.get(number)
        if found is not None:
            self._connection.execute(sa.delete(milestone).where(milestone.c.id == number))
            self._sum_up(found.project_id)

    def ask(self, number: int, now: datetime) -> bool:
        """Note that somebody is asked about it now; False when they were asked before."""
        done = self._connection.execute(
            sa.update(milestone).where(milestone.c.id == number, milestone.c.asked_at.is_(None)).values(asked_at=now)
        )
        return rows(done) == 1

    def _sum_up(self, project_id: int) -> None:
        steps = [one.step for one in self.of(project_id)]
        self._connection.execute(
            sa.update(project)
            .where(project.c.id == project_id)
            .values(blocked=is_blocked(steps), next_due=next_due(steps))
        )

    def tell(self, cohort_id: int, project_id: int, by: int, kind: str, now: datetime, **values: Any) -> int:
        """Add a line to a project's history; its number. `values`: milestone_id, words, who, link, day, told."""
        known = {"told": True, **values}
        return insert(
            self._connection,
            project_update,
            cohort_id=cohort_id,
            project_id=project_id,
            member_id=by,
            kind=kind,
            at=now,
            **known,
        )

    def update(self, number: int) -> Update | None:
        """One line of a history, or None."""
        found = self._connection.execute(sa.select(*_UPDATE).where(project_update.c.id == number)).one_or_none()
        return None if found is None else Update(*found)

    def history(self, project_id: int, *, before: int | None = None, limit: int = 6) -> list[Update]:
        """A project's history, newest first, a page at a time: `before` is the last line of the page before."""
        statement = sa.select(*_UPDATE).where(project_update.c.project_id == project_id)
        if before is not None:
            statement = statement.where(project_update.c.id < before)
        found = self._connection.execute(statement.order_by(project_update.c.id.desc()).limit(limit))
        return [Update(*row) for row in found]

    def latest(self, milestone_id: int, kind: str) -> Update | None:
        """The newest line of one kind about a milestone, or None."""
        found = self._connection.execute(
            sa.select(*_UPDATE)
            .where(project_update.c.milestone_id == milestone_id, project_update.c.kind == kind)
            .order_by(project_update.c.id.desc())
            .limit(1)
        ).one_or_none()
        return None if found is None else Update(*found)

    def hand_over(self, project_id: int, giver: int, taker: int | None) -> list[Milestone]:
        """What is open of one member's milestones is another's to be asked about (None: nobody's); returns these."""
        some = [one for one in self.of(project_id) if one.written_by == giver and one.step.is_open]
        self._connection.execute(
            sa.update(milestone)
            .where(milestone.c.project_id == project_id, milestone.c.written_by == giver)
            .values(written_by=taker)
        )
        return some

    def take_over(self, project_id: int, taker: int) -> None:
        """Milestones that nobody is asked about are a member's to be asked about."""
        self._connection.execute(
            sa.update(milestone)
            .where(milestone.c.project_id == project_id, milestone.c.written_by.is_(None))
            .values(written_by=taker)
        )

    def untell(self, number: int, by: int) -> bool:
        """Take a line out of the history again: only its writer's own."""
        done = self._connection.execute(
            sa.delete(project_update).where(project_update.c.id == number, project_update.c.member_id == by)
        )
        return rows(done) == 1

    def share(self, number: int, by: int) -> None:
        """Let facilitators read the words of an own line."""
        self._connection.execute(
            sa.update(project_update)
            .where(project_update.c.id == number, project_update.c.member_id == by)
            .values(told=True)
        )
