"""Three replicas of the program on PostgreSQL, killed at random, with schedules every minute: no gap and no double."""

import asyncio
import contextlib
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.core.clock import SystemClock
from storage import Store, UnitOfWork, open_store
from storage.outbox import outbox
from storage.recurring import occurrence
from tests.adapters.slack_server import SlackServer
from tests.program import PROJECT, STARTS, Program, slack_section, until
from tests.storage.people import new_cohort, new_member

REPLICAS, SCHEDULES, MEMBERS = 3, 3, 90
ZONES = ("Asia/Jakarta", "Asia/Manila", "UTC")
KILLING, AFTERWARDS = 75.0, 70.0  # seconds
BETWEEN = (0.5, 3.0)


class Replica(Program):
    """One of several processes beside one database."""

    async def start(self) -> None:
        words = [str(PROJECT / "tests/every_minute_bot.py"), "run", "--config", str(self.config)]
        with (self.folder / "log").open("a") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, *words, cwd=self.folder, env=self.environment(), stdout=asyncio.subprocess.DEVNULL,
                stderr=log,
            )  # fmt: skip

    @property
    def lives(self) -> bool:
        return self.process is not None and self.process.returncode is None


@dataclass
class Trial:
    """The replicas, and whom their schedules ask."""

    replicas: list[Replica]
    kills: int = 0

    async def kill_at_random(self, seconds: float, draw: random.Random) -> None:
        """Kill one after another, and start it again at once."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end:
            await asyncio.sleep(draw.uniform(*BETWEEN))
            one = draw.choice([replica for replica in self.replicas if replica.lives])
            one.tell(signal.SIGKILL)
            assert await one.ends() == -signal.SIGKILL, one.log[-2000:]
            self.kills += 1
            await one.start()


@contextlib.asynccontextmanager
async def trial(folder: Path, url: str) -> AsyncIterator[Trial]:
    async with SlackServer(pause=0) as slack:
        replicas = []
        for number in range(REPLICAS):
            (folder / str(number)).mkdir()
            sections: dict[str, dict[str, Any]] = {
                "bot": {"database_url": url},
                "programme": {"name": "Reform Asia", "default_time_zone": "Asia/Bangkok"},
                "slack": slack_section(slack),
                "web": {"port": 0},
            }
            replicas.append(Replica(folder / str(number), sections))
        try:
            for replica in replicas:
                await replica.start()
            for replica in replicas:
                await until(lambda replica=replica: "started" in replica.log, STARTS)  # type: ignore[misc]
            yield Trial(replicas)
        finally:
            for replica in replicas:
                if replica.lives and replica.process is not None:
                    replica.process.kill()
                    await replica.process.wait()


def fill(unit: UnitOfWork) -> None:
    """Members who are on no platform that runs: what is said to them stays in the outbox."""
    cohort, now = new_cohort(unit), SystemClock().now()
    for number in range(MEMBERS):
        new_member(unit, cohort, time_zone=ZONES[number % len(ZONES)])
    for _ in range(SCHEDULES):
        unit.recurring.add(cohort, "trial.ask", "", time(), now.date() - timedelta(days=1), now, every_minute=True)


def gaps(keys: list[str]) -> list[tuple[str, str]]:
    """Where a minute is missing between two that were asked."""
    found = sorted(datetime.fromisoformat(key) for key in keys)
    return [(str(one), str(other)) for one, other in pairwise(found) if other - one != timedelta(minutes=1)]


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_three_replicas_killed_at_random_ask_everybody_every_minute_once(
    store: Store, postgresql_url: str, tmp_path: Path
) -> None:
    store.now(fill)

    async def go() -> int:
        async with trial(tmp_path, postgresql_url) as found:
            await found.kill_at_random(KILLING, random.Random(7))
            await asyncio.sleep(AFTERWARDS)
            return found.kills

    kills = asyncio.run(go())
    assert kills >= 10
    with contextlib.closing(open_store(postgresql_url, inline=True)) as after:
        asked, said = after.now(read)
    by_member: dict[tuple[int, int], list[str]] = {}
    for schedule, member, key in asked:
        by_member.setdefault((schedule, member), []).append(key)
    assert len(by_member) == SCHEDULES * MEMBERS
    assert [found for keys in by_member.values() for found in gaps(keys)] == []
    assert min(len(keys) for keys in by_member.values()) >= 3
    assert Counter(said) == Counter((f"{schedule} {key}", member) for schedule, member, key in asked)


def test_a_minute_left_out_would_be_seen() -> None:
    assert gaps(["2026-11-23T09:01", "2026-11-23T09:00", "2026-11-23T09:02"]) == []
    assert len(gaps(["2026-11-23T23:59", "2026-11-24T00:01"])) == 1


def read(unit: UnitOfWork) -> tuple[list[Any], list[tuple[str, int]]]:
    """Who was asked when, and what stands in the outbox."""
    asked = unit.connection.execute(
        sa.select(occurrence.c.schedule_id, occurrence.c.member_id, occurrence.c.local_date)
    ).all()
    said = unit.connection.execute(sa.select(outbox.c.body, outbox.c.member_id)).all()
    return list(asked), [(body["text"], member) for body, member in said]
