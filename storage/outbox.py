"""Every word that the bot says: rows, their states, and the claims of the relay (reliability 1.2 to 1.4)."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.base import Id, Json, Key, Moment, insert_new, rows, table

outbox = table(
    "outbox",
    sa.Column("seq", Id, primary_key=True),
    sa.Column("idem", sa.Text, nullable=False, unique=True),
    sa.Column("key", Key, nullable=False, unique=True),
    sa.Column("lane", sa.Text, nullable=False),
    sa.Column("conversation", sa.Text, nullable=False),
    sa.Column("member_id", Id),
    sa.Column("class", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("body", Json, info={"text": True}),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("on_behalf", Id),
    sa.Column("edits", Id),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("due_at", Moment, nullable=False),
    sa.Column("not_after", Moment),
    sa.Column("sending_at", Moment),
    sa.Column("lane_gen", sa.Integer),
    sa.Column("doubt_since", Moment),
    sa.Column("resend_count", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("platform_ref", sa.Text),
    sa.Column("last_error", sa.Text),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("settled_at", Moment),
    personal={"member_id": "delete", "on_behalf": "blank"},
    # What the bot said may name others; what it said of the member is in the tables that it came from.
    own={"member_id": ("body", "idem", "cause", "edits", "lane_gen", "last_error")},
    sqlite_autoincrement=True,
)
# Each index has exactly the predicate of the claim that it serves (measured: 96 ms a claim without, 0.015 with).
QUEUED = outbox.c.state == sa.literal_column("'queued'")
HELD = outbox.c.state == sa.literal_column("'held'")
OPEN = outbox.c.state.in_([sa.literal_column("'sending'"), sa.literal_column("'in_doubt'")])
KEPT = outbox.c.body.is_not(None)
sa.Index(
    "ix_outbox_claim", outbox.c.lane, outbox.c.priority, outbox.c.seq, sqlite_where=QUEUED, postgresql_where=QUEUED
)
sa.Index("ix_outbox_held", outbox.c.due_at, sqlite_where=HELD, postgresql_where=HELD)
sa.Index("ix_outbox_open", outbox.c.lane, outbox.c.conversation, sqlite_where=OPEN, postgresql_where=OPEN)
EDITS = sa.and_(QUEUED, outbox.c.edits.is_not(None))
sa.Index("uq_outbox_edits_queued", outbox.c.edits, unique=True, sqlite_where=EDITS, postgresql_where=EDITS)
sa.Index("ix_outbox_edits", outbox.c.edits)
sa.Index("ix_outbox_member_id", outbox.c.member_id, outbox.c.seq)
sa.Index("ix_outbox_on_behalf", outbox.c.on_behalf)
sa.Index("ix_outbox_settled_at", outbox.c.settled_at, sqlite_where=KEPT, postgresql_where=KEPT)
# What was said to somebody who is nobody's account; erased with what was said.
UNNAMED = outbox.c.member_id.is_(None)
sa.Index("ix_outbox_unnamed", outbox.c.conversation, sqlite_where=UNNAMED, postgresql_where=UNNAMED)

outbox_about = table(
    "outbox_about",
    sa.Column("outbox_seq", Id, sa.ForeignKey("outbox.seq", ondelete="CASCADE"), primary_key=True),
    sa.Column("member_id", Id, primary_key=True),
    sa.Index("ix_outbox_about_member_id", "member_id"),
    personal={"member_id": "delete"},
    own={},  # which messages to others name them
)

lane = table(
    "lane",
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("gen", sa.Integer, nullable=False),
    sa.Column("owner", sa.Text),
    sa.Column("lease_until", Moment),
    sa.Column("paused_until", Moment),
    personal=None,
)

AT_MOST = 4000  # rows looked at in one claim, when most of them wait for others
SETTLE = timedelta(seconds=180)
NEVER_THERE = ("failed", "unreachable", "cancelled", "expired", "unconfirmed")
FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Row:
    """One visible call as the relay and the dispatcher need it."""

    seq: int
    key: bytes
    lane: str
    conversation: str
    member_id: int | None
    once: bool
    kind: str
    priority: int
    body: Mapping[str, Any] | None
    edits: int | None
    state: str
    attempts: int
    resend_count: int
    platform_ref: str | None
    sending_at: datetime | None
    created_at: datetime
    doubt_since: datetime | None

    @property
    def message(self) -> int:
        """The logical message: an edit belongs to the one it changes."""
        return self.edits or self.seq


_COLUMNS = (
    outbox.c.seq,
    outbox.c.key,
    outbox.c.lane,
    outbox.c.conversation,
    outbox.c.member_id,
    (outbox.c["class"] == "once").label("once"),
    outbox.c.kind,
    outbox.c.priority,
    outbox.c.body,
    outbox.c.edits,
    outbox.c.state,
    outbox.c.attempts,
    outbox.c.resend_count,
    outbox.c.platform_ref,
    outbox.c.sending_at,
    outbox.c.created_at,
    outbox.c.doubt_since,
)
_ADD = sa.insert(outbox)  # one statement for all: built anew each time, it costs more than the rest of the insert
_BY_KEY = sa.select(*_COLUMNS).where(outbox.c.key == sa.bindparam("key"))
_BY_SEQ = sa.select(*_COLUMNS).where(outbox.c.seq == sa.bindparam("seq"))
_LATEST = (
    sa.select(*_COLUMNS)
    .where(outbox.c.member_id == sa.bindparam("member"), outbox.c.state == "sent")
    .order_by(outbox.c.seq.desc())
    .limit(1)
)
_NEWEST = (
    sa.select(*_COLUMNS)
    .where(
        outbox.c.edits == sa.bindparam("message"),
        outbox.c.state.not_in(["cancelled", "failed", "expired", "unreachable"]),
    )
    .order_by(outbox.c.seq.desc())
    .limit(1)
)
CLAIM = (
    sa.select(*_COLUMNS, outbox.c.due_at, outbox.c.not_after)
    .where(
        outbox.c.lane == sa.bindparam("lane"),
        QUEUED,
        sa.tuple_(outbox.c.priority, outbox.c.seq) > sa.tuple_(sa.bindparam("priority"), sa.bindparam("after")),
    )
    .order_by(outbox.c.priority, outbox.c.seq)
    .limit(sa.bindparam("limit"))
)
_ROOTS = sa.select(outbox.c.seq, outbox.c.state, outbox.c.platform_ref).where(
    outbox.c.seq.in_(sa.bindparam("roots", expanding=True))
)
BUSY = sa.select(outbox.c.conversation, outbox.c.state).where(outbox.c.lane == sa.bindparam("lane"), OPEN)
_SENDING = (
    sa.update(outbox)
    .where(outbox.c.seq.in_(sa.bindparam("rows", expanding=True)), outbox.c.state == "queued")
    .values(
        state="sending",
        sending_at=sa.bindparam("at"),
        lane_gen=sa.bindparam("gen"),
        attempts=outbox.c.attempts + 1,
    )
)
_SETTLE = (
    sa.update(outbox)
    .where(outbox.c.seq == sa.bindparam("row"), outbox.c.lane_gen == sa.bindparam("gen"), outbox.c.state == "sending")
    .values(
        state=sa.bindparam("to"),
        platform_ref=sa.func.coalesce(sa.bindparam("ref", type_=sa.Text), outbox.c.platform_ref),
        last_error=sa.bindparam("why"),
        due_at=sa.func.coalesce(sa.bindparam("due", type_=Moment), outbox.c.due_at),
        doubt_since=sa.bindparam("doubt", type_=Moment),
        settled_at=sa.bindparam("settled", type_=Moment),
        attempts=outbox.c.attempts - sa.bindparam("uncounted", type_=sa.Integer),
    )
)
# A press was faster than the platform's answer: the row is sent already, only its reference is missing.
_REFER = (
    sa.update(outbox)
    .where(
        outbox.c.seq == sa.bindparam("row"),
        outbox.c.lane_gen == sa.bindparam("gen"),
        outbox.c.state == "sent",
        outbox.c.platform_ref.is_(None),
    )
    .values(platform_ref=sa.bindparam("ref"))
)
_NEXT_HELD = sa.select(sa.func.min(outbox.c.due_at)).where(HELD)
RELEASE = (
    sa.select(outbox.c.seq, outbox.c.lane, outbox.c.due_at)
    .where(HELD, outbox.c.due_at <= sa.bindparam("now", type_=Moment))
    .order_by(outbox.c.due_at)
    .limit(500)
)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row marked `sending`, and for an edit the platform's reference of the message that it changes."""

    row: Row
    root_ref: str | None


class Outbox:
    """What is to be said, and what became of it. `woken` collects the lanes that have something new."""

    def __init__(self, connection: Connection, woken: set[str], wipes: Callable[[], None]) -> None:
        self._connection = connection
        self._woken = woken
        self._wipes = wipes

    def add(
        self,
        *,
        idem: str,
        key: bytes,
        lane: str,
        conversation: str,
        member_id: int | None,
        body: Mapping[str, Any],
        cause: str,
        now: datetime,
        once: bool = False,
        priority: int = 0,
        on_behalf: int | None = None,
        about: Collection[int] = (),
        at: datetime | None = None,
        not_after: datetime | None = None,
        edits: int | None = None,
    ) -> int:
        """Put one visible call in line; returns its number.

        `at` holds it back until then; after `not_after` it is not sent any more. `about` are members whom it names.
        """
        row = dict(
            idem=idem,
            key=key,
            lane=lane,
            conversation=conversation,
            member_id=member_id,
            body=body,
            cause=cause,
            created_at=now,
            due_at=at or now,
            not_after=not_after,
            on_behalf=on_behalf,
            priority=priority,
            edits=edits,
            state="held" if at and at > now else "queued",
            kind="edit" if edits else "message",
            **{"class": "once" if once else "must-arrive"},
        )
        inserted = self._connection.execute(_ADD, row).inserted_primary_key
        assert inserted is not None
        seq = int(inserted[0])
        self._names(seq, about)
        self._woken.add(lane)
        return seq

    def _names(self, seq: int, about: Collection[int]) -> None:
        for whom in about:
            insert_new(self._connection, outbox_about, {"outbox_seq": seq, "member_id": whom})

    def change(
        self,
        message: int,
        *,
        idem: str,
        key: bytes,
        body: Mapping[str, Any],
        cause: str,
        now: datetime,
        about: Collection[int] = (),
    ) -> None:
        """Edit a logical message: overwrite what has not left yet, else queue one edit that replaces waiting ones.

        `about` are members whom the new words name, beside those whom the message named already.
        """
        root = self.get(message)
        if root is None or root.state in ("cancelled", "failed", "expired", "unreachable"):
            return
        waiting = self._waiting_edit(message)
        if root.state in ("queued", "held"):
            if waiting is not None:  # older words, from before the message came back to the queue
                self.cancel([waiting], now)
            waiting = message
        if waiting is not None:
            # A new key: a button of the overwritten body must not be read as one of the new body.
            self._connection.execute(
                sa.update(outbox).where(outbox.c.seq == waiting).values(body=body, key=key, cause=cause)
            )
            self._names(waiting, about)
            self._woken.add(root.lane)
            return
        named = self._connection.scalars(
            sa.select(outbox_about.c.member_id).where(outbox_about.c.outbox_seq == message)
        ).all()
        self.add(
            idem=idem,
            key=key,
            lane=root.lane,
            conversation=root.conversation,
            member_id=root.member_id,
            body=body,
            cause=cause,
            now=now,
            on_behalf=self._connection.scalar(sa.select(outbox.c.on_behalf).where(outbox.c.seq == message)),
            about={*named, *about},
            edits=message,
        )

    def _waiting_edit(self, message: int) -> int | None:
        return self._connection.scalar(sa.select(outbox.c.seq).where(outbox.c.edits == message, QUEUED))

    def get(self, seq: int) -> Row | None:
        """A row by its number."""
        return _row(self._connection.execute(_BY_SEQ, {"seq": seq}).one_or_none())

    def by_key(self, key: bytes) -> Row | None:
        """The row that a button's handle names."""
        return _row(self._connection.execute(_BY_KEY, {"key": key}).one_or_none())

    def newest(self, message: int) -> Row | None:
        """What a logical message says now: its newest edit, else itself."""
        return _row(self._connection.execute(_NEWEST, {"message": message}).one_or_none()) or self.get(message)

    def latest_to(self, member_number: int) -> Row | None:
        """The newest message, or change of one, to a member."""
        return _row(self._connection.execute(_LATEST, {"member": member_number}).one_or_none())

    def arrived(self, seq: int, now: datetime) -> None:
        """A press proves that a row arrived: doubt about it is settled."""
        self._connection.execute(
            sa.update(outbox)
            .where(outbox.c.seq == seq, outbox.c.state.in_(["sending", "in_doubt", "unconfirmed"]))
            .values(state="sent", settled_at=now, doubt_since=None)
        )

    def take_over(self, lane_id: str, now: datetime) -> int:
        """Become the lane's owner: a new generation, and every row of an older one is in doubt."""
        insert_new(self._connection, lane, {"id": lane_id, "gen": 0})
        self._connection.execute(sa.update(lane).where(lane.c.id == lane_id).values(gen=lane.c.gen + 1))
        self._connection.execute(
            sa.update(outbox)
            .where(outbox.c.lane == lane_id, OPEN, outbox.c.state == "sending")
            .values(state="in_doubt", doubt_since=now)
        )
        return int(self._connection.scalar(sa.select(lane.c.gen).where(lane.c.id == lane_id)) or 0)

    def claim(self, lane_id: str, gen: int, now: datetime, limit: int) -> list[Claimed]:
        """Mark the next rows `sending`, one a conversation: earlier ones first, later ones wait for those in doubt."""
        if limit <= 0:
            return []
        open_now = self._connection.execute(BUSY, {"lane": lane_id}).all()
        sending = {found.conversation for found in open_now if found.state == "sending"}
        doubtful = {found.conversation for found in open_now}
        taken: list[Claimed] = []
        for found, root in self._waiting(lane_id, max(64, 4 * limit)):
            row = _row(found)
            assert row is not None
            if self._ended(row, found.not_after, root, now):
                continue
            if root is not None and root.state != "sent":  # an edit waits for what it changes, and blocks nobody
                continue
            blocked = sending if row.priority == 0 else doubtful  # a reply does not wait for an old doubt
            if row.conversation not in blocked and found.due_at <= now:
                taken.append(Claimed(row, root.platform_ref if root else None))
            sending.add(row.conversation)
            doubtful.add(row.conversation)
            if len(taken) == limit:
                break
        if taken:
            self._connection.execute(_SENDING, {"rows": [one.row.seq for one in taken], "at": now, "gen": gen})
        return taken

    def _waiting(self, lane_id: str, at_once: int) -> Iterator[tuple[Any, Any]]:
        """Queued rows in order, each with the row that it edits, if any.

        A page at a time: many that wait for one conversation must not hide the others.
        """
        priority, after = -1, 0
        for _ in range(0, AT_MOST, at_once):
            page = self._connection.execute(
                CLAIM, {"lane": lane_id, "priority": priority, "after": after, "limit": at_once}
            ).all()
            edited = [found.edits for found in page if found.edits is not None]
            roots = {root.seq: root for root in self._connection.execute(_ROOTS, {"roots": edited})} if edited else {}
            yield from ((found, roots.get(found.edits)) for found in page)
            if len(page) < at_once:
                return
            priority, after = page[-1].priority, page[-1].seq

    def _ended(self, row: Row, not_after: datetime | None, root: Any, now: datetime) -> bool:
        """End a row that is not to be sent any more: too late, or a change of what never arrived."""
        if not_after is not None and not_after < now:
            self._connection.execute(
                sa.update(outbox).where(outbox.c.seq == row.seq).values(state="expired", settled_at=now)
            )
            return True
        if root is not None and root.state in NEVER_THERE:
            self.cancel([row.seq], now)
            return True
        return False

    def settle(
        self,
        seq: int,
        gen: int,
        to: str,
        now: datetime,
        *,
        ref: str | None = None,
        why: str | None = None,
        due: datetime | None = None,
        counted: bool = True,
    ) -> bool:
        """Write what became of a call; False when another owner took the lane meanwhile (fencing)."""
        ended = to not in ("queued", "in_doubt")
        done = self._connection.execute(
            _SETTLE,
            {
                "row": seq,
                "gen": gen,
                "to": to,
                "ref": ref,
                "why": why,
                "due": due,
                "doubt": now if to == "in_doubt" else None,
                "settled": now if ended else None,
                "uncounted": 0 if counted else 1,
            },
        )
        if rows(done) == 1:
            return True
        refer = {"row": seq, "gen": gen, "ref": ref}
        return ref is not None and rows(self._connection.execute(_REFER, refer)) == 1

    def doubtful(self, lane_id: str, before: datetime) -> list[Row]:
        """Rows in doubt since before a moment, oldest first."""
        found = self._connection.execute(
            sa.select(*_COLUMNS)
            .where(outbox.c.lane == lane_id, OPEN, outbox.c.state == "in_doubt", outbox.c.doubt_since <= before)
            .order_by(outbox.c.seq)
            .limit(100)
        )
        return [row for row in map(_row, found) if row is not None]

    def resolve(self, seq: int, to: str, now: datetime, *, ref: str | None = None, body: Any = None) -> None:
        """End a doubt: found (`sent`), to be sent once more (`queued`), or for the sender to see (`unconfirmed`)."""
        values: dict[str, Any] = {"state": to, "doubt_since": None}
        if ref is not None:
            values["platform_ref"] = ref
        if to == "queued":
            values |= {"resend_count": outbox.c.resend_count + 1, "due_at": now}
            if body is not None:
                values["body"] = body
        else:
            values["settled_at"] = now
        self._connection.execute(
            sa.update(outbox).where(outbox.c.seq == seq, outbox.c.state == "in_doubt").values(values)
        )

    def move(
        self, seq: int, gen: int, now: datetime, *, lane_id: str, conversation: str, body: Mapping[str, Any]
    ) -> bool:
        """Address a row that surely did not arrive to another account of its member; False if the lane was taken."""
        done = self._connection.execute(
            sa.update(outbox)
            .where(outbox.c.seq == seq, outbox.c.lane_gen == gen, outbox.c.state == "sending")
            .values(lane=lane_id, conversation=conversation, body=body, state="queued", due_at=now)
        )
        self._woken.add(lane_id)
        return rows(done) == 1

    def next_held(self) -> datetime | None:
        """When the first row that is held back is due, in any lane."""
        found: datetime | None = self._connection.scalar(_NEXT_HELD)
        return found

    def release_due(self, now: datetime) -> int:
        """Let go of held rows whose time has come."""
        found = self._connection.execute(RELEASE, {"now": now}).all()
        if found:
            # With the moment, so that no more of the index of held rows is read than these.
            due = sa.and_(HELD, outbox.c.due_at <= found[-1].due_at, outbox.c.seq.in_([row.seq for row in found]))
            self._connection.execute(sa.update(outbox).where(due).values(state="queued"))
            self._woken.update(row.lane for row in found)
        return len(found)

    def cancel(self, seqs: Sequence[int], now: datetime) -> int:
        """Cancel rows that have not left yet."""
        return rows(
            self._connection.execute(
                sa.update(outbox)
                .where(outbox.c.seq.in_(seqs), outbox.c.state.in_(["queued", "held"]))
                .values(state="cancelled", settled_at=now)
            )
        )

    def cancel_about(self, member_number: int, now: datetime, *, only_to: int | None = None) -> int:
        """Cancel what would name or speak for a member and has not left yet: they hid, left, or are kept apart."""
        named = sa.union_all(
            sa.select(outbox_about.c.outbox_seq).where(outbox_about.c.member_id == member_number),
            sa.select(outbox.c.seq).where(outbox.c.on_behalf == member_number),
        )
        statement = sa.update(outbox).where(
            outbox.c.seq.in_(named),
            outbox.c.state.in_(["queued", "held"]),
            outbox.c.member_id.is_distinct_from(member_number),
        )
        if only_to is not None:
            statement = statement.where(outbox.c.member_id == only_to)
        return rows(self._connection.execute(statement.values(state="cancelled", settled_at=now)))

    def cancel_to(self, member_number: int, now: datetime) -> int:
        """Cancel what waits for a member."""
        return rows(
            self._connection.execute(
                sa.update(outbox)
                .where(outbox.c.member_id == member_number, outbox.c.state.in_(["queued", "held"]))
                .values(state="cancelled", settled_at=now)
            )
        )

    def readdress(self, member_number: int, old: tuple[str, str], new: tuple[str, str], now: datetime) -> None:
        """What waits for one account of a member, by lane and conversation, goes to another; edits there do not."""
        waits_there = (
            outbox.c.member_id == member_number,
            outbox.c.lane == old[0],
            outbox.c.conversation == old[1],
            outbox.c.state.in_(["queued", "held"]),
        )
        self._connection.execute(
            sa.update(outbox).where(*waits_there, outbox.c.edits.is_not(None)).values(state="cancelled", settled_at=now)
        )
        self._connection.execute(sa.update(outbox).where(*waits_there).values(lane=new[0], conversation=new[1]))
        self._woken.add(new[0])

    def wipe(self, before: datetime, limit: int = 2000) -> int:
        """Empty the bodies of rows that settled before a moment (retention); what was said to a stranger goes whole."""
        settled = sa.select(outbox.c.seq).where(KEPT, outbox.c.settled_at < before)
        old = self._connection.scalars(settled.order_by(outbox.c.settled_at).limit(limit)).all()
        if old:
            self._connection.execute(sa.delete(outbox).where(outbox.c.seq.in_(old), UNNAMED))
            self._connection.execute(sa.update(outbox).where(outbox.c.seq.in_(old)).values(body=sa.null()))
            self._wipes()
        return len(old)

    def wipe_to(self, member_number: int) -> int:
        """Empty the bodies of everything that was said to a member and has left."""
        self._wipes()
        return rows(
            self._connection.execute(
                sa.update(outbox)
                .where(outbox.c.member_id == member_number, outbox.c.state.not_in(["queued", "held", "sending"]))
                .values(body=sa.null())
            )
        )

    def depths(self) -> dict[str, int]:
        """How many rows are in each state that has not ended well, for `doctor`."""
        found = self._connection.execute(
            sa.select(outbox.c.state, sa.func.count()).where(outbox.c.state != "sent").group_by(outbox.c.state)
        )
        return {row[0]: row[1] for row in found}


def waits(attempts: int, half_to_whole: float) -> timedelta:
    """How long a refused row waits: 2ⁿ seconds, half to one and a half times, ten minutes at most (reliability 1.4)."""
    wait = min(FIRST_WAIT * int(2 ** min(attempts, 10)), LONGEST_WAIT)
    return min(wait * (0.5 + half_to_whole), LONGEST_WAIT)


def _row(found: Any) -> Row | None:
    return None if found is None else Row(*found[: len(_COLUMNS)])
