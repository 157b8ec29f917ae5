"""From Telegram's updates to events: pure, one update at a time, identity only from `from.id`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.core.cleaning import one_line
from bot.core.events import Address, Command, Edited, Event, Message, Press, Reachable, Sender, Unreadable
from bot.core.ids import read_button_handle

PLATFORM = "telegram"
ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")
# Content that is not text, the narrower name first: a GIF also comes as a document, a venue as a location.
KINDS = (
    "animation", "audio", "live_photo", "photo", "sticker", "story", "video_note", "video", "voice", "document",
    "contact", "dice", "game", "poll", "venue", "location", "paid_media", "checklist", "rich_message", "invoice",
    "giveaway", "giveaway_winners", "passport_data", "users_shared", "chat_shared", "web_app_data",
)  # fmt: skip
LOCALE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8}){0,3}")
DEFUSED = "/\u2060"  # how render shows a slash word that must not be tapped
OWN_CODES = {"tl": "fil"}  # Telegram's two-letter code for Filipino

Json = Mapping[str, Any]


class Unparsable(ValueError):
    """An update that is not as documented; the message names the field, never its value."""


@dataclass(frozen=True, slots=True)
class Group:
    """A chat that is not private, which the bot leaves. `can_write`: no channel; `joined`: it was just put there."""

    id: int
    can_write: bool
    joined: bool = False


@dataclass(frozen=True, slots=True)
class Incoming:
    """What an update means: an event or none, a callback query that must be answered, a group to leave."""

    event: Event | None = None
    query: str | None = None
    group: Group | None = None


def update_number(update: object) -> int | None:
    """The `update_id`, or None for something that is no update."""
    number = update.get("update_id") if isinstance(update, Mapping) else None
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def query_of(update: object) -> str | None:
    """The id of the callback query in an update, however broken the rest of it is."""
    query = update.get("callback_query") if isinstance(update, Mapping) else None
    number = query.get("id") if isinstance(query, Mapping) else None
    return number if isinstance(number, str) else None


def parse(update: object, bot: str) -> Incoming:
    """What this update to the bot with the id `bot` means. Raises Unparsable."""
    if not isinstance(update, Mapping):
        raise Unparsable("update")
    number = str(_number(update, "update_id"))
    if "message" in update:
        return _message(number, _object(update, "message"), bot)
    if "callback_query" in update:
        return _callback(number, _object(update, "callback_query"), bot)
    if "edited_message" in update:
        return _edited(number, _object(update, "edited_message"), bot)
    if "my_chat_member" in update:
        return _membership(number, _object(update, "my_chat_member"), bot)
    return Incoming()


def _message(number: str, message: Json, bot: str) -> Incoming:
    sender, group = _from(message, bot), _group(message)
    if group is not None or sender is None:
        return Incoming(group=group)
    address = _address(sender)
    if "text" not in message:
        kind = next((kind for kind in KINDS if kind in message), None)
        if kind is None:  # a service message: something was pinned, a background chosen
            return Incoming()
        album = message.get("media_group_id")  # ten photos are one thing to answer: one id, so the rest are repeats
        return Incoming(Unreadable(id=f"album-{album}" if album else number, sender=sender, address=address, kind=kind))
    text = _text(message, "text")
    name, rest = _command(text)
    if name:
        return Incoming(Command(id=number, sender=sender, address=address, name=name, text=rest))
    answered = _answered(message.get("reply_to_message"))
    return Incoming(Message(id=number, sender=sender, address=address, text=text, reply_to=answered))


def _edited(number: str, message: Json, bot: str) -> Incoming:
    sender, group = _from(message, bot), _group(message)
    if group is not None or sender is None or "text" not in message:  # without text: a live location moved
        return Incoming(group=group)
    return Incoming(Edited(id=number, sender=sender, address=_address(sender), text=_text(message, "text")))


def _callback(number: str, query: Json, bot: str) -> Incoming:
    query_id, sender = _text(query, "id"), _from(query, bot)
    message = query.get("message")
    if sender is None or not isinstance(message, Mapping) or _group(message) is not None:
        return Incoming(query=query_id)
    handle = query.get("data")
    press = Press(
        id=number, sender=sender, address=_address(sender), handle=handle if isinstance(handle, str) else ""
    )  # fmt: skip
    return Incoming(press, query=query_id)


def _membership(number: str, change: Json, bot: str) -> Incoming:
    sender, group = _from(change, bot), _group(change)
    status = _text(_object(change, "new_chat_member"), "status")
    if group is not None:
        return Incoming(group=None if status in ("left", "kicked") else replace(group, joined=True))
    if sender is None:
        return Incoming()
    return Incoming(Reachable(id=number, sender=sender, address=_address(sender), yes=status == "member"))


def _from(thing: Json, bot: str) -> Sender | None:
    """Whoever acted; None for bots, and for what nobody signed."""
    if "from" not in thing:
        return None
    user = _object(thing, "from")
    if user.get("is_bot") is True:
        return None
    names = (user.get("first_name"), user.get("last_name"))
    name = one_line(" ".join(name for name in names if isinstance(name, str)))
    return Sender(PLATFORM, bot, str(_number(user, "id")), name, _locale(user.get("language_code")))


def _locale(code: object) -> str | None:
    if not isinstance(code, str) or not LOCALE.fullmatch(code):
        return None
    language, _, rest = code.partition("-")
    return "-".join(part for part in (OWN_CODES.get(language.lower(), language), rest) if part)


def _group(thing: Json) -> Group | None:
    chat = _object(thing, "chat")
    kind = _text(chat, "type")
    return None if kind == "private" else Group(_number(chat, "id"), can_write=kind in ("group", "supergroup"))


def _address(sender: Sender) -> Address:
    """A private chat has the number of its person."""
    return Address(sender.platform, sender.installation, f"dm:{sender.id}")


def _command(text: str) -> tuple[str, str]:
    """The slash word, without the slash and `@bot`, and what follows; empty strings for other text."""
    text = text.replace(DEFUSED, "/", 1)  # copied from a message of ours
    if not text.startswith("/") or not text[1:2].strip():
        return "", ""
    first, *rest = text[1:].split(maxsplit=1)
    return first.split("@")[0], rest[0].strip() if rest else ""


def _answered(message: object) -> str | None:
    """The outbox key of the bot's message that is being answered: its buttons carry it."""
    markup = message.get("reply_markup") if isinstance(message, Mapping) else None
    rows = markup.get("inline_keyboard") if isinstance(markup, Mapping) else None
    first = rows[0] if isinstance(rows, list) and rows else None
    button = first[0] if isinstance(first, list) and first else None
    handle = button.get("callback_data") if isinstance(button, Mapping) else None
    if not isinstance(handle, str) or read_button_handle(handle) is None:
        return None
    return handle.partition(".")[0]


def _object(thing: Json, name: str) -> Json:
    value = thing.get(name)
    if not isinstance(value, Mapping):
        raise Unparsable(name)
    return value


def _text(thing: Json, name: str) -> str:
    value = thing.get(name)
    if not isinstance(value, str):
        raise Unparsable(name)
    return value


def _number(thing: Json, name: str) -> int:
    value = thing.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unparsable(name)
    return value
