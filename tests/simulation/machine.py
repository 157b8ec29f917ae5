"""One replica of the bot: the real application on the shared database, and the points at which it may die."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa

from bot.app import Kawan, build, withdraws
from bot.core.adapter import Ack
from bot.core.events import Event
from storage import Busy, Store, Turn, UnitOfWork
from tests.simulation.cohorts import programme
from tests.simulation.history import INFO
from tests.simulation.watching import Noted, noting

if TYPE_CHECKING:
    from tests.simulation.world import World

Result = TypeVar("Result")
TICK = 30.0
POINTS = {
    Turn.EVENT: "an event's",
    Turn.RELAY: "the relay's",
    Turn.TICK: "the tick's",
    Turn.BULK: "the tidying's",
}


class Broken(BaseException):
    """This process is dead: nothing that it still does has any effect."""


class Disk:
    """The store as one replica has it: faults before a job, deaths before and after its commit, nothing once dead."""

    def __init__(self, machine: "Machine", store: Store) -> None:
        self._machine = machine
        self._store = store
        self.time: Callable[[], datetime] | None = None
        self.alone = True
        self.held: Callable[[float], None] | None = None

    def keep_room(self) -> None:
        """The disk of a simulation is never full."""

    def has_room(self) -> bool:
        return True

    @property
    def engine(self) -> sa.Engine:
        return self._store.engine

    async def run(self, job: Callable[[UnitOfWork], Result], turn: Turn = Turn.EVENT) -> Result:
        machine = self._machine
        machine.must_live()
        await asyncio.sleep(0.001)
        await machine.thaws()
        if machine.world.fails_busy():
            raise Busy("the database did not take it: simulated")
        noted = Noted()
        point = POINTS[turn]

        def watched(unit: UnitOfWork) -> Result:
            with noting(noted):
                result = job(unit)
            if not noted.is_empty:
                machine.may_die(f"before {point} commit")
            return result

        result = self._store.now(watched)
        machine.world.committed(noted)
        if not noted.is_empty:
            machine.may_die(f"after {point} commit")
        return result

    async def read(self, job: Callable[[UnitOfWork], Result]) -> Result:
        self._machine.must_live()
        return self._store.now(job)

    def now(self, job: Callable[[UnitOfWork], Result]) -> Result:
        self._machine.must_live()
        return self._store.now(job)

    async def listen(self) -> None:
        """What is committed is told at once."""

    def on_commit(self, wake: Callable[[frozenset[str]], None]) -> None:
        self._store.on_commit(lambda lanes: None if self._machine.dead else wake(lanes))

    def forget_wakes(self) -> None:
        """The other replicas are still to be told."""

    def close(self) -> None:
        """The database lives on."""


class Machine:
    """A process that runs the bot until it dies; everything it does goes through ports that know when it is dead."""

    def __init__(self, world: "World", place: int) -> None:
        self.world = world
        self.place = place  # which of the replicas
        self.dead = False
        self.closing = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._frozen_until = 0.0
        self.kawan: Kawan = build(
            Disk(self, world.cohorts.store), programme(), world.lines(self), clock=world.clock, ids=world.ids,
            alone=world.plan.replicas == 1, pages=("slack",), tell=("slack",),
            **world.settings,
        )  # fmt: skip

    def start(self) -> None:
        for relay in self.kawan.relays:
            self.spawn(relay.run()).add_done_callback(self._ended)
        self.spawn(self._ticks()).add_done_callback(self._ended)

    async def receive(self, event: Event) -> Ack:
        self.must_live()
        if self.closing:
            raise Busy("it is stopping")
        return await self.kawan.dispatcher.receive(event)

    async def opened(self, held: int) -> None:
        """A page is open: its question does not leave as a message."""
        await withdraws(self.kawan.store, self.kawan.clock)(held)

    async def _ticks(self) -> None:
        await asyncio.sleep(self.world.luck.uniform(0, TICK))
        while True:
            await self.kawan.scheduler.tick()
            await asyncio.sleep(TICK)

    def spawn(self, coro: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """A task of this process: it ends when the process dies."""
        task = self.world.loop.create_task(coro)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def must_live(self) -> None:
        if self.dead:
            raise Broken

    async def thaws(self) -> None:
        """Now and then a machine stands still for longer than a lease lasts, and knows nothing of it.

        Before a transaction: between the last look at its lease and the call that follows nobody can stop it.
        """
        now = self.world.loop.time()
        if self._frozen_until <= now and self.world.freezes():
            self._frozen_until = now + self.world.luck.uniform(70, 200)
            self.world.history.add(INFO, "froze", now, replica=self.place)
        while self._frozen_until > self.world.loop.time():
            await asyncio.sleep(self._frozen_until - self.world.loop.time())
        self.must_live()

    def hears(self, lane: str) -> bool:
        """Does this replica listen where only one may?"""
        alone = self.world.plan.replicas == 1
        return alone or any(relay.owns for relay in self.kawan.relays if relay.adapter.lane == lane)

    def may_die(self, point: str) -> None:
        """A named point at which a process may be killed."""
        self.must_live()
        if self.world.kills(point):
            self.die(point)
            raise Broken

    def die(self, point: str) -> None:
        """As `kill -9`: whatever was going on has no effect any more."""
        if self.dead:
            return
        self.dead = True
        self.world.history.add(INFO, "died", self.world.loop.time(), point=point, replica=self.place)
        for task in list(self._tasks):
            task.cancel()
        self.world.died(self.place)

    async def ends(self) -> None:
        """As SIGTERM: nothing new is taken in, what is in hand is finished, then the process is gone."""
        self.closing = True
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=15)
        self.dead = True

    def _ended(self, task: asyncio.Task[Any]) -> None:
        """The relay and the ticker never end by themselves."""
        if self.dead or self.closing or task.cancelled() or isinstance(task.exception(), Broken):
            return
        self.world.history.add(INFO, "defect", self.world.loop.time(), what=repr(task.exception()))
