"""The relay's side of the outbox: what it claims next, what became of each call, and how doubts end."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.domain.hours import next_card
from storage.attention import QUIET_FROM, Attention, Limits, Waits
from storage.base import Moment, rows
from storage.outbox_rows import HELD, NEVER_THERE, OPEN, QUEUED, ROWS, Row, as_row, outbox
from storage.prepared import Prepared
from storage.rights import Pending, Rights

USUAL_LIMITS = Limits()
EXAMINED = 512  # rows whose rights are asked in one claim, when most of them may not leave now
NO_LIMITS: Mapping[str, int] = MappingProxyType({})
NONE = ""  # no kind
AT_MOST = 4000  # rows looked at in one claim, when most of them wait for others
SETTLE = timedelta(seconds=180)
FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=10)

_CLAIM = Prepared(
    sa.select(
        outbox.c.seq,
        outbox.c.conversation,
        outbox.c.member_id,
        outbox.c.priority,
        outbox.c.kind,
        outbox.c.edits,
        outbox.c.due_at,
        outbox.c.not_after,
        outbox.c.on_behalf,
        outbox.c.purpose,
        outbox.c.counted,
        outbox.c.cause,
        outbox.c.content_id,
    )
    .where(
        outbox.c.lane == sa.bindparam("lane"),
        QUEUED,
        outbox.c.kind.not_in(sa.bindparam("but", expanding=True)),
        sa.tuple_(outbox.c.priority, outbox.c.seq) > sa.tuple_(sa.bindparam("priority"), sa.bindparam("after")),
    )
    .order_by(outbox.c.priority, outbox.c.seq)
    .limit(sa.bindparam("limit"))
)
_ROOTS = Prepared(
    sa.select(outbox.c.seq, outbox.c.state, outbox.c.platform_ref).where(
        outbox.c.seq.in_(sa.bindparam("roots", expanding=True))
    )
)
_BUSY = Prepared(
    sa.select(outbox.c.conversation, outbox.c.state, outbox.c.seq, outbox.c.lane_gen).where(
        outbox.c.lane == sa.bindparam("lane"), OPEN
    )
)
_SENDING = Prepared(
    sa.update(outbox)
    # The state as an expression, so that the rows are looked up by number, not among all that are queued.
    .where(outbox.c.seq.in_(sa.bindparam("rows", expanding=True)), outbox.c.state.concat("") == "queued")
    .values(
        state="sending",
        sending_at=sa.bindparam("at", type_=Moment),
        lane_gen=sa.bindparam("gen"),
        attempts=outbox.c.attempts + 1,
    )
)
_TAKEN = Prepared(
    ROWS.where(
        outbox.c.seq.in_(sa.bindparam("rows", expanding=True)),
        outbox.c.state == "sending",
        outbox.c.lane_gen == sa.bindparam("gen"),
    ).order_by(outbox.c.priority, outbox.c.seq)
)
_PUT_OFF = Prepared(
    sa.update(outbox)
    .where(outbox.c.seq == sa.bindparam("row"), QUEUED)
    .values(state="held", due_at=sa.bindparam("due", type_=Moment))
)
_END = Prepared(
    sa.update(outbox)
    .where(outbox.c.seq.in_(sa.bindparam("rows", expanding=True)), QUEUED)
    .values(state=sa.bindparam("to"), settled_at=sa.bindparam("at", type_=Moment))
)
_SETTLE = Prepared(
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
_REFER = Prepared(
    sa.update(outbox)
    .where(
        outbox.c.seq == sa.bindparam("row"),
        outbox.c.lane_gen == sa.bindparam("gen"),
        outbox.c.state == "sent",
        outbox.c.platform_ref.is_(None),
    )
    .values(platform_ref=sa.bindparam("ref"))
)
# A change that comes back while a newer one of the same message waits, and the newer one.
_NEWER = sa.alias(outbox)
_OVERTAKEN = Prepared(
    sa.select(outbox.c.kind, _NEWER.c.seq.label("newer"))
    .join_from(outbox, _NEWER, _NEWER.c.edits == outbox.c.edits)
    .where(outbox.c.seq == sa.bindparam("row"), _NEWER.c.state == sa.literal_column("'queued'"))
)
_DOUBTFUL = Prepared(
    ROWS.where(
        outbox.c.lane == sa.bindparam("lane"),
        OPEN,
        outbox.c.state == "in_doubt",
        outbox.c.doubt_since <= sa.bindparam("before", type_=Moment),
    )
    .order_by(outbox.c.seq)
    .limit(100)
)
_RESOLVE = Prepared(
    sa.update(outbox)
    .where(
        outbox.c.seq == sa.bindparam("row"),
        outbox.c.state == "in_doubt",
        sa.func.coalesce(sa.bindparam("doubt", type_=Moment), outbox.c.doubt_since).is_not_distinct_from(
            outbox.c.doubt_since
        ),
    )
    .values(
        state=sa.bindparam("to"),
        doubt_since=None,
        platform_ref=sa.func.coalesce(sa.bindparam("ref", type_=sa.Text), outbox.c.platform_ref),
        resend_count=outbox.c.resend_count + sa.bindparam("again", type_=sa.Integer),
        due_at=sa.func.coalesce(sa.bindparam("due", type_=Moment), outbox.c.due_at),
        settled_at=sa.bindparam("settled", type_=Moment),
    )
)
_NEXT_HELD = Prepared(sa.select(sa.func.min(outbox.c.due_at)).where(HELD))
_RELEASE = Prepared(
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


@dataclass(frozen=True, slots=True)
class Claim:
    """What is to be sent now. `more`: others can be claimed at once; `rests`: some wait for their conversation only."""

    taken: tuple[Claimed, ...] = ()
    more: bool = False
    rests: bool = False


class Claims:
    """What one lane does with its rows. Every write is fenced by the generation that claimed them."""

    def __init__(self, connection: Connection, woken: set[str]) -> None:
        self._connection = connection
        self._woken = woken

    def claim(
        self,
        lane_id: str,
        gen: int,
        now: datetime,
        limit: int,
        *,
        resting: Collection[str] = (),
        left: Mapping[str, int] = NO_LIMITS,
        limits: Limits = USUAL_LIMITS,
        in_hand: Collection[int] | None = None,
    ) -> Claim:
        """Mark the next rows `sending`, one a conversation: earlier ones first, later ones wait for those in doubt.

        `resting` are conversations that may not be written to yet; `left` are the calls that may be made of a kind that
        is limited by the minute, and a change that waits for its minute holds nobody back. Rights, quiet hours and the
        weekly cap are asked here, again, for as many rows at once as can leave. `in_hand` are the rows that their owner
        knows to be its own: what else it has claimed, in a transaction whose end it was not told, surely never began.
        """
        if limit <= 0:
            return Claim()
        attention = Attention(self._connection, limits, now)
        chosen: dict[int, str | None] = {}
        batch: list[tuple[Any, Any]] = []
        size, looked, changed = limit, 0, False
        busy = _BUSY.all(self._connection, lane=lane_id)
        if in_hand is not None:
            busy = self._give_back(busy, gen, in_hand, now)
        queue = _Queue(busy, resting, left, now)
        for found, root in self._waiting(lane_id, max(64, 4 * limit), queue.used_up):
            if self._ended(found, root, now):
                continue
            if not queue.lets(found, root):
                continue
            batch.append((found, root))
            if len(batch) == size:
                admitted, held = self._admit(batch, attention, limit - len(chosen))
                chosen |= admitted
                changed, looked = changed or held, looked + len(batch)
                if len(chosen) == limit or looked >= EXAMINED:
                    return Claim(self._mark(chosen, gen, now), True, queue.rests)
                batch, size = [], min(4 * size, 256)
        if batch:
            admitted, held = self._admit(batch, attention, limit - len(chosen))
            chosen |= admitted
            changed = changed or held or len(admitted) < len(batch)
        taken = self._mark(chosen, gen, now)
        return Claim(taken, changed or len(taken) < len(chosen), queue.rests)

    def _give_back(self, busy: Sequence[Any], gen: int, in_hand: Collection[int], now: datetime) -> list[Any]:
        lost = {row.seq for row in busy if row.state == "sending" and row.lane_gen == gen and row.seq not in in_hand}
        overtaken = {seq for seq in lost if self._is_overtaken(seq, now)}
        if lost:
            self._connection.execute(
                sa.update(outbox)
                .where(outbox.c.seq.in_(overtaken), outbox.c.lane_gen == gen, outbox.c.state == "sending")
                .values(state="cancelled", settled_at=now)
            )
            self._connection.execute(
                sa.update(outbox)
                .where(outbox.c.seq.in_(lost), outbox.c.lane_gen == gen, outbox.c.state == "sending")
                .values(state="queued", attempts=outbox.c.attempts - 1)
            )
        return [row for row in busy if row.seq not in lost]

    def _admit(
        self, batch: Sequence[tuple[Any, Any]], attention: Attention, limit: int
    ) -> tuple[dict[int, str | None], bool]:
        """Those that may leave now, at most `limit`; and whether any other was cancelled or put off."""
        apart = attention.limits.buyers_and_bidders_apart
        pending = [_pending(found) for found, _ in batch]
        rights = Rights(self._connection, pending, buyers_and_bidders_apart=apart)
        attention.look([found.member_id for found, _ in batch if found.member_id is not None and found.counted])
        admitted: dict[int, str | None] = {}
        refused, later = [], []
        for (found, root), row in zip(batch, pending, strict=True):
            if len(admitted) == limit:
                break
            to = rights.members.get(row.member_id) if row.member_id is not None else None
            if not rights.allow(row):
                refused.append(found.seq)
            elif delay := _delay(attention, found, to):
                later.append({"row": found.seq, "due": delay})
            else:
                admitted[found.seq] = root.platform_ref if root else None
        if refused:
            self._end(refused, "cancelled", attention.now)
        if later:
            _PUT_OFF.write_all(self._connection, later)
        return admitted, bool(refused or later)

    def _mark(self, refs: Mapping[int, str | None], gen: int, now: datetime) -> tuple[Claimed, ...]:
        if not refs:
            return ()
        _SENDING.write(self._connection, rows=list(refs), at=now, gen=gen)
        rows_now = map(as_row, _TAKEN.all(self._connection, rows=list(refs), gen=gen))
        taken = [row for row in rows_now if row is not None]
        for row in taken:
            if row.body is None and row.kind != "delete":  # its words were erased while it was on its way
                self.settle(row.seq, gen, "cancelled", now)
        return tuple(Claimed(row, refs[row.seq]) for row in taken if row.body is not None or row.kind == "delete")

    def _waiting(self, lane_id: str, at_once: int, but: Collection[str]) -> Iterator[tuple[Any, Any]]:
        """Queued rows in order but those of some kinds, each with the row that it edits, if any.

        A page at a time: many that wait for one conversation must not hide the others.
        """
        priority, after = -1, 0
        for _ in range(0, AT_MOST, at_once):
            page = _CLAIM.all(
                self._connection, lane=lane_id, priority=priority, after=after, limit=at_once, but=[*but] or [NONE]
            )
            edited = [found.edits for found in page if found.edits is not None]
            roots = {root.seq: root for root in _ROOTS.all(self._connection, roots=edited)} if edited else {}
            yield from ((found, roots.get(found.edits)) for found in page)
            if len(page) < at_once:
                return
            priority, after = page[-1].priority, page[-1].seq

    def _ended(self, found: Any, root: Any, now: datetime) -> bool:
        """End a row that is not to be sent any more: too late, or a change of what never arrived or cannot be named."""
        too_late = found.not_after is not None and found.not_after < now
        never_there = root is not None and root.state in NEVER_THERE
        # A press proved that the message arrived, but not under which reference: it cannot be taken back.
        unknown = found.kind == "delete" and root is not None and root.state == "sent" and root.platform_ref is None
        if too_late or never_there or unknown:
            self._end([found.seq], "expired" if too_late else "cancelled", now)
            return True
        return False

    def _end(self, seqs: Collection[int], to: str, now: datetime) -> None:
        _END.write(self._connection, rows=list(seqs), to=to, at=now)

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
        """Write what became of a call; False when another owner took the lane meanwhile (fencing).

        A change that would go back into line, where a newer one of the same message waits, is cancelled instead.
        """
        if to == "queued" and self._is_overtaken(seq, now):
            to = "cancelled"
        ended = to not in ("queued", "in_doubt")
        done = _SETTLE.write(
            self._connection,
            row=seq,
            gen=gen,
            to=to,
            ref=ref,
            why=why,
            due=due,
            doubt=now if to == "in_doubt" else None,
            settled=now if ended else None,
            uncounted=0 if counted else 1,
        )
        return done == 1 or (ref is not None and _REFER.write(self._connection, row=seq, gen=gen, ref=ref) == 1)

    def doubtful(self, lane_id: str, before: datetime) -> list[Row]:
        """Rows in doubt since before a moment, oldest first."""
        found = _DOUBTFUL.all(self._connection, lane=lane_id, before=before)
        return [row for row in map(as_row, found) if row is not None]

    def resolve(
        self,
        seq: int,
        to: str,
        now: datetime,
        *,
        ref: str | None = None,
        body: Any = None,
        doubt: datetime | None = None,
    ) -> None:
        """End a doubt: found (`sent`), to be sent once more (`queued`), or for the sender to see (`unconfirmed`).

        `doubt`: only that which began then. A slow answer about an earlier one says nothing of what was sent since.
        """
        if to == "queued" and self._is_overtaken(seq, now):
            to = "cancelled"
        again = to == "queued"
        done = _RESOLVE.write(
            self._connection,
            row=seq,
            to=to,
            ref=ref,
            again=int(again),
            due=now if again else None,
            settled=None if again else now,
            doubt=doubt,
        )
        if done and again and body is not None:
            self._connection.execute(sa.update(outbox).where(outbox.c.seq == seq).values(body=body))

    def _is_overtaken(self, seq: int, now: datetime) -> bool:
        """Does a newer change of the same message wait? A deletion lets no change pass: that one is cancelled."""
        found = _OVERTAKEN.one(self._connection, row=seq)
        if found is not None and found.kind == "delete":
            self._connection.execute(
                sa.update(outbox).where(outbox.c.seq == found.newer, QUEUED).values(state="cancelled", settled_at=now)
            )
            return False
        return found is not None

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
        found: datetime | None = _NEXT_HELD.value(self._connection)
        return found

    def release_due(self, now: datetime) -> int:
        """Let go of held rows whose time has come."""
        found = _RELEASE.all(self._connection, now=now)
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


class _Queue:
    """Whose turn it is in each conversation: what is earlier in line, on its way or in doubt holds the others back."""

    def __init__(
        self, open_now: Sequence[Any], resting: Collection[str], left: Mapping[str, int], now: datetime
    ) -> None:
        self._sending = {found.conversation for found in open_now if found.state == "sending"}
        self._doubtful = {found.conversation for found in open_now}
        self._resting = resting
        self._left = dict(left)
        self._now = now
        self.used_up = tuple(kind for kind, most in left.items() if most <= 0)
        self.rests = bool(self.used_up)

    def lets(self, found: Any, root: Any) -> bool:
        """Is it this row's turn? From now on the later ones of its conversation wait for it."""
        if root is not None and root.state != "sent":  # an edit waits for what it changes, and blocks nobody
            return False
        if self._left.get(found.kind, 1) <= 0:
            self.rests = True
            return False
        conversation = found.conversation
        blocked = self._sending if found.priority == 0 else self._doubtful  # a reply does not wait for an old doubt
        free = conversation not in blocked and found.due_at <= self._now
        self._sending.add(conversation)
        self._doubtful.add(conversation)
        if free and conversation in self._resting:
            self.rests = True
            return False
        if free and found.kind in self._left:
            self._left[found.kind] -= 1
        return free


def _pending(found: Any) -> Pending:
    return Pending(
        found.seq,
        found.member_id,
        found.on_behalf,
        found.purpose,
        found.priority,
        found.content_id,
    )


def _delay(attention: Attention, found: Any, to: Any) -> datetime | None:
    """Until when a message waits for its reader, or None when it may go now."""
    if to is None or found.kind != "message":
        return None
    if to.state == "paused" and found.priority >= QUIET_FROM:  # in peace until they are back; looked at again each week
        card = next_card(attention.now, to.time_zone)
        until = to.paused_until
        return min(card, until) if until is not None and until > attention.now else card
    return attention.delay(Waits(to.id, to.time_zone, to.hours, found.priority, found.counted, found.cause))
