"""From a request of Slack's, through Bolt, to one event and its acknowledgement, sent only after our commit."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient
from yarl import URL

from bot.adapters.slack import pages
from bot.adapters.slack.parse import Payload, Workspace, kind_of, parse
from bot.adapters.slack.picking import introduced
from bot.adapters.slack.render import SECTION, section
from bot.adapters.slack.texts import cut, escaped, readable
from bot.core.adapter import Ack, Page
from bot.core.clock import monotonic
from bot.core.events import Command, Disconnected, Event, Message, Press, Submit, Unreadable

log = structlog.get_logger("kawan.slack")

ANY = re.compile("")
IN_TIME = 2.5  # seconds from arrival to acknowledgement; Slack waits for 3
AFTERWARDS = 5.0
CHATS_KNOWN = 10_000

Receive = Callable[[Event], Awaitable[Ack]]
Opened = Callable[[int], Awaitable[None]]


class Late(Exception):
    """The transaction is not finished in time: no acknowledgement, Slack delivers again."""


class Installed(AsyncAuthorize):
    """Who we are, without asking Slack: a failure there would be acknowledged with an excuse, the event lost."""

    def __init__(self, workspace: Workspace, token: str | None) -> None:
        self._workspace = workspace
        self._token = token

    async def __call__(self, **_: object) -> AuthorizeResult:
        at = self._workspace
        return AuthorizeResult(
            enterprise_id=None, team_id=at.team, bot_user_id=at.bot_user, bot_id=at.bot, bot_token=self._token
        )


class Inbound:
    """Bolt with one listener for each kind of request; `counted` says what came in and was not acted on."""

    def __init__(
        self, client: AsyncWebClient, workspace: Workspace, opened: Opened | None, disconnected: Callable[[], None]
    ) -> None:
        self.receive: Receive | None = None
        self.counted: Counter[str] = Counter()
        self._client = client
        self._workspace = workspace
        self._opened = opened
        self._disconnected = disconnected
        self._tasks: set[asyncio.Task[Any]] = set()
        self.app = self._bolt(client)

    def _bolt(self, client: AsyncWebClient) -> AsyncApp:
        tokenless = AsyncWebClient(base_url=client.base_url, session=client.session, retry_handlers=[])
        app = AsyncApp(
            name="kawan",
            client=tokenless,
            authorize=Installed(self._workspace, client.token),
            process_before_response=True,
            raise_error_for_unhandled_request=True,
            request_verification_enabled=False,  # the guard has done it, over the raw bytes
            attaching_function_token_enabled=False,
        )

        async def take(body: dict[str, Any], ack: AsyncAck) -> BoltResponse:
            return await self._take(body, ack)

        async def failed(error: Exception, body: dict[str, Any]) -> BoltResponse:
            return self._failed(error, body)

        for kind in (app.event, app.command, app.action, app.view):
            kind(ANY)(take)
        app.error(failed)
        return app

    async def respond(self, request: AsyncBoltRequest) -> BoltResponse:
        """The answer to one request: 200 after our commit, 503 when there was none."""
        if self.receive is None:
            return BoltResponse(status=503, body="")
        return await self.app.async_dispatch(request)

    async def finish(self, seconds: float) -> None:
        """Take nothing new and finish what is in hand."""
        self.receive = None
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=seconds)

    def _failed(self, error: Exception, body: dict[str, Any]) -> BoltResponse:
        if isinstance(error, BoltUnhandledRequestError):
            self.counted[kind_of(body)] += 1
            return BoltResponse(status=200, body="")
        log.warning("not acknowledged", kind=type(error).__name__)
        return BoltResponse(status=503, body="")

    async def _take(self, body: dict[str, Any], ack: AsyncAck) -> BoltResponse:
        arrived = monotonic()
        event = parse(body, self._workspace)
        if event is None:
            self.counted[kind_of(body)] += 1
            return await ack()
        if isinstance(event, Submit):
            event = await introduced(self._client, body["view"], event)
        answer = await self._received(event, IN_TIME - (monotonic() - arrived))
        self._learn(event, body)
        self._follow(event, body, answer)
        return await _acknowledge(event, body, answer, ack)

    async def _received(self, event: Event, seconds: float) -> Ack:
        """The commit, in time. A late one goes on; its event comes again and is recognised."""
        if self.receive is None:
            raise Late
        task: asyncio.Task[Ack] = self._start(_coroutine(self.receive(event)))
        done, _ = await asyncio.wait({task}, timeout=seconds)
        if not done:
            task.add_done_callback(_late)
            raise Late
        return task.result()

    def _start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _learn(self, event: Event, body: Payload) -> None:
        if isinstance(event, Message | Unreadable):
            chats = self._workspace.chats
            chats.pop(event.sender.id, None)
            chats[event.sender.id] = body["event"]["channel"]
            while len(chats) > CHATS_KNOWN:
                del chats[next(iter(chats))]

    def _follow(self, event: Event, body: Payload, answer: Ack) -> None:
        """What cannot be said in the acknowledgement itself, and may be lost with it."""
        trigger = body.get("trigger_id")
        remark = _remark(answer)
        if isinstance(event, Disconnected):
            self._disconnected()
        if answer.open is not None and isinstance(trigger, str):
            self._start(self._open(trigger, answer.open))
        elif isinstance(event, Press) and remark:
            self._start(self._remark(body, remark))

    async def _open(self, trigger: str, page: Page) -> None:
        """Within the three seconds of the trigger; if it fails, the held question leaves as a message."""
        view = pages.modal(page)
        if view is None:
            return
        try:
            async with asyncio.timeout(AFTERWARDS):
                await self._client.views_open(trigger_id=trigger, view=view)
        except Exception as error:
            log.info("form not opened", kind=type(error).__name__)
            return
        if page.held is not None and self._opened is not None:
            await self._opened(page.held)

    async def _remark(self, body: Payload, remark: str) -> None:
        """Said to the presser alone: through the request's own address, on the App Home as a small modal."""
        address, trigger = body.get("response_url"), body.get("trigger_id")
        try:
            async with asyncio.timeout(AFTERWARDS):
                if isinstance(address, str) and self._is_slacks(address):
                    hook = AsyncWebhookClient(address, session=self._client.session, retry_handlers=[])
                    hook.proxy = self._client.proxy
                    await hook.send_dict({**_private(remark), "replace_original": False})
                elif isinstance(trigger, str) and body.get("view"):
                    await self._client.views_open(trigger_id=trigger, view=pages.note(remark))
        except Exception as error:
            log.info("remark lost", kind=type(error).__name__)

    def _is_slacks(self, address: str) -> bool:
        host = URL(address).host or ""
        return host == URL(self._client.base_url).host or host == "slack.com" or host.endswith(".slack.com")


async def _coroutine(waiting: Awaitable[Ack]) -> Ack:
    return await waiting


def _late(task: asyncio.Task[Ack]) -> None:
    """A late one that failed is nobody's any more: Slack has not been told, and delivers again."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.warning("late and not taken", kind=type(error).__name__)


def _remark(answer: Ack) -> str:
    return "\n".join(text for text in (answer.toast, answer.note, *answer.problems.values()) if text)


def _private(remark: str) -> dict[str, Any]:
    shown = readable(cut(remark, SECTION))
    return {"response_type": "ephemeral", "text": escaped(shown, SECTION), "blocks": [section(shown)]}


async def _acknowledge(event: Event, body: Mapping[str, Any], answer: Ack, ack: AsyncAck) -> BoltResponse:
    remark = _remark(answer)
    if isinstance(event, Submit) and answer.problems:
        return await ack(response_action="errors", errors=pages.problems_for(body["view"], answer.problems))
    if isinstance(event, Submit) and remark:
        return await ack(response_action="update", view=pages.note(remark))
    if isinstance(event, Command) and remark:
        return BoltResponse(
            status=200, body=json.dumps(_private(remark)), headers={"content-type": ["application/json"]}
        )
    return await ack()
