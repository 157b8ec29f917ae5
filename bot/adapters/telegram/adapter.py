"""The Telegram adapter: one bot, which listens by polling or webhook and sends each envelope as one call."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

import aiohttp
import structlog
from aiohttp import web
from telegram import Bot

from bot.adapters.telegram import menu as menus
from bot.adapters.telegram.calls import Line, deliver, problem_of
from bot.adapters.telegram.intake import Intake, Receive
from bot.adapters.telegram.menu import Menu
from bot.adapters.telegram.parse import ALLOWED_UPDATES, PLATFORM
from bot.adapters.telegram.polling import LONG_POLL, REFUSED, Poller, Stopped
from bot.adapters.telegram.render import parts
from bot.adapters.telegram.transport import (
    CONNECT_TIMEOUT,
    READ_TIMEOUT,
    UPLOAD_TIMEOUT,
    Refusal,
    SessionRequest,
    outcome_of,
)
from bot.adapters.telegram.webhook import Webhook
from bot.core.adapter import Envelope, Outcome, RateLimited, Rejected, Sent
from bot.core.ids import Ids, RandomIds
from bot.core.log import redact
from bot.core.pacing import Pace
from bot.core.replies import Content

log = structlog.get_logger("kawan.telegram")

API = "https://api.telegram.org"
CLOSED_PAUSE = 600.0  # seconds that the lane rests at a time while the token is refused; nothing is asked after it
LONGEST_WAIT = 60.0
# About 30 a second over all chats, one a second in each (core.telegram.org/bots/faq).
PACE = Pace(window=30, chat=1.0, timeout=CONNECT_TIMEOUT + READ_TIMEOUT + UPLOAD_TIMEOUT)
FINISHING = 6.0  # seconds that a stop waits for what is in hand


class TelegramAdapter:
    """One bot. `trouble` is a sentence for the operator when it no longer listens or sends, else None.

    `username` is known once `run` has reached Telegram. `timeout`, `long_poll` and `first_wait` are seconds.
    """

    pace = PACE

    def __init__(
        self,
        token: str,
        *,
        session: aiohttp.ClientSession,
        api_url: str = API,
        proxy: str | None = None,
        mode: Literal["polling", "webhook"] = "polling",
        webhook_url: str = "",
        webhook_secret: str = "",
        menu: Menu | None = None,
        ids: Ids | None = None,
        timeout: float = READ_TIMEOUT,
        long_poll: int = LONG_POLL,
        first_wait: float = 0.5,
    ) -> None:
        self._bot_id = token.partition(":")[0]
        self._webhook_url, self._webhook_secret = webhook_url, webhook_secret
        self._menu = menu or Menu()
        self._ids = ids or RandomIds()
        self._first_wait = first_wait
        request = SessionRequest(session, proxy=proxy, read_timeout=timeout)
        base = f"{api_url.rstrip('/')}/bot"
        self._bot = Bot(token, base_url=base, request=request, get_updates_request=request)
        self._line = Line(self._bot, request, base + token)
        self._intake = Intake(self._bot, self._bot_id, self._menu)
        self._poller = Poller(request, base + token, self._ids, first_wait=first_wait, long_poll=long_poll)
        self._webhook = Webhook(webhook_secret) if mode == "webhook" else None
        self._closed = False
        self.trouble: str | None = None
        self.username: str | None = None

    @property
    def name(self) -> str:
        return PLATFORM

    @property
    def lane(self) -> str:
        return f"{PLATFORM}:{self._bot_id}"

    @property
    def counts(self) -> Counter[str]:
        """Updates by what became of them: taken, ignored, unparsed."""
        return self._intake.counts

    @property
    def listens_alone(self) -> bool:
        """Telegram answers one poll at a time; a webhook may be served by many."""
        return self._webhook is None

    @property
    def closed(self) -> bool:
        """The token is refused for good."""
        return self._closed

    @property
    def is_listening(self) -> bool:
        """Do polls come back, or are Telegram's requests answered?"""
        return self._poller.answers if self._webhook is None else self._webhook.take is not None

    def routes(self) -> Sequence[web.RouteDef]:
        """What the web server serves: the path of the webhook's address, or nothing when polling."""
        if self._webhook is None:
            return []
        return [web.post(urlsplit(self._webhook_url).path or "/", self._webhook.handle)]

    async def run(self, receive: Receive) -> None:
        """Listen until cancelled. Returns, with `trouble` set, when the token is refused or somebody else listens."""

        async def take(update: object) -> None:
            await self._intake.take(update, receive)

        publishing: asyncio.Task[None] | None = None
        if not self._closed:
            self.trouble = None
        try:
            await self._begin()
            publishing = asyncio.create_task(menus.publish(self._bot, self._menu))
            if self._webhook is None:
                await self._poller.run(take)
            else:
                self._webhook.take = take
                await asyncio.Event().wait()
        except Stopped as stopped:
            self._stop(str(stopped), for_good=stopped.for_good)
        finally:
            self._poller.answers = False
            if self._webhook is not None:
                await self._webhook.finish(FINISHING)
            if publishing is not None:
                publishing.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await publishing
            await self._intake.finish()

    def parts(self, content: Content) -> list[Content]:
        """One text, picture or file each; buttons on the last."""
        return parts(content)

    async def look_up(self, envelope: Envelope) -> Sent | None:
        """Telegram does not tell bots what arrived."""
        return None

    async def send(self, envelope: Envelope) -> Outcome:
        """One visible call. Once the token is refused nothing leaves any more: the lane rests, and its rows stay."""
        if self._closed:
            return RateLimited(CLOSED_PAUSE)
        problem = problem_of(envelope)
        if problem is not None:
            return Rejected(problem)
        try:
            return Sent(await deliver(self._line, envelope))
        except Refusal as error:
            return self._refused(error, envelope)
        except Exception as error:
            return outcome_of(error)

    def _refused(self, error: Refusal, envelope: Envelope) -> Outcome:
        if error.is_for_token:
            self._stop(REFUSED, for_good=True)
            return RateLimited(CLOSED_PAUSE)
        if envelope.edits is not None and error.says("message is not modified"):
            return Sent(envelope.edits)
        if envelope.deletes is not None and error.says("message to delete not found"):
            return Sent(envelope.deletes)
        return outcome_of(error)

    def _stop(self, why: str, *, for_good: bool) -> None:
        """One line in the log, however many calls come back."""
        if self.trouble != why:
            log.error("Telegram stopped", lane=self.lane, reason=why)
        self.trouble = why
        self._closed = self._closed or for_good

    async def _begin(self) -> None:
        """Learn the bot's name, and choose one way to listen."""
        me = await self._insist(self._line.who)
        self.username = str(me.get("username") or "")
        if self._webhook is None:
            with contextlib.suppress(Refusal):  # if it matters, the first poll says so
                await self._insist(self._bot.delete_webhook, refusals=False)
            return
        await self._insist(
            lambda: self._bot.set_webhook(
                self._webhook_url, secret_token=self._webhook_secret, allowed_updates=ALLOWED_UPDATES
            )
        )

    async def _insist(self, call: Callable[[], Awaitable[Any]], *, refusals: bool = True) -> Any:
        """Call until it works, waiting longer each time; raises Stopped for a refused token.

        `refusals=False` raises other refusals instead of trying again.
        """
        wait = self._first_wait
        while True:
            least = 0.0
            try:
                return await call()
            except Exception as error:
                if isinstance(error, Refusal):
                    # 404 to the first call: what we have is not even shaped like a token
                    if error.is_for_token or (error.status == 404 and self.username is None):
                        raise Stopped(REFUSED, for_good=True) from None
                    if error.status != 429 and not refusals:
                        raise
                    least = error.retry_after if error.status == 429 else LONGEST_WAIT
                log.warning("Telegram not ready, trying again", kind=type(error).__name__, why=_why(error))
            await asyncio.sleep(max(least, wait * (0.5 + self._ids.key()[0] / 510)))
            wait = min(LONGEST_WAIT, wait * 2)


def _why(error: Exception) -> str:
    return redact(error.description) if isinstance(error, Refusal) else ""
