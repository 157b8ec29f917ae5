"""The real program, killed again and again, at platforms that lose answers: no word is lost, none is said twice."""

import asyncio
import contextlib
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.telegram_server import TelegramServer
from tests.crashing import PostgresqlServer
from tests.crowd import Amounts, Crowd
from tests.program import TOKEN, Program, slack_section, telegram_section, until
from tests.simulation.checker import check
from tests.simulation.history import Line
from tests.unreliable import Luck, UnreliableSlack, UnreliableTelegram

SHARE = 0.05  # of the calls
LAG = 3.0  # seconds until a message is in Slack's history
BETWEEN = 2.0  # seconds of work at most, from one kill to the next
AT_THE_START = 0.2  # of the kills come while the program starts
SETTLES = 1500.0  # seconds at most: doubts are three minutes each, and may follow on each other


@dataclass
class Trial:
    """Some programs beside one database, and the crowd that they serve."""

    programs: list[Program]
    crowd: Crowd
    draw: random.Random
    kills: int = 0

    @property
    def running(self) -> list[Program]:
        return [one for one in self.programs if one.process is not None and one.process.returncode is None]

    async def kill_at_random(self, kills: int, pause: float = BETWEEN) -> None:
        """Kill one after another, each somewhere in its start or in its work, and start it again at once."""
        for _ in range(kills):
            one = self.draw.choice(self.programs)
            await asyncio.sleep(self.draw.uniform(0, pause))
            one.tell(signal.SIGKILL)
            assert await one.ends() == -signal.SIGKILL, one.log[-3000:]
            self.kills += 1
            began = starts(one)
            await one.start()
            if self.draw.random() > AT_THE_START:
                await until(lambda one=one, began=began: starts(one) > began, 120)  # type: ignore[misc]

    async def settles(self) -> None:
        """Wait until every message has ended."""
        async with asyncio.timeout(SETTLES):
            while self.crowd.telegram.unconfirmed or self.crowd.open() != 0:
                await asyncio.sleep(2)

    async def stops(self) -> None:
        assert [await one.stop() for one in self.running] == [0] * len(self.programs)


def starts(one: Program) -> int:
    """How often a program has said that it started."""
    return one.log.count('"event": "started"') if (one.folder / "log").exists() else 0


@contextlib.asynccontextmanager
async def trial(
    folder: Path, amounts: Amounts, seed: int, seconds: float, *, url: str = "", programs: int = 1
) -> AsyncIterator[Trial]:
    draw = random.Random(seed)
    slack = UnreliableSlack(Luck(random.Random(seed + 1)), LAG, repeats=0)
    telegram = UnreliableTelegram(TOKEN, Luck(random.Random(seed + 2)), limits=True)
    async with slack, telegram.running():
        installed = [installation(folder / str(n), slack, telegram, url) for n in range(programs)]
        crowd = Crowd(slack, telegram, url or installed[0].url, amounts, seconds, draw)
        of = Trial(installed, crowd, draw)
        try:
            yield of
        finally:
            for one in of.running:
                assert one.process is not None
                one.process.kill()
                await one.process.wait()
    # Whoever is killed forgets what was opened; a refusal only makes the lane wait.
    assert [one for one in slack.problems if not one.startswith("conversations.open: more than")] == []


def installation(folder: Path, slack: UnreliableSlack, telegram: TelegramServer, url: str) -> Program:
    folder.mkdir()
    sections: dict[str, dict[str, Any]] = {
        "programme": {
            "name": "Reform Asia", "operator": "Reform Trust", "default_time_zone": "Asia/Bangkok",
            "weekly_cap": 20, "hold_minutes": 0,
        },
        "slack": slack_section(slack),
        "telegram": telegram_section(telegram),
    }  # fmt: skip
    return Program(folder, {"bot": {"database_url": url}, **sections} if url else sections)


async def calm(of: Trial) -> None:
    """Everybody is written down, the programs run, and the facilitator has prepared the messages."""
    of.crowd.joins()
    for one in of.programs:
        await one.start()
    for one in of.programs:
        await until(lambda one=one: starts(one) > 0, 90)  # type: ignore[misc]
    await of.crowd.prepares()
    of.crowd.slack.luck.share = of.crowd.telegram.luck.share = SHARE


def judge(crowd: Crowd, lines: list[Line]) -> dict[str, int]:
    """The figures of a trial: what the checker finds, and how many messages there were of which kind."""
    rows = [line for line in lines if line["f"] == "row"]
    seen = Counter(line["message"] for line in lines if line["f"] == "seen")
    rows_by = {row["message"]: row for row in rows}
    doubles = Counter(_kind(number, rows_by) for number, n in seen.items() for _ in range(n - 1))
    return {
        "messages": len(rows),
        "lost": sum(row["state"] == "sent" and not seen[row["message"]] for row in rows)
        + sum(row["state"] not in ("sent", "unconfirmed") for row in rows),
        "slack_doubles": doubles["slack"],
        "telegram_once_doubles": doubles["once"],
        "telegram_extra_copies": doubles["must arrive"],
        "most_copies": max(n for number, n in seen.items() if number is not None),
        "unconfirmed": sum(row["state"] == "unconfirmed" for row in rows),
        "unconfirmed_and_absent": sum(row["state"] == "unconfirmed" and not seen[row["message"]] for row in rows),
        "of_nobody": seen[None],
        "failed_calls": crowd.slack.luck.failed + crowd.telegram.luck.failed,
    }


def _kind(number: int | None, rows: dict[int, Line]) -> str:
    if number is None:
        return "nobody's"
    if rows[number]["lane"].startswith("slack"):
        return "slack"
    return "once" if rows[number]["once"] else "must arrive"


def passes(of: Trial) -> None:
    """Every promise was kept, and the trial was one."""
    crowd, lines = of.crowd, of.crowd.history()
    figures = judge(crowd, lines) | {"kills": of.kills}
    print(figures)
    assert [str(one) for one in check(lines)] == []
    assert figures["messages"] == crowd.amounts.messages
    assert {name: figures[name] for name in ("lost", "slack_doubles", "telegram_once_doubles", "of_nobody")} == {
        "lost": 0, "slack_doubles": 0, "telegram_once_doubles": 0, "of_nobody": 0,
    }  # fmt: skip
    assert figures["most_copies"] <= 2
    assert sum(line["f"] == "broadcast" for line in lines) == crowd.amounts.to_all


async def on_sqlite(folder: Path, amounts: Amounts, kills: int, seed: int) -> None:
    async with trial(folder, amounts, seed, seconds=4.0 * kills) as of:
        await calm(of)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(of.crowd.writes())
            tasks.create_task(of.kill_at_random(kills))
        await of.settles()
        await of.stops()
        passes(of)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("kills", "amounts"),
    [
        pytest.param(5, Amounts(people=10, replies=4, to_all=2, must_arrive=4), id="5 kills"),
        pytest.param(100, Amounts(people=200, replies=6, to_all=3, must_arrive=6), id="100 kills"),
    ],
)
def test_kills_and_lost_answers_on_sqlite_lose_nothing_and_double_nothing(
    tmp_path: Path, kills: int, amounts: Amounts
) -> None:
    asyncio.run(on_sqlite(tmp_path, amounts, kills, seed=1))


async def on_postgresql(folder: Path, amounts: Amounts, kills: int, crashes: int, seed: int) -> None:
    async with (
        PostgresqlServer.running() as server,
        trial(folder, amounts, seed, 5.0 * kills, url=server.url, programs=2) as of,
    ):
        await calm(of)

        async def crash() -> None:
            for _ in range(crashes):
                await asyncio.sleep(5.0 * kills / (crashes + 1))
                await server.crashes()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(of.crowd.writes())
            tasks.create_task(of.kill_at_random(kills, 2 * BETWEEN))
            tasks.create_task(crash())
        await of.settles()
        await of.stops()
        passes(of)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("kills", "crashes", "amounts"),
    [
        pytest.param(5, 1, Amounts(people=10, replies=4, to_all=2, must_arrive=4), id="5 kills"),
        pytest.param(60, 3, Amounts(people=200, replies=6, to_all=3, must_arrive=6), id="60 kills"),
    ],
)
def test_two_replicas_killed_beside_a_crashing_postgresql_lose_nothing_and_double_nothing(
    tmp_path: Path, kills: int, crashes: int, amounts: Amounts
) -> None:
    asyncio.run(on_postgresql(tmp_path, amounts, kills, crashes, seed=2))
