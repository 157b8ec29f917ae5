"""One update's way in: parse, hand over, and answer the press once the bot has committed."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

import structlog
from telegram import Bot

from bot.adapters.telegram.menu import FALLBACK, Menu, publish_to
from bot.adapters.telegram.parse import Group, Unparsable, parse, query_of
from bot.adapters.telegram.render import toast
from bot.adapters.telegram.transport import Refusal
from bot.core.adapter import Ack, MenuFor
from bot.core.events import Disconnected, Due, Event, Sender

log = structlog.get_logger("kawan.telegram")

Receive = Callable[[Event], Awaitable[Ack]]
LAST_ANSWERS = 5.0  # seconds that a stop waits for answers on their way
GROUPS_REMEMBERED = 1_000
MENUS_REMEMBERED = 20_000


class Intake:
    """Takes updates in. `counts` says how many were taken, ignored and not understood."""

    def __init__(self, bot: Bot, bot_id: str, menu: Menu) -> None:
        self.counts: Counter[str] = Counter()
        self._bot = bot
        self._bot_id = bot_id
        self._menu = menu
        self._menus: dict[str, MenuFor] = {}
        self._told: set[int] = set()
        self._left: set[int] = set()
        self._under_way: set[asyncio.Task[None]] = set()

    async def take(self, update: object, receive: Receive) -> None:
        """Returns when the update is committed or of no use; raises what `receive` raises."""
        try:
            incoming = parse(update, self._bot_id)
        except Unparsable as error:
            self.counts["unparsed"] += 1
            kinds = sorted(map(str, update))[:4] if isinstance(update, Mapping) else []
            log.warning("update not understood", field=str(error), kinds=kinds)
            self._answer(query_of(update))
            return
        if incoming.group is not None:
            self._leaves(incoming.group)
        if incoming.event is None:
            self.counts["ignored"] += 1
            self._answer(incoming.query)
            return
        ack = await receive(incoming.event)
        self.counts["taken"] += 1
        if ack.menu is not None and not isinstance(incoming.event, Disconnected | Due):
            self._show_menu(incoming.event.sender, ack.menu)
        self._answer(incoming.query, ack.toast or ack.note or next(iter(ack.problems.values()), None))

    async def finish(self) -> None:
        """Let the answers that are on their way arrive."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=LAST_ANSWERS)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    def _answer(self, query: str | None, text: str | None = None) -> None:
        if query is not None:
            self._start(self._answer_query(query, text))

    async def _answer_query(self, query: str, text: str | None) -> None:
        """Stops the progress circle on the button. May be lost: it is no message."""
        try:
            await self._bot.answer_callback_query(query, text=toast(text))
        except Exception as error:
            if not (isinstance(error, Refusal) and error.says("query is too old", "query id is invalid")):
                log.info("press not answered", kind=type(error).__name__)

    def _show_menu(self, sender: Sender, wanted: MenuFor) -> None:
        """Somebody's own menu, once it is another than what everybody sees in the language of their app."""
        of_app = (sender.locale or FALLBACK).partition("-")[0]
        usual = MenuFor(of_app if of_app in self._menu.everyone else FALLBACK, facilitator=False)
        if self._menus.get(sender.id, usual) == wanted:
            return
        self._menus.pop(sender.id, None)
        self._menus[sender.id] = wanted
        while len(self._menus) > MENUS_REMEMBERED:
            del self._menus[next(iter(self._menus))]
        self._start(self._set_menu(sender.id, wanted))

    async def _set_menu(self, user: str, wanted: MenuFor) -> None:
        """May be lost: the bot works all the same, and the next event tries again."""
        try:
            await publish_to(self._bot, self._menu, int(user), wanted.language, facilitator=wanted.facilitator)
        except Exception as error:
            log.info("menu not set", kind=type(error).__name__)
            if self._menus.get(user) == wanted:
                del self._menus[user]

    def _leaves(self, group: Group) -> None:
        """Private chats only: one line, then out, once, however many updates tell of it."""
        first, left = group.id not in self._told, group.id in self._left
        for known in (self._told, self._left):
            if len(known) >= GROUPS_REMEMBERED:
                known.clear()
            known.add(group.id)
        if group.joined or not left:
            self._start(self._leave(group, first))

    async def _leave(self, group: Group, first: bool) -> None:
        try:
            if first and group.can_write and self._menu.group_line:
                await self._bot.send_message(group.id, self._menu.group_line)
        except Exception as error:
            log.info("group not told", kind=type(error).__name__)
        try:
            await self._bot.leave_chat(group.id)
        except Exception as error:
            self._left.discard(group.id)
            log.info("group not left", kind=type(error).__name__)
