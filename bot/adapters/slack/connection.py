"""One Socket Mode connection: slack-sdk's client, told by us when to give up and when to finish."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.outcomes import CLOSING, error_name

log = structlog.get_logger("kawan.slack")

PING = 5.0  # seconds; a connection without answers for four of them is replaced
FINISHING = 12.0
REFUSALS = CLOSING | {"account_inactive", "forbidden_team", "missing_scope"}

Handle = Callable[[AsyncBaseSocketModeClient, SocketModeRequest], Awaitable[None]]


class Connection(SocketModeClient):
    """Reconnects by itself with a new address each time; `refused` is told why when Slack does not let us in."""

    def __init__(
        self,
        app_token: str,
        web_client: AsyncWebClient,
        handle: Handle,
        refused: Callable[[str], None],
        proxy: str | None,
    ) -> None:
        super().__init__(app_token=app_token, web_client=web_client, proxy=proxy, ping_interval=PING)
        self.proxy = proxy  # the variables of the environment do not count
        self.socket_mode_request_listeners.append(handle)
        self._refused = refused
        self._in_hand: set[asyncio.Task[None]] = set()

    @property
    def is_open(self) -> bool:
        """Does it stand now?"""
        return not self.closed and self.current_session is not None and not self.current_session.closed

    async def open(self) -> None:
        """Connect, again and again while Slack cannot be reached."""
        while not self.closed:
            try:
                await self.connect_to_new_endpoint()
                return
            except Exception as error:
                if not self.closed:
                    log.warning("slack not reached", kind=error_name(error) or type(error).__name__)
                    await asyncio.sleep(self.ping_interval)

    async def connect(self) -> None:
        """One try. slack-sdk's own would go on with an address that is good for one connection only."""
        self.auto_reconnect_enabled = False
        try:
            if self.current_session is not None:
                with contextlib.suppress(Exception):
                    await self.current_session.close()
            self.current_session = await self.aiohttp_client_session.ws_connect(
                str(self.wss_uri), autoping=False, heartbeat=self.ping_interval, proxy=self.proxy
            )
            self.stale, self.last_ping_pong_time = False, None
            replaced = (self.current_session_monitor, self.message_receiver)
            self.current_session_monitor = asyncio.ensure_future(self.monitor_current_session())
            self.message_receiver = asyncio.ensure_future(self.receive_messages())
            for task in replaced:
                if task is not None:
                    task.cancel()
        finally:
            self.auto_reconnect_enabled = self.default_auto_reconnect_enabled

    async def issue_new_wss_url(self) -> str:
        """A new address for one connection; stops trying when the token is refused."""
        try:
            return await super().issue_new_wss_url()
        except SlackApiError as error:
            if error_name(error) in REFUSALS:
                self.closed = True
                self._refused(error_name(error))
            raise

    async def process_message(self) -> None:
        """Take one frame from the queue; one that is no JSON is a line in the log, where slack-sdk writes a page."""
        try:
            await super().process_message()  # type: ignore[no-untyped-call]
        except (ValueError, RecursionError):
            log.warning("slack sent what is no message", why="no JSON")

    async def run_message_listeners(self, message: dict[str, object], raw_message: str) -> None:
        """Work on one message; known as in hand until it is acknowledged."""
        if not isinstance(message.get("payload", ""), dict | str):
            log.warning("slack sent what is no message", why="no payload")
            return
        task = asyncio.current_task()
        if task is not None and message.get("type") != "disconnect":
            self._in_hand.add(task)
            task.add_done_callback(self._in_hand.discard)
        await super().run_message_listeners(message, raw_message)

    async def finish(self) -> None:
        """Take nothing new, acknowledge what is in hand, close."""
        self.auto_reconnect_enabled = False
        stopped = [
            task for task in (self.message_processor, self.current_session_monitor, self.message_receiver) if task
        ]
        for task in stopped:
            task.cancel()
        if self._in_hand:
            await asyncio.wait(set(self._in_hand), timeout=FINISHING)
        with contextlib.suppress(Exception):  # it may be broken already
            await self.close()  # type: ignore[no-untyped-call]
        await asyncio.gather(*stopped, return_exceptions=True)
