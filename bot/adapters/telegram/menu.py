"""What Telegram shows around the chat: the command menu and the descriptions, per language and role."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from telegram import Bot, BotCommand, BotCommandScopeAllPrivateChats, BotCommandScopeChat

from bot.adapters.telegram.transport import Refusal

log = structlog.get_logger("kawan.telegram")

COMMAND = re.compile(r"[a-z0-9_]{1,32}")
COMMANDS = 100
COMMAND_DESCRIPTION = 256
DESCRIPTION = 512
SHORT_DESCRIPTION = 120
FALLBACK = "en"  # for people whose app is in another language
TRIES = 3
CODES = {"fil": "tl"}  # Telegram wants two letters (ISO 639-1)

Commands = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Menu:
    """All by language: (command, description) pairs for everybody and for facilitators, and texts about the bot.

    `group_line` is said once in a group before the bot leaves it.
    """

    everyone: Mapping[str, Commands] = field(default_factory=dict)
    facilitator: Mapping[str, Commands] = field(default_factory=dict)
    description: Mapping[str, str] = field(default_factory=dict)
    short_description: Mapping[str, str] = field(default_factory=dict)
    group_line: str = ""

    def __post_init__(self) -> None:
        for commands in (*self.everyone.values(), *self.facilitator.values()):
            for command, _ in commands:
                if not COMMAND.fullmatch(command):
                    raise ValueError(f"Telegram takes commands of a-z, 0-9 and _ only: {command}")


def _commands(commands: Commands) -> list[BotCommand]:
    return [BotCommand(name, text[:COMMAND_DESCRIPTION] or name) for name, text in commands[:COMMANDS]]


def _code(language: str) -> str | None:
    return None if language == FALLBACK else CODES.get(language, language)


async def publish(bot: Bot, menu: Menu) -> None:
    """Set everything for everybody, or log what kept it: without menus the bot works all the same.

    English is for every language without texts of its own.
    """
    for _ in range(TRIES):
        try:
            await _publish(bot, menu)
            return
        except Exception as error:
            log.warning("menus not set", kind=type(error).__name__)
            if not (isinstance(error, Refusal) and error.status == 429):
                return
            await asyncio.sleep(error.retry_after)


async def _publish(bot: Bot, menu: Menu) -> None:
    scope = BotCommandScopeAllPrivateChats()
    for language, commands in menu.everyone.items():
        await bot.set_my_commands(_commands(commands), scope=scope, language_code=_code(language))
    for language, text in menu.description.items():
        await bot.set_my_description(text[:DESCRIPTION], language_code=_code(language))
    for language, text in menu.short_description.items():
        await bot.set_my_short_description(text[:SHORT_DESCRIPTION], language_code=_code(language))


async def publish_to(bot: Bot, menu: Menu, chat: int, language: str, *, facilitator: bool) -> None:
    """Give one person the commands of their role in the language that they chose, whatever that of their app."""
    by_language = menu.facilitator if facilitator else menu.everyone
    commands = by_language.get(language) or by_language.get(FALLBACK, ())
    if commands:
        await bot.set_my_commands(_commands(commands), scope=BotCommandScopeChat(chat))
