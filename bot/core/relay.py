"""The outbox pattern's message relay: delivers what was committed, lane by lane, in order per conversation."""

import asyncio
import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core.adapter import (
    Adapter,
    Envelope,
    NotSent,
    Outcome,
    RateLimited,
    Rejected,
    Sent,
    Unknown,
    Unreachable,
)
from bot.core.clock import Clock
from bot.core.doubts import Doubts
from bot.core.events import Address
from bot.core.ids import Ids, encode
from bot.core.log import get_logger
from bot.core.replies import Content, File
from storage import Busy, Store, Turn, UnitOfWork
from storage.outbox import Claimed, Row, waits

log = get_logger("kawan.relay")

AT_ONCE = 30
TICK = 30.0
SOONEST = 0.02  # seconds; what is due is not looked for more often
FINISHING = 8.0
BUSY_WAIT = 1.0

FileSource = Callable[[UnitOfWork, int, datetime], bytes]
Settling = tuple[Row, Outcome]


@dataclass(frozen=True, slots=True)
class Turned:
    """What one transaction found: rows to send now, rows to ask the platform about, when held rows are due."""

    claimed: list[Claimed]
    doubted: list[Row]
    held_until: datetime | None


class Relay:
    """One lane's sender. `sending` is committed before each call; only proof that nothing left allows a second one."""

    def __init__(
        self,
        adapter: Adapter,
        store: Store,
        clock: Clock,
        ids: Ids,
        files: Mapping[str, FileSource],
        doubts: Doubts | None = None,
    ) -> None:
        self._adapter = adapter
        self._store = store
        self._clock = clock
        self._ids = ids
        self._files = files
        self._doubts = doubts or Doubts()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._gen = 0
        self._paused_until: datetime | None = None
        self._held_until: datetime | None = None
        self._put_off: list[datetime] = []  # when rows that were refused for now may try again
        self._asking: set[asyncio.Task[None]] = set()

    @property
    def adapter(self) -> Adapter:
        return self._adapter

    @property
    def has_begun(self) -> bool:
        return self._gen > 0

    async def take_over(self) -> None:
        """Own the lane: what an earlier owner left `sending` is in doubt from now on."""
        now = self._clock.now()
        self._gen = await self._store.run(lambda unit: unit.outbox.take_over(self._adapter.lane, now), Turn.RELAY)

    def woken(self, lanes: frozenset[str]) -> None:
        """A commit queued rows for these lanes."""
        if self._adapter.lane in lanes:
            self._idle.clear()
            self._wake.set()

    async def run(self) -> None:
        """Deliver until cancelled; then finish the calls that are in hand."""
        in_hand: set[asyncio.Task[Settling]] = set()
        try:
            while True:
                try:
                    if not self.has_begun:
                        await self.take_over()
                    in_hand = await self._turn(in_hand)
                except Busy as busy:  # nothing is forgotten: the same outcomes are settled in the next turn
                    log.warning("turn_put_off", lane=self._adapter.lane, why=str(busy))
                    await asyncio.sleep(BUSY_WAIT)
                await self._pause(in_hand)
        except asyncio.CancelledError:
            for asking in self._asking:
                asking.cancel()
            if in_hand:
                await self._settle_last(in_hand)
            raise

    async def idle(self) -> None:
        """Wait until nothing is in hand and nothing is due."""
        await self._idle.wait()

    async def drain(self) -> None:
        """Deliver until nothing is due: tests, benchmarks, the terminal read from a pipe."""
        if not self._gen:
            await self.take_over()
        in_hand: set[asyncio.Task[Settling]] = set()
        while True:
            in_hand = await self._turn(in_hand)
            if not in_hand and not self._asking:
                return
            await asyncio.wait({*in_hand, *self._asking}, return_when=asyncio.FIRST_COMPLETED)

    async def _turn(self, in_hand: set[asyncio.Task[Settling]]) -> set[asyncio.Task[Settling]]:
        """One transaction: settle what came back, claim the next; then start the calls."""
        self._wake.clear()
        back = {task for task in in_hand if task.done()}
        still = in_hand - back
        outcomes = [task.result() for task in back]
        turned = await self._store.run(
            lambda unit: self._settle_and_claim(unit, outcomes, AT_ONCE - len(still)), Turn.RELAY
        )
        self._held_until = turned.held_until
        for row in turned.doubted:
            asking = asyncio.create_task(self._look_up(row))
            self._asking.add(asking)
            asking.add_done_callback(self._asking.discard)
        return still | {asyncio.create_task(self._deliver(one)) for one in turned.claimed}

    async def _pause(self, in_hand: set[asyncio.Task[Settling]]) -> None:
        if self._wake.is_set():
            return
        if not in_hand:
            self._idle.set()
        woken = asyncio.create_task(self._wake.wait())
        try:
            await asyncio.wait({woken, *in_hand}, timeout=self._longest(), return_when=asyncio.FIRST_COMPLETED)
        finally:
            woken.cancel()

    def _longest(self) -> float:
        """Seconds until something is due, as far as is known; what another process put into the queue waits a tick."""
        now = self._clock.now()
        paused = self._paused_until if self._paused_until is not None and self._paused_until > now else None
        known = [at for at in (self._held_until, paused, *self._put_off[:1]) if at is not None]
        waiting = min(((at - now).total_seconds() for at in known), default=TICK)
        return min(TICK, max(SOONEST, waiting), self._doubts.pause())

    async def _settle_last(self, in_hand: set[asyncio.Task[Settling]]) -> None:
        await asyncio.wait(in_hand, timeout=FINISHING)
        outcomes = [task.result() for task in in_hand if task.done() and not task.cancelled()]
        await self._store.run(lambda unit: self._settle_and_claim(unit, outcomes, 0), Turn.RELAY)

    def _settle_and_claim(self, unit: UnitOfWork, outcomes: list[Settling], room: int) -> Turned:
        now = self._clock.now()
        for row, outcome in outcomes:
            self._settle(unit, row, outcome, now)
        while self._put_off and self._put_off[0] <= now:
            heapq.heappop(self._put_off)
        held = unit.outbox.next_held()
        if held is not None and held <= now:
            unit.outbox.release_due(now)
            held = unit.outbox.next_held()
        doubted = self._doubts.due(unit, self._adapter.lane, now) if room else []
        if self._paused_until is not None and now < self._paused_until:
            return Turned([], doubted, held)
        return Turned(unit.outbox.claim(self._adapter.lane, self._gen, now, room), doubted, held)

    def _settle(self, unit: UnitOfWork, row: Row, outcome: Outcome, now: datetime) -> None:
        settle = unit.outbox.settle
        match outcome:
            case Sent(ref):
                settle(row.seq, self._gen, "sent", now, ref=ref)
            case NotSent(why):
                self._try_again(unit, row, now + waits(row.attempts, self._ids.key()[0] / 255), why)
            case RateLimited(retry_after):
                self._paused_until = now + timedelta(seconds=retry_after)
                settle(row.seq, self._gen, "queued", now, due=self._paused_until, counted=False)
            case Unreachable(why):
                self._not_there(unit, row, why, now)
            case Rejected(why):
                log.error("message_refused", lane=self._adapter.lane, row=row.seq)
                settle(row.seq, self._gen, "failed", now, why=why)
            case Unknown(why) if row.edits is not None:  # an edit can be repeated
                self._try_again(unit, row, now + waits(row.attempts, 0.5), why)
            case Unknown(why):
                settle(row.seq, self._gen, "in_doubt", now, why=why)

    def _try_again(self, unit: UnitOfWork, row: Row, due: datetime, why: str) -> None:
        unit.outbox.settle(row.seq, self._gen, "queued", self._clock.now(), why=why, due=due)
        heapq.heappush(self._put_off, due)

    def _not_there(self, unit: UnitOfWork, row: Row, why: str, now: datetime) -> None:
        """This account cannot be reached; nothing left, so the same row may go to the member's other one."""
        here = self._address(row)
        kind, _, account = row.conversation.partition(":")
        if kind == "dm":
            unit.members.set_reachable(here.platform, here.installation, account, False)
        other = unit.members.where(row.member_id) if row.member_id is not None and row.edits is None else None
        there = Address(other.platform, other.installation, other.conversation) if other and other.reachable else None
        if kind == "dm" and there is not None and there != here:
            unit.outbox.move(
                row.seq, self._gen, now, lane_id=there.lane, conversation=there.conversation, body=row.body or {}
            )
            return
        unit.outbox.settle(row.seq, self._gen, "unreachable", now, why=why)

    async def _look_up(self, row: Row) -> None:
        """Ask the platform what became of a row in doubt; another transaction writes the answer down."""
        try:
            found = await self._adapter.look_up(self._envelope(row, None))
        except Exception as error:  # an adapter's mistake must not stop the lane
            log.error("look_up_failed", lane=self._adapter.lane, row=row.seq, kind=type(error).__name__)
            found = None
        now = self._clock.now()
        try:
            await self._store.run(lambda unit: self._doubts.answered(unit, row, found, now), Turn.RELAY)
        except Busy as busy:  # it is asked again
            log.warning("answer_put_off", lane=self._adapter.lane, why=str(busy))
        self._wake.set()

    async def _deliver(self, claimed: Claimed) -> Settling:
        row = claimed.row
        if claimed.root_ref is None:  # a press proved the root, so nobody knows its reference: this is a new message
            row = replace(row, edits=None)
        try:
            content = Content.from_json(row.body or {"text": ""})
            files = tuple([await self._file(file) for file in content.files])
            return row, await self._adapter.send(self._envelope(row, claimed.root_ref, files))
        except Exception as error:  # an adapter's mistake must not stop the lane
            log.error("send_failed", lane=self._adapter.lane, row=row.seq, kind=type(error).__name__)
            return row, Unknown(type(error).__name__)

    def _envelope(self, row: Row, root_ref: str | None, files: tuple[tuple[str, str, bytes], ...] = ()) -> Envelope:
        """A first attempt is the one to look for; of a later one only the row's own age is certain."""
        attempted = row.created_at if row.resend_count else row.sending_at
        return Envelope(
            key=encode(row.key),
            address=self._address(row),
            content=Content.from_json(row.body or {"text": ""}),
            edits=root_ref if row.edits is not None else None,
            files=files,
            attempted_at=attempted.timestamp() if attempted else None,
        )

    async def _file(self, file: File) -> tuple[str, str, bytes]:
        now = self._clock.now()
        made = await self._store.read(lambda unit: self._files[file.source](unit, file.of, now))
        return file.name, file.media_type, made

    def _address(self, row: Row) -> Address:
        platform, _, installation = row.lane.partition(":")
        return Address(platform, installation, row.conversation)
