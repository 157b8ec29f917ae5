"""Who listens where only one may: with several programs, the one that owns the lane."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Protocol, runtime_checkable

from bot.core.adapter import Ack
from bot.core.events import Event
from bot.core.log import get_logger
from bot.core.relay import Relay

log = get_logger("kawan.listening")

AGAIN = 60.0  # seconds: whoever was sent away by another program asks again once a minute at most


@runtime_checkable
class OneListener(Protocol):
    """A platform that gives its events to one program only, such as Telegram by polling.

    `listens_alone`: it does so as it is set up. `closed`: it takes our token no more, so that asking again is in vain.
    """

    @property
    def listens_alone(self) -> bool: ...

    @property
    def closed(self) -> bool: ...


def listens_elsewhere(relay: Relay) -> bool:
    """Does another program listen, if anybody does, because it owns the lane and only one may?"""
    adapter = relay.adapter
    return isinstance(adapter, OneListener) and adapter.listens_alone and not relay.alone and not relay.owns


async def listen(relay: Relay, receive: Callable[[Event], Awaitable[Ack]]) -> None:
    """Listen until cancelled or the platform refuses us; where only one may, while the lane is ours."""
    adapter = relay.adapter
    if relay.alone or not isinstance(adapter, OneListener) or not adapter.listens_alone:
        await adapter.run(receive)
        return
    while not adapter.closed:
        await relay.owned.wait()
        listening, lost = asyncio.create_task(adapter.run(receive)), asyncio.create_task(relay.lost.wait())
        try:
            await asyncio.wait({listening, lost}, return_when=asyncio.FIRST_COMPLETED)
            sent_away = listening.done()
        finally:
            lost.cancel()
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening
        if sent_away and not adapter.closed:
            log.warning("sent_away", lane=adapter.lane)
            await asyncio.sleep(AGAIN)
