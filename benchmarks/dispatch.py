"""What a command costs on its whole durable path, beside bare libraries that do nothing but reply."""

import argparse
import asyncio
import contextlib
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import sqlalchemy as sa
from aiohttp import web

from benchmarks._cohort import fill
from benchmarks._loopback import TEAM, TOKEN, Slack, Telegram
from bot.content import Content, load
from bot.core.clock import SystemClock
from storage import UnitOfWork, open_store
from storage.members import account, member
from storage.migrate import upgrade
from storage.profiles import PURPOSES, consent

PROJECT = Path(__file__).resolve().parent.parent
PEOPLE = 200
MANY = 50  # in flight
READY = 60.0  # seconds
ONE = 400  # commands, one in flight
TICKS = os.sysconf("SC_CLK_TCK")
# Every library that the program has in memory once it runs on both platforms, and nothing of ours.
IMPORTS = (
    "aiohttp.web, apscheduler.schedulers.asyncio, babel.messages.pofile, babel.dates, dateutil.rrule, "
    "pydantic_settings, rapidfuzz, slack_bolt.app.async_app, slack_sdk.socket_mode.aiohttp, sqlalchemy, structlog, "
    "telegram, confusable_homoglyphs.confusables, uvloop"
)


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of processor time a command, and of waiting for each answer with one and with many in flight."""

    cpu_ms: float
    one: list[float]
    many: list[float]


def run(rest: Sequence[str]) -> dict[str, Any]:
    """Processor time a command by that of the bare library; milliseconds to each answer; the program's start."""
    parser = argparse.ArgumentParser(prog="bench dispatch", description=__doc__)
    parser.add_argument("--commands", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args(rest)
    return asyncio.run(_run(args.commands, args.rounds))


async def _run(commands: int, rounds: int) -> dict[str, Any]:
    content = load()
    texts = [topic.labels["en"] for topic in content.topics]
    found: dict[str, Any] = {"commands": commands, "rounds": rounds}
    for platform in ("telegram", "slack"):
        ours, theirs = [], []
        for _ in range(rounds):  # in turns, so that a busy machine is busy for both
            theirs.append(await _measured(f"bare_{platform}", platform, texts, content, commands))
            ours.append(await _measured(f"kawan_{platform}", platform, texts, content, commands))
        found |= _figures(platform, ours, theirs)
    return found | await _start()


def _figures(platform: str, ours: list[Cost], theirs: list[Cost]) -> dict[str, Any]:
    cpu, bare = (statistics.median(one.cpu_ms for one in costs) for costs in (ours, theirs))
    # Of the two that ran one after the other: what else the machine does changes from minute to minute.
    ratio = statistics.median(mine.cpu_ms / one.cpu_ms for mine, one in zip(ours, theirs, strict=True))
    one = [taken for cost in ours for taken in cost.one]
    many = [taken for cost in ours for taken in cost.many]
    return {
        f"{platform}_ratio": round(ratio, 2),
        f"{platform}_cpu_ms": round(cpu, 3),
        f"{platform}_bare_cpu_ms": round(bare, 3),
        f"{platform}_p50_ms_1": _percentile(one, 50),
        f"{platform}_p99_ms_1": _percentile(one, 99),
        f"{platform}_p50_ms_50": _percentile(many, 50),
        f"{platform}_p99_ms_50": _percentile(many, 99),
        f"{platform}_bare_p50_ms_1": _percentile([taken for cost in theirs for taken in cost.one], 50),
    }


def _percentile(seconds: list[float], percent: int) -> float:
    return round(1000 * statistics.quantiles(seconds, n=100, method="inclusive")[percent - 1], 2)


async def _measured(subject: str, platform: str, texts: list[str], content: Content, commands: int) -> Cost:
    """One process, warmed up, then many lines at a time, then one at a time."""
    with tempfile.TemporaryDirectory(prefix="kawan-bench-") as name:
        folder = Path(name)
        if subject.startswith("kawan"):
            _fill(folder, content, platform)
        async with aiohttp.ClientSession() as session:
            server: Telegram | Slack = (
                Telegram(texts, PEOPLE) if platform == "telegram" else Slack(texts, PEOPLE, session)
            )
            async with _serving(server) as api, _process(subject, api, folder, server) as process:
                await server.talk.ask(300, MANY, server.send)
                before = _processor(process.pid)
                many = await server.talk.ask(commands, MANY, server.send)
                await asyncio.sleep(0.5)  # what is settled after the last answer belongs to its command
                spent = _processor(process.pid) - before
                one = await server.talk.ask(ONE, 1, server.send)
    return Cost(cpu_ms=1000 * spent / commands, one=one, many=many)


@contextlib.asynccontextmanager
async def _serving(server: Telegram | Slack) -> AsyncIterator[str]:
    application = web.Application()
    application.add_routes(server.routes())
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def _process(
    subject: str, api: str, folder: Path, server: Telegram | Slack
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The subject, listening."""
    port = _free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks._subjects", subject, api, str(folder), str(port), cwd=PROJECT
    )
    try:
        async with asyncio.timeout(READY):
            if isinstance(server, Telegram):
                await server.polled.wait()
            else:
                server.events_url = f"http://127.0.0.1:{port}/slack/events"
                await _answers(server)
        yield process
    finally:
        process.kill()
        await process.wait()


async def _answers(server: Slack) -> None:
    while True:
        try:
            await server.talk.ask(1, 1, server.send)
            return
        except (aiohttp.ClientError, RuntimeError):
            await asyncio.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _fill(folder: Path, content: Content, platform: str) -> None:
    """A cohort whose people have accounts on the platform."""
    url = f"sqlite:///{folder / 'bench.db'}"
    upgrade(url)
    with contextlib.closing(open_store(url, inline=True)) as store:
        store.now(lambda unit: fill(unit, content, PEOPLE, 1))
        store.now(partial(_accounts, platform))


def _accounts(platform: str, unit: UnitOfWork) -> None:
    """Past what search makes anew at each change: it was written in bulk."""
    installation, letter = (TEAM, "U") if platform == "slack" else (TOKEN.partition(":")[0], "")
    now = SystemClock().now()
    accounts, consents = [], []
    for number in range(1, PEOPLE + 1):
        whose = {"cohort_id": 1, "member_id": number}
        place = {"platform": platform, "installation": installation, "external_id": f"{letter}{number}"}
        accounts.append(whose | place | {"conversation": f"dm:{letter}{number}", "created_at": now, "preferred": True})
        given = {"version": 1, "language": "en", "given": True, "at": now}
        consents += [whose | given | {"purpose": purpose} for purpose in PURPOSES]
    for table, rows in ((account, accounts), (consent, consents)):
        unit.connection.execute(sa.insert(table), rows)
    unit.connection.execute(sa.update(member).values(joined_at=now))


def _processor(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def _start() -> dict[str, Any]:
    """Seconds from `run` to the first question to Telegram, by those of importing the libraries alone; memory then."""
    starts, imports, memory = [], [], 0.0
    with tempfile.TemporaryDirectory(prefix="kawan-bench-") as name:
        for _ in range(5):
            imports.append(await _importing())
            taken, memory = await _starting(Path(name))
            starts.append(taken)
    start, bare = min(starts[1:]), min(imports[1:])  # the first of each warms the disk's cache
    return {
        "start_s": round(start, 3),
        "imports_s": round(bare, 3),
        "start_ratio": round(start / bare, 2),
        "rss_mib": round(memory, 1),
    }


async def _importing() -> float:
    begun = time.perf_counter()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", f"import {IMPORTS}", env=_environment())
    await process.wait()
    return time.perf_counter() - begun


async def _starting(folder: Path) -> tuple[float, float]:
    server = Telegram([], 0)
    async with aiohttp.ClientSession() as session, _serving(server) as api, _serving(Slack([], 0, session)) as slack:
        config = folder / "config.toml"
        config.write_text(
            f'[bot]\ndatabase_url = "sqlite:///{folder / "start.db"}"\nlog_level = "ERROR"\n'
            f'[telegram]\nenabled = true\ntoken = "{TOKEN}"\napi_url = "{api}"\n'
            f'[slack]\nenabled = true\nmode = "http"\nbot_token = "xoxb-bench"\nsigning_secret = "s"\n'
            f'api_url = "{slack}/api/"\n[web]\nport = {_free_port()}\n'
        )
        begun = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run", "--config", str(config), cwd=PROJECT, env=_environment()
        )
        try:
            async with asyncio.timeout(READY):
                await server.polled.wait()
            taken = time.perf_counter() - begun
            await asyncio.sleep(1.0)
            status = Path(f"/proc/{process.pid}/status").read_text()
            return taken, int(status.partition("VmRSS:")[2].split()[0]) / 1024
        finally:
            process.terminate()
            await process.wait()


def _environment() -> dict[str, str]:
    """As a user's: compiled modules may be kept."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | {
        "KAWAN_NO_BOOTSTRAP": "1"
    }
