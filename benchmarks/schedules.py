"""How long it takes to ask 10,000 fellows in seven zones at nine, beside APScheduler's own job store, on SQLite."""

import argparse
import asyncio
import contextlib
import math
import os
import pickle
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as wall_time
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from apscheduler.job import Job
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from benchmarks._nowhere import Nowhere
from bot.app import Kawan, build
from bot.content import load
from bot.core.clock import SetClock, SystemClock
from bot.core.context import Context
from bot.core.events import Address, Message, Sender
from bot.core.ids import RandomIds
from bot.core.programme import Programme
from bot.core.replies import Button, Card, Reply, t
from bot.core.router import Route
from bot.domain.recurrence import Rule
from storage import Store, UnitOfWork, open_store
from storage.members import account, member
from storage.migrate import upgrade
from storage.outbox import outbox
from storage.profiles import consent, profile
from storage.recurring import occurrence

ZONES = (
    "Pacific/Auckland",
    "Asia/Tokyo",
    "Asia/Manila",
    "Asia/Jakarta",
    "Asia/Kolkata",
    "Europe/Kyiv",
    "America/Lima",
)
MONDAY = date(2026, 11, 30)
NINE = wall_time(9)
BEFORE = datetime(2026, 11, 28, tzinfo=UTC)
WARM, AT_ONCE = 200, 1000
WARM_ZONE, ONE_ZONE = "UTC", "Asia/Ulaanbaatar"


def run(rest: Sequence[str]) -> dict[str, Any]:
    """Seconds until all are claimed and queued; our own milliseconds for each of 1,000 who are due at once; ours by
    the job store's seconds for as many jobs; MiB that we needed more than an idle bot."""
    parser = argparse.ArgumentParser(prog="bench schedules", description=__doc__)
    parser.add_argument("--members", type=int, default=10_000)
    parser.add_argument("--without-job-store", action="store_true", help="leave the comparison out")
    args = parser.parse_args(rest)
    with tempfile.TemporaryDirectory(prefix="kawan-bench-") as folder:
        url = f"sqlite:///{Path(folder) / 'schedules.db'}"
        upgrade(url)
        with contextlib.closing(open_store(url)) as store:
            found = asyncio.run(_Bench(store, args.members).measure())
        if not args.without_job_store:
            theirs = _job_store(f"sqlite:///{Path(folder) / 'jobs.db'}", args.members)
            found |= {"job_store_s": round(theirs, 2), "ratio_to_job_store": round(found["claimed_s"] / theirs, 3)}
    return found


def _ask(ctx: Context) -> Reply:
    """A question with quick answers, in the fellow's language."""
    occurrence = ctx.occurrence
    assert occurrence is not None
    buttons = [Button(str(n), "bench.answer", f"{occurrence.schedule}:{occurrence.key}:{n}") for n in range(1, 6)]
    return Card(
        t("What did you do since we last spoke?"), title=ctx.programme.name, buttons=(*buttons, Button(t("Skip"), "x"))
    )


@dataclass(frozen=True, slots=True)
class Ticked:
    """One tick: seconds in all, and of each transaction of the scheduler the seconds and how many were asked."""

    seconds: float
    pages: list[tuple[float, int]]


class _Bench:
    def __init__(self, store: Store, members: int) -> None:
        self.store, self.members = store, members
        self.clock = SetClock(BEFORE)
        content = load()
        programme = Programme(content=content, understanding=content.understanding(), name="Bench")
        self.kawan: Kawan = build(store, programme, [Nowhere()], clock=self.clock, ids=RandomIds(), a_minute=None)
        self.kawan.engine.router.dues["bench.ask"] = Route(name="bench.ask", handler=_ask)

    async def measure(self) -> dict[str, Any]:
        cohorts = {name: await self.store.run(partial(_cohort, name)) for name in ("warm", "all", "once")}
        per_zone = math.ceil(self.members / len(ZONES))
        await self._fill(cohorts["warm"], [WARM_ZONE] * WARM)
        await self._fill(cohorts["all"], [zone for zone in ZONES for _ in range(per_zone)][: self.members])
        await self._fill(cohorts["once"], [ONE_ZONE] * AT_ONCE)
        await self._tick(BEFORE)
        self._begin(cohorts["warm"])
        await self._tick(_nine(WARM_ZONE))
        before = _memory()
        self.clock.at = BEFORE
        await self.store.run(lambda unit: unit.outages.look(BEFORE))
        self._begin(cohorts["all"])
        await self._tick(BEFORE)
        ticks = [await self._tick(_nine(zone)) for zone in ZONES]
        memory = _memory() - before
        at_once, others = await self._at_once(cohorts["once"])
        await self.store.run(lambda unit: self._check(unit, WARM + self.members + AT_ONCE))
        pages = [page for tick in ticks for page in tick.pages]
        return {
            "members": self.members,
            "zones": len(ZONES),
            "claimed_s": round(sum(tick.seconds for tick in ticks), 2),
            "p99_lag_ms": _p99([seconds for seconds, asked in at_once.pages for _ in range(asked)]),
            "thousand_s": round(at_once.seconds, 2),
            "others_p99_ms": _p99(others),
            "transactions": len(pages),
            "memory_mib": round(memory, 1),
        }

    async def _at_once(self, cohort: int) -> tuple[Ticked, list[float]]:
        """A thousand are due; meanwhile somebody else goes on writing, and waits for each answer to be kept."""
        self.clock.at = BEFORE
        await self.store.run(lambda unit: unit.outages.look(BEFORE))
        self._begin(cohort)
        await self._tick(BEFORE)
        waits: list[float] = []
        asking = asyncio.create_task(self._tick(_nine(ONE_ZONE)))
        while not asking.done():
            begun = time.perf_counter()
            await self.kawan.dispatcher.receive(_message(len(waits)))
            waits.append(time.perf_counter() - begun)
            await asyncio.sleep(0.005)
        return await asking, waits

    async def _tick(self, at: datetime) -> Ticked:
        self.clock.at = at
        scheduler, pages = self.kawan.scheduler, []
        inner = scheduler._ask

        def timed(unit: UnitOfWork) -> bool:
            begun = time.perf_counter()
            before = unit.connection.exec_driver_sql("SELECT total_changes()").scalar_one()
            more = inner(unit)
            changed = unit.connection.exec_driver_sql("SELECT total_changes()").scalar_one() - before
            pages.append((time.perf_counter() - begun, changed // 2))  # an occurrence and an outbox row each
            return more

        scheduler._ask = timed  # type: ignore[method-assign]
        started = time.perf_counter()
        await scheduler.tick()
        seconds = time.perf_counter() - started
        scheduler._ask = inner  # type: ignore[method-assign]
        return Ticked(seconds, [page for page in pages if page[1]])

    def _begin(self, cohort: int) -> None:
        rule = Rule("week", 1, (0,)).as_rrule()
        self.store.now(
            lambda unit: unit.recurring.add(
                cohort, "bench.ask", rule, NINE, MONDAY, BEFORE, object=1, role="fellow", purpose="questions"
            )
        )

    async def _fill(self, cohort: int, zones: Sequence[str]) -> None:
        await self.store.run(lambda unit: _fellows(unit, cohort, zones))

    def _check(self, unit: UnitOfWork, wanted: int) -> None:
        """Everybody was asked once, and each question stands in the outbox."""
        for table, mine in ((occurrence, sa.true()), (outbox, outbox.c.idem.like("ci:%"))):
            found = unit.connection.scalar(sa.select(sa.func.count()).select_from(table).where(mine))
            if found != wanted:
                raise RuntimeError(f"{found} rows of {table.name} for {wanted} fellows")


def _cohort(name: str, unit: UnitOfWork) -> int:
    return unit.members.add_cohort(name, name, "en", "UTC")


def _nine(zone: str) -> datetime:
    return datetime.combine(MONDAY, NINE, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _fellows(unit: UnitOfWork, cohort: int, zones: Sequence[str]) -> None:
    """Fellows with an account, a profile and their consent, in bulk."""
    c = unit.connection
    first = (c.scalar(sa.select(sa.func.max(member.c.id))) or 0) + 1
    numbered = list(enumerate(zones, first))
    shared = [{"cohort_id": cohort, "member_id": number} for number, _ in numbered]
    people = [
        {
            "id": number,
            "cohort_id": cohort,
            "role": "fellow",
            "state": "active",
            "language": "id" if number % 2 else "en",
            "time_zone": zone,
            "preset": "careful",
            "created_at": BEFORE,
        }
        for number, zone in numbered
    ]
    c.execute(sa.insert(member), people)
    places = [
        {
            "platform": "bench",
            "installation": "test",
            "external_id": f"U{number}",
            "conversation": f"dm:U{number}",
            "preferred": True,
            "created_at": BEFORE,
        }
        for number, _ in numbered
    ]
    c.execute(sa.insert(account), [one | place for one, place in zip(shared, places, strict=True)])
    c.execute(sa.insert(profile), [one | {"name": f"Fellow {one['member_id']}", "country": "ID"} for one in shared])
    agreed = {"purpose": "questions", "version": 1, "language": "en", "given": True, "at": BEFORE}
    c.execute(sa.insert(consent), [one | agreed for one in shared])


def _message(number: int) -> Message:
    sender = Sender("bench", "test", "U1", "Fellow", "en")
    return Message(id=f"m{number}", sender=sender, address=Address("bench", "test", "dm:U1"), text="help")


def _memory() -> float:
    """What this process holds in memory now, in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _p99(seconds: Sequence[float]) -> float:
    return round(statistics.quantiles(seconds, n=100, method="inclusive")[98] * 1000, 1)


# The same with a job a fellow in APScheduler's own store

_done = threading.Semaphore(0)


def _note(number: int) -> None:
    """What each job does: nothing but to tell that it ran."""
    _done.release()


def _job_store(url: str, members: int) -> float:
    """Seconds until so many stored jobs, due weekly at nine, have run once and have their next time."""
    store = SQLAlchemyJobStore(url=url)
    scheduler = BackgroundScheduler(jobstores={"default": store}, timezone="UTC")
    scheduler.start(paused=True)
    jobs, now = [], SystemClock().now()
    for number in range(members):
        trigger = CronTrigger(day_of_week="mon", hour=9, timezone=ZONES[number % len(ZONES)])
        job = Job(scheduler, id=str(number), func=_note, args=(number,), kwargs={}, trigger=trigger, executor="default",
                  name="note", misfire_grace_time=None, coalesce=True, max_instances=1,
                  next_run_time=now - timedelta(minutes=1))  # fmt: skip
        state = pickle.dumps(job.__getstate__(), pickle.HIGHEST_PROTOCOL)
        jobs.append({"id": job.id, "next_run_time": job.next_run_time.timestamp(), "job_state": state})
    with store.engine.begin() as connection:  # past its own commit a job, which is not what is compared
        connection.execute(sa.insert(store.jobs_t), jobs)
    started = time.perf_counter()
    scheduler.resume()
    for _ in range(members):
        _done.acquire()
    while _still_due(store, now):
        time.sleep(0.01)
    taken = time.perf_counter() - started
    scheduler.shutdown(wait=True)
    return taken


def _still_due(store: SQLAlchemyJobStore, now: datetime) -> bool:
    with store.engine.connect() as connection:
        first = connection.scalar(sa.select(sa.func.min(store.jobs_t.c.next_run_time)))
    return first is not None and first <= now.timestamp()
