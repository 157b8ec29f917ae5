"""Lanes: one platform installation each, owned by one process through a lease in the database's own time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.base import EPOCH, MICROSECOND, Moment, insert_new, table
from storage.outbox_rows import OPEN, outbox
from storage.prepared import Prepared

lane = table(
    "lane",
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("gen", sa.Integer, nullable=False),
    sa.Column("owner", sa.Text),
    sa.Column("lease_until", Moment),
    sa.Column("paused_until", Moment),
    personal=None,
)

LEASE = timedelta(seconds=60)
DEATHS = 3  # as many owners as may die while they send one row

MOST_LANES = 200

Now = Callable[[], datetime]
_TIME = {
    # Milliseconds: SQLite 3.40 has no finer clock.
    "sqlite": "CAST(ROUND((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER) * 1000",
    "postgresql": "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)",
}
_NOW = {name: Prepared(sa.select(sa.literal_column(said, sa.BigInteger).label("now"))) for name, said in _TIME.items()}
_LANE = Prepared(sa.select(lane).where(lane.c.id == sa.bindparam("lane")).with_for_update())
_MINE = (lane.c.id == sa.bindparam("of"), lane.c.owner == sa.bindparam("by"), lane.c.gen == sa.bindparam("in_gen"))
_KEEP = Prepared(sa.update(lane).where(*_MINE).values(lease_until=sa.bindparam("until", type_=Moment)))
_TAKE = Prepared(
    sa.update(lane)
    .where(lane.c.id == sa.bindparam("of"))
    .values(gen=sa.bindparam("next"), owner=sa.bindparam("by"), lease_until=sa.bindparam("until", type_=Moment))
)
_SENDING = (outbox.c.lane == sa.bindparam("of"), OPEN, outbox.c.state == "sending")
_DEADLY = Prepared(
    sa.update(outbox)
    .where(*_SENDING, outbox.c.deaths >= DEATHS - 1)
    .values(
        state="failed",
        deaths=outbox.c.deaths + 1,
        last_error="it ends the program",
        settled_at=sa.bindparam("now", type_=Moment),
    )
    .returning(outbox.c.seq)
)
_DOUBTED = Prepared(
    sa.update(outbox)
    .where(*_SENDING)
    .values(state="in_doubt", deaths=outbox.c.deaths + 1, doubt_since=sa.bindparam("now", type_=Moment))
)
_RELEASE = Prepared(sa.update(lane).where(*_MINE).values(owner=None, lease_until=None))
_REST = Prepared(
    sa.update(lane)
    .where(lane.c.id == sa.bindparam("of"), lane.c.gen == sa.bindparam("in_gen"))
    .values(paused_until=sa.bindparam("until", type_=Moment))
)


@dataclass(frozen=True, slots=True)
class Held:
    """A lane as its owner holds it: its generation, how long yet, and how long it is to rest."""

    gen: int
    left: timedelta
    rest: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Taken:
    """A lane after a take-over. `lapsed`: its owner before did not give it back. `failed` rows killed too many."""

    held: Held
    lapsed: bool
    doubtful: int
    failed: Sequence[int]


@dataclass(frozen=True, slots=True)
class Other:
    """Somebody else holds the lane, for so long yet."""

    left: timedelta


@dataclass(frozen=True, slots=True)
class Lease:
    """A lane as anybody may see it: who holds it (or nobody), how long yet, and for how long it is to rest."""

    lane: str
    owner: str | None
    left: timedelta
    rest: timedelta


class Lanes:
    """Who sends. `time` replaces the database's time where it is simulated."""

    def __init__(self, connection: Connection, woken: set[str], time: Now | None = None) -> None:
        self._connection = connection
        self._woken = woken
        self._time = time

    def now(self) -> datetime:
        """The database's time: the same for every process that uses it."""
        if self._time is not None:
            return self._time()
        microseconds: int = _NOW[self._connection.dialect.name].value(self._connection)
        return EPOCH + microseconds * MICROSECOND

    def leases(self) -> list[Lease]:
        """The lanes that there ever were, in the database's time."""
        at = self.now()
        found = self._connection.execute(sa.select(lane).order_by(lane.c.id).limit(MOST_LANES))
        return [Lease(row.id, row.owner, _rest(row.lease_until, at), _rest(row.paused_until, at)) for row in found]

    def take(
        self,
        lane_id: str,
        owner: str,
        now: datetime,
        *,
        lease: timedelta = LEASE,
        alone: bool = False,
        before: tuple[str, frozenset[int]] | None = None,
    ) -> Taken | Other:
        """Become the lane's owner, if nobody is: a new generation, and what an older one was sending is in doubt.

        `alone`: no other process can be there, so that whoever held the lane is dead. `before`: an owner, and the rows
        whose calls it began; what else that one was sending never left, and goes back into line.
        """
        insert_new(self._connection, lane, {"id": lane_id, "gen": 0})
        found = _LANE.one(self._connection, lane=lane_id)
        at = self.now()
        if not alone and found.owner not in (None, owner) and found.lease_until is not None and found.lease_until > at:
            return Other(found.lease_until - at)
        if before is not None and found.owner == before[0]:
            self._give_back(lane_id, found.gen, before[1])
        gen = found.gen + 1
        _TAKE.write(self._connection, of=lane_id, next=gen, by=owner, until=at + lease)
        doubtful, failed = self._inherit(lane_id, now, at)
        return Taken(Held(gen, lease, _rest(found.paused_until, at)), found.owner is not None, doubtful, failed)

    def _give_back(self, lane_id: str, gen: int, begun: frozenset[int]) -> None:
        """What a dead owner had claimed and not begun is in line again; changes of messages may be repeated anyway."""
        mine = (outbox.c.lane == lane_id, OPEN, outbox.c.state == "sending", outbox.c.edits.is_(None))
        claimed = self._connection.scalars(sa.select(outbox.c.seq).where(*mine, outbox.c.lane_gen == gen))
        these = outbox.c.seq.in_([seq for seq in claimed if seq not in begun])
        self._connection.execute(
            sa.update(outbox).where(these, *mine).values(state="queued", attempts=outbox.c.attempts - 1)
        )

    def _inherit(self, lane_id: str, now: datetime, at: datetime) -> tuple[int, Sequence[int]]:
        """What was `sending` is in doubt; a row that killed its owner too often is not tried again."""
        failed = [row.seq for row in _DEADLY.all(self._connection, of=lane_id, now=now)]
        return _DOUBTED.write(self._connection, of=lane_id, now=at), failed

    def hold(self, lane_id: str, owner: str, gen: int) -> Held | None:
        """The lane, locked until the transaction ends; None when it is no longer this owner's."""
        found = _LANE.one(self._connection, lane=lane_id)
        if found is None or found.owner != owner or found.gen != gen or found.lease_until is None:
            return None
        at = self.now()
        return Held(gen, found.lease_until - at, _rest(found.paused_until, at))

    def keep(self, lane_id: str, owner: str, gen: int, *, lease: timedelta = LEASE) -> bool:
        """The heartbeat: hold the lane for a whole lease again; False when another has taken it."""
        until = self.now() + lease
        return _KEEP.write(self._connection, of=lane_id, by=owner, in_gen=gen, until=until) == 1

    def release(self, lane_id: str, owner: str, gen: int) -> None:
        """Give the lane back: whoever stands by takes it at once."""
        _RELEASE.write(self._connection, of=lane_id, by=owner, in_gen=gen)
        self._woken.add(lane_id)

    def rest(self, lane_id: str, gen: int, duration: timedelta) -> None:
        """Nothing is sent for so long: the platform said so, and the next owner must know it too."""
        _REST.write(self._connection, of=lane_id, in_gen=gen, until=self.now() + duration)


def _rest(until: datetime | None, at: datetime) -> timedelta:
    return max(timedelta(0), until - at) if until is not None else timedelta(0)
