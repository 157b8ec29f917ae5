"""What is to happen later, once: timers, one row each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.base import Id, Moment, insert, member_id, table
from storage.prepared import Prepared

timer = table(
    "timer",
    sa.Column("id", Id, primary_key=True),
    member_id(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("object", Id),
    sa.Column("due_at", Moment, nullable=False),
    sa.Index("ix_timer_due_at", "due_at", "id"),
    sa.Index("ix_timer_member_id", "member_id", "name"),
    personal={"member_id": "delete"},
    sqlite_autoincrement=True,
)


@dataclass(frozen=True, slots=True)
class Timer:
    """One thing to do for one member, about one object."""

    id: int
    member_id: int
    name: str
    object: int | None
    due_at: datetime


DUE = Prepared(
    sa.select(timer.c.id, timer.c.member_id, timer.c.name, timer.c.object, timer.c.due_at)
    .where(timer.c.due_at <= sa.bindparam("now", type_=Moment))
    .order_by(timer.c.due_at, timer.c.id)
    .limit(sa.bindparam("limit"))
)
_DONE = Prepared(sa.delete(timer).where(timer.c.id == sa.bindparam("timer")))
_PUT_OFF = Prepared(
    sa.update(timer).where(timer.c.id == sa.bindparam("timer")).values(due_at=sa.bindparam("due", type_=Moment))
)


class Schedules:
    """Timers: reminders, closings, the end of a pause, an erasure."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def set_timer(self, name: str, member_number: int, due_at: datetime, object: int | None = None) -> int:  # noqa: A002
        """Do `name` for a member at a moment, about an object."""
        return insert(self._connection, timer, name=name, member_id=member_number, object=object, due_at=due_at)

    def due(self, now: datetime, limit: int = 500) -> list[Timer]:
        """Timers whose time has come, oldest first."""
        return [Timer(*row) for row in DUE.all(self._connection, now=now, limit=limit)]

    def put_off(self, number: int, due_at: datetime) -> None:
        """Try a timer again later."""
        _PUT_OFF.write(self._connection, timer=number, due=due_at)

    def done(self, number: int) -> None:
        """A timer has been handled."""
        _DONE.write(self._connection, timer=number)

    def cancel(self, member_number: int, names: Sequence[str], object: int | None = None) -> None:  # noqa: A002
        """Drop a member's timers of these names, about one object or any."""
        statement = sa.delete(timer).where(timer.c.member_id == member_number, timer.c.name.in_(names))
        if object is not None:
            statement = statement.where(timer.c.object == object)
        self._connection.execute(statement)

    def next_of(self, member_number: int, name: str) -> datetime | None:
        """When something is next due for a member."""
        found: datetime | None = self._connection.scalar(
            sa.select(sa.func.min(timer.c.due_at)).where(timer.c.member_id == member_number, timer.c.name == name)
        )
        return found
