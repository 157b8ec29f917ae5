"""For whoever watches the bot: /healthz, /readyz and /metrics, and the address that is called while all is well."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

import aiohttp
from aiohttp import web

from bot.app import Kawan
from bot.core.alarms import Standing
from bot.core.clock_watch import JUMP
from bot.core.log import get_logger
from storage import UnitOfWork
from storage.lanes import Lease
from storage.migrate import state

log = get_logger("kawan.health")

ANSWERS = 2.0  # seconds within which a database that is well has answered
BEAT = 60.0
SOON = 2.0
BEAT_TIMEOUT = aiohttp.ClientTimeout(total=10)


@dataclass(frozen=True, slots=True)
class Page:
    """An answer: whether all is well, and a line for each thing that was looked at."""

    well: bool
    lines: tuple[str, ...]

    def answer(self) -> web.Response:
        return web.Response(status=200 if self.well else 503, text="\n".join(self.lines) + "\n")


class Health:
    """What one running bot says of itself; never whom it knows or what was said."""

    def __init__(self, kawan: Kawan) -> None:
        self._kawan = kawan

    def routes(self) -> list[web.RouteDef]:
        """The three pages."""
        return [
            web.get("/healthz", self._healthz),
            web.get("/readyz", self._readyz),
            web.get("/metrics", self._metrics),
        ]

    async def _healthz(self, _request: web.Request) -> web.Response:
        return (await self.lives()).answer()

    async def _readyz(self, _request: web.Request) -> web.Response:
        return (await self.is_ready()).answer()

    async def _metrics(self, _request: web.Request) -> web.Response:
        from bot import metrics  # most programmes never ask for them

        body = await metrics.page(self._kawan)
        return web.Response(body=body, headers={"Content-Type": metrics.CONTENT_TYPE})

    async def lives(self) -> Page:
        """The event loop turns, or nobody would answer; and the database takes a transaction."""
        try:
            async with asyncio.timeout(ANSWERS):
                await self._kawan.store.run(lambda unit: unit.outages.last_look())
        except Exception:  # the alarms log it, once
            return Page(False, ("the database does not answer",))
        return Page(True, ("well",))

    async def is_ready(self) -> Page:
        """The database is of this version; each lane is owned, here or elsewhere; whoever must listen does.

        And nothing keeps what is due from being sent: a clock that is doubted, a disk that is nearly full.
        """
        try:
            async with asyncio.timeout(ANSWERS):
                version, leases, last = await self._kawan.store.run(_database)
        except Exception:  # the alarms log it, once
            return Page(False, ("database: does not answer",))
        found = [(version == "current", f"database: {version}")]
        if not self._kawan.store.has_room():
            found.append((False, "disk: nearly full, so nothing is sent"))
        if last is not None and abs(self._kawan.clock.now() - last) > JUMP:
            found.append((False, "clock: doubted, so nothing is sent; if it is right: python3 -m bot resume"))
        held = {lease.lane for lease in leases if lease.owner is not None and lease.left}
        found += [_platform(standing, standing.lane in held) for standing in self._kawan.alarms.standings()]
        return Page(all(well for well, _ in found), tuple(line for _, line in found))


async def beat(session: aiohttp.ClientSession, url: str, health: Health, proxy: str | None = None) -> None:
    """Call the address every minute while all is well, until cancelled. It is a secret: no log may hold it."""
    while True:
        well = (await health.is_ready()).well
        if well:
            try:
                async with session.get(url, timeout=BEAT_TIMEOUT, proxy=proxy) as answer:
                    if answer.status >= 400:
                        log.warning("heartbeat_refused", status=answer.status)
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
                log.warning("heartbeat_failed", kind=type(error).__name__)
        await asyncio.sleep(BEAT if well else SOON)


def _database(unit: UnitOfWork) -> tuple[str, list[Lease], datetime | None]:
    """Its version, the lanes, and when a tick last looked at the clock."""
    return state(unit.connection), unit.lanes.leases(), unit.outages.last_look()


def _platform(standing: Standing, held: bool) -> tuple[bool, str]:
    """Whether one platform is well, and a line about it."""
    if standing.refused is not None:
        return False, f"{standing.platform}: refuses us"
    if not standing.owns and not held:
        return False, f"{standing.platform}: nobody sends yet"
    if not standing.listens and not standing.stands_by:
        return False, f"{standing.platform}: not listening"
    does = "sends" if standing.owns else "stands by"
    return True, f"{standing.platform}: {does}, {'listens' if standing.listens else 'another program listens'}"
