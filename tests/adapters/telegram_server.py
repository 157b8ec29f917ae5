"""A local Telegram Bot API server for tests: strict about arguments, and able to fail in every way a network can."""

import asyncio
import contextlib
import itertools
import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

from tests.adapters.telegram_faults import Fault, fail
from tests.adapters.telegram_people import ChatMessage, Person, write
from tests.adapters.telegram_rules import METHODS, Arguments, Files, Refused, bad, read_arguments

NOT_LIMITED = {"getMe", "getUpdates", "setWebhook", "deleteWebhook", "answerCallbackQuery"}


@dataclass
class Call:
    """One call that reached the server, and whether the work was done."""

    method: str
    arguments: Arguments
    done: bool = False


class TelegramServer:
    """`limits` switches the documented rate limits on: 30 a second for the bot, 1 a second for a chat."""

    def __init__(self, token: str, *, limits: bool = False, a_second: int = 30) -> None:
        self.token = token
        self.bot_id = int(token.partition(":")[0])
        self.accepts_token = True
        self.calls: list[Call] = []
        self.screens: dict[int, list[ChatMessage]] = defaultdict(list)
        self.blocked: set[int] = set()
        self.gone: set[int] = set()
        self.left: list[int] = []
        self.toasts: dict[str, str | None] = {}
        self.old_queries: set[str] = set()
        self.commands: dict[tuple[str, str], list[dict[str, str]]] = {}
        self.descriptions: dict[tuple[str, str], str] = {}
        self.webhook: dict[str, Any] | None = None
        self.url = ""
        self.refused = 0
        self.about_groups: dict[str, bool] = {}  # what BotFather was told
        self._limits, self._a_second = limits, a_second
        self._recent: deque[float] = deque()
        self._last_in_chat: dict[int, float] = {}
        self._faults: dict[str, deque[Fault]] = defaultdict(deque)
        self._updates: list[dict[str, Any]] = []
        self._next_update = 100
        self._numbers = itertools.count(1)
        self._new = asyncio.Event()
        self._poller: asyncio.Task[Any] | None = None
        self._posting: set[asyncio.Task[None]] = set()

    # -- the tests' side -------------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["TelegramServer"]:
        """Serve on a free port of this machine."""
        app = web.Application(client_max_size=60_000_000)
        app.router.add_post("/bot{token}/{method}", self._serve)
        runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = "http://{}:{}".format(*runner.addresses[0][:2])
        try:
            yield self
        finally:
            for task in self._posting:
                task.cancel()
            await runner.cleanup()

    def fails(self, method: str, *faults: Fault) -> None:
        """The next calls of this method meet these faults, one each."""
        self._faults[method].extend(faults)

    def called(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    def person(self, number: int, name: str = "Sari", language: str = "en") -> "Person":
        return Person(self, number, name, language)

    def happens(self, **update: Any) -> int:
        """Queue an update; returns its number."""
        number = self._next_update
        self._next_update += 1
        self._updates.append({"update_id": number, **update})
        if self.webhook:
            task = asyncio.create_task(self._post(self._updates.pop()))
            self._posting.add(task)
            task.add_done_callback(self._posting.discard)
        self._new.set()
        return number

    def goes_on_at(self, number: int) -> None:
        """Number the following updates from here: what Telegram does after a quiet week."""
        self._next_update = number

    def message_number(self) -> int:
        return next(self._numbers)

    @property
    def unconfirmed(self) -> list[int]:
        return [update["update_id"] for update in self._updates]

    # -- the bot's side --------------------------------------------------------------------------------------------

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        fields, files = await _read(request)
        if not self.accepts_token or request.match_info["token"] != self.token:
            self.calls.append(Call(method, {}))
            return _answer(Refused(401, "Unauthorized"))
        fault = self._faults[method].popleft() if self._faults[method] else None
        try:
            arguments = read_arguments(method, fields, files)
        except Refused as refused:
            self.refused += 1
            self.calls.append(Call(method, dict(fields)))
            return _answer(refused)
        call = Call(method, arguments)
        self.calls.append(call)
        if fault is not None and not fault.accepted:
            return await fail(request, fault)
        try:
            self._limit(method, arguments)
            result = await self._do(method, arguments, files)
        except Refused as refused:
            return _answer(refused)
        call.done = True
        if fault is not None:
            return await fail(request, fault, result)
        return web.json_response({"ok": True, "result": result})

    async def _do(self, method: str, arguments: Arguments, files: Files) -> Any:
        if method == "getUpdates":
            return await self._get_updates(arguments)
        assert method in METHODS
        work = {
            "getMe": self._get_me,
            "setWebhook": self._set_webhook,
            "deleteWebhook": self._delete_webhook,
            "answerCallbackQuery": self._answer_query,
            "setMyCommands": self._set_commands,
            "deleteMyCommands": self._delete_commands,
            "setMyDescription": self._describe,
            "setMyShortDescription": self._describe,
            "leaveChat": self._leave,
            "deleteMessage": self._delete,
        }.get(method)
        if work is not None:
            return work(arguments)
        return (
            self._edit(method, arguments, files) if method.startswith("edit") else self._send(method, arguments, files)
        )

    def _limit(self, method: str, arguments: Arguments) -> None:
        """30 a second over all chats, 1 a second in one (core.telegram.org/bots/faq)."""
        if not self._limits or method in NOT_LIMITED:
            return
        now = asyncio.get_running_loop().time()
        while self._recent and now - self._recent[0] >= 1:
            self._recent.popleft()
        chat = arguments.get("chat_id")
        if len(self._recent) >= self._a_second or (chat is not None and now - self._last_in_chat.get(chat, -9) < 1):
            raise Refused(429, "Too Many Requests: retry after 1", retry_after=1)
        self._recent.append(now)
        if chat is not None:
            self._last_in_chat[chat] = now

    def _get_me(self, arguments: Arguments) -> Any:
        return {
            "id": self.bot_id, "is_bot": True, "first_name": "Kawan", "username": "kawan_test_bot",
            "can_join_groups": False, "can_read_all_group_messages": False, "supports_inline_queries": False,
            **self.about_groups,
        }  # fmt: skip

    async def _get_updates(self, arguments: Arguments) -> Any:
        """Long polling: `offset` confirms what was delivered below it; a second poller ends the first with 409."""
        if self.webhook:
            raise Refused(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook first")
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.sleep(0)
        offset, limit = arguments.get("offset", 0), arguments.get("limit", 100)
        if not 1 <= limit <= 100:
            raise bad("limit must be from 1 to 100")
        if offset <= self._next_update:  # an offset from the future confirms nothing
            self._updates = [u for u in self._updates if u["update_id"] >= offset]
        waiting = asyncio.ensure_future(self._something(arguments.get("timeout", 0)))
        self._poller = waiting
        try:
            await asyncio.wait({waiting})
        finally:
            if self._poller is waiting:
                self._poller = None
        if waiting.cancelled():
            raise Refused(
                409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
            )
        allowed = arguments.get("allowed_updates")
        batch = [u for u in self._updates if not allowed or set(u) & set(allowed)][:limit]
        return batch

    async def _something(self, timeout: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while not self._updates:
                    self._new.clear()
                    await self._new.wait()

    def _set_webhook(self, arguments: Arguments) -> Any:
        self.webhook = arguments
        return True

    def _delete_webhook(self, arguments: Arguments) -> Any:
        self.webhook = None
        return True

    async def _post(self, update: dict[str, Any]) -> None:
        """Deliver by webhook; what is not answered with 2xx comes again."""
        assert self.webhook is not None
        headers = {"X-Telegram-Bot-Api-Secret-Token": self.webhook.get("secret_token", "")}
        async with aiohttp.ClientSession() as session:
            for _ in range(20):
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.post(self.webhook["url"], json=update, headers=headers) as response:
                        if 200 <= response.status <= 299:
                            return
                await asyncio.sleep(0.05)

    def _answer_query(self, arguments: Arguments) -> Any:
        query = arguments["callback_query_id"]
        if query in self.old_queries or query in self.toasts:
            raise bad("query is too old and response timeout expired or query ID is invalid")
        self.toasts[query] = arguments.get("text")
        return True

    def _scope(self, arguments: Arguments) -> tuple[str, str]:
        scope = arguments.get("scope", {"type": "default"})
        return f"{scope['type']}{scope.get('chat_id', '')}", arguments.get("language_code", "")

    def _set_commands(self, arguments: Arguments) -> Any:
        self.commands[self._scope(arguments)] = arguments["commands"]
        return True

    def _delete_commands(self, arguments: Arguments) -> Any:
        self.commands.pop(self._scope(arguments), None)
        return True

    def _describe(self, arguments: Arguments) -> Any:
        for name in ("description", "short_description"):
            if name in arguments:
                self.descriptions[name, arguments.get("language_code", "")] = arguments[name]
        return True

    def _leave(self, arguments: Arguments) -> Any:
        self.left.append(arguments["chat_id"])
        return True

    def _open(self, chat: int) -> list[ChatMessage]:
        if chat in self.blocked:
            raise Refused(403, "Forbidden: bot was blocked by the user")
        if chat in self.gone:
            raise bad("chat not found")
        return self.screens[chat]

    def _send(self, method: str, arguments: Arguments, files: Files) -> Any:
        screen = self._open(arguments["chat_id"])
        kind = {"sendMessage": "text", "sendDocument": "document", "sendPhoto": "photo"}[method]
        message = ChatMessage(self.message_number(), "", [], [], kind, next(iter(files.values()), None))
        write(message, arguments)
        screen.append(message)
        return self._shown(arguments["chat_id"], message)

    def _edit(self, method: str, arguments: Arguments, files: Files) -> Any:
        screen = self._open(arguments["chat_id"])
        message = next((one for one in screen if one.number == arguments["message_id"]), None)
        if message is None:
            raise bad("message to edit not found")
        if method == "editMessageText" and message.kind != "text":
            raise bad("there is no text in the message to edit")
        if method == "editMessageCaption" and message.kind == "text":
            raise bad("there is no caption in the message to edit")
        if method == "editMessageMedia":
            media = arguments.pop("media")
            message.kind, message.file = media["type"], files[media["media"].removeprefix("attach://")]
            arguments |= {name: media[name] for name in ("caption", "caption_entities") if name in media}
        before = (message.text, message.bold, message.buttons)
        write(message, arguments)
        if method != "editMessageMedia" and before == (message.text, message.bold, message.buttons):
            raise bad(
                "message is not modified: specified new message content and reply markup are exactly the same as a "
                "current content and reply markup of the message"
            )
        message.edits += 1
        return self._shown(arguments["chat_id"], message)

    def _delete(self, arguments: Arguments) -> Any:
        screen = self._open(arguments["chat_id"])
        found = next((one for one in screen if one.number == arguments["message_id"]), None)
        if found is None:
            raise bad("message to delete not found")
        screen.remove(found)
        return True

    def _shown(self, chat: int, message: ChatMessage) -> Any:
        return {
            "message_id": message.number, "date": 1_790_000_000, "from": self._get_me({}), "text": message.text,
            "chat": {"id": chat, "type": "private", "first_name": "A"},
        }  # fmt: skip


async def _read(request: web.Request) -> tuple[dict[str, str], Files]:
    fields: dict[str, str] = {}
    files: Files = {}
    if request.content_type == "application/json":
        return {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in (await request.json()).items()
        }, files
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            files[name] = (value.filename, value.file.read())
        elif isinstance(value, str):
            fields[name] = value
    return fields, files


def _answer(refused: Refused) -> web.Response:
    body: dict[str, Any] = {"ok": False, "error_code": refused.status, "description": refused.description}
    if refused.parameters:
        body["parameters"] = refused.parameters
    return web.json_response(body, status=refused.status)
