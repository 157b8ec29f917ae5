"""The outbox pattern's message relay: delivers what was committed, lane by lane, in order per conversation."""

import asyncio
import heapq
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from bot.core.adapter import Adapter, Envelope, RateLimited
from bot.core.begun import Begun
from bot.core.clock import Clock
from bot.core.doubts import LOOK_UP, Doubts, Question
from bot.core.figures import Figures
from bot.core.ids import Ids, encode
from bot.core.log import get_logger
from bot.core.pacing import Pacer
from bot.core.posting import FileSource, Post
from bot.core.settling import NotBegun, Settler, Settling, Turned
from storage import Busy, Store, Turn
from storage.attention import Limits
from storage.claims import USUAL_LIMITS, Claimed
from storage.engine import ALL_LANES
from storage.lanes import Other, Taken

log = get_logger("kawan.relay")

AHEAD = 0.2  # seconds: what can start until then is claimed, so that no start waits for a transaction
HEARTBEAT = 10.0
SOONEST = 0.02  # seconds; what is due is not looked for more often
FINISHING = 8.0
BUSY_WAIT = 1.0

Calls = dict[asyncio.Task[Settling], Claimed]


class Relay:
    """One lane's sender. `sending` is committed before each call; only proof that nothing left allows a second one.

    `alone`: no other process sends from this database; else the lane is taken only when nobody holds it.
    """

    def __init__(
        self,
        adapter: Adapter,
        store: Store,
        clock: Clock,
        ids: Ids,
        files: Mapping[str, FileSource],
        doubts: Doubts | None = None,
        figures: Figures | None = None,
        limits: Limits = USUAL_LIMITS,
        may_send: Callable[[], bool] = lambda: True,
        *,
        alone: bool | None = None,
        begun: Begun | None = None,
    ) -> None:
        self._adapter = adapter
        self._store = store
        self._clock = clock
        self._ids = ids
        self.figures = figures or Figures()
        self.alone = store.alone if alone is None else alone
        self.owned, self.lost = asyncio.Event(), asyncio.Event()  # one of them is set while it runs
        self._begun = begun
        self._post = Post(adapter, store, clock, files)
        self._doubts = doubts or Doubts(figures=self.figures)
        self._settler = Settler(adapter, clock, ids, self._doubts, self.figures, limits, may_send)
        self._pacer = Pacer(adapter.pace, 0.0)  # begun anew with the lane
        self._stir = asyncio.Event()  # something has happened: a call has ended, a row was written
        self._idle = asyncio.Event()
        self._owner = ""
        self._gen = 0
        self._lease_ends = 0.0  # in the loop's time
        self._beat_at = 0.0
        self._rests = False
        self._look = True  # there may be rows to claim
        self._chat_at = float("inf")  # when the first conversation for which a row waits may be written to again
        self._ready: list[tuple[int, int, Claimed]] = []  # claimed, not begun: by priority, then number
        self._calls: Calls = {}
        self._outcomes: list[Settling] = []
        self._turning: asyncio.Task[Turned | None] | None = None
        self._asking: set[asyncio.Task[None]] = set()

    @property
    def adapter(self) -> Adapter:
        return self._adapter

    @property
    def has_begun(self) -> bool:
        return self._gen > 0

    @property
    def owns(self) -> bool:
        """Is the lane this process's, as far as it knows?"""
        return self._gen > 0

    def woken(self, lanes: frozenset[str]) -> None:
        """A commit, perhaps of another process, queued rows for these lanes, or gave one back."""
        if self._adapter.lane in lanes or lanes is ALL_LANES:
            self._idle.clear()
            self._look = True
            self._stir.set()

    async def run(self) -> None:
        """Deliver until cancelled; then finish the calls that are in hand, and give the lane back."""
        try:
            while True:
                if not self._gen:
                    await self._own()
                await self._turns(until_idle=False)
        except asyncio.CancelledError:
            for asking in self._asking:
                asking.cancel()
            await self._finish()
            raise

    async def idle(self) -> None:
        """Wait until nothing is in hand and nothing is due."""
        await self._idle.wait()

    async def drain(self) -> None:
        """Deliver until nothing is due: tests, benchmarks, the terminal read from a pipe."""
        self._stir = asyncio.Event()  # each call may come from another event loop
        if not self._gen and not await self._take():
            return
        self._look = True
        await self._turns(until_idle=True)

    async def _own(self) -> None:
        """Stand by until the lane is free, then take it."""
        while True:
            self._stir.clear()
            try:
                left = await self._take()
            except Busy as busy:
                log.warning("lane_put_off", lane=self._adapter.lane, why=str(busy))
                left = BUSY_WAIT
            if left is True:
                return
            self._idle.set()
            await self._sleep(min(HEARTBEAT, max(SOONEST, left)))

    async def _take(self) -> bool | float:
        """Become the lane's owner; else, the seconds for which another process holds it yet."""
        self._owner = self._owner or encode(self._ids.key())
        now, began = self._clock.now(), self._clock.elapsed()
        lane = self._adapter.lane
        before = self._begun.before(lane) if self._begun is not None else None
        found = await self._store.run(
            lambda unit: unit.lanes.take(lane, self._owner, now, alone=self.alone, before=before), Turn.RELAY
        )
        if isinstance(found, Other):
            return found.left.total_seconds()
        if self._begun is not None:
            self._begun.begins(lane, self._owner)
        self._gen, self._look, self._rests = found.held.gen, True, False
        self._pacer = Pacer(self._adapter.pace, self._clock.elapsed())
        self.lost.clear()
        self.owned.set()
        self._holds(began, found.held.left)
        self._tell_of(found)
        return True

    def _tell_of(self, found: Taken) -> None:
        lane = self._adapter.lane
        self.figures.add("take_over", "lapsed" if found.lapsed else "clean")
        self._doubts.begin(found.doubtful)
        if found.lapsed and not self.alone:
            log.warning("lease_lapsed", lane=lane, in_doubt=found.doubtful)
        for seq in found.failed:
            self.figures.add("poison", "row")
            log.error("poison_message", lane=lane, row=seq)

    async def _turns(self, *, until_idle: bool) -> None:
        """Send while the lane is ours. One transaction at a time, beside the calls: what came back, what is next."""
        while self._gen:
            self._stir.clear()
            self._collect()
            if self._turning is not None and self._turning.done():
                self._take_in(self._turning.result())
                if not self._gen:
                    return
            self._start()
            if self._turning is None and self._needs_turn():
                self._turning = asyncio.create_task(self._turn())
                self._turning.add_done_callback(self._stirred)
            if self._turning is None and not self._calls and not self._ready:
                self._idle.set()
                if until_idle and not self._asking:
                    return
            await self._sleep(self._longest())

    def _collect(self) -> None:
        """What came back. After a refusal nothing more begins: what was claimed goes back into line."""
        for task in [task for task in self._calls if task.done()]:
            del self._calls[task]
            row, outcome = task.result()
            refused = isinstance(outcome, RateLimited)
            self._pacer.ended(row.conversation, self._clock.elapsed(), row.kind, refused=refused)
            self._outcomes.append((row, outcome))
            self._rests = self._rests or refused
        if self._rests:
            self._give_back("the lane rests")

    def _give_back(self, why: str) -> None:
        self._outcomes += [(claimed.row, NotBegun(why)) for _, _, claimed in self._ready]
        self._ready.clear()

    def _start(self) -> None:
        """Begin the calls whose time has come, the most urgent first."""
        while self._ready and not self._rests and self._pacer.ready_at(self._clock.elapsed()) <= self._clock.elapsed():
            _, _, claimed = heapq.heappop(self._ready)
            self._pacer.starts(self._clock.elapsed(), claimed.row.conversation, claimed.row.kind)
            task = asyncio.create_task(self._deliver(claimed))
            task.add_done_callback(self._stirred)
            self._calls[task] = claimed

    def _needs_turn(self) -> bool:
        now = self._clock.elapsed()
        if self._outcomes or now >= self._beat_at or self._settler.is_due(self._clock.now()):
            return True
        if now >= self._chat_at:
            return True
        return self._look and not self._rests and self._room() > 0

    def _room(self) -> int:
        return max(0, self._pacer.room(self._clock.elapsed(), AHEAD) - len(self._ready))

    def _left(self, now: float) -> dict[str, int]:
        """How many calls may be claimed of each kind that is limited by the minute: some of them wait here already."""
        waiting = Counter(claimed.row.kind for _, _, claimed in self._ready)
        return {kind: most - waiting[kind] for kind, most in self._pacer.left(now).items()}

    async def _turn(self) -> Turned | None:
        """One transaction; None when it was put off, and nothing of it is forgotten."""
        settling = list(self._outcomes)
        began, room = self._clock.elapsed(), self._room()
        self._look = room == 0  # then, what this turn sets free is looked for in the next
        # What waits here to begin counts, too, though a press may have proved meanwhile that it arrived.
        waiting = {claimed.row.conversation for _, _, claimed in self._ready}
        resting, left = self._pacer.resting(began) | waiting, self._left(began)
        in_hand = {claimed.row.seq for claimed in (*self._calls.values(), *(one for _, _, one in self._ready))}
        try:
            turned = await self._store.run(
                lambda unit: self._settler.turn(unit, self._owner, self._gen, settling, room, resting, left, in_hand),
                Turn.RELAY,
            )
        except Busy as busy:
            log.warning("turn_put_off", lane=self._adapter.lane, why=str(busy))
            self._look = True
            await asyncio.sleep(BUSY_WAIT)
            return None
        del self._outcomes[: len(settling)]
        if turned.held is not None:
            self._holds(began, turned.held.left)
        return turned

    def _take_in(self, turned: Turned | None) -> None:
        self._turning = None
        if turned is None:
            return
        if turned.held is None:
            self._lost()
            return
        rested, self._rests = self._rests, turned.held.rest > timedelta(0)
        self._chat_at = self._rested_at() if turned.claim.rests else float("inf")
        self._look = self._look or turned.claim.more or rested
        for claimed in turned.claim.taken:
            heapq.heappush(self._ready, (claimed.row.priority, claimed.row.seq, claimed))
        for question in turned.doubted:
            self._pacer.begins(LOOK_UP)
            asking = asyncio.create_task(self._look_up(question))
            self._asking.add(asking)
            asking.add_done_callback(self._asking.discard)
            asking.add_done_callback(self._stirred)

    def _rested_at(self) -> float:
        """When what rests may be written to: maybe by now, or when calls have ended that are under way."""
        at, now = self._pacer.next_rested(self._clock.elapsed()), self._clock.elapsed()
        return now + SOONEST if at == float("inf") else at

    def _lost(self) -> None:
        """Another process has the lane: what we still hold is its doubt now, and we write nothing any more."""
        log.warning("lane_lost", lane=self._adapter.lane, in_hand=len(self._calls) + len(self._ready))
        self.figures.add("lease", "lost")
        for task in self._calls:
            task.cancel()
        self._calls.clear()
        self._ready.clear()
        self._outcomes.clear()
        self._gen = 0
        self.owned.clear()
        self.lost.set()

    def _holds(self, began: float, left: timedelta) -> None:
        self._lease_ends = began + left.total_seconds()
        self._beat_at = began + HEARTBEAT

    async def _deliver(self, claimed: Claimed) -> Settling:
        """One call, unless the lease might end before it does."""
        row = claimed.row
        if claimed.root_ref is None:  # a press proved the root, so nobody knows its reference: this is a new message
            row = replace(row, edits=None)
        envelope = await self._post.envelope(claimed)
        if isinstance(envelope, Envelope):
            if self._begun is not None:
                self._begun.add(row.lane, self._owner, row.seq)
            if not self._has_time():  # asked last: whoever stands still before it begins nothing afterwards
                return row, NotBegun("the lease ends")
        return row, await self._post.send(row, envelope)

    def _has_time(self) -> bool:
        return self._clock.elapsed() + self._adapter.pace.timeout < self._lease_ends

    async def _look_up(self, question: Question) -> None:
        """Ask the platform what became of a row in doubt; another transaction writes the answer down."""
        pacer = self._pacer
        found = await self._post.look_up(question[0])
        pacer.ends(LOOK_UP, self._clock.elapsed())
        try:
            await self._store.run(
                lambda unit: self._settler.answered(unit, self._owner, self._gen, question, found), Turn.RELAY
            )
        except Busy as busy:  # it is asked again
            log.warning("answer_put_off", lane=self._adapter.lane, why=str(busy))
        self._look = True

    async def _finish(self) -> None:
        """Begin nothing more, let the calls end, write down what became of them, and give the lane back."""
        if self._turning is not None:
            self._take_in(await self._turning)
        if not self._gen:
            return
        self._give_back("stopping")
        if self._calls:
            await asyncio.wait(self._calls, timeout=FINISHING)
        self._collect()
        settling, gen = list(self._outcomes), self._gen
        self._gen = 0
        try:
            await self._store.run(lambda unit: self._settler.last(unit, self._owner, gen, settling), Turn.RELAY)
        except Busy as busy:  # whoever takes the lane next finds what was sent in doubt
            log.warning("lane_not_given_back", lane=self._adapter.lane, why=str(busy))

    def _stirred(self, _task: object) -> None:
        self._stir.set()

    async def _sleep(self, seconds: float) -> None:
        """Until something happens, for so many seconds at most."""
        if self._stir.is_set():
            await asyncio.sleep(0)
            return
        try:
            async with asyncio.timeout(seconds):
                await self._stir.wait()
        except TimeoutError:
            pass

    def _longest(self) -> float:
        """Seconds until something is due; what another process put into line is told by the database."""
        now = self._clock.elapsed()
        moments = [now + HEARTBEAT]
        if self._turning is None:  # else its end is what is waited for
            moments.append(self._beat_at)
            if self._look and not self._rests and not self._ready:
                moments.append(self._pacer.ready_at(now) - AHEAD)
            moments += [self._chat_at, now + max(SOONEST, self._settler.pause(self._clock.now()))]
        soonest = max(0.001, min(moments) - now)
        if self._ready and not self._rests:
            soonest = min(soonest, max(0.0, self._pacer.ready_at(now) - now))
        return soonest
