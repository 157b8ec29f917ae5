"""The composition root: builds everything from its parts; the only file that knows every part."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol, runtime_checkable

from bot.core.adapter import Ack, Adapter, LaneClosed
from bot.core.alarms import Alarms
from bot.core.begun import Begun
from bot.core.charts import png
from bot.core.clock import Clock, SystemClock, monotonic
from bot.core.clock_watch import ClockWatch
from bot.core.context import Context, Engine, take_back
from bot.core.disk_watch import DiskWatch
from bot.core.dispatcher import A_MINUTE, Dispatcher
from bot.core.doubts import Doubts
from bot.core.events import Due, Event
from bot.core.figures import Figures
from bot.core.ids import Ids, RandomIds
from bot.core.in_hand import InHand
from bot.core.language import CHART, Language, Reader, own_language
from bot.core.listening import listen
from bot.core.posting import FileSource
from bot.core.programme import Programme
from bot.core.relay import FINISHING, Relay
from bot.core.replies import File, t
from bot.core.router import FileMaker, Role
from bot.core.scheduler import Scheduler
from bot.domain.hours import Hours
from handlers import router
from storage import Store, Turn, UnitOfWork
from storage.attention import Limits
from storage.claims import SETTLE

Commands = list[tuple[str, str]]

IN_CASE = t("In case this did not reach you:")
ABOUT = t(
    "I help reformers find allies and keep their projects moving. "
    "I am for invited members: open the link you were given."
)
IN_SHORT = t("I help reformers find allies.")
ONLY_PRIVATE = t("I only talk with one person at a time. Please write to me directly.")
# Seconds of a graceful stop: at most 15 in all.
LISTENING_ENDS = 12.0
LAST_REPLIES = 3.0
ENDS_AFTER = 14.0


@runtime_checkable
class SignsIn(Protocol):
    """A platform whose lane is known only once it has told us who we are."""

    async def sign_in(self) -> None:
        """Raises LaneClosed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Kawan:
    """The whole bot, ready to run."""

    store: Store
    engine: Engine
    dispatcher: Dispatcher
    scheduler: Scheduler
    relays: tuple[Relay, ...]
    adapters: tuple[Adapter, ...]
    clock: Clock
    figures: Figures
    alarms: Alarms

    async def run(
        self, ended: Callable[[str, str], None] | None = None, first: asyncio.Task[None] | None = None
    ) -> None:
        """Listen, deliver and tick until cancelled, then finish what is in hand; returns when no platform is left.

        `ended` is told the platform and the reason when one refuses us; the others go on, and what waits for it stays.
        What comes in is taken once `first` is done.
        """
        self.scheduler.start()
        beside = [asyncio.create_task(self.store.listen()), asyncio.create_task(self.alarms.run())]
        signed_in = {relay: asyncio.Event() for relay in self.relays}
        delivering = {relay: asyncio.create_task(_deliver(relay, known)) for relay, known in signed_in.items()}
        listening = {
            asyncio.create_task(self._listen(relay, known, first)): relay for relay, known in signed_in.items()
        }
        try:
            while listening:
                running = {*listening, *delivering.values()}
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    relay = listening.pop(task, None)
                    why = _reason(task)  # raises what nobody expected
                    if relay is not None and why is not None:
                        self.alarms.ended(relay.adapter.name, why)
                        if ended is not None:
                            ended(relay.adapter.name, why)
                    delivering = {of: delivery for of, delivery in delivering.items() if delivery is not task}
        finally:
            self.scheduler.stop()
            for task in beside:
                task.cancel()
            await self._finish(list(listening), list(delivering.values()))

    async def _listen(self, relay: Relay, signed_in: asyncio.Event, first: asyncio.Task[None] | None) -> None:
        adapter = relay.adapter
        if isinstance(adapter, SignsIn):
            await adapter.sign_in()
        signed_in.set()
        await listen(relay, self.dispatcher.receive if first is None else partial(self._receive, first))
        raise LaneClosed(getattr(adapter, "trouble", None) or "it does not listen any more")

    async def _receive(self, first: asyncio.Task[None], event: Event) -> Ack:
        if not first.done():
            await asyncio.wait({first})
        return await self.dispatcher.receive(event)

    async def _finish(self, listening: list[asyncio.Task[None]], delivering: list[asyncio.Task[None]]) -> None:
        """Take nothing new, let the last answers leave, settle the calls in hand: 15 seconds at most."""
        started = monotonic()
        await _stop(listening, LISTENING_ENDS)
        left = ENDS_AFTER - FINISHING - (monotonic() - started)
        quiet = [asyncio.create_task(relay.idle()) for relay in self.relays if relay.has_begun]
        if quiet and left > 0:
            await asyncio.wait(quiet, timeout=min(LAST_REPLIES, left))
        await _stop([*quiet, *delivering], FINISHING + 1)

    async def settle(self) -> None:
        """Do everything that is due now: tests, and the terminal read from a pipe."""
        await self.scheduler.tick()
        for relay in self.relays:
            await relay.drain()


def build(
    store: Store,
    programme: Programme,
    adapters: Sequence[Adapter],
    *,
    clock: Clock | None = None,
    ids: Ids | None = None,
    a_minute: int | None = A_MINUTE,
    pages: Collection[str] = (),
    tell: Collection[str] = (),
    doubt_lasts: timedelta = SETTLE,
    alone: bool | None = None,
    in_hand: InHand | None = None,
    begun: Begun | None = None,
) -> Kawan:
    """Put the parts together. The store must be migrated.

    `pages`: platforms that open forms as pages. `tell`: those that can be asked what has arrived. `alone`: no other
    process sends from this database; by default what the store says. A clock that is given is the database's, too.
    """
    clock, ids, figures = clock or SystemClock(), ids or RandomIds(), _watching(store, clock)
    language, limits = own_language(), _limits(programme)
    parts = {adapter.name: adapter.parts for adapter in adapters}
    engine = Engine(router=router, language=language, programme=programme, ids=ids, parts=parts, pages=frozenset(pages))
    dispatcher = Dispatcher(engine, store, clock, a_minute=a_minute, in_hand=in_hand, figures=figures)
    files = {CHART: _drawn, **{source: _made_by(engine, maker) for source, maker in router.files.items()}}
    watch, disk = ClockWatch(clock, believes_all=programme.fictional), DiskWatch(store)

    def relay_of(adapter: Adapter) -> Relay:
        again = partial(_again, language)
        doubts = Doubts(tells=adapter.name in tell, again=again, settle=doubt_lasts, figures=figures)
        relay = Relay(
            adapter, store, clock, ids, files, doubts, figures, limits, _both(watch, disk), alone=alone, begun=begun
        )
        store.on_commit(relay.woken)
        return relay

    relays = tuple(map(relay_of, adapters))
    return Kawan(
        store=store,
        engine=engine,
        dispatcher=dispatcher,
        scheduler=Scheduler(dispatcher, store, clock, programme, watch),
        relays=relays,
        adapters=tuple(adapters),
        clock=clock,
        figures=figures,
        alarms=Alarms(engine, store, clock, relays, figures),
    )


def _both(watch: ClockWatch, disk: DiskWatch) -> Callable[[], bool]:
    return lambda: watch.is_right() and disk.has_room()


def _again(language: Language, of: str) -> str:
    return language.say(IN_CASE, Reader(of))


def _watching(store: Store, clock: Clock | None) -> Figures:
    """Figures that the store adds to; and a clock that stands still stands still for the database, too."""
    figures = Figures()
    store.held = partial(figures.took, "writer_hold")
    store.time = clock.now if clock is not None and not isinstance(clock, SystemClock) else None
    return figures


def _limits(programme: Programme) -> Limits:
    return Limits(
        weekly_cap=programme.weekly_cap,
        hours=Hours(programme.quiet_until, programme.quiet_from),
        buyers_and_bidders_apart=programme.buyers_and_bidders_apart,
    )


async def _deliver(relay: Relay, signed_in: asyncio.Event) -> None:
    await signed_in.wait()
    await relay.run()


def _reason(task: asyncio.Task[None]) -> str | None:
    """Why a platform ended, or None; raises what nobody expected."""
    try:
        task.result()
    except LaneClosed as closed:
        return closed.why
    return None


async def _stop(tasks: Sequence[asyncio.Task[None]], seconds: float) -> None:
    """Cancel, and give what is in hand so many seconds."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=seconds)


def _made_by(engine: Engine, maker: FileMaker) -> FileSource:
    def make(unit: UnitOfWork, file: File, now: datetime) -> bytes:
        member = unit.members.recall(file.of)
        if member is None:
            return b""
        event = Due(id=f"file:{file.of}", name="file", members=(file.of,), at=now)
        ctx = Context(engine, unit, event, member, now)
        ctx.about = dict(file.data or {})
        return maker(ctx)

    return make


def _drawn(unit: UnitOfWork, file: File, now: datetime) -> bytes:
    """The picture of a chart."""
    return png(file.data or {})


def withdraws(store: Store, clock: Clock) -> Callable[[int], Awaitable[None]]:
    """What an adapter calls once a form's page is open: the question held back for it does not leave any more."""

    async def opened(held: int) -> None:
        await store.run(lambda unit: take_back(unit, held, clock.now()), Turn.EVENT)

    return opened


def commands(of: Programme) -> tuple[dict[str, Commands], dict[str, Commands]]:
    """The words with a line of help, as (command, help) pairs by language: everybody's, and facilitators'."""
    language = own_language()
    everyone: dict[str, Commands] = {}
    facilitators: dict[str, Commands] = {}
    for code in language.offered:
        everyone[code], facilitators[code] = [], []
        for route in router.words.values():
            if route.help is None:
                continue
            command = _command(of.content.word_label(route.name, code), route.name)
            said = (command, language.say(route.help, Reader(code)))
            facilitators[code].append(said)
            if route.role is not Role.FACILITATOR:
                everyone[code].append(said)
    return everyone, facilitators


def _command(label: str, name: str) -> str:
    """A word in somebody's language, where a platform takes its letters; else the English one."""
    return label.casefold() if re.fullmatch(r"[A-Za-z0-9_]{1,32}", label) else name


def described() -> tuple[dict[str, str], dict[str, str], str]:
    """What the bot says of itself by language, long and short, and to a group that it leaves."""
    language = own_language()
    said = [{code: language.say(text, Reader(code)) for code in language.offered} for text in (ABOUT, IN_SHORT)]
    return said[0], said[1], language.say(ONLY_PRIVATE, Reader("en"))
