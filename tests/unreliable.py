"""A local Slack and a local Telegram that lose answers, answer too late or never, and note what arrived."""

import asyncio
import random
import time
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.core.ids import decode
from tests.adapters.slack_server import Fault as SlackFault
from tests.adapters.slack_server import SlackServer
from tests.adapters.telegram_faults import Fault as TelegramFault
from tests.adapters.telegram_rules import Arguments, Files
from tests.adapters.telegram_server import TelegramServer

TOO_LATE = 12.0  # seconds: the bot has stopped waiting
SLACK_FAILS = ("chat.postMessage", "chat.update", "conversations.history", "conversations.open")
TELEGRAM_FAILS = ("sendMessage", "editMessageText", "answerCallbackQuery")
# Of the calls that fail: the answer is cut off, comes too late, the call is never done, or is done when nobody waits.
FATES = {"cut": 0.5, "slow": 0.2, "never": 0.15, "late": 0.15}


@dataclass
class Luck:
    """How often calls fail; the same seed draws the same fates."""

    draw: random.Random
    share: float = 0.0
    failed: int = 0

    def fate(self) -> str | None:
        """What becomes of the next call."""
        if self.draw.random() >= self.share:
            return None
        self.failed += 1
        return self.draw.choices(list(FATES), list(FATES.values()))[0]


@dataclass(frozen=True)
class Arrived:
    """A message that a person got, whether the bot knows it or not; `key` is of its row, where it can be read."""

    key: bytes | None
    to: str
    text: str


class UnreliableSlack(SlackServer):
    """`lag`: for so many seconds a new message is not in the history yet."""

    def __init__(self, luck: Luck, lag: float = 0.0, **options: Any) -> None:
        super().__init__(**options)
        self.luck, self.lag = luck, lag
        self.arrived: list[Arrived] = []

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        fate = self.luck.fate() if method in SLACK_FAILS else None
        if fate == "late":
            arguments = await self._arguments(request)
            await asyncio.sleep(TOO_LATE)
            return self._answer(method, arguments, request)
        if fate is not None:
            kind = "cut" if fate == "cut" else "slow"
            self.faults[method].append(SlackFault(kind, after=fate != "never", seconds=TOO_LATE))
        return await super()._api(request)

    def _chat_postMessage(self, arguments: dict[str, Any]) -> dict[str, Any] | web.Response:  # noqa: N802
        answer = super()._chat_postMessage(arguments)
        if isinstance(answer, dict):
            key = decode(arguments["metadata"]["event_payload"]["key"])
            self.arrived.append(Arrived(key, arguments["channel"], arguments["text"]))
        return answer

    def _conversations_history(self, arguments: dict[str, Any]) -> dict[str, Any] | web.Response:
        channel = arguments["channel"]
        whole = self.channels[channel]
        self.channels[channel] = [shown for shown in whole if time.time() - float(shown.ts) >= self.lag]
        try:
            return super()._conversations_history(arguments)
        finally:
            self.channels[channel] = whole


class UnreliableTelegram(TelegramServer):
    """The same, for Telegram; of a message without a button nobody knows which row it was."""

    def __init__(self, token: str, luck: Luck, **options: Any) -> None:
        super().__init__(token, **options)
        self.luck = luck
        self.arrived: list[Arrived] = []

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        fate = self.luck.fate() if method in TELEGRAM_FAILS else None
        if fate == "late":
            await request.read()
            await asyncio.sleep(TOO_LATE)
        elif fate is not None:
            how = "cut" if fate == "cut" else "slow"
            self.fails(method, TelegramFault(how, accepted=fate != "never", seconds=TOO_LATE))
        return await super()._serve(request)

    def _send(self, method: str, arguments: Arguments, files: Files) -> Any:
        shown = super()._send(method, arguments, files)
        message = self.screens[arguments["chat_id"]][-1]
        key = decode(message.buttons[0][1].partition(".")[0]) if message.buttons else None
        self.arrived.append(Arrived(key, f"dm:{arguments['chat_id']}", message.text))
        return shown
