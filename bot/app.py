"""The composition root: builds everything from its parts; the only file that knows every part."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.adapter import Adapter
from bot.core.clock import Clock, SystemClock
from bot.core.context import Context, Engine
from bot.core.dispatcher import A_MINUTE, Dispatcher
from bot.core.events import Due
from bot.core.ids import Ids, RandomIds
from bot.core.language import load_language
from bot.core.programme import Programme
from bot.core.relay import FileSource, Relay
from bot.core.router import FileMaker
from bot.core.scheduler import Scheduler
from handlers import router
from storage import Store, UnitOfWork


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

    async def run(self) -> None:
        """Listen, deliver and tick until cancelled."""
        self.scheduler.start()
        deliveries = [asyncio.create_task(relay.run()) for relay in self.relays]
        try:
            await asyncio.gather(*(adapter.run(self.dispatcher.receive) for adapter in self.adapters), *deliveries)
        finally:
            self.scheduler.stop()
            for delivery in deliveries:
                delivery.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*deliveries, return_exceptions=True)

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
) -> Kawan:
    """Put the parts together. The store must be migrated."""
    clock = clock or SystemClock()
    ids = ids or RandomIds()
    engine = Engine(router=router, language=load_language(), programme=programme, ids=ids)
    dispatcher = Dispatcher(engine, store, clock, a_minute=a_minute)
    files = {source: _made_by(engine, maker) for source, maker in router.files.items()}
    relays = tuple(Relay(adapter, store, clock, ids, files) for adapter in adapters)
    for relay in relays:
        store.on_commit(relay.woken)
    return Kawan(
        store=store,
        engine=engine,
        dispatcher=dispatcher,
        scheduler=Scheduler(dispatcher, store, clock, programme),
        relays=relays,
        adapters=tuple(adapters),
        clock=clock,
    )


def _made_by(engine: Engine, maker: FileMaker) -> FileSource:
    def make(unit: UnitOfWork, of: int, now: datetime) -> bytes:
        member = unit.members.recall(of)
        if member is None:
            return b""
        event = Due(id=f"file:{of}", name="file", members=(of,), at=now)
        return maker(Context(engine, unit, event, member, now))

    return make
