"""A SlackAdapter at work beside a local Slack, with a receiver that remembers what it was given."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Literal

import aiohttp
from aiohttp import web

from bot.adapters.slack import TIMEOUT, SlackAdapter
from bot.adapters.slack.inbound import Opened, Receive
from bot.core.adapter import Ack, Envelope
from bot.core.clock import SystemClock
from bot.core.events import Address, Event
from bot.core.pacing import A_MINUTE
from bot.core.replies import Content, Pressable
from tests.adapters.slack_server import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, TEAM, SlackServer

KEY = "AAAAAAAAAAAAAAAAAAAAAA"
KEYS = tuple(f"{letter * 21}A" for letter in "BCDEFGHIJKLMNOPQRSTUVWXYZ")


class Receiver:
    """Stands where the dispatcher stands: commits after `takes` seconds, or fails."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.opened: list[int] = []
        self.takes = 0.0
        self.failures = 0
        self.answer: Callable[[Event], Ack] = lambda event: Ack()

    async def open(self, held: int) -> None:
        """A form page is open: its held question is no longer needed."""
        self.opened.append(held)

    async def __call__(self, event: Event) -> Ack:
        await asyncio.sleep(self.takes)
        if self.failures:
            self.failures -= 1
            raise OSError("the database is away")
        self.events.append(event)
        return self.answer(event)


@contextlib.asynccontextmanager
async def at_slack(
    server: SlackServer,
    *,
    api_url: str = "",
    bot_token: str = BOT_TOKEN,
    mode: Literal["socket", "http"] = "socket",
    opened: Opened | None = None,
) -> AsyncIterator[SlackAdapter]:
    """An adapter that can send, of a program that began a minute ago; it does not listen."""
    async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
        adapter = SlackAdapter(
            bot_token,
            app_token=APP_TOKEN,
            signing_secret=SIGNING_SECRET,
            api_url=api_url or server.api_url,
            mode=mode,
            session=session,
            clock=SystemClock(),
            opened=opened,
        )
        adapter.outgoing.began -= A_MINUTE
        yield adapter


@contextlib.asynccontextmanager
async def listening(
    server: SlackServer, receiver: Receive, mode: Literal["socket", "http"] = "socket", opened: Opened | None = None
) -> AsyncIterator[SlackAdapter]:
    """An adapter that listens, in either mode."""
    async with at_slack(server, mode=mode, opened=opened) as adapter, _served(server, adapter, mode):
        running = asyncio.create_task(adapter.run(receiver))
        try:
            if mode == "socket":
                await server.connected(2)
            else:
                while adapter.inbound.receive is None:
                    await asyncio.sleep(0.01)
            yield adapter
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


@contextlib.asynccontextmanager
async def _served(server: SlackServer, adapter: SlackAdapter, mode: str) -> AsyncIterator[None]:
    if mode == "socket":
        yield
        return
    application = web.Application()
    adapter.mount(application)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    server.events_url = f"http://{host}:{port}/slack/events"
    try:
        yield
    finally:
        await runner.cleanup()


def to(conversation: str, text: str = "Hello", *, key: str = KEY, buttons: tuple[str, ...] = ()) -> Envelope:
    """A message for a conversation."""
    pressable = tuple(Pressable(label, "a") for label in buttons)
    return Envelope(key=key, address=Address("slack", TEAM, conversation), content=Content(text, buttons=pressable))
