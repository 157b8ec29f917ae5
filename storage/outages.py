"""When the bot last looked at the clock, and when it was not there."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.base import Moment, as_microseconds, insert_new, table, upsert
from storage.members import FACT, meta
from storage.outbox import outbox
from storage.outbox_rows import HELD
from storage.prepared import Prepared
from storage.recurring import WAITS, occurrence, schedule_zone
from storage.schedules import timer

outage = table(
    "outage",
    sa.Column("began_at", Moment, primary_key=True),
    sa.Column("ended_at", Moment, nullable=False),
    personal=None,
)

LOOKED = "looked_at"
OUTAGE = timedelta(minutes=10)  # a longer time without a look is one
KEPT = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Outage:
    """From when until when nobody looked at the clock."""

    began_at: datetime
    ended_at: datetime


_FORGET = Prepared(sa.delete(outage).where(outage.c.began_at < sa.bindparam("before", type_=Moment)))
_AHEAD = Prepared(
    sa.update(outbox)
    .where(outbox.c.state.in_(("queued", "held")), outbox.c.created_at > sa.bindparam("now", type_=Moment))
    .values(
        due_at=sa.type_coerce(outbox.c.due_at, sa.BigInteger)
        - sa.type_coerce(outbox.c.created_at, sa.BigInteger)
        + sa.bindparam("at", type_=sa.BigInteger),
        created_at=sa.bindparam("now", type_=Moment),
    )
)
_AFTER = sa.bindparam("after", type_=Moment)
_NEXT = [
    sa.select(sa.func.min(column)).where(column > _AFTER, *only)
    for column, only in (
        (timer.c.due_at, ()),
        (schedule_zone.c.next_at, ()),
        (occurrence.c.due_at, (WAITS,)),
        (outbox.c.due_at, (HELD,)),
    )
]


class Outages:
    """The ticks of all replicas together."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def last_look(self) -> datetime | None:
        """When a tick last looked, by the clock of its machine."""
        found = FACT.value(self._connection, key=LOOKED)
        return None if found is None else datetime.fromisoformat(found)

    def look(self, now: datetime) -> None:
        """A tick looks; what lies between is an outage if it was long."""
        last = self.last_look()
        if last is not None and now - last > OUTAGE:
            insert_new(self._connection, outage, {"began_at": last, "ended_at": now})
            _FORGET.write(self._connection, before=now - KEPT)
        upsert(self._connection, meta, {"key": LOOKED, "value": now.isoformat()}, ("key",))

    def was_there(self, until: datetime) -> None:
        """Nobody was away until then, whatever the clock says: somebody put it forward by hand, as in the demo."""
        upsert(self._connection, meta, {"key": LOOKED, "value": until.isoformat()}, ("key",))

    def next_due(self, after: datetime) -> datetime | None:
        """When the next timer, date or held message is due; for whoever puts the clock forward."""
        moments = [self._connection.scalar(one, {"after": after}) for one in _NEXT]
        return min((one for one in moments if one is not None), default=None)

    def mend(self, now: datetime) -> None:
        """The clock was ahead: what was put in line then is due as long after now as it was meant to wait."""
        _AHEAD.write(self._connection, now=now, at=as_microseconds(now))

    def since(self, moment: datetime) -> list[Outage]:
        """The outages that ended after a moment, oldest first; at most 20."""
        found = self._connection.execute(
            sa.select(outage.c.began_at, outage.c.ended_at)
            .where(outage.c.began_at >= moment - KEPT, outage.c.ended_at > moment)
            .order_by(outage.c.began_at)
            .limit(20)
        )
        return [Outage(*row) for row in found]
