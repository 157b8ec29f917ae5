"""For whoever watches the bot: /healthz, /readyz and /metrics, and the address that is called while all is well."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from bot.app import Kawan
from bot.core.alarms import Standing
from bot.core.clock_watch import JUMP
from bot.core.figures import COUNTED, LIMITS, TIMED, Figures, Known, Times
from bot.core.log import get_logger
from bot.core.replies import Urgency
from storage import UnitOfWork
from storage.backlog import Heap
from storage.lanes import Lease
from storage.migrate import state

log = get_logger("kawan.health")

ANSWERS = 2.0  # seconds within which a database that is well has answered
COUNTS = 10.0  # the same for counting what waits, which may be much
BEAT = 60.0
SOON = 2.0
BEAT_TIMEOUT = aiohttp.ClientTimeout(total=10)
SHOWN = {"outcome": "calls", "take_over": "lane_take_overs", "lease": "lease_troubles", "fenced": "fenced_writes",
         "doubt": "doubts", "poison": "poison", "event": "events"}  # fmt: skip


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
        self._process = CollectorRegistry()
        ProcessCollector(registry=self._process)

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
        body = generate_latest(self._process) + generate_latest(await self.measured())
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

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

    async def measured(self) -> CollectorRegistry:
        """Every figure as it is now."""
        heaps: list[Heap] | None = None
        leases: list[Lease] = []
        now = self._kawan.clock.now()
        try:
            async with asyncio.timeout(COUNTS):
                heaps, leases = await self._kawan.store.read(
                    lambda unit: (unit.backlog.heaps(now), unit.lanes.leases())
                )
        except Exception as error:  # what cannot be counted is left out; the rest is shown
            log.warning("not_counted", kind=type(error).__name__)
        registry = CollectorRegistry()
        registry.register(_Now(self._kawan.figures, self._kawan.alarms.standings(), heaps, leases))
        return registry


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


class _Now:
    """A collector of one moment."""

    def __init__(
        self, figures: Figures, standings: Sequence[Standing], heaps: list[Heap] | None, leases: Sequence[Lease]
    ) -> None:
        self._figures = figures
        self._standings = standings
        self._heaps = heaps
        self._leases = leases

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "kawan_database_up", "1 when the database could be asked.", value=float(self._heaps is not None)
        )
        yield from self._queues()
        yield from self._lanes()
        for name, known in COUNTED.items():
            family: Any = CounterMetricFamily(f"kawan_{SHOWN[name]}", known.what, labels=_names(known))
            for label in known.labels:
                family.add_metric([label] if known.label else [], self._figures.of(name, label))
            yield family
        for name, known in TIMED.items():
            yield self._timed(name, known)

    def _queues(self) -> Iterator[Metric]:
        labels = ["lane", "state", "urgency"]
        depth: Any = GaugeMetricFamily(
            "kawan_queue_depth", "Messages that have not left, or not surely.", labels=labels
        )
        age: Any = GaugeMetricFamily(
            "kawan_queue_age_seconds",
            "How long the oldest of them waits; held ones wait on purpose until their moment.",
            labels=labels,
        )
        for heap in self._heaps or ():
            where = [heap.lane, heap.state, Urgency(heap.priority).name.lower()]
            depth.add_metric(where, heap.count)
            age.add_metric(where, heap.age.total_seconds())
        yield depth
        yield age

    def _lanes(self) -> Iterator[Metric]:
        leased: Any = GaugeMetricFamily(
            "kawan_lane_lease_seconds", "How long the owner's lease lasts.", labels=["lane"]
        )
        paused: Any = GaugeMetricFamily(
            "kawan_lane_paused_seconds", "For how long the platform said no.", labels=["lane"]
        )
        for lease in self._leases:
            leased.add_metric([lease.lane], lease.left.total_seconds() if lease.owner is not None else 0.0)
            paused.add_metric([lease.lane], lease.rest.total_seconds())
        yield leased
        yield paused
        for name, what in (
            ("owned", "1 when this process sends."),
            ("listening", "1 when this process listens."),
            ("refused", "1 when the platform refuses us until a person mends it."),
        ):
            family: Any = GaugeMetricFamily(f"kawan_platform_{name}", what, labels=["platform"])
            for one in self._standings:
                is_so = {"owned": one.owns, "listening": one.listens, "refused": one.refused is not None}[name]
                family.add_metric([one.platform], float(is_so))
            yield family

    def _timed(self, name: str, known: Known) -> Metric:
        family: Any = HistogramMetricFamily(f"kawan_{name}_seconds", known.what, labels=_names(known))
        for label in known.labels:
            times = self._figures.times.get((name, label)) or Times()
            below, buckets = 0, []
            for limit, count in zip((*map(str, LIMITS), "+Inf"), times.counts, strict=True):
                below += count
                buckets.append((limit, below))
            family.add_metric([label] if known.label else [], buckets, times.seconds)
        metric: Metric = family
        return metric


def _names(known: Known) -> list[str]:
    return [known.label] if known.label else []
