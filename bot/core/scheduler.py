"""Turns timers and schedules that are due into events; APScheduler is the ticker and nothing more."""

import asyncio
import contextlib
from datetime import datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from bot.core.asking import Asking, Date
from bot.core.chunks import Chunks
from bot.core.clock import Clock, monotonic
from bot.core.clock_watch import ClockWatch
from bot.core.dispatcher import Dispatcher, DueFailed
from bot.core.events import Due
from bot.core.log import get_logger
from bot.core.programme import Programme
from storage import Busy, Store, Turn, UnitOfWork
from storage.recurring import Claim, Waiting
from storage.schedules import Timer

log = get_logger("kawan.scheduler")

TICK_SECONDS = 30
AT_ONCE = 200
AGAIN = timedelta(hours=1)
HOLD_SECONDS, MOST = 0.030, 500  # of one transaction that asks
FIRST_RETRY = timedelta(minutes=10)
LOOKS_APART = timedelta(minutes=1)
TIDIES_APART = timedelta(minutes=1)
CLOCK_WENT_BACK = timedelta(minutes=10)


class Scheduler:
    """What is due lives in our tables; a tick only looks. A restart or a late tick loses nothing."""

    def __init__(
        self, dispatcher: Dispatcher, store: Store, clock: Clock, programme: Programme, watch: ClockWatch
    ) -> None:
        self._dispatcher = dispatcher
        self._asking: Asking = dispatcher.asking
        self._store = store
        self._clock = clock
        self._programme = programme
        self._ticker: AsyncIOScheduler | None = None
        self._chunks = Chunks(HOLD_SECONDS, MOST)
        self._tidied: datetime | None = None
        self._watch = watch
        self._mends = True  # what was written while the clock was ahead; a restart may come between

    def start(self, seconds: float = TICK_SECONDS) -> None:
        """Tick now, and from now on."""
        self._ticker = AsyncIOScheduler(timezone="UTC")
        trigger = IntervalTrigger(seconds=seconds, timezone="UTC")
        self._ticker.add_job(
            self._ticks,
            trigger,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
            next_run_time=self._clock.now(),
        )
        self._ticker.start()

    def stop(self) -> None:
        if self._ticker is not None:
            self._ticker.shutdown(wait=False)

    async def _ticks(self) -> None:
        """A tick that a stop breaks off is no fault: its transaction was not committed, and the next start ticks."""
        with contextlib.suppress(asyncio.CancelledError):
            await self.tick()

    async def tick(self) -> None:
        """Handle every timer that is due, each in a transaction of its own; ask who is due; forget what is too old."""
        try:
            while True:  # long work sets its next step due at once
                due = await self._store.run(self._look, Turn.TICK)
                if due is None:
                    return
                if not due:
                    break
                for timer in due:
                    await self._handle(timer)
            while await self._store.run(self._ask, Turn.TICK):
                pass
            if self._tidied is None or abs(self._clock.now() - self._tidied) >= TIDIES_APART:
                await self._store.run(self._tidy, Turn.BULK)
        except Busy as busy:
            log.warning("tick_put_off", why=str(busy))

    def _look(self, unit: UnitOfWork) -> list[Timer] | None:
        """The timers that are due; None while the clock is not to be believed."""
        now = self._clock.now()
        last = unit.outages.last_look()
        self._watch.was_right_at(last)
        if not self._watch.is_right():
            self._mends = True
            log.error("clock_jumped", was=str(last), now=str(now), do="is it right? then: python3 -m bot resume")
            return None
        if last is not None and last - now > CLOCK_WENT_BACK:
            log.warning("clock_went_back", was=str(last), now=str(now))
            unit.recurring.plan_anew()
            self._mends = True
        if self._mends:
            unit.outages.mend(now)
            self._mends = False
        if last is None or abs(now - last) >= LOOKS_APART:
            unit.outages.look(now)
            self._watch.was_right_at(now)
        return unit.schedules.due(now, AT_ONCE)

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

    def _ask(self, unit: UnitOfWork) -> bool:
        """Ask some members who are due, all in this transaction; False when nobody is."""
        now, started = self._clock.now(), monotonic()
        waiting = unit.recurring.waiting(now, self._chunks.size)
        for one in waiting:
            self._ask_waiting(unit, one)
        if waiting:
            return True
        claim = unit.recurring.claim(now)
        if claim is None:
            return False
        self._chunks.took(self._ask_page(unit, claim), monotonic() - started)
        return True

    def _ask_page(self, unit: UnitOfWork, claim: Claim) -> int:
        now, of = self._clock.now(), claim.schedule
        calendar = self._asking.calendar(unit, of.cohort_id)
        page = unit.recurring.page(claim, self._chunks.size, calendar.closed(claim.fire.date))
        new = unit.recurring.take(of, claim.fire.key, page, late=self._asking.is_late(claim.fire, now))
        failed = self._asking.ask(unit, Date(of, claim.fire, claim.following), new, calendar, now)
        unit.recurring.put_off(of.id, claim.fire.key, failed, now + FIRST_RETRY)
        unit.recurring.go_on(claim, page[-1].member.id if len(page) == self._chunks.size else None)
        return len(page)

    def _ask_waiting(self, unit: UnitOfWork, waiting: Waiting) -> None:
        """Ask those who changed zone, or whose question could not be made before, each by the clock of their zone."""
        now, of, key = self._clock.now(), waiting.schedule, waiting.key
        calendar = self._asking.calendar(unit, of.cohort_id)
        for one in unit.recurring.again(waiting):
            if not of.on_holidays and calendar.on(one.country, of.recurrence.on("UTC", key).date):
                continue
            zone = one.member.time_zone
            date = Date(of, of.recurrence.on(zone, key), of.recurrence.following(zone, key))
            failed = self._asking.ask(unit, date, [one], calendar, now)
            unit.recurring.put_off(of.id, key, failed, now + FIRST_RETRY * 2**waiting.tries)

    def _tidy(self, unit: UnitOfWork) -> None:
        self._tidied = now = self._clock.now()
        kept = now - timedelta(days=self._programme.messages_days)
        unit.outbox.wipe(kept)
        unit.contents.forget(kept)
        unit.inbox.forget(now - timedelta(days=30))
        unit.members.forget_tries(now - timedelta(days=1))
        unit.invites.forget(now)
        unit.dialogs.forget(now)
