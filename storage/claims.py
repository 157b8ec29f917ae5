"""The relay's side of the outbox: what it claims next, what became of each call, and how doubts end."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.base import Moment, rows
from storage.outbox_rows import HELD, NEVER_THERE, OPEN, QUEUED, ROWS, Row, as_row, outbox

AT_MOST = 4000  # rows looked at in one claim, when most of them wait for others
SETTLE = timedelta(seconds=180)
FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=10)

CLAIM = (
    sa.select(
        outbox.c.seq,
        outbox.c.conversation,
        outbox.c.member_id,
        outbox.c.priority,
        outbox.c.edits,
        outbox.c.due_at,
        outbox.c.not_after,
    )
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
_TAKEN = ROWS.where(
    outbox.c.seq.in_(sa.bindparam("rows", expanding=True)),
    outbox.c.state == "sending",
    outbox.c.lane_gen == sa.bindparam("gen"),
).order_by(outbox.c.priority, outbox.c.seq)
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


class Claims:
    """What one lane does with its rows. Every write is fenced by the generation that claimed them."""

    def __init__(self, connection: Connection, woken: set[str]) -> None:
        self._connection = connection
        self._woken = woken

    def claim(
        self, lane_id: str, gen: int, now: datetime, limit: int, *, resting: Collection[str] = ()
    ) -> list[Claimed]:
        """Mark the next rows `sending`, one a conversation: earlier ones first, later ones wait for those in doubt.

        `resting` are conversations that may not be written to yet.
        """
        if limit <= 0:
            return []
        open_now = self._connection.execute(BUSY, {"lane": lane_id}).all()
        sending = {found.conversation for found in open_now if found.state == "sending"} | set(resting)
        doubtful = {found.conversation for found in open_now} | sending
        refs: dict[int, str | None] = {}
        for found, root in self._waiting(lane_id, max(64, 4 * limit)):
            if self._ended(found, root, now):
                continue
            if root is not None and root.state != "sent":  # an edit waits for what it changes, and blocks nobody
                continue
            blocked = sending if found.priority == 0 else doubtful  # a reply does not wait for an old doubt
            if found.conversation not in blocked and found.due_at <= now:
                refs[found.seq] = root.platform_ref if root else None
            sending.add(found.conversation)
            doubtful.add(found.conversation)
            if len(refs) == limit:
                break
        return self._mark(refs, gen, now)

    def _mark(self, refs: Mapping[int, str | None], gen: int, now: datetime) -> list[Claimed]:
        if not refs:
            return []
        self._connection.execute(_SENDING, {"rows": list(refs), "at": now, "gen": gen})
        taken = map(as_row, self._connection.execute(_TAKEN, {"rows": list(refs), "gen": gen}))
        return [Claimed(row, refs[row.seq]) for row in taken if row is not None]

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

    def _ended(self, found: Any, root: Any, now: datetime) -> bool:
        """End a row that is not to be sent any more: too late, or a change of what never arrived."""
        too_late = found.not_after is not None and found.not_after < now
        if too_late or (root is not None and root.state in NEVER_THERE):
            self._end([found.seq], "expired" if too_late else "cancelled", now)
            return True
        return False

    def _end(self, seqs: Collection[int], to: str, now: datetime) -> None:
        self._connection.execute(
            sa.update(outbox).where(outbox.c.seq.in_(seqs), QUEUED).values(state=to, settled_at=now)
        )

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
            ROWS.where(outbox.c.lane == lane_id, OPEN, outbox.c.state == "in_doubt", outbox.c.doubt_since <= before)
            .order_by(outbox.c.seq)
            .limit(100)
        )
        return [row for row in map(as_row, found) if row is not None]

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

    def move(self, seq: int, gen: int, now: datetime, *, lane_id: str, conversation: str) -> bool:
        """Address a row that surely did not arrive to another account of its member; False if the lane was taken."""
        done = self._connection.execute(
            sa.update(outbox)
            .where(outbox.c.seq == seq, outbox.c.lane_gen == gen, outbox.c.state == "sending")
            .values(lane=lane_id, conversation=conversation, state="queued", due_at=now)
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


def waits(attempts: int, half_to_whole: float) -> timedelta:
    """How long a refused row waits: 2ⁿ seconds, half to one and a half times, ten minutes at most (reliability 1.4)."""
    wait = min(FIRST_WAIT * int(2 ** min(attempts, 10)), LONGEST_WAIT)
    return min(wait * (0.5 + half_to_whole), LONGEST_WAIT)
