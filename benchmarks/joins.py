"""10,000 people open their invitations within one minute: how soon each is in, and others get their replies."""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import quantiles
from typing import Any

import sqlalchemy as sa

from benchmarks._platforms import TOKEN, server
from benchmarks.broadcast import FIRST_OTHER, TELEGRAM_LIMIT, Figures, _join, _kawan, _stop
from bot.adapters.telegram import TelegramAdapter
from bot.app import Kawan
from bot.core.clock import SystemClock
from bot.core.events import Address, Command, Message, Sender
from bot.core.ids import code_hash
from storage import Store, Turn, UnitOfWork

WRITES_APART = 0.25  # seconds between two others who write meanwhile
AT_A_TIME = 500  # invitations made in one transaction
LAST_REPLIES = 10.0  # seconds after the last join within which every reply to others has come


def run(rest: Sequence[str]) -> Figures:
    """Joins a second, milliseconds to each acknowledgement and to each reply to others, and what was lost."""
    parser = argparse.ArgumentParser(prog="bench joins", description=__doc__)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    args = parser.parse_args(rest)
    with tempfile.TemporaryDirectory(prefix="kawan-bench-") as folder:
        return asyncio.run(_run(Path(folder) / "joins.db", args.people, args.seconds))


async def _run(file: Path, people: int, seconds: float) -> Figures:
    """The whole bot on SQLite and its writer, at a local Telegram that refuses what is too fast."""
    with server("telegram", TELEGRAM_LIMIT) as at:
        async with _kawan(file) as (store, session, made):
            adapter = TelegramAdapter(TOKEN, session=session, api_url=at.url)
            kawan = made(adapter)
            others = [FIRST_OTHER + n for n in range(int(seconds / WRITES_APART))]
            await store.run(lambda unit: _join(unit, adapter.lane, others))
            for first in range(0, people, AT_A_TIME):
                await store.run(partial(_invite, range(first, min(first + AT_A_TIME, people))), Turn.BULK)
            sending = asyncio.create_task(kawan.relays[0].run())
            await asyncio.sleep(1)
            began = time.monotonic()
            writing = asyncio.create_task(_write(kawan, adapter.lane, others))
            acknowledged = await _open(kawan, adapter.lane, people, seconds)
            took = time.monotonic() - began
            asked = await writing
            await asyncio.sleep(LAST_REPLIES)
            counts = await at.counts()
            await _stop(sending)
            welcomes = await _welcomes(store)
    came = {int(chat): moment for chat, moment in reversed(counts["calls"])}
    replies = [came[other] - asked[other] for other in others if other in came]
    return {
        "joins": len(acknowledged),
        "joins_per_s": round(people / took, 1),
        "ack_p50_ms": _percentile(acknowledged, 50),
        "ack_p95_ms": _percentile(acknowledged, 95),
        "ack_max_ms": round(1000 * max(acknowledged), 1),
        "replies": len(replies),
        "reply_p95_ms": _percentile(replies, 95),
        "reply_max_ms": round(1000 * max(replies), 1),
        "welcomes_sent": sum(int(chat) < FIRST_OTHER for chat in came),
        "welcomes_waiting": welcomes["queued"],
        "refused_429": counts["refused"],
        "lost": people - welcomes["one each"] + len(others) - len(replies),
    }


def _code(number: int) -> str:
    return f"{number:022}"


def _invite(numbers: Sequence[int], unit: UnitOfWork) -> None:
    """An invitation for each; the cohort is the only one."""
    now = SystemClock().now()
    for number in numbers:
        unit.invites.add(1, code_hash(_code(number)), "fellow", now, now + timedelta(days=14))


async def _open(kawan: Kawan, lane: str, people: int, seconds: float) -> list[float]:
    """Everybody opens their link at their moment of the minute, whatever became of the others; seconds to each answer.

    The time counts from the moment at which they pressed, also when the program was late to look.
    """
    platform, _, installation = lane.partition(":")
    began = time.monotonic()

    async def joins(number: int, at: float) -> float:
        sender = Sender(platform, installation, str(number + 1), f"Fellow {number}", "en")
        address = Address(platform, installation, f"dm:{number + 1}")
        await kawan.dispatcher.receive(
            Command(id=f"j{number}", sender=sender, address=address, name="start", text=_code(number))
        )
        return time.monotonic() - at

    tasks = []
    for number in range(people):
        at = began + number * seconds / people
        if at > time.monotonic():
            await asyncio.sleep(at - time.monotonic())
        tasks.append(asyncio.create_task(joins(number, at)))
    return list(await asyncio.gather(*tasks))


async def _write(kawan: Kawan, lane: str, others: Sequence[int]) -> dict[int, float]:
    """Members write to the bot, one after the other; when each did."""
    platform, _, installation = lane.partition(":")
    began, asked = time.monotonic(), {}
    for place, other in enumerate(others):
        await asyncio.sleep(max(0.0, began + place * WRITES_APART - time.monotonic()))
        sender = Sender(platform, installation, str(other), "Fellow", "en")
        asked[other] = time.monotonic()
        address = Address(platform, installation, f"dm:{other}")
        await kawan.dispatcher.receive(Message(id=f"m{other}", sender=sender, address=address, text="help"))
    return asked


async def _welcomes(store: Store) -> dict[str, int]:
    """How many newcomers have exactly one welcome, in line or sent; and how many of these wait."""
    each = (
        "SELECT count(*) FROM (SELECT m.id FROM member m JOIN outbox o ON o.member_id = m.id"
        " WHERE m.state = 'arriving' AND o.state IN ('queued', 'sending', 'sent') GROUP BY m.id HAVING count(*) = 1) x"
    )
    waits = "SELECT count(*) FROM outbox o JOIN member m ON m.id = o.member_id WHERE o.state = 'queued'"

    def count(unit: UnitOfWork) -> dict[str, Any]:
        return {
            "one each": unit.connection.scalar(sa.text(each)),
            "queued": unit.connection.scalar(sa.text(waits + " AND m.state = 'arriving'")),
        }

    return await store.run(count)


def _percentile(seconds: Sequence[float], percent: int) -> float:
    return round(1000 * quantiles(seconds, n=100, method="inclusive")[percent - 1], 1)
