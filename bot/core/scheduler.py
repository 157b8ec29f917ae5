"""Turns timers that are due into events; APScheduler is the ticker and nothing more."""

from datetime import timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from bot.core.clock import Clock
from bot.core.dispatcher import Dispatcher, DueFailed
from bot.core.events import Due
from bot.core.log import get_logger
from bot.core.programme import Programme
from storage import Busy, Store, Turn, UnitOfWork
from storage.schedules import Timer

log = get_logger("kawan.scheduler")

TICK_SECONDS = 30
AT_ONCE = 200
AGAIN = timedelta(hours=1)


class Scheduler:
    """What is due lives in our tables; a tick only looks. A restart or a late tick loses nothing."""

    def __init__(self, dispatcher: Dispatcher, store: Store, clock: Clock, programme: Programme) -> None:
        self._dispatcher = dispatcher
        self._store = store
        self._clock = clock
        self._programme = programme
        self._ticker: AsyncIOScheduler | None = None

    def start(self, seconds: float = TICK_SECONDS) -> None:
        """Tick from now on."""
        self._ticker = AsyncIOScheduler(timezone="UTC")
        trigger = IntervalTrigger(seconds=seconds, timezone="UTC")
        self._ticker.add_job(self.tick, trigger, coalesce=True, max_instances=1, misfire_grace_time=None)
        self._ticker.start()

    def stop(self) -> None:
        if self._ticker is not None:
            self._ticker.shutdown(wait=False)

    async def tick(self) -> None:
        """Handle every timer that is due, each in a transaction of its own, then forget what is too old."""
        try:
            while due := await self._store.run(self._due, Turn.TICK):  # long work sets its next step due at once
                for timer in due:
                    await self._handle(timer)
            await self._store.run(self._tidy, Turn.BULK)
        except Busy as busy:
            log.warning("tick_put_off", why=str(busy))

    def _due(self, unit: UnitOfWork) -> list[Timer]:
        return unit.schedules.due(self._clock.now(), AT_ONCE)

    async def _handle(self, timer: Timer) -> None:
        event = Due(
            id=f"timer:{timer.id}", name=timer.name, members=(timer.member_id,), at=timer.due_at, object=timer.object
        )
        try:
            await self._dispatcher.receive(event)
        except DueFailed:  # never given up: an erasure that was promised must happen
            again = self._clock.now() + AGAIN
            await self._store.run(lambda unit: unit.schedules.put_off(timer.id, again), Turn.TICK)
            return
        await self._store.run(lambda unit: unit.schedules.done(timer.id), Turn.TICK)

    def _tidy(self, unit: UnitOfWork) -> None:
        now = self._clock.now()
        kept = now - timedelta(days=self._programme.messages_days)
        unit.outbox.wipe(kept)
        unit.contents.forget(kept)
        unit.inbox.forget(now - timedelta(days=30))
        unit.members.forget_tries(now - timedelta(days=1))
        unit.invites.forget(now)
        unit.dialogs.forget(now)
