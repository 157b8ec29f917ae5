"""What one transaction of the relay does: writes down what came back, ends doubts, claims what is next."""

import heapq
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.adapter import Adapter, NotSent, Outcome, RateLimited, Rejected, Sent, Unknown, Unreachable
from bot.core.clock import Clock
from bot.core.doubts import LOOK_UP, Doubts, Found, Question
from bot.core.events import Address
from bot.core.figures import Figures
from bot.core.ids import Ids
from bot.core.log import get_logger
from bot.core.unreached import miss
from storage import UnitOfWork
from storage.attention import Limits
from storage.claims import Claim, waits
from storage.lanes import LEASE, Held
from storage.outbox import Row

log = get_logger("kawan.relay")

NOTHING = Claim()
UNBELIEVED = timedelta(seconds=15)  # how soon a lane looks again while the clock is doubted
BEAT = timedelta(seconds=9)  # a lease that is younger is not renewed


@dataclass(frozen=True, slots=True)
class NotBegun:
    """A claimed row whose call never began: it goes back into line as it was."""

    why: str


Settling = tuple[Row, Outcome | NotBegun]
NAMES = {
    Sent: "sent",
    NotSent: "not_sent",
    RateLimited: "rate_limited",
    Unreachable: "unreachable",
    Rejected: "rejected",
    Unknown: "unknown",
    NotBegun: "given_back",
}


@dataclass(frozen=True, slots=True)
class Turned:
    """What one transaction found: the lane (None: it is another's), rows to send, rows to ask the platform about."""

    held: Held | None
    claim: Claim = NOTHING
    doubted: Sequence[Question] = ()


class Settler:
    """One lane's transactions. Every write needs the lane's generation, and the lane still to be ours."""

    def __init__(
        self,
        adapter: Adapter,
        clock: Clock,
        ids: Ids,
        doubts: Doubts,
        figures: Figures,
        limits: Limits,
        may_send: Callable[[], bool],
    ) -> None:
        self._adapter = adapter
        self._clock = clock
        self._ids = ids
        self._doubts = doubts
        self._figures = figures
        self._limits = limits
        self._may_send = may_send  # not while the clock is doubted
        self._put_off: list[datetime] = []  # when rows that were refused for now may try again
        self._held_until: datetime | None = None
        self._rest_until: datetime | None = None

    def turn(
        self,
        unit: UnitOfWork,
        owner: str,
        gen: int,
        outcomes: Sequence[Settling],
        room: int,
        resting: Collection[str],
        left: Mapping[str, int],
        in_hand: Collection[int],
    ) -> Turned:
        """Settle what came back, release what is due, claim the next; fenced by the lane's row, which stays locked."""
        now, lane = self._clock.now(), self._adapter.lane
        held = self._hold(unit, owner, gen)
        if held is None:
            self._figures.add("fenced", by=len(outcomes))
            return Turned(None)
        rest = self._settle_all(unit, gen, outcomes, now)
        while self._put_off and self._put_off[0] <= now:
            heapq.heappop(self._put_off)
        if self._may_send():
            self._release(unit, now)
        else:
            rest = max(rest, UNBELIEVED)
        doubted = self._doubts.due(unit, lane, now, left.get(LOOK_UP)) if self._doubts.is_due(now) else []
        rest = max(held.rest, rest)
        held = Held(held.gen, held.left, rest)
        self._rest_until = now + rest if rest else None
        if rest:
            return Turned(held, doubted=doubted)
        known = {*in_hand, *(row.seq for row, _ in outcomes)}
        kinds = {kind: most for kind, most in left.items() if kind != LOOK_UP}
        claim = unit.claims.claim(lane, gen, now, room, resting=resting, left=kinds, limits=self._limits, in_hand=known)
        return Turned(held, claim, doubted)

    def last(self, unit: UnitOfWork, owner: str, gen: int, outcomes: Sequence[Settling]) -> None:
        """The end: write down what came back, and give the lane to whoever stands by."""
        if self._hold(unit, owner, gen) is None:
            self._figures.add("fenced", by=len(outcomes))
            return
        self._settle_all(unit, gen, outcomes, self._clock.now())
        unit.lanes.release(self._adapter.lane, owner, gen)

    def answered(self, unit: UnitOfWork, owner: str, gen: int, question: Question, found: Found) -> None:
        """What the platform knows of a row in doubt."""
        if unit.lanes.hold(self._adapter.lane, owner, gen) is None:
            self._figures.add("fenced")
            return
        self._doubts.answered(unit, question, found, self._clock.now())

    def is_due(self, now: datetime) -> bool:
        """Is there something to do that no event tells of?"""
        return self.pause(now) <= 0

    def pause(self, now: datetime) -> float:
        """Seconds until then."""
        if self._doubts.is_due(now):
            return 0.0
        known = [at for at in (self._held_until, self._rest_until, *self._put_off[:1]) if at is not None]
        waiting = min(((at - now).total_seconds() for at in known), default=float("inf"))
        return min(max(0.0, waiting), self._doubts.pause())

    def _hold(self, unit: UnitOfWork, owner: str, gen: int) -> Held | None:
        """The lane, held for a whole lease again when a heartbeat is due; None when it is another's."""
        lane = self._adapter.lane
        held = unit.lanes.hold(lane, owner, gen)
        if held is None or held.left > LEASE - BEAT:
            return held
        if held.left < timedelta(0):
            self._figures.add("lease", "late")
        unit.lanes.keep(lane, owner, gen)
        return Held(gen, LEASE, held.rest)

    def _release(self, unit: UnitOfWork, now: datetime) -> None:
        held = unit.claims.next_held()
        if held is not None and held <= now:
            unit.claims.release_due(now)
            held = unit.claims.next_held()
        self._held_until = held

    def _settle_all(self, unit: UnitOfWork, gen: int, outcomes: Sequence[Settling], now: datetime) -> timedelta:
        """Write down every outcome; returns for how long the platform wants to be left alone."""
        rest = timedelta(0)
        for row, outcome in outcomes:
            self._figures.add("outcome", NAMES[type(outcome)])
            self._settle(unit, gen, row, outcome, now)
            if isinstance(outcome, RateLimited):
                rest = max(rest, timedelta(seconds=outcome.retry_after))
        # Of a token that is refused nothing is written down: with the next token the lane goes on at once.
        if rest and not getattr(self._adapter, "trouble", None):
            unit.lanes.rest(self._adapter.lane, gen, rest)
        return rest

    def _settle(self, unit: UnitOfWork, gen: int, row: Row, outcome: Outcome | NotBegun, now: datetime) -> None:
        match outcome:
            case Sent(ref):
                self._write(unit, gen, row, "sent", now, ref=ref)
            case NotSent(why):
                self._try_again(unit, gen, row, now + waits(row.attempts, self._ids.key()[0] / 255), why)
            case RateLimited() | NotBegun():
                self._write(unit, gen, row, "queued", now, counted=False)
            case Unreachable(why):
                self._not_there(unit, gen, row, why, now)
            case Rejected(why):
                log.error("message_refused", lane=self._adapter.lane, row=row.seq)
                self._write(unit, gen, row, "failed", now, why=why)
            case Unknown(why) if row.edits is not None:  # a change can be repeated
                self._try_again(unit, gen, row, now + waits(row.attempts, 0.5), why)
            case Unknown(why):
                self._write(unit, gen, row, "in_doubt", unit.lanes.now(), why=why)
                self._doubts.begin()

    def _write(
        self,
        unit: UnitOfWork,
        gen: int,
        row: Row,
        to: str,
        now: datetime,
        *,
        ref: str | None = None,
        why: str | None = None,
        due: datetime | None = None,
        counted: bool = True,
    ) -> None:
        if not unit.claims.settle(row.seq, gen, to, now, ref=ref, why=why, due=due, counted=counted):
            self._figures.add("fenced")

    def _try_again(self, unit: UnitOfWork, gen: int, row: Row, due: datetime, why: str) -> None:
        self._write(unit, gen, row, "queued", self._clock.now(), why=why, due=due)
        heapq.heappush(self._put_off, due)

    def _not_there(self, unit: UnitOfWork, gen: int, row: Row, why: str, now: datetime) -> None:
        """This account cannot be reached; nothing left, so the same row may go to the member's other one."""
        platform, _, installation = row.lane.partition(":")
        here = Address(platform, installation, row.conversation)
        kind, _, account = row.conversation.partition(":")
        if kind == "dm":
            unit.members.set_reachable(platform, installation, account, False)
        other = unit.members.where(row.member_id) if row.member_id is not None and row.edits is None else None
        there = Address(other.platform, other.installation, other.conversation) if other and other.reachable else None
        if kind == "dm" and there is not None and there != here:
            unit.claims.move(row.seq, gen, now, lane_id=there.lane, conversation=there.conversation)
            return
        self._write(unit, gen, row, "unreachable", now, why=why)
        if row.member_id is not None:
            miss(unit, row.member_id, now)
