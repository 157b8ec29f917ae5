"""The outbox pattern's message relay: delivers what was committed, lane by lane, in order per conversation."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
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
from bot.core.events import Address
from bot.core.ids import Ids, encode
from bot.core.log import get_logger
from bot.core.replies import Content, File
from storage import Store, Turn, UnitOfWork
from storage.outbox import SETTLE, Claimed, Row, waits

log = get_logger("kawan.relay")

AT_ONCE = 30
TICK = 30.0

FileSource = Callable[[UnitOfWork, int, datetime], bytes]
Settling = tuple[Row, Outcome]


class Relay:
    """One lane's sender. `sending` is committed before each call; only proof that nothing left allows a second one."""

    def __init__(self, adapter: Adapter, store: Store, clock: Clock, ids: Ids, files: Mapping[str, FileSource]) -> None:
        self._adapter = adapter
        self._store = store
        self._clock = clock
        self._ids = ids
        self._files = files
        self._wake = asyncio.Event()
        self._gen = 0
        self._paused_until: datetime | None = None

    async def take_over(self) -> None:
        """Own the lane: what an earlier owner left `sending` is in doubt from now on."""
        now = self._clock.now()
        self._gen = await self._store.run(lambda unit: unit.outbox.take_over(self._adapter.lane, now), Turn.RELAY)

    def woken(self, lanes: frozenset[str]) -> None:
        """A commit queued rows for these lanes."""
        if self._adapter.lane in lanes:
            self._wake.set()

    async def run(self) -> None:
        """Deliver until cancelled; then finish the calls that are in hand."""
        await self.take_over()
        in_hand: set[asyncio.Task[Settling]] = set()
        try:
            while True:
                in_hand = await self._turn(in_hand)
                await self._pause(in_hand)
        except asyncio.CancelledError:
            if in_hand:
                await self._settle_last(in_hand)
            raise

    async def drain(self) -> None:
        """Deliver until nothing is due: tests, benchmarks, the terminal read from a pipe."""
        if not self._gen:
            await self.take_over()
        in_hand: set[asyncio.Task[Settling]] = set()
        while True:
            in_hand = await self._turn(in_hand)
            if not in_hand:
                return
            await asyncio.wait(in_hand, return_when=asyncio.FIRST_COMPLETED)

    async def _turn(self, in_hand: set[asyncio.Task[Settling]]) -> set[asyncio.Task[Settling]]:
        """One transaction: settle what came back, claim the next; then start the calls."""
        self._wake.clear()
        back = {task for task in in_hand if task.done()}
        still = in_hand - back
        outcomes = [task.result() for task in back]
        claimed = await self._store.run(
            lambda unit: self._settle_and_claim(unit, outcomes, AT_ONCE - len(still)), Turn.RELAY
        )
        return still | {asyncio.create_task(self._deliver(one)) for one in claimed}

    async def _pause(self, in_hand: set[asyncio.Task[Settling]]) -> None:
        woken = asyncio.create_task(self._wake.wait())
        try:
            await asyncio.wait({woken, *in_hand}, timeout=TICK, return_when=asyncio.FIRST_COMPLETED)
        finally:
            woken.cancel()

    async def _settle_last(self, in_hand: set[asyncio.Task[Settling]]) -> None:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.gather(*in_hand), timeout=12)
        outcomes = [task.result() for task in in_hand if task.done() and not task.cancelled()]
        await self._store.run(lambda unit: self._settle_and_claim(unit, outcomes, 0), Turn.RELAY)

    def _settle_and_claim(self, unit: UnitOfWork, outcomes: list[Settling], room: int) -> list[Claimed]:
        now = self._clock.now()
        for row, outcome in outcomes:
            self._settle(unit, row, outcome, now)
        unit.outbox.release_due(now)
        self._end_doubts(unit, now)
        if self._paused_until is not None and now < self._paused_until:
            return []
        return unit.outbox.claim(self._adapter.lane, self._gen, now, room)

    def _settle(self, unit: UnitOfWork, row: Row, outcome: Outcome, now: datetime) -> None:
        settle = unit.outbox.settle
        match outcome:
            case Sent(ref):
                settle(row.seq, self._gen, "sent", now, ref=ref)
            case NotSent(why):
                wait = waits(row.attempts, self._ids.key()[0] / 255)
                settle(row.seq, self._gen, "queued", now, why=why, due=now + wait)
            case RateLimited(retry_after):
                self._paused_until = now + timedelta(seconds=retry_after)
                settle(row.seq, self._gen, "queued", now, due=self._paused_until, counted=False)
            case Unreachable(why):
                settle(row.seq, self._gen, "unreachable", now, why=why)
            case Rejected(why):
                log.error("message_refused", lane=self._adapter.lane, row=row.seq)
                settle(row.seq, self._gen, "failed", now, why=why)
            case Unknown(why) if row.edits is not None:  # an edit can be repeated
                settle(row.seq, self._gen, "queued", now, why=why, due=now + waits(row.attempts, 0.5))
            case Unknown(why):
                settle(row.seq, self._gen, "in_doubt", now, why=why)

    def _end_doubts(self, unit: UnitOfWork, now: datetime) -> None:
        """After the settle time: an edit is repeated; the rest is shown as perhaps not arrived."""
        for row in unit.outbox.doubtful(self._adapter.lane, now - SETTLE):
            unit.outbox.resolve(row.seq, "queued" if row.edits is not None else "unconfirmed", now)

    async def _deliver(self, claimed: Claimed) -> Settling:
        row = claimed.row
        try:
            content = Content.from_json(row.body or {"text": ""})
            envelope = Envelope(
                key=encode(row.key),
                address=self._address(row),
                content=content,
                edits=claimed.root_ref if row.edits is not None else None,
                files=tuple([await self._file(file) for file in content.files]),
            )
            return row, await self._adapter.send(envelope)
        except Exception as error:  # an adapter's mistake must not stop the lane
            log.error("send_failed", lane=self._adapter.lane, row=row.seq, kind=type(error).__name__)
            return row, Unknown(type(error).__name__)

    async def _file(self, file: File) -> tuple[str, str, bytes]:
        now = self._clock.now()
        made = await self._store.read(lambda unit: self._files[file.source](unit, file.of, now))
        return file.name, file.media_type, made

    def _address(self, row: Row) -> Address:
        platform, _, installation = row.lane.partition(":")
        return Address(platform, installation, row.conversation)
