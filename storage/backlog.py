"""What an operator sees of the outbox: how much waits where and since when, what did not arrive; no words, no names."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.outbox_rows import HELD, OPEN, QUEUED, UNWELL, outbox

AT_THE_HEAD = 50  # rows of one urgency among which the oldest is looked for: the next ones to leave
A_PAGE = 20
URGENCIES = range(4)
ENDED_UNWELL = ("failed", "unreachable", "unconfirmed")

# One step of a walk from lane to lane, each read from the index alone.
_NEXT_QUEUED = sa.select(sa.func.min(outbox.c.lane)).where(QUEUED, outbox.c.lane > sa.bindparam("after"))
_NEXT_OPEN = sa.select(sa.func.min(outbox.c.lane)).where(OPEN, outbox.c.lane > sa.bindparam("after"))
_IN_LINE = (outbox.c.lane == sa.bindparam("lane"), QUEUED, outbox.c.priority == sa.bindparam("priority"))
_COUNT = sa.select(sa.func.count()).select_from(outbox).where(*_IN_LINE)
_HEAD = sa.select(outbox.c.due_at).where(*_IN_LINE).order_by(outbox.c.seq).limit(AT_THE_HEAD)
_OPEN_ROWS = (
    sa.select(
        outbox.c.state,
        outbox.c.priority,
        sa.func.count(),
        sa.func.min(sa.func.coalesce(outbox.c.doubt_since, outbox.c.sending_at)),
    )
    .where(outbox.c.lane == sa.bindparam("lane"), OPEN)
    .group_by(outbox.c.state, outbox.c.priority)
)
# With a moment that is before all, so that the index of held rows is read and no other.
_HELD_ROWS = (
    sa.select(outbox.c.lane, outbox.c.priority, sa.func.count(), sa.func.min(outbox.c.due_at))
    .where(HELD, outbox.c.due_at > sa.literal_column("0"))
    .group_by(outbox.c.lane, outbox.c.priority)
)
_DOUBTED = (
    sa.select(sa.func.count())
    .select_from(outbox)
    .where(
        outbox.c.lane == sa.bindparam("lane"),
        OPEN,
        outbox.c.state == "in_doubt",
        outbox.c.doubt_since < sa.bindparam("before"),
    )
)
_IN_DOUBT = (
    sa.select(outbox.c.seq, outbox.c.lane, outbox.c.state, outbox.c.last_error, outbox.c.doubt_since)
    .where(outbox.c.lane == sa.bindparam("lane"), OPEN, outbox.c.state == "in_doubt")
    .order_by(outbox.c.seq)
    .limit(A_PAGE)
)
_SINCE = (UNWELL, outbox.c.state == sa.bindparam("state"), outbox.c.settled_at > sa.bindparam("since"))
_ENDED = sa.select(sa.func.count()).select_from(outbox).where(*_SINCE)
_NEWEST_ENDED = (
    sa.select(outbox.c.seq, outbox.c.lane, outbox.c.state, outbox.c.last_error, outbox.c.settled_at)
    .where(*_SINCE)
    .order_by(outbox.c.settled_at.desc())
    .limit(sa.bindparam("limit"))
)


@dataclass(frozen=True, slots=True)
class Heap:
    """Rows of one lane, state and urgency (the number of a `Urgency`): how many, and for how long the oldest waits."""

    lane: str
    state: str
    priority: int
    count: int
    age: timedelta


@dataclass(frozen=True, slots=True)
class Unwell:
    """One row by its number: where it was to go, what became of it, why (the platform's own word), and since when."""

    seq: int
    lane: str
    state: str
    why: str | None
    at: datetime | None


class Backlog:
    """Counts by lane and state. Each query reads its index, and costs as much as there is to count."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def heaps(self, now: datetime) -> list[Heap]:
        """Everything that has not ended yet. A held row is old once its moment has passed."""
        found: list[Heap] = []
        for lane in self._lanes(_NEXT_QUEUED):
            found += self._queued(lane, now)
        for lane in self._lanes(_NEXT_OPEN):
            found += [
                Heap(lane, state, priority, count, _age(since, now))
                for state, priority, count, since in self._connection.execute(_OPEN_ROWS, {"lane": lane})
            ]
        found += [
            Heap(lane, "held", priority, count, _age(since, now))
            for lane, priority, count, since in self._connection.execute(_HELD_ROWS)
        ]
        return found

    def doubted(self, lane: str, before: datetime) -> int:
        """How many rows of a lane have been in doubt since before a moment."""
        return self._connection.scalar(_DOUBTED, {"lane": lane, "before": before}) or 0

    def in_doubt(self) -> list[Unwell]:
        """The oldest rows in doubt, a page for each lane."""
        return [
            Unwell(*row)
            for lane in self._lanes(_NEXT_OPEN)
            for row in self._connection.execute(_IN_DOUBT, {"lane": lane})
        ]

    def ended(self, state: str, since: datetime) -> int:
        """How many rows ended unwell since a moment; `state` is one of ENDED_UNWELL."""
        return self._connection.scalar(_ENDED, {"state": state, "since": since}) or 0

    def newest_ended(self, state: str, since: datetime, limit: int = A_PAGE) -> list[Unwell]:
        """Some of them, the newest first."""
        which = {"state": state, "since": since, "limit": limit}
        return [Unwell(*row) for row in self._connection.execute(_NEWEST_ENDED, which)]

    def _lanes(self, following: sa.Select[Any]) -> list[str]:
        found: list[str] = []
        while (lane := self._connection.scalar(following, {"after": found[-1] if found else ""})) is not None:
            found.append(lane)
        return found

    def _queued(self, lane: str, now: datetime) -> list[Heap]:
        heaps = []
        for priority in URGENCIES:
            which = {"lane": lane, "priority": priority}
            count = self._connection.scalar(_COUNT, which) or 0
            if count:
                since = min(self._connection.scalars(_HEAD, which))
                heaps.append(Heap(lane, "queued", priority, count, _age(since, now)))
        return heaps


def _age(since: datetime | None, now: datetime) -> timedelta:
    return max(timedelta(0), now - since) if since is not None else timedelta(0)
