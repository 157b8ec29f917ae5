"""Projects: what one member works on alone, or a team together; `storage.shared_projects` decides who sees them."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.domain.words import word_keys
from storage.base import Id, Json, Ordered, insert, member_id, same_cohort, table, text

project = table(
    "project",
    sa.Column("id", Id, primary_key=True),
    sa.Column("cohort_id", Id, sa.ForeignKey("cohort.id"), nullable=False),
    member_id(nullable=True),  # whose own it is; a team's belongs to nobody alone
    text("title"),
    text("goal"),
    sa.Column("topics", Json, nullable=False),
    sa.Column("coalitions", Json, nullable=False),
    sa.Column("looking", sa.Text),  # who may find that it looks for members: coalitions or cohort
    sa.Column("state", sa.Text, nullable=False),  # open or closed
    sa.Column("blocked", sa.Boolean, nullable=False),  # this and the next are made from its milestones
    sa.Column("next_due", sa.Date),
    sa.UniqueConstraint("cohort_id", "id"),
    sa.Index("ix_project_member_id", "member_id", "state", "id"),
    sa.Index("ix_project_next_due", "cohort_id", "state", "next_due", "id"),
    sa.Index("ix_project_blocked", "cohort_id", "state", "blocked", "id"),
    same_cohort("member_id"),
    personal={"member_id": "delete"},
    sqlite_autoincrement=True,
)

# What a team's project is found by while it looks for members; made from its other columns.
project_key = table(
    "project_key",
    sa.Column("cohort_id", Id, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),  # topic, coalition or word
    sa.Column("key", Ordered, primary_key=True),
    sa.Column("scope", sa.Text, primary_key=True),  # cohort, or one of the project's coalitions
    sa.Column("project_id", Id, primary_key=True),
    sa.ForeignKeyConstraint(["cohort_id", "project_id"], ["project.cohort_id", "project.id"], ondelete="CASCADE"),
    sa.Index("ix_project_key_project_id", "project_id"),
    personal=None,
    sqlite_with_rowid=False,
)

COHORT, COALITIONS = "cohort", "coalitions"


def same_project() -> sa.ForeignKeyConstraint:
    """A row and its project belong to one cohort, and the row goes with the project."""
    return sa.ForeignKeyConstraint(["cohort_id", "project_id"], ["project.cohort_id", "project.id"], ondelete="CASCADE")


@dataclass(frozen=True, slots=True)
class Project:
    """A project in its people's words; `member_id` is None for a team's."""

    id: int
    cohort_id: int
    member_id: int | None
    title: str | None
    goal: str | None
    topics: Sequence[str]
    coalitions: Sequence[str]
    looking: str | None
    state: str
    blocked: bool
    next_due: date | None

    @property
    def is_open(self) -> bool:
        return self.state == "open"

    @property
    def is_shared(self) -> bool:
        """Is it a team's, even of one member or none?"""
        return self.member_id is None


COLUMNS = [project.c[name] for name in Project.__dataclass_fields__]


class Projects:
    """Projects by number, for whoever already knows that they may: their owner, their team, `SharedProjects`."""

    def __init__(self, connection: Connection, renew: Callable[[int], None]) -> None:
        self._connection = connection
        self._renew = renew

    def get(self, number: int, *, lock: bool = False) -> Project | None:
        """A project by number, locked until the transaction ends if asked; or None."""
        statement = sa.select(*COLUMNS).where(project.c.id == number)
        found = self._connection.execute(statement.with_for_update() if lock else statement).one_or_none()
        return None if found is None else Project(*found)

    def some(self, numbers: Collection[int]) -> list[Project]:
        """Several projects by number, in that order; one read."""
        if not numbers:
            return []
        found = self._connection.execute(sa.select(*COLUMNS).where(project.c.id.in_(sorted(numbers))))
        return [Project(*row) for row in sorted(found.all(), key=lambda row: list(numbers).index(row.id))]

    def mine(self, member_number: int) -> Project | None:
        """The first open project that is a member's own: the one in their profile; or None."""
        return next(iter(self.all_mine(member_number, limit=1)), None)

    def all_mine(self, member_number: int, *, limit: int = 20) -> list[Project]:
        """Open projects that are a member's own, oldest first."""
        found = self._connection.execute(
            sa.select(*COLUMNS)
            .where(project.c.member_id == member_number, project.c.state == "open")
            .order_by(project.c.id)
            .limit(limit)
        )
        return [Project(*row) for row in found]

    def begin(self, cohort_id: int, member_number: int | None, title: str, **values: Any) -> int:
        """A new project, a member's own or (None) a team's; its number."""
        known = {"topics": [], "coalitions": [], "state": "open", "blocked": False, "title": title, **values}
        number = insert(self._connection, project, cohort_id=cohort_id, member_id=member_number, **known)
        if member_number is not None:
            self._renew(member_number)
        return number

    def write(self, cohort_id: int, member_number: int, **values: Any) -> int:
        """Begin a member's own project, or change the first of them; its number."""
        mine = self.mine(member_number)
        if mine is None:
            return self.begin(cohort_id, member_number, values.pop("title", None), **values)
        self.change(mine.id, **values)
        return mine.id

    def change(self, number: int, **values: Any) -> None:
        """Overwrite some values of a project; what it is found by follows at once."""
        before = self.get(number, lock=True)
        if before is None:
            return
        self._connection.execute(sa.update(project).where(project.c.id == number).values(**values))
        self._index(number)
        for owner in (before.member_id, values.get("member_id")):
            if owner is not None:
                self._renew(owner)

    def erase(self, number: int) -> None:
        """Erase a project with its milestones and its history."""
        before = self.get(number)
        self._connection.execute(sa.delete(project).where(project.c.id == number))
        if before is not None and before.member_id is not None:
            self._renew(before.member_id)

    def _index(self, number: int) -> None:
        """Write anew by what a team's project is found; nothing, unless it is open and looks for members."""
        self._connection.execute(sa.delete(project_key).where(project_key.c.project_id == number))
        of = self.get(number)
        if of is None or not of.is_open or not of.is_shared or of.looking is None:
            return
        scopes = (COHORT,) if of.looking == COHORT else tuple(of.coalitions)
        keys = [("topic", slug) for slug in of.topics] + [("coalition", slug) for slug in of.coalitions]
        keys += [("word", word) for word in word_keys(f"{of.title or ''} {of.goal or ''}")]
        rows = [
            {"cohort_id": of.cohort_id, "kind": kind, "key": key, "scope": scope, "project_id": number}
            for kind, key in dict.fromkeys(keys)
            for scope in scopes
        ]
        if rows:
            self._connection.execute(sa.insert(project_key), rows)
