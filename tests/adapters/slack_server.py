"""A local Slack for tests: strict Web API, Socket Mode, signed HTTP, scripted faults, and what people see."""

import asyncio
import hashlib
import hmac
import json
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from tests.adapters.slack_rules import METHODS, problems_of_message, problems_of_view

TEAM = "T0KAWAN"
BOT_USER = "U0KAWANBOT"
BOT_TOKEN = "xoxb-test-token"
APP_TOKEN = "xapp-1-A0KAWAN-5-test"
SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TRIGGER_LASTS = 3.0
RESPONSE_URL_USES = 5
MOST_CONNECTIONS = 10
# What slack-sdk asks by GET; elsewhere an argument in the address stands in every proxy's log.
READ_BY_ADDRESS = {"conversations.history", "users.info", "bots.info"}


@dataclass
class Fault:
    """What goes wrong with one call. `after` means that Slack has done the work already."""

    kind: str  # cut, slow, status, error, text
    after: bool = False
    status: int = 200
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass
class Shown:
    """A message as it stands in a conversation."""

    ts: str
    call: dict[str, Any]
    changed: int = 0
    file: str = ""

    @property
    def text(self) -> str:
        return "\n".join(block["text"]["text"] for block in self.call.get("blocks", ()) if "text" in block)

    @property
    def buttons(self) -> list[dict[str, Any]]:
        return [element for block in self.call.get("blocks", ()) for element in block.get("elements", ())]


@dataclass
class Delivery:
    """One request to the bot: each answer with its seconds since sending; None was no acknowledgement."""

    kind: str
    payload: dict[str, Any]
    answers: list[tuple[float, int | None, Any]] = field(default_factory=list)

    @property
    def acknowledged(self) -> bool:
        return bool(self.answers) and self.answers[-1][1] == 200

    @property
    def answer(self) -> Any:
        return self.answers[-1][2] if self.answers else None


class SlackServer:
    """`deadline` in seconds for an acknowledgement, `pause` between two messages to one channel."""

    def __init__(self, *, deadline: float = 3.0, pause: float = 1.0, repeats: int = 3) -> None:
        self.deadline = deadline
        self.pause = pause
        self.repeats = repeats
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.problems: list[str] = []  # a broken rule that a lenient Slack might let pass
        self.faults: dict[str, deque[Fault]] = defaultdict(deque)
        self.channels: dict[str, list[Shown]] = {}
        self.members: dict[str, tuple[str, ...]] = {}
        self.gone: set[str] = set()  # people who were deactivated
        self.people: dict[str, dict[str, Any]] = {}  # what users.info tells
        self.app = APP_TOKEN.split("-")[2]
        self.refusing = ""  # an error name for every call with a token
        self.views: dict[str, dict[str, Any]] = {}
        self.homes: dict[str, dict[str, Any]] = {}
        self.remarks: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.uploads: dict[str, dict[str, Any]] = {}
        self.sockets: list[web.WebSocketResponse] = []
        self.events_url = ""
        self._tickets: set[str] = set()
        self._triggers: dict[str, tuple[float, str]] = {}
        self._response_urls: dict[str, tuple[str, int]] = {}
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._last: dict[str, float] = {}
        self._number = 0
        self._turn = 0
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> "SlackServer":
        application = web.Application(client_max_size=50_000_000)
        application.router.add_route("*", "/api/{method}", self._api)
        application.router.add_get("/link", self._link)
        application.router.add_post("/upload/{file}", self._upload)
        application.router.add_post("/response/{name}", self._response)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        for socket in list(self.sockets):
            await socket.close()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    def calls_of(self, method: str) -> list[dict[str, Any]]:
        return [arguments for name, arguments in self.calls if name == method]

    def screen(self, user: str) -> list[Shown]:
        """What stands in a person's direct chat with the bot."""
        return self.channels.get(self.channel_of(user), [])

    def channel_of(self, *users: str) -> str:
        """The conversation of the bot with these people, made if there is none."""
        members = tuple(sorted(users))
        for channel, known in self.members.items():
            if known == members:
                return channel
        channel = f"{'D' if len(users) == 1 else 'G'}0{len(self.members):05}"
        self.members[channel], self.channels[channel] = members, []
        return channel

    def number(self) -> int:
        self._number += 1
        return self._number

    # The Web API

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        arguments = await self._arguments(request)
        if request.query and method not in READ_BY_ADDRESS:
            self._broken(method, "arguments in the address", "")
        fault = self.faults[method].popleft() if self.faults[method] else None
        if fault is not None and not fault.after:
            return await self._play(fault, request, None)
        answer = self._answer(method, arguments, request)
        if fault is not None:
            return await self._play(fault, request, answer)
        return answer

    async def _arguments(self, request: web.Request) -> dict[str, Any]:
        found: dict[str, Any] = dict(request.query)
        if request.content_type == "application/json":
            found |= await request.json() if request.can_read_body else {}
        else:
            found |= {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        for name in ("blocks", "metadata", "view", "files"):
            if isinstance(found.get(name), str):
                found[name] = json.loads(found[name])
        return found

    async def _play(self, fault: Fault, request: web.Request, answer: web.Response | None) -> web.StreamResponse:
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        if fault.kind == "cut":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if fault.kind == "half":
            whole = web.StreamResponse(headers={"Content-Length": "500", "Content-Type": "application/json"})
            await whole.prepare(request)
            await whole.write(b'{"ok": tr')
            assert request.transport is not None
            request.transport.abort()
            return whole
        if fault.kind == "error":
            return web.json_response({"ok": False, "error": fault.body}, status=fault.status, headers=fault.headers)
        if fault.kind == "status":
            kind = "text/html" if fault.body.startswith("<") else "application/json"
            return web.Response(status=fault.status, text=fault.body, content_type=kind, headers=fault.headers)
        return answer or web.Response()

    def _answer(self, method: str, arguments: dict[str, Any], request: web.Request) -> web.Response:
        wanted = APP_TOKEN if method == "apps.connections.open" else BOT_TOKEN
        given = request.headers.get("Authorization", "")
        self.calls.append((method, arguments))
        if method not in METHODS:
            return _error("unknown_method")
        if self.refusing or given != f"Bearer {wanted}":
            return _error(self.refusing or "invalid_auth")
        required, optional = METHODS[method]
        if missing := required - arguments.keys():
            return self._broken(method, f"missing {missing}", "invalid_arguments")
        if foreign := arguments.keys() - required - optional:
            return self._broken(method, f"unknown {foreign}", "invalid_arguments")
        handler = getattr(self, "_" + method.replace(".", "_"))
        answer = handler(arguments)
        return answer if isinstance(answer, web.Response) else web.json_response({"ok": True, **answer})

    def _broken(self, method: str, problem: str, error: str) -> web.Response:
        self.problems.append(f"{method}: {problem}")
        return _error(error)

    def _auth_test(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "url": f"{self.url}/",
            "team": "Reform",
            "user": "kawan",
            "team_id": TEAM,
            "user_id": BOT_USER,
            "bot_id": "B0KAWAN",
        }

    def _bots_info(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return {"bot": {"id": arguments["bot"], "app_id": self.app, "name": "Kawan", "deleted": False}}

    def _apps_connections_open(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        ticket = f"ticket{self.number()}"
        self._tickets.add(ticket)
        return {"url": f"{self.url.replace('http', 'ws')}/link?ticket={ticket}"}

    def _conversations_open(self, arguments: Mapping[str, Any]) -> dict[str, Any] | web.Response:
        users = arguments["users"].split(",")
        if self.gone & set(users):
            return _error("user_disabled")
        if len(users) > 8:
            return _error("too_many_users")
        return {"channel": {"id": self.channel_of(*users)}}

    def _chat_postMessage(self, arguments: dict[str, Any]) -> dict[str, Any] | web.Response:  # noqa: N802
        if problems := problems_of_message(arguments):
            return self._broken("chat.postMessage", "; ".join(problems), "invalid_blocks")
        channel = arguments["channel"]
        if channel not in self.channels or self.gone & set(self.members[channel]):
            return _error("channel_not_found")
        if (wait := self._must_wait(channel)) > 0:
            return web.json_response(
                {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": str(int(wait) + 1)}
            )
        shown = Shown(self._ts(), arguments)
        self.channels[channel].append(shown)
        return {"channel": channel, "ts": shown.ts, "message": {"text": arguments["text"]}}

    def _must_wait(self, channel: str) -> float:
        now = time.monotonic()
        wait = self._last.get(channel, -self.pause) + self.pause - now
        if wait <= 0:
            self._last[channel] = now
        return wait

    def _chat_update(self, arguments: dict[str, Any]) -> dict[str, Any] | web.Response:
        if problems := problems_of_message(arguments):
            return self._broken("chat.update", "; ".join(problems), "invalid_blocks")
        for shown in self.channels.get(arguments["channel"], ()):
            if shown.ts == arguments["ts"]:
                shown.call, shown.changed = arguments, shown.changed + 1
                return {"channel": arguments["channel"], "ts": shown.ts}
        return _error("message_not_found")

    def _chat_delete(self, arguments: dict[str, Any]) -> dict[str, Any] | web.Response:
        channel = self.channels.get(arguments["channel"], [])
        for shown in channel:
            if shown.ts == arguments["ts"]:
                channel.remove(shown)
                return {"channel": arguments["channel"], "ts": shown.ts}
        return _error("message_not_found")

    def _conversations_history(self, arguments: dict[str, Any]) -> dict[str, Any] | web.Response:
        channel = arguments["channel"]
        if channel.startswith("G"):
            return _error("missing_scope")
        newest = [shown for shown in reversed(self.channels[channel]) if float(shown.ts) > float(arguments["oldest"])]
        start, limit = int(arguments.get("cursor") or 0), int(arguments.get("limit", 100))
        messages = [
            {"ts": shown.ts, "text": shown.call["text"], "metadata": shown.call.get("metadata")}
            for shown in newest[start : start + limit]
        ]
        more = str(start + limit) if len(newest) > start + limit else ""
        return {"messages": messages, "has_more": bool(more), "response_metadata": {"next_cursor": more}}

    def _users_info(self, arguments: Mapping[str, Any]) -> dict[str, Any] | web.Response:
        found = self.people.get(arguments["user"])
        return _error("user_not_found") if found is None else {"user": {"id": arguments["user"], **found}}

    def _views_open(self, arguments: dict[str, Any]) -> dict[str, Any] | web.Response:
        if problems := problems_of_view(arguments["view"]):
            return self._broken("views.open", "; ".join(problems), "invalid_arguments")
        issued, user = self._triggers.pop(arguments["trigger_id"], (0.0, ""))
        if not user:
            return _error("exchanged_trigger_id")
        if time.monotonic() - issued > TRIGGER_LASTS:
            return _error("expired_trigger_id")
        view = {**arguments["view"], "id": f"V{self.number()}", "hash": f"{self.number()}.x", "team_id": TEAM}
        self.views[user] = view
        return {"view": view}

    def _views_publish(self, arguments: dict[str, Any]) -> dict[str, Any] | web.Response:
        if problems := problems_of_view(arguments["view"]):
            return self._broken("views.publish", "; ".join(problems), "invalid_arguments")
        self.homes[arguments["user_id"]] = arguments["view"]
        return {"view": arguments["view"]}

    def _files_getUploadURLExternal(self, arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        file = f"F{self.number()}"
        self.uploads[file] = {"name": arguments["filename"], "length": int(arguments["length"]), "data": None}
        return {"file_id": file, "upload_url": f"{self.url}/upload/{file}"}

    def _files_completeUploadExternal(self, arguments: dict[str, Any]) -> dict[str, Any] | web.Response:  # noqa: N802
        if "channel_id" not in arguments:
            return _error("invalid_channel")
        for file in arguments["files"]:
            if self.uploads.get(file["id"], {}).get("data") is None or file.keys() - {"id", "title"}:
                return _error("file_not_found")
        for file in arguments["files"]:
            call = {"text": arguments.get("initial_comment", ""), "blocks": []}
            self.channels[arguments["channel_id"]].append(Shown(self._ts(), call, file=file["id"]))
        return {"files": arguments["files"]}

    def _files_delete(self, arguments: dict[str, Any]) -> dict[str, Any] | web.Response:
        return {} if self.uploads.pop(arguments["file"], None) else _error("file_not_found")

    async def _upload(self, request: web.Request) -> web.Response:
        data, wanted = await request.read(), self.uploads[request.match_info["file"]]
        fault = self.faults["upload"].popleft() if self.faults["upload"] else None
        if fault is not None or len(data) != wanted["length"]:
            return web.Response(status=fault.status if fault else 400)
        wanted["data"] = data
        return web.Response(text=f"OK - {len(data)}")

    async def _response(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        user, left = self._response_urls.get(name, ("", 0))
        body = await request.json()
        if left < 1:
            return web.json_response({"ok": False, "error": "expired_url"}, status=404)
        if body.get("response_type") != "ephemeral" or body.get("replace_original") is not False:
            self.problems.append(f"response_url: {body}")
        self._response_urls[name] = (user, left - 1)
        self.remarks[user].append(body)
        return web.Response(text="ok")

    def _ts(self) -> str:
        return f"{time.time():.3f}{self.number() % 1000:03}"

    # Towards the bot

    def trigger(self, user: str) -> str:
        """A trigger for one modal, good for three seconds."""
        trigger = f"{self.number()}.{self.number()}.trigger"
        self._triggers[trigger] = (time.monotonic(), user)
        return trigger

    def response_url(self, user: str) -> str:
        name = f"r{self.number()}"
        self._response_urls[name] = (user, RESPONSE_URL_USES)
        return f"{self.url}/response/{name}"

    async def _link(self, request: web.Request) -> web.WebSocketResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets or len(self.sockets) >= MOST_CONNECTIONS:
            raise web.HTTPForbidden
        self._tickets.remove(ticket)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": len(self.sockets) + 1, "connection_info": {}})
        self.sockets.append(socket)
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._acknowledged(json.loads(message.data))
        finally:
            self.sockets.remove(socket)
        return socket

    def _acknowledged(self, answer: dict[str, Any]) -> None:
        waiting = self._waiting.pop(answer["envelope_id"], None)
        if waiting is None:
            self.problems.append("acknowledged twice or too late")
        elif not waiting.done():
            waiting.set_result(answer.get("payload"))

    async def connected(self, count: int = 1) -> None:
        """Wait until the bot listens."""
        async with asyncio.timeout(10):
            while len(self.sockets) < count:
                await asyncio.sleep(0.01)

    async def refresh_connections(self) -> None:
        """Ask every connection to come back, as Slack does every few hours."""
        for socket in list(self.sockets):
            await socket.send_json({"type": "disconnect", "reason": "refresh_requested", "debug_info": {}})

    async def deliver(self, kind: str, payload: dict[str, Any]) -> Delivery:
        """Hand a payload over; what belongs to the Events API comes again until it is acknowledged."""
        delivery = Delivery(kind, payload)
        for attempt in range(self.repeats + 1 if kind == "events_api" else 1):
            began = time.monotonic()
            once = self._over_http if self.events_url else self._over_socket
            status, answer = await once(delivery, attempt)
            delivery.answers.append((time.monotonic() - began, status, answer))
            if status == 200:
                break
        return delivery

    async def _over_socket(self, delivery: Delivery, attempt: int) -> tuple[int | None, Any]:
        self._turn += 1
        socket = self.sockets[self._turn % len(self.sockets)]
        envelope = f"e{self.number()}"
        waiting: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[envelope] = waiting
        accepts = delivery.kind != "events_api"
        await socket.send_json(
            {
                "envelope_id": envelope, "type": delivery.kind, "payload": delivery.payload,
                "accepts_response_payload": accepts, "retry_attempt": attempt,
                "retry_reason": "timeout" if attempt else "",
            }
        )  # fmt: skip
        try:
            return 200, await asyncio.wait_for(waiting, self.deadline)
        except TimeoutError:
            self._waiting[envelope] = (
                asyncio.get_running_loop().create_future()
            )  # a late answer is no problem of its own
            return None, None

    async def _over_http(self, delivery: Delivery, attempt: int) -> tuple[int | None, Any]:
        if delivery.kind == "events_api":
            body, kind = json.dumps(delivery.payload).encode(), "application/json"
        else:
            fields = (
                delivery.payload if delivery.kind == "slash_commands" else {"payload": json.dumps(delivery.payload)}
            )
            body, kind = urlencode(fields).encode(), "application/x-www-form-urlencoded"
        headers = {**signed(body), "Content-Type": kind}
        if attempt:
            headers |= {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": "http_timeout"}
        try:
            async with (
                asyncio.timeout(self.deadline),
                aiohttp.ClientSession() as session,
                session.post(self.events_url, data=body, headers=headers) as answer,
            ):
                text = await answer.text()
                return answer.status, json.loads(text) if answer.content_type == "application/json" and text else None
        except TimeoutError:
            return None, None


def signed(body: bytes, *, secret: str = SIGNING_SECRET, at: float | None = None) -> dict[str, str]:
    """The headers of Slack's signature."""
    stamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


def _error(name: str) -> web.Response:
    return web.json_response({"ok": False, "error": name})
