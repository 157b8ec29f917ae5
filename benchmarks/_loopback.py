"""A Slack and a Telegram on the loopback address that answer at once, and the people who write to the bot there."""

import asyncio
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

TEAM, BOT_USER, BOT = "T0BENCH", "U0BOT", "B0BOT"
SECRET = "a-secret-of-the-benchmark"
TOKEN = "4839574812:AAE-local-token-of-no-bot-0123456789"
ANSWERED = 30.0  # seconds; an answer that takes longer is lost


@dataclass
class Conversations:
    """One line at a time from each person: when it was sent, and how long the answer took."""

    texts: Sequence[str]
    people: int
    begun: dict[str, float] = field(default_factory=dict)
    taken: list[float] = field(default_factory=list)
    waiting: dict[str, "asyncio.Future[None]"] = field(default_factory=dict)

    async def ask(self, how_many: int, in_flight: int, send: Callable[[int, str], Any]) -> list[float]:
        """So many lines, so many at a time; seconds from each line to its answer."""
        self.taken = []
        numbers = iter(range(how_many))

        async def one_after_the_other(first: int) -> None:
            whose = itertools.cycle(range(first, self.people + 1, in_flight))
            for number in numbers:
                person = next(whose)
                chat = str(person)
                self.waiting[chat] = asyncio.get_running_loop().create_future()
                self.begun[chat] = time.perf_counter()
                sent = send(person, self.texts[number % len(self.texts)])
                if asyncio.iscoroutine(sent):
                    await sent
                await asyncio.wait_for(self.waiting[chat], ANSWERED)

        await asyncio.gather(*(one_after_the_other(person) for person in range(1, in_flight + 1)))
        return self.taken

    def answered(self, chat: str) -> None:
        """The bot spoke in a chat."""
        waiting = self.waiting.get(chat)
        if waiting is not None and not waiting.done():
            self.taken.append(time.perf_counter() - self.begun[chat])
            waiting.set_result(None)


class Telegram:
    """As much of the Bot API as a bot needs that answers text with text; updates are polled."""

    def __init__(self, texts: Sequence[str], people: int) -> None:
        self.talk = Conversations(texts, people)
        self._updates: list[dict[str, Any]] = []
        self._new = asyncio.Event()
        self._number = itertools.count(1)
        self.polled = asyncio.Event()

    def routes(self) -> list[web.RouteDef]:
        return [web.route("*", f"/bot{TOKEN}/{{method}}", self._call)]

    def send(self, person: int, text: str) -> None:
        number = next(self._number)
        message = {
            "message_id": number, "date": int(time.time()), "text": text,
            "chat": {"id": person, "type": "private", "first_name": f"P{person}"},
            "from": {"id": person, "is_bot": False, "first_name": f"P{person}", "language_code": "en"},
        }  # fmt: skip
        self._updates.append({"update_id": number, "message": message})
        self._new.set()

    async def _call(self, request: web.Request) -> web.Response:
        given = dict(await request.post())
        if not given and request.can_read_body:
            given = await request.json()
        match request.match_info["method"]:
            case "getUpdates":
                result: Any = await self._poll(int(str(given.get("offset", 0))), float(str(given.get("timeout", 0))))
            case "sendMessage":
                chat, number = str(given["chat_id"]), next(self._number)
                self.talk.answered(chat)
                result = {"message_id": number, "date": 0, "chat": {"id": int(chat), "type": "private"}, "text": "…"}
            case "getMe":
                result = {"id": 4839574812, "is_bot": True, "first_name": "Kawan", "username": "kawan_bench_bot"}
            case _:
                result = True
        return web.json_response({"ok": True, "result": result})

    async def _poll(self, offset: int, seconds: float) -> list[dict[str, Any]]:
        self.polled.set()
        self._updates = [update for update in self._updates if update["update_id"] >= offset]
        if not self._updates and seconds > 0:
            self._new.clear()
            try:
                await asyncio.wait_for(self._new.wait(), min(seconds, 2.0))
            except TimeoutError:
                return []
        return self._updates[:100]


class Slack:
    """As much of Slack as a bot needs that answers text with text; events come by HTTP, signed."""

    def __init__(self, texts: Sequence[str], people: int, session: aiohttp.ClientSession) -> None:
        self.talk = Conversations(texts, people)
        self.events_url = ""
        self._session = session
        self._number = itertools.count(1)

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/api/{method}", self._call)]

    async def send(self, person: int, text: str) -> None:
        number = next(self._number)
        event = {
            "type": "message", "channel_type": "im", "channel": f"D{person}", "user": f"U{person}", "text": text,
            "ts": f"{1_700_000_000 + number}.000100", "team": TEAM, "event_ts": f"{1_700_000_000 + number}.000100",
        }  # fmt: skip
        body = json.dumps({
            "type": "event_callback", "team_id": TEAM, "api_app_id": "A0BENCH", "event_id": f"Ev{number}",
            "event_time": int(time.time()), "event": event, "token": "x",
            "authorizations": [{"team_id": TEAM, "user_id": BOT_USER, "is_bot": True, "enterprise_id": None}],
        }).encode()  # fmt: skip
        now = str(int(time.time()))
        signed = hmac.new(SECRET.encode(), b"v0:" + now.encode() + b":" + body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json", "X-Slack-Request-Timestamp": now, "X-Slack-Signature": f"v0={signed}"
        }  # fmt: skip
        async with self._session.post(self.events_url, data=body, headers=headers) as answer:
            if answer.status != 200:
                raise RuntimeError(f"an event was answered with {answer.status}")
            await answer.read()

    async def _call(self, request: web.Request) -> web.Response:
        given: dict[str, Any] = dict(await request.post())
        if not given and request.can_read_body:
            given = await request.json()
        answer: dict[str, Any] = {"ok": True}
        match request.match_info["method"]:
            case "auth.test":
                answer |= {"team_id": TEAM, "team": "Bench", "user_id": BOT_USER, "user": "kawan", "bot_id": BOT}
                answer |= {"url": "http://127.0.0.1/"}
            case "conversations.open":
                answer["channel"] = {"id": f"D{str(given['users'])[1:]}"}
            case "chat.postMessage":
                channel = str(given["channel"])
                self.talk.answered(channel[1:])
                answer |= {"channel": channel, "ts": f"{1_700_000_000 + next(self._number)}.000200", "message": {}}
        return web.json_response(answer)
