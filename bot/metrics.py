"""The figures of one running bot, as Prometheus reads them."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from bot.app import Kawan
from bot.core.alarms import Standing
from bot.core.figures import COUNTED, LIMITS, TIMED, Figures, Known, Times
from bot.core.log import get_logger
from bot.core.replies import Urgency
from storage.backlog import Heap
from storage.lanes import Lease

log = get_logger("kawan.metrics")

CONTENT_TYPE = CONTENT_TYPE_LATEST
COUNTS = 10.0  # seconds for counting what waits, which may be much
SHOWN = {"outcome": "calls", "take_over": "lane_take_overs", "lease": "lease_troubles", "fenced": "fenced_writes",
         "doubt": "doubts", "poison": "poison", "event": "events"}  # fmt: skip


async def page(kawan: Kawan) -> bytes:
    """Every figure as it is now: those of the process, then the bot's own."""
    process, own = CollectorRegistry(), CollectorRegistry()
    ProcessCollector(registry=process)
    own.register(await _now(kawan))
    return generate_latest(process) + generate_latest(own)


async def _now(kawan: Kawan) -> "_Now":
    heaps: list[Heap] | None = None
    leases: list[Lease] = []
    now = kawan.clock.now()
    try:
        async with asyncio.timeout(COUNTS):
            heaps, leases = await kawan.store.read(lambda unit: (unit.backlog.heaps(now), unit.lanes.leases()))
    except Exception as error:  # what cannot be counted is left out; the rest is shown
        log.warning("not_counted", kind=type(error).__name__)
    return _Now(kawan.figures, kawan.alarms.standings(), heaps, leases)


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
