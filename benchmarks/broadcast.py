"""A message to 600 people at the platforms' speed: the share of the limit, refusals, and replies meanwhile."""

import argparse
import asyncio
import contextlib
import multiprocessing
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from statistics import quantiles
from typing import Any

import aiohttp

from benchmarks._platforms import TEAM, TOKEN, Server, server
from bot.adapters.slack import SlackAdapter
from bot.adapters.telegram import TelegramAdapter
from bot.app import Kawan, build
from bot.content import load
from bot.core.clock import SystemClock
from bot.core.events import Address, Message, Sender
from bot.core.ids import RandomIds
from bot.core.programme import Programme
from bot.core.replies import Content, Urgency
from storage import Store, Turn, UnitOfWork, open_store
from storage.contents import Chunk
from storage.migrate import upgrade
from storage.outbox import NewRow
from storage.profiles import PURPOSES

TELEGRAM_LIMIT = 30  # a second, over all chats
SLACK_LIMIT = 10  # Slack does not say; we begin at 8 and add one a minute
REPLIES = 0.15  # seconds between two people who write meanwhile
ALWAYS = "00:00-00:00 1234567"  # whenever the benchmark runs
FIRST_OTHER = 1_000_000
CHUNK = 2000

Figures = dict[str, Any]


def run(rest: Sequence[str]) -> Figures:
    """Shares of the limits, refusals (429), milliseconds from a word to its reply, and messages that nobody got."""
    parser = argparse.ArgumentParser(prog="bench broadcast", description=__doc__)
    parser.add_argument("--people", type=int, default=600)
    parser.add_argument("--channels", type=int, default=300)
    parser.add_argument("--each", type=int, default=3)
    args = parser.parse_args(rest)
    with tempfile.TemporaryDirectory(prefix="kawan-bench-") as folder:
        # Slack is the slower one, and has a process of its own.
        slack = _beside(lambda: _slack(Path(folder) / "slack.db", args.channels, args.each))
        with server("telegram", TELEGRAM_LIMIT) as at:
            telegram = asyncio.run(_telegram(Path(folder) / "telegram.db", at, args.people))
        with server("telegram", TELEGRAM_LIMIT) as at:
            peer = asyncio.run(_peer(at, args.people))
        found = telegram | peer | slack()
    lost = found.pop("telegram_lost") + found.pop("slack_lost")
    return {**found, "lost": lost}


def _beside(work: Callable[[], Figures]) -> Callable[[], Figures]:
    """Begin a work in another process; what is returned waits for its figures."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=lambda: theirs.send(work()))
    process.start()

    def figures() -> Figures:
        found: Figures = ours.recv()
        process.join()
        return found

    return figures


async def _telegram(file: Path, at: Server, people: int) -> Figures:
    """One message to everybody, while others write to the bot."""
    async with _kawan(file) as (store, session, made):
        adapter = TelegramAdapter(TOKEN, session=session, api_url=at.url)
        others = [FIRST_OTHER + n for n in range(int(people / TELEGRAM_LIMIT / REPLIES))]
        kawan = made(adapter)
        members = await store.run(lambda unit: _join(unit, adapter.lane, [*range(1, people + 1), *others]))
        sending = asyncio.create_task(kawan.relays[0].run())
        await asyncio.sleep(1)
        began = time.monotonic()
        await _tell_everybody(store, adapter.lane, members[:people], 1)
        asked = await _write(kawan, adapter.lane, others)
        counts = await _all_sent(kawan, at, people + len(others))
        await _stop(sending)
        left = await store.run(lambda unit: unit.outbox.depths())
    calls = [(int(chat), moment) for chat, moment in counts["calls"]]
    answered = dict(calls)
    took = [answered[other] - asked[other] for other in others if other in answered]
    return {
        "telegram_fraction": _fraction(len(calls), TELEGRAM_LIMIT, began, calls[-1][1]),
        "telegram_429": counts["refused"],
        "reply_p95_ms": round(quantiles(took, n=20, method="inclusive")[18] * 1000, 1),
        "replies": len(took),
        "telegram_lost": people + len(others) - len(answered) + sum(left.values()),
    }


async def _peer(at: Server, people: int) -> Figures:
    """The same through python-telegram-bot's own limiter, which tries again what was refused."""
    try:
        from telegram.ext import AIORateLimiter, ExtBot
        from telegram.request import HTTPXRequest

        limiter = AIORateLimiter(max_retries=50)
    except (ImportError, RuntimeError):  # its extra is not installed
        return {"peer_fraction": None, "peer_429": None}
    bot: Any = ExtBot(
        TOKEN, base_url=f"{at.url}/bot", request=HTTPXRequest(connection_pool_size=people), rate_limiter=limiter
    )
    await bot.request.initialize()
    await limiter.initialize()
    began = time.monotonic()
    await asyncio.gather(*(bot.send_message(chat, "Hello") for chat in range(1, people + 1)))
    counts = await at.counts()
    await bot.request.shutdown()
    return {
        "peer_fraction": _fraction(len(counts["calls"]), TELEGRAM_LIMIT, began, counts["calls"][-1][1]),
        "peer_429": counts["refused"],
    }


def _slack(file: Path, channels: int, each: int) -> Figures:
    with server("slack", SLACK_LIMIT) as at:
        return asyncio.run(_slack_at(file, at, channels, each))


async def _slack_at(file: Path, at: Server, channels: int, each: int) -> Figures:
    """Several messages to everybody in a workspace."""
    async with _kawan(file) as (store, session, made):
        adapter = SlackAdapter("xoxb-bench", session=session, clock=SystemClock(), api_url=f"{at.url}/api/")
        adapter._workspace.team = TEAM  # there is nobody to sign in to
        kawan = made(adapter)
        members = await store.run(lambda unit: _join(unit, adapter.lane, range(1, channels + 1)))
        sending = asyncio.create_task(kawan.relays[0].run())
        await asyncio.sleep(1)
        began = time.monotonic()
        await _tell_everybody(store, adapter.lane, members, each)
        counts = await _all_sent(kawan, at, channels * each)
        await _stop(sending)
        left = await store.run(lambda unit: unit.outbox.depths())
    return {
        "slack_fraction": _fraction(len(counts["calls"]), SLACK_LIMIT, began, counts["calls"][-1][1]),
        "slack_429": counts["refused"],
        "slack_lost": channels * each - len(counts["calls"]) + sum(left.values()),
    }


@asynccontextmanager
async def _kawan(file: Path) -> AsyncIterator[tuple[Store, aiohttp.ClientSession, Callable[[Any], Kawan]]]:
    """A database of its own, a session, and the whole bot around one adapter."""
    url = f"sqlite:///{file}"
    upgrade(url)
    content = load()
    programme = Programme(content=content, understanding=content.understanding(), weekly_cap=20)
    timeout = aiohttp.ClientTimeout(total=10, sock_connect=5)
    with contextlib.closing(open_store(url)) as store:
        async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session:
            yield store, session, lambda adapter: build(store, programme, [adapter], a_minute=None)


def _join(unit: UnitOfWork, lane: str, accounts: Sequence[int]) -> list[tuple[int, str]]:
    """A member for each account; their numbers and conversations."""
    platform, _, installation = lane.partition(":")
    now, found = SystemClock().now(), []
    cohort = unit.members.add_cohort("bench", "Bench", "en", "Asia/Jakarta")
    for account in accounts:
        number = unit.members.add(
            cohort, now, role="fellow", state="active", language="en", time_zone="Asia/Jakarta", joined_at=now,
            hours=ALWAYS,
        )  # fmt: skip
        member = unit.members.recall(number)
        assert member is not None
        unit.members.add_account(member, platform, installation, str(account), f"dm:{account}", now)
        unit.profiles.write(cohort, number, name=f"Fellow {account}")
        unit.profiles.give_consent(cohort, number, dict.fromkeys(PURPOSES, True), 1, "en", now)
        found.append((number, f"dm:{account}"))
    return found


async def _tell_everybody(store: Store, lane: str, members: Sequence[tuple[int, str]], times: int) -> None:
    """Written down and held, then let go: nothing leaves before the last is there."""
    clock, ids = SystemClock(), RandomIds()

    def write(unit: UnitOfWork) -> list[int]:
        now = clock.now()
        contents = [unit.contents.add("en", Content(f"Message {n} to all").as_json(), now) for n in range(times)]
        rows = [
            NewRow(
                idem=f"bc:{content}:{number}", key=ids.key(), lane=lane, conversation=conversation, member_id=number,
                cause="bench", content_id=content, once=True, priority=Urgency.BROADCAST, counted=True, released=False,
            )
            for content in contents
            for number, conversation in members
        ]  # fmt: skip
        unit.outbox.add_many(rows, now)
        return contents

    contents = await store.run(write, Turn.BULK)
    after: int | None = 0
    while after is not None:
        after = (await store.run(partial(_release, contents, after), Turn.BULK)).after


def _release(contents: Sequence[int], after: int, unit: UnitOfWork) -> Chunk:
    return unit.contents.release(contents, after, CHUNK, SystemClock().now())


async def _write(kawan: Kawan, lane: str, others: Sequence[int]) -> dict[int, float]:
    """Other people write to the bot, one after the other; when each did."""
    platform, _, installation = lane.partition(":")
    asked: dict[int, float] = {}
    for other in others:
        sender = Sender(platform, installation, str(other), "Fellow", "en")
        address = Address(platform, installation, f"dm:{other}")
        asked[other] = time.monotonic()
        await kawan.dispatcher.receive(Message(id=f"m{other}", sender=sender, address=address, text="help"))
        await asyncio.sleep(REPLIES)
    return asked


async def _all_sent(kawan: Kawan, at: Server, count: int) -> Figures:
    """Wait until so many calls have come, and are written down; not longer than three times what the limit allows."""
    rate = kawan.relays[0].adapter.pace.rate or TELEGRAM_LIMIT
    ends = time.monotonic() + 10 + 3 * count / rate
    while True:
        found = await at.counts()
        if len(found["calls"]) >= count or time.monotonic() > ends:
            await asyncio.sleep(0.5)
            return found
        await asyncio.sleep(0.5)


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _fraction(calls: int, limit: int, began: float, ended: float) -> float:
    return round(calls / (limit * (ended - began)), 3)
