"""A local Telegram and a local Slack that count, and refuse whoever is too fast; each in a process of its own."""

import asyncio
import itertools
import multiprocessing
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

import aiohttp
from aiohttp import web

TOKEN = "4839574812:AAE-local-token-of-no-bot-0123456789"
TEAM = "T0BENCH"


@dataclass
class Counts:
    """At most `a_second` calls in any second, and one a second in a chat; `calls` are chats and moments."""

    a_second: int
    recent: deque[float] = field(default_factory=deque)
    last: dict[str, float] = field(default_factory=dict)
    calls: list[tuple[str, float]] = field(default_factory=list)
    refused: int = 0

    def takes(self, chat: str) -> bool:
        """Count a call, or refuse it."""
        now = time.monotonic()
        while self.recent and now - self.recent[0] >= 1:
            self.recent.popleft()
        if len(self.recent) >= self.a_second or now - self.last.get(chat, -9) < 1:
            self.refused += 1
            return False
        self.recent.append(now)
        self.last[chat] = now
        self.calls.append((chat, now))
        return True


class Server:
    """Where a server listens, and what it has counted."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def counts(self) -> dict[str, Any]:
        """`calls` as pairs of a chat and a moment of this machine's clock, and how many were `refused`."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/counts") as answer:
            found: dict[str, Any] = await answer.json()
            return found


@contextmanager
def server(kind: str, a_second: int) -> Iterator[Server]:
    """A running `telegram` or `slack`."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(kind, a_second, theirs), daemon=True)
    process.start()
    try:
        yield Server(ours.recv())
    finally:
        process.terminate()
        process.join()


def _serve(kind: str, a_second: int, pipe: Connection) -> None:
    asyncio.run(_until_told(kind, Counts(a_second), pipe))


async def _until_told(kind: str, counts: Counts, pipe: Connection) -> None:
    application = web.Application()
    numbers = itertools.count(1)

    async def told(_request: web.Request) -> web.Response:
        return web.json_response({"calls": counts.calls, "refused": counts.refused})

    async def telegram(request: web.Request) -> web.Response:
        given = await request.post()
        chat = str(given.get("chat_id", ""))
        if not counts.takes(chat):
            refusal = {"ok": False, "error_code": 429, "description": "Too Many Requests"}
            return web.json_response({**refusal, "parameters": {"retry_after": 1}}, status=429)
        shown = {"message_id": next(numbers), "date": 1, "chat": {"id": int(chat), "type": "private"}, "text": "x"}
        return web.json_response({"ok": True, "result": shown})

    async def slack(request: web.Request) -> web.Response:
        given = dict(request.query) | dict(await request.post())
        if request.content_type == "application/json" and request.can_read_body:
            given |= await request.json()
        if request.match_info["method"] == "conversations.open":
            return web.json_response({"ok": True, "channel": {"id": "D" + str(given["users"])}})
        channel = str(given["channel"])
        if not counts.takes(channel if channel.startswith("D") else f"D{channel}"):
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": "1"})
        return web.json_response({"ok": True, "channel": channel, "ts": f"{next(numbers)}.000000"})

    application.router.add_get("/counts", told)
    application.router.add_post("/bot{token}/{method}", telegram)
    application.router.add_post("/api/{method}", slack)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port: int = runner.addresses[0][1]
    pipe.send(f"http://127.0.0.1:{port}")
    await asyncio.Event().wait()
