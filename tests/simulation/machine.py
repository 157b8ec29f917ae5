"""One replica of the bot: the real application on the shared database, and the points at which it may die."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa

from bot.app import Kawan, build, withdraws
from bot.core.adapter import Ack
from bot.core.events import Event
from storage import Busy, Store, Turn, UnitOfWork
from storage.lanes import Taken
from tests.simulation.cohorts import programme
from tests.simulation.history import INFO
from tests.simulation.loop import START

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


@dataclass
class Noted:
    """What one transaction did, told to the history only when it was committed."""

    accepted: list[tuple[str, bool]] = field(default_factory=list)
    rows: list[tuple[int, int | None]] = field(default_factory=list)
    changed: int = 0
    audited: int = 0
    settled: int = 0
    claimed: list[int] = field(default_factory=list)
    lines: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Did the transaction only look? Most turns and ticks do."""
        return not (self.accepted or self.rows or self.settled or self.claimed or self.lines)


Args = tuple[Any, ...]
Named = dict[str, Any]


def watch(unit: UnitOfWork, noted: Noted) -> None:
    """Note what goes through the ports of a unit of work, without changing it."""
    outbox = unit.outbox

    def line(f: str, **values: Any) -> None:
        noted.lines.append((f, values))

    def accepted(new: bool, args: Args, named: Named) -> None:
        if new:
            noted.accepted.append((args[1], "error_id" in named))

    def claimed(found: Any, args: Args, named: Named) -> None:
        noted.claimed += [one.row.seq for one in found.taken]

    def settled(done: bool, args: Args, named: Named) -> None:
        noted.settled += 1
        if not done:
            line("fenced", message=args[0])

    def took(found: Any, args: Args, named: Named) -> None:
        if isinstance(found, Taken):
            line("took over", lane=args[0], gen=found.held.gen, lapsed=found.lapsed)

    def decided(done: bool, args: Args, named: Named) -> None:
        if done:
            line("decided", to=args[1])

    def moved(done: bool, args: Args, named: Named) -> None:
        if not done:
            line("version conflict")

    _watch(unit.inbox, "accept", accepted)
    _watch(outbox, "add", lambda seq, args, named: noted.rows.append((seq, named.get("member_id"))))
    _watch(outbox, "change", lambda none, args, named: _count(noted, "changed"))
    _watch(unit.claims, "claim", claimed)
    _watch(unit.claims, "resolve", lambda none, args, named: line("settle", message=args[0], to=args[1]))
    _watch(unit.claims, "settle", settled)
    _watch(unit.lanes, "take", took)
    _watch(unit.schedules, "set_timer", lambda number, args, named: line("timer", timer=number, due=seconds(args[2])))
    _watch(unit.schedules, "done", lambda none, args, named: line("done", timer=args[0]))
    _watch(unit.dialogs, "move", moved)
    _watch(unit.introductions, "decide", decided)
    _watch(unit.audit, "note", lambda none, args, named: _count(noted, "audited"))


def seconds(at: datetime) -> float:
    """A moment as the history counts, if nobody turns the clock."""
    return (at - START).total_seconds()


def _watch(of: Any, name: str, tell: Callable[[Any, tuple[Any, ...], dict[str, Any]], object]) -> None:
    real = getattr(of, name)

    def watched(*args: Any, **named: Any) -> Any:
        result = real(*args, **named)
        tell(result, args, named)
        return result

    setattr(of, name, watched)


def _count(noted: Noted, name: str) -> None:
    setattr(noted, name, getattr(noted, name) + 1)


class Disk:
    """The store as one replica has it: faults before a job, deaths before and after its commit, nothing once dead."""

    def __init__(self, machine: "Machine", store: Store) -> None:
        self._machine = machine
        self._store = store
        self.time: Callable[[], datetime] | None = None
        self.alone = True

    @property
    def engine(self) -> sa.Engine:
        return self._store.engine

    async def run(self, job: Callable[[UnitOfWork], Result], turn: Turn = Turn.EVENT) -> Result:
        machine = self._machine
        machine.must_live()
        await asyncio.sleep(0.001)
        machine.must_live()
        if machine.world.fails_busy():
            raise Busy("the database did not take it: simulated")
        noted = Noted()
        point = POINTS[turn]

        def watched(unit: UnitOfWork) -> Result:
            watch(unit, noted)
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
        self._store.on_commit(wake)

    def forget_wakes(self) -> None:
        self._store.forget_wakes()

    def close(self) -> None:
        """The database lives on."""


class Machine:
    """A process that runs the bot until it dies; everything it does goes through ports that know when it is dead."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.dead = False
        self.closing = False
        self._tasks: set[asyncio.Task[Any]] = set()
        store = world.cohorts.store
        store.forget_wakes()
        self.kawan: Kawan = build(
            Disk(self, store), programme(), world.lines(self), clock=world.clock, ids=world.ids,
            language=world.language, pages=("slack",), tell=("slack",), **world.settings,
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
        self.world.history.add(INFO, "died", self.world.loop.time(), point=point)
        for task in list(self._tasks):
            task.cancel()
        self.world.died()

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
