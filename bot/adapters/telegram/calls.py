"""The calls that make an envelope visible: text, picture, file, change, removal; each is one call."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    InputMediaDocument,
    InputMediaPhoto,
    MessageEntity,
)

from bot.adapters.telegram.render import CAPTION, TEXT, Rendered, render
from bot.adapters.telegram.transport import Lost, Refusal, SessionRequest
from bot.core.adapter import Envelope
from bot.core.cleaning import one_line

log = structlog.get_logger("kawan.telegram")

NO_PREVIEW = {"is_disabled": True}
PHOTO_TYPES = ("image/png", "image/jpeg")
LARGEST_PHOTO = 10_000_000  # bytes
LARGEST_FILE = 50_000_000

Upload = tuple[str, str, bytes]  # name, media type, data


def problem_of(envelope: Envelope) -> str | None:
    """Why an envelope can never be sent, or None."""
    kind, _, user = envelope.address.conversation.partition(":")
    if kind != "dm" or not _is_number(user):
        return "only private chats"
    if any(ref is not None and not _is_number(ref) for ref in (envelope.edits, envelope.deletes)):
        return "no such message"
    if len(envelope.files) > 1:
        return "one file a message: use parts"
    if any(not data or len(data) > LARGEST_FILE for _, _, data in envelope.files):
        return "the file is empty or over 50 MB"
    return None


@dataclass(frozen=True, slots=True)
class Line:
    """One bot's two ways out: texts, which are nearly all, travel as plain data; the rest through the library.

    `url` is the bot's own, with its token.
    """

    bot: Bot
    request: SessionRequest
    url: str

    async def who(self) -> Mapping[str, Any]:
        """The bot itself, as Telegram describes it; the library wants fields that not every server gives."""
        me = await self.request.ask(f"{self.url}/getMe", {}, self.request.read_timeout)
        if not isinstance(me, Mapping):
            raise Lost("an answer that is no bot")
        return me

    async def say(self, method: str, chat: int, rendered: Rendered, **more: object) -> object:
        """The result of a call that shows a text."""
        arguments = {"chat_id": chat, "text": rendered.text, "link_preview_options": NO_PREVIEW, **more}
        if rendered.entities:
            arguments["entities"] = rendered.entities
        if rendered.rows:
            arguments["reply_markup"] = {"inline_keyboard": rendered.rows}
        return await self.request.ask(f"{self.url}/{method}", arguments, self.request.read_timeout)


async def deliver(line: Line, envelope: Envelope) -> str:
    """Make the call; returns the platform's reference of the message. Raises what the client raises.

    A second call is made only after a refusal, which proves that the first one did nothing.
    """
    chat = int(envelope.address.conversation.removeprefix("dm:"))
    if envelope.deletes is not None:
        await line.bot.delete_message(chat, int(envelope.deletes))
        return envelope.deletes
    rendered = render(envelope.content, envelope.key, CAPTION if envelope.files else TEXT)
    try:
        return await _say(line, chat, envelope, rendered)
    except Refusal as error:
        if error.status != 400 or not error.says("can't parse entities", "entity_bounds_invalid"):
            raise
        log.error("entities refused, sending plain")
        return await _say(line, chat, envelope, Rendered(rendered.text, [], rendered.rows))


async def _say(line: Line, chat: int, envelope: Envelope, rendered: Rendered) -> str:
    if envelope.edits is not None:
        await _edit(line, chat, int(envelope.edits), envelope, rendered)
        return envelope.edits
    if envelope.files:
        return await _upload(line.bot, chat, envelope.files[0], rendered)
    message = await line.say("sendMessage", chat, rendered)
    number = message.get("message_id") if isinstance(message, Mapping) else None
    if not isinstance(number, int):
        raise Lost("an answer without a number")
    return str(number)


async def _upload(bot: Bot, chat: int, file: Upload, rendered: Rendered) -> str:
    send: Callable[..., Awaitable[Any]] = bot.send_photo if _is_photo(file) else bot.send_document
    message = await send(
        chat, InputFile(file[2], filename=_file_name(file[0])), caption=rendered.text or None,
        caption_entities=_entities(rendered), reply_markup=_markup(rendered),
    )  # fmt: skip
    return str(message.message_id)


async def _edit(line: Line, chat: int, number: int, envelope: Envelope, rendered: Rendered) -> None:
    if envelope.files:
        kind = InputMediaPhoto if _is_photo(envelope.files[0]) else InputMediaDocument
        name, _, data = envelope.files[0]
        upload = InputFile(data, filename=_file_name(name), attach=True)
        media = kind(upload, caption=rendered.text or None, caption_entities=_entities(rendered))
        await line.bot.edit_message_media(media, chat, number, reply_markup=_markup(rendered))
        return
    try:
        await line.say("editMessageText", chat, rendered, message_id=number)
    except Refusal as error:
        if not error.says("there is no text in the message to edit"):
            raise
        caption = render(envelope.content, envelope.key, CAPTION)  # the message is a picture or a file
        await line.bot.edit_message_caption(
            chat, number, caption=caption.text or None, caption_entities=_entities(caption),
            reply_markup=_markup(caption),
        )  # fmt: skip


def _entities(rendered: Rendered) -> list[MessageEntity] | None:
    return [MessageEntity(**one) for one in rendered.entities] or None


def _markup(rendered: Rendered) -> InlineKeyboardMarkup | None:
    rows = [[InlineKeyboardButton(**button) for button in row] for row in rendered.rows]
    return InlineKeyboardMarkup(rows) if rows else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def _is_photo(file: Upload) -> bool:
    return file[1] in PHOTO_TYPES and len(file[2]) <= LARGEST_PHOTO


def _file_name(name: str) -> str:
    """A name without folders, quotes and surprises."""
    return one_line(name.replace("/", "_").replace("\\", "_").replace('"', "_"), 100).lstrip(".") or "file"
