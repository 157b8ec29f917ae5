"""The real program through outages: a replica that sleeps, a database that is away or locked, a full disk, a stop."""

import asyncio
import contextlib
import random
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from storage import UnitOfWork, open_store
from tests.adapters.slack_people import SlackPerson, written
from tests.crashing import PostgresqlServer
from tests.crowd import Amounts
from tests.program import Both, both, until
from tests.simulation.checker import check
from tests.storage.test_room import full, small_disk
from tests.test_faults import Trial, judge, starts, trial

__all__ = ["small_disk"]

LOCKED = 30.0  # seconds
AWAY = 20.0  # 600 was tried, too
STRANGER = "invited members"


async def says_until_taken(bat: SlackPerson, body: dict[str, Any]) -> int:
    """Deliver again and again, as Slack does; how often in vain."""
    tries = 0
    while not (await bat.sends(body)).acknowledged:
        tries += 1
        await asyncio.sleep(1)
    return tries


async def serves(at: Both, who: str, number: int) -> tuple[SlackPerson, asyncio.Task[int]]:
    """Somebody writes on each platform; the one on Slack until it is taken."""
    at.at_telegram(number, who).says("hello")
    bat = at.at_slack(f"U0{who}")
    at.slack.repeats = 0
    body = written(at.slack.number(), bat.user, bat.channel, "hello")
    return bat, asyncio.create_task(says_until_taken(bat, body))


async def is_answered_once(at: Both, bat: SlackPerson, number: int) -> None:
    sari = at.at_telegram(number, "")
    await until(lambda: bat.screen and sari.screen, 60)
    await asyncio.sleep(1)
    assert [STRANGER in text for text in (*(one.text for one in bat.screen), *(one.text for one in sari.screen))] == [
        True, True,
    ]  # fmt: skip
    assert "Traceback" not in at.program.log


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_database_that_another_tool_locks_loses_nothing(tmp_path: Path) -> None:
    async def go() -> None:
        async with both(tmp_path, called=True) as at:
            at.program.invites()
            await at.starts()
            with contextlib.closing(sqlite3.connect(tmp_path / "kawan.db", isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                bat, taken = await serves(at, "BAT", 42)
                await asyncio.sleep(LOCKED)
                assert not taken.done()
                other.execute("ROLLBACK")
            assert await taken > 0
            await is_answered_once(at, bat, 42)
            assert await at.program.stop() == 0

    asyncio.run(go())


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_full_disk_takes_nothing_in_and_afterwards_goes_on(tmp_path: Path, small_disk: Path) -> None:
    folder = small_disk.parent / "installed"
    folder.mkdir()

    async def go() -> None:
        async with both(folder) as at:
            at.program.sections["bot"] = {"database_url": f"sqlite:///{small_disk / 'kawan.db'}"}
            at.program.__post_init__()
            await at.starts()
            bat, taken = await serves(at, "FIRST", 41)
            await taken
            await is_answered_once(at, bat, 41)
            with full(small_disk):
                fills_the_log(small_disk)
                bat, taken = await serves(at, "BAT", 42)
                await asyncio.sleep(5)
                assert not taken.done()
            await taken
            await is_answered_once(at, bat, 42)
            assert await at.program.stop() == 0
        with contextlib.closing(sqlite3.connect(small_disk / "kawan.db")) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)

    asyncio.run(go())


def fills_the_log(disk: Path) -> None:
    """What is free inside the database's own files is used up, too."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(disk / "kawan.db")) as other:
        other.execute("CREATE TABLE IF NOT EXISTS filler (x BLOB)")
        while True:
            other.execute("INSERT INTO filler VALUES (zeroblob(4000))")
            other.commit()


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_postgresql_that_is_away_is_waited_for_and_nothing_is_acknowledged_meanwhile(tmp_path: Path) -> None:
    async def go() -> None:
        async with PostgresqlServer.running() as server, both(tmp_path) as at:
            at.program.sections["bot"] = {"database_url": server.url}
            at.program.__post_init__()
            await at.starts()
            crashing = asyncio.create_task(server.crashes(AWAY))
            await asyncio.sleep(2)
            bat, taken = await serves(at, "BAT", 42)
            await asyncio.sleep(AWAY / 2)
            assert not taken.done()
            await crashing
            assert await taken > 0
            await is_answered_once(at, bat, 42)
            assert await at.program.stop() == 0

    asyncio.run(go())


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("rounds", [10])
def test_two_replicas_that_start_together_on_an_empty_database_make_it_once(tmp_path: Path, rounds: int) -> None:
    amounts = Amounts(people=0, replies=0, to_all=0, must_arrive=0)

    async def go() -> None:
        async with PostgresqlServer.running() as server:
            for n in range(rounds):
                (tmp_path / str(n)).mkdir()
                url = server.new_database(f"round{n}")
                async with trial(tmp_path / str(n), amounts, seed=n, seconds=0.0, url=url, programs=2) as of:
                    await asyncio.gather(*(one.start() for one in of.programs))
                    await until(lambda of=of: all(starts(one) for one in of.programs) or len(of.running) < 2, 90)  # type: ignore[misc]
                    assert [one.log for one in of.programs if one not in of.running] == []
                    await until(lambda of=of: owned(of) == 2, 30)  # type: ignore[misc]
                    await of.stops()

    asyncio.run(go())


def owned(of: Trial) -> int:
    """How many lanes have an owner, each its first one."""

    def read(unit: UnitOfWork) -> int:
        assert unit.connection.scalar(sa.text("SELECT count(*) FROM cohort")) == 1
        assert unit.connection.scalar(sa.text("SELECT count(*) FROM alembic_version")) == 1
        return int(unit.connection.scalar(sa.text("SELECT count(*) FROM lane WHERE gen = 1 AND owner <> ''")) or 0)

    with contextlib.closing(open_store(of.crowd.url, inline=True)) as store:
        return store.now(read)


async def waiting(of: Trial, sent: int) -> None:
    """Until so many messages have arrived."""
    await until(lambda: len(of.crowd.slack.arrived) + len(of.crowd.telegram.arrived) >= sent, 120)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_stop_in_the_midst_leaves_nothing_in_doubt(tmp_path: Path) -> None:
    amounts = Amounts(people=120, replies=0, to_all=0, must_arrive=1)

    async def go() -> None:
        async with trial(tmp_path, amounts, seed=5, seconds=0.0) as of:
            (one,) = of.programs
            of.crowd.joins()
            for n in range(5):
                began = starts(one)
                await one.start()
                await until(lambda was=began: starts(one) > was, 60)  # type: ignore[misc]
                await waiting(of, 10 * n + 10)
                assert await one.stop() == 0
                assert in_states(of, "sending", "in_doubt") == 0
            await one.start()
            await of.settles()
            await of.stops()
            lines = of.crowd.history()
            assert check(lines) == []
            figures = judge(of.crowd, lines)
            assert (figures["messages"], figures["lost"], figures["most_copies"]) == (120, 0, 1)

    asyncio.run(go())


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_replica_that_sleeps_beyond_its_lease_changes_nothing_when_it_wakes(tmp_path: Path) -> None:
    amounts = Amounts(people=120, replies=0, to_all=0, must_arrive=3)

    async def go() -> None:
        async with (
            PostgresqlServer.running() as server,
            trial(tmp_path, amounts, seed=6, seconds=40.0, url=server.url, programs=2) as of,
        ):
            of.crowd.joins()
            first, second = of.programs
            for one in of.programs:  # the first one takes the lanes
                await one.start()
                await until(lambda one=one: starts(one) > 0, 90)  # type: ignore[misc]
            await waiting(of, 20 + random.Random(6).randrange(20))
            first.tell(signal.SIGSTOP)
            arrived = len(of.crowd.slack.arrived) + len(of.crowd.telegram.arrived)
            await of.settles()
            assert second.log.count("lease_lapsed") == 2
            before = everything(of)
            first.tell(signal.SIGCONT)
            await asyncio.sleep(15)
            assert everything(of) == before
            await of.stops()
            lines = of.crowd.history()
            figures = judge(of.crowd, lines)
            print(figures | {"before it slept": arrived})
            assert check(lines) == []
            assert (figures["messages"], figures["lost"], figures["slack_doubles"]) == (360, 0, 0)

    asyncio.run(go())


def everything(of: Trial) -> tuple[list[Any], int]:
    """The outbox and the lanes' generations as they are, and how much has arrived."""

    def read(unit: UnitOfWork) -> list[Any]:
        rows = unit.connection.execute(sa.text("SELECT seq, state, platform_ref, settled_at FROM outbox ORDER BY seq"))
        return [*rows.all(), *unit.connection.execute(sa.text("SELECT id, gen FROM lane ORDER BY id")).all()]

    with contextlib.closing(open_store(of.crowd.url, inline=True)) as store:
        return store.now(read), len(of.crowd.slack.arrived) + len(of.crowd.telegram.arrived)


def in_states(of: Trial, *states: str) -> int:
    with contextlib.closing(open_store(of.crowd.url, inline=True)) as store:
        depths = store.now(lambda unit: unit.outbox.depths())
    return sum(depths.get(state, 0) for state in states)
