"""The webhook route: secret, size, then parse; 200 only after the commit."""

import asyncio
import hmac
import json
import re
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from bot.adapters.telegram.parse import update_number

log = structlog.get_logger("kawan.telegram")

LARGEST_BODY = 256 * 1024
BODY_TIMEOUT = 10.0
IN_TIME = 2.5  # seconds for the commit
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")

Take = Callable[[object], Awaitable[None]]


class Webhook:
    """Answers Telegram's requests. Until `take` is set it says 503, and Telegram comes again."""

    def __init__(self, secret: str) -> None:
        if not SECRET.fullmatch(secret):
            raise ValueError("a webhook needs a secret of 1 to 256 letters, digits, _ and -")
        self._secret = secret.encode()
        self.take: Take | None = None
        self._in_hand: set[asyncio.Task[bool]] = set()

    async def handle(self, request: web.Request) -> web.Response:
        """403 for a wrong secret, 413 and 400 for what Telegram does not send, 503 when it could not be stored."""
        given = request.headers.get(SECRET_HEADER, "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, self._secret):
            return web.Response(status=403)
        if (request.content_length or 0) > LARGEST_BODY:
            return web.Response(status=413)
        try:
            async with asyncio.timeout(BODY_TIMEOUT):
                body = await _read(request)
        except TimeoutError:
            return web.Response(status=408)
        if body is None:
            return web.Response(status=413)
        try:
            update = json.loads(body)
        except (ValueError, RecursionError):
            return web.Response(status=400)
        return await self._handed_over(update)

    async def _handed_over(self, update: object) -> web.Response:
        if self.take is None:
            return web.Response(status=503)
        task = asyncio.create_task(self._taken(self.take, update))
        self._in_hand.add(task)
        task.add_done_callback(self._in_hand.discard)
        done, _ = await asyncio.wait({task}, timeout=IN_TIME)
        # A late one is not broken off: the update comes again, and is recognised.
        return web.Response(status=200 if done and task.result() else 503)

    async def _taken(self, take: Take, update: object) -> bool:
        try:
            await take(update)
        except Exception as error:
            log.warning("update not taken", update=update_number(update), kind=type(error).__name__)
            return False
        return True

    async def finish(self, seconds: float) -> None:
        """Take nothing new and finish what is in hand."""
        self.take = None
        if self._in_hand:
            await asyncio.wait(set(self._in_hand), timeout=seconds)


async def _read(request: web.Request) -> bytes | None:
    """The body, or None when it is too large, whatever its header says."""
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > LARGEST_BODY:
            return None
    return bytes(body)
