"""Slack as a platform: signs in, listens by Socket Mode or HTTP, sends, and asks afterwards what has arrived."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Literal

import aiohttp
import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack import render
from bot.adapters.slack.connection import REFUSALS, Connection
from bot.adapters.slack.guard import Refused, checked_body
from bot.adapters.slack.inbound import Inbound, Opened, Receive
from bot.adapters.slack.manifest import PATH
from bot.adapters.slack.outcomes import error_name
from bot.adapters.slack.outgoing import Failed, Outgoing
from bot.adapters.slack.parse import PLATFORM, Workspace
from bot.core.adapter import Absent, Envelope, LaneClosed, NotSent, Outcome, Sent
from bot.core.clock import Clock, monotonic
from bot.core.pacing import Pace
from bot.core.replies import Content

log = structlog.get_logger("kawan.slack")

CONNECTIONS = 2  # Slack delivers again what one of them did not acknowledge
FINISHING = 12.0
LONGEST_WAIT = 60.0
# For the shared session: connecting has its own limit, since only a failure there surely means "not sent".
TIMEOUT = aiohttp.ClientTimeout(total=10, sock_connect=5)
# One a second in each conversation; what a workspace allows is not said, so it is found out. Changes and
# look-ups, which may turn a page, are of tier 3: https://docs.slack.dev/apis/web-api/rate-limits
PACE = Pace(rate=8.0, chat=1.0, timeout=40.0, a_minute={"edit": 50, "delete": 50, "look_up": 40})


class SlackAdapter:
    """One installation. `opened` is told the held outbox row of a form page once that page is open."""

    name = PLATFORM
    pace = PACE

    def __init__(
        self,
        bot_token: str,
        *,
        session: aiohttp.ClientSession,
        clock: Clock,
        app_token: str = "",
        signing_secret: str = "",
        api_url: str = "https://slack.com/api/",
        mode: Literal["socket", "http"] = "socket",
        proxy: str | None = None,
        opened: Opened | None = None,
    ) -> None:
        base_url = api_url.rstrip("/") + "/"
        self.client = AsyncWebClient(token=bot_token, base_url=base_url, session=session, retry_handlers=[])
        self.client.proxy = proxy or None  # the variables of the environment do not count
        self._app_token = app_token
        self._signing_secret = signing_secret
        self._mode = mode
        self._clock = clock
        self._workspace = Workspace("")
        self._closed = asyncio.Event()
        self._why = ""
        self._sending_ended = ""
        self._connections: list[Connection] = []
        self.inbound = Inbound(self.client, self._workspace, opened, self._disconnected)
        self.outgoing = Outgoing(self.client, self._workspace, self._close)

    @property
    def lane(self) -> str:
        """`slack:<team>`, known after `sign_in`."""
        return f"{PLATFORM}:{self._workspace.team}"

    @property
    def trouble(self) -> str | None:
        """Slack's word for why it takes nothing from us, or None."""
        return self._why or self._sending_ended or None

    @property
    def is_listening(self) -> bool:
        """Does a connection stand, or are requests answered?"""
        if self._mode == "http":
            return self.inbound.receive is not None
        return any(connection.is_open for connection in self._connections)

    async def sign_in(self) -> None:
        """Ask Slack who we are, again while it cannot be reached; raises LaneClosed if it does not know us."""
        wait = 1.0
        while not self._workspace.team:
            try:
                async with asyncio.timeout(TIMEOUT.total):
                    found = await self.client.auth_test()
                self._workspace.bot_user, self._workspace.bot = found["user_id"], found.get("bot_id") or ""
                self._workspace.team = found["team_id"]
            except Exception as error:
                if error_name(error) in REFUSALS:
                    self._close(error_name(error))
                    raise LaneClosed(self._why) from None
                log.warning("slack not reached", kind=error_name(error) or type(error).__name__)
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)

    async def run(self, receive: Receive) -> None:
        """Listen until cancelled, then finish what is in hand; raises LaneClosed when Slack refuses a token."""
        await self.sign_in()
        self.inbound.receive = receive
        try:
            async with self._listening():
                await self._closed.wait()
        finally:
            await self.inbound.finish(FINISHING)
        raise LaneClosed(self._why)

    def mount(self, application: web.Application) -> None:
        """Serve Slack's requests on a shared web server; they get 503 while `run` is not running."""
        application.router.add_post(PATH, self._serve)

    def parts(self, content: Content) -> list[Content]:
        return render.parts(content)

    async def send(self, envelope: Envelope) -> Outcome:
        """One visible call. Never raises for what Slack or the network answers."""
        if self._why or self._sending_ended:
            return NotSent(self._why or self._sending_ended)
        return await self.outgoing.send(envelope)

    async def look_up(self, envelope: Envelope) -> Sent | Absent | None:
        """Look for the message's key in the direct chat; never in groups, whose history is not asked for."""
        try:
            return await self.outgoing.look_up(envelope)
        except Failed:
            return None

    @contextlib.asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        if self._mode == "http":
            yield
            return
        self._connections = connections = [
            Connection(self._app_token, self.client, self._handle, self._close, self.client.proxy)
            for _ in range(CONNECTIONS)
        ]
        opening = [asyncio.create_task(connection.open()) for connection in connections]
        try:
            yield
        finally:
            for task in opening:
                task.cancel()
            await asyncio.gather(*opening, return_exceptions=True)
            await asyncio.gather(*(connection.finish() for connection in connections))

    async def _handle(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        """A Socket Mode request: it is acknowledged only by a 200."""
        started = monotonic()
        answer = await run_async_bolt_app(self.inbound.app, request)
        await send_async_response(client, request, answer, started)

    async def _serve(self, request: web.Request) -> web.Response:
        """An HTTP request, past the guard."""
        try:
            body = await checked_body(request, self._signing_secret, self._clock.now())
        except Refused as refused:
            self.inbound.counted[f"refused {refused.status}"] += 1
            return web.Response(status=refused.status)
        answer = await self.inbound.respond(
            AsyncBoltRequest(body=body, query=request.query_string, headers=dict(request.headers))
        )
        return await to_aiohttp_response(answer)

    def _close(self, why: str) -> None:
        """Slack refuses a token: nothing more is sent, `run` ends."""
        if not self._why:
            log.error("slack refuses the token", why=why)
        self._why = self._why or why
        self._closed.set()

    def _disconnected(self) -> None:
        """The app was removed. Nothing more is sent; what still comes in is acknowledged."""
        self._sending_ended = "app_uninstalled"
