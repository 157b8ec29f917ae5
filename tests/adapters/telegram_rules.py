"""What Telegram documents about the calls that the bot makes: arguments, types and limits; anything else is refused.

Numbers are from core.telegram.org/bots/api (Bot API 10.1), except where a line names another source.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

Arguments = dict[str, Any]
Files = dict[str, tuple[str, bytes]]

TEXT = 4_096
CAPTION = 1_024
TOAST = 200
ENTITIES = 100  # python-telegram-bot: constants.MessageLimit.MESSAGE_ENTITIES
BUTTONS = 100  # python-telegram-bot: constants.InlineKeyboardMarkupLimit
BUTTONS_A_ROW = 8  # the same
KEYBOARD_BYTES = 10_000  # tginfo/Telegram-Limits#187
CALLBACK_BYTES = 64
PHOTO_BYTES = 10_000_000
FILE_BYTES = 50_000_000
BLANK = "\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufffc"
TYPES = {"message", "edited_message", "callback_query", "my_chat_member"}


class Refused(Exception):
    """An answer other than ok."""

    def __init__(self, status: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.status, self.description, self.parameters = status, description, parameters


def bad(why: str) -> Refused:
    return Refused(400, f"Bad Request: {why}")


def units(text: str) -> int:
    """UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def shows_something(text: str) -> bool:
    return any(unicodedata.category(c)[0] in "LNPS" and c not in BLANK for c in text)


def _number(raw: str) -> int:
    if not re.fullmatch(r"-?\d{1,19}", raw):
        raise bad("a number is expected")
    return int(raw)


def _flag(raw: str) -> bool:
    if raw not in ("true", "false"):
        raise bad("a boolean is expected")
    return raw == "true"


def _data(raw: str) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        raise bad("can't parse JSON object") from None


def _text(raw: str) -> str:
    if not raw.isprintable() and re.search("[\x00-\x08\x0b-\x1f\ud800-\udfff]", raw):
        raise bad("strings must be encoded in UTF-8, without control characters")
    return raw


def _only(thing: Mapping[str, Any], required: Mapping[str, type], optional: Mapping[str, type] | None = None) -> None:
    known = {**required, **(optional or {})}
    for name, value in thing.items():
        if name not in known:
            raise bad(f"unknown field {name}")
        if not isinstance(value, known[name]) or (known[name] is int and isinstance(value, bool)):
            raise bad(f"field {name} has a wrong type")
    if missing := set(required) - set(thing):
        raise bad(f"field {sorted(missing)[0]} is missing")


def _keyboard(raw: str) -> Any:
    markup = _data(raw)
    _only(markup, {"inline_keyboard": list})
    rows = markup["inline_keyboard"]
    if len(raw) > KEYBOARD_BYTES:
        raise bad("reply markup is too long")
    if sum(map(len, rows)) > BUTTONS or any(not 1 <= len(row) <= BUTTONS_A_ROW for row in rows):
        raise bad("wrong number of buttons")
    for button in (button for row in rows for button in row):
        _only(button, {"text": str, "callback_data": str}, {"style": str})
        if not shows_something(button["text"]):
            raise bad("text buttons are not allowed to be empty")
        if not 1 <= len(button["callback_data"].encode()) <= CALLBACK_BYTES:
            raise bad("BUTTON_DATA_INVALID")
        if button.get("style", "primary") not in ("primary", "success", "danger"):
            raise bad("wrong button style")
    return rows


def _entities(raw: str) -> Any:
    entities = _data(raw)
    if not isinstance(entities, list) or len(entities) > ENTITIES:
        raise bad("can't parse entities: too many")
    for entity in entities:
        _only(entity, {"type": str, "offset": int, "length": int})
        if entity["type"] not in ("bold", "italic", "spoiler"):
            raise bad("can't parse entities: this bot needs no such entity")
    return entities


def _preview(raw: str) -> Any:
    options = _data(raw)
    _only(options, {}, {"is_disabled": bool})
    return options


def _updates(raw: str) -> Any:
    types = _data(raw)
    if not isinstance(types, list) or not set(types) <= TYPES:
        raise bad("unknown update types")
    return types


def _commands(raw: str) -> Any:
    commands = _data(raw)
    if not isinstance(commands, list) or len(commands) > 100:
        raise bad("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        _only(command, {"command": str, "description": str})
        if not re.fullmatch(r"[a-z0-9_]{1,32}", command["command"]):
            raise bad("BOT_COMMAND_INVALID")
        if not 1 <= units(command["description"]) <= 256:
            raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
    return commands


def _scope(raw: str) -> Any:
    scope = _data(raw)
    _only(scope, {"type": str}, {"chat_id": int})
    if scope["type"] not in ("default", "all_private_chats", "chat") or ("chat_id" in scope) != (
        scope["type"] == "chat"
    ):
        raise bad("wrong scope")
    return scope


def _language(raw: str) -> str:
    if not re.fullmatch(r"([a-z]{2})?", raw):
        raise bad("invalid language code specified")
    return raw


def _media(raw: str) -> Any:
    media = _data(raw)
    _only(media, {"type": str, "media": str}, {"caption": str, "caption_entities": list})
    if media["type"] not in ("photo", "document") or not media["media"].startswith("attach://"):
        raise bad("wrong media")
    return media


def _secret(raw: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", raw):
        raise bad("secret token contains unallowed characters")
    return raw


Reader = Callable[[str], Any]
MESSAGE: dict[str, Reader] = {"reply_markup": _keyboard}
# method -> (required, optional); "file" marks an upload.
METHODS: dict[str, tuple[dict[str, Reader | None], dict[str, Reader]]] = {
    "getMe": ({}, {}),
    "getUpdates": ({}, {"offset": _number, "limit": _number, "timeout": _number, "allowed_updates": _updates}),
    "setWebhook": (
        {"url": _text},
        {
            "secret_token": _secret, "allowed_updates": _updates, "max_connections": _number,
            "drop_pending_updates": _flag,
        },
    ),
    "deleteWebhook": ({}, {"drop_pending_updates": _flag}),
    "sendMessage": (
        {"chat_id": _number, "text": _text}, {"entities": _entities, "link_preview_options": _preview, **MESSAGE}
    ),
    "sendDocument": (
        {"chat_id": _number, "document": None}, {"caption": _text, "caption_entities": _entities, **MESSAGE}
    ),
    "sendPhoto": ({"chat_id": _number, "photo": None}, {"caption": _text, "caption_entities": _entities, **MESSAGE}),
    "editMessageText": (
        {"chat_id": _number, "message_id": _number, "text": _text},
        {"entities": _entities, "link_preview_options": _preview, **MESSAGE},
    ),
    "editMessageCaption": (
        {"chat_id": _number, "message_id": _number}, {"caption": _text, "caption_entities": _entities, **MESSAGE}
    ),
    "editMessageMedia": ({"chat_id": _number, "message_id": _number, "media": _media}, MESSAGE),
    "deleteMessage": ({"chat_id": _number, "message_id": _number}, {}),
    "answerCallbackQuery": ({"callback_query_id": _text}, {"text": _text, "show_alert": _flag}),
    "setMyCommands": ({"commands": _commands}, {"scope": _scope, "language_code": _language}),
    "deleteMyCommands": ({}, {"scope": _scope, "language_code": _language}),
    "setMyDescription": ({}, {"description": _text, "language_code": _language}),
    "setMyShortDescription": ({}, {"short_description": _text, "language_code": _language}),
    "leaveChat": ({"chat_id": _number}, {}),
}  # fmt: skip
LENGTHS = {"text": TEXT, "caption": CAPTION, "description": 512, "short_description": 120, "url": 2_048}


def read_arguments(method: str, fields: Mapping[str, str], files: Files) -> Arguments:
    """The arguments of a call, read and checked. Raises Refused."""
    if method not in METHODS:
        raise Refused(404, "Not Found: method not found")
    required, optional = METHODS[method]
    arguments: Arguments = {}
    for name, raw in fields.items():
        reader = required.get(name) or optional.get(name)
        if reader is None:
            raise bad(f"unknown argument {name}")
        arguments[name] = reader(raw)
        longest = TOAST if method == "answerCallbackQuery" else LENGTHS.get(name)
        if longest is not None and isinstance(arguments[name], str) and units(arguments[name]) > longest:
            raise bad(f"{'message' if name == 'text' else name} is too long")
    for name, reader in required.items():
        if name not in arguments and (reader is not None or name not in files):
            raise bad(f"{name} is missing")
    _check_files(method, files)
    _check_words(method, arguments)
    return arguments


def _check_files(method: str, files: Files) -> None:
    for name, (file_name, data) in files.items():
        if method not in ("sendDocument", "sendPhoto", "editMessageMedia") or not file_name:
            raise bad(f"unexpected file {name}")
        if not data:
            raise bad("file must be non-empty")
        if len(data) > (PHOTO_BYTES if method == "sendPhoto" else FILE_BYTES):
            raise Refused(413, "Request Entity Too Large")


def _check_words(method: str, arguments: Arguments) -> None:
    if method in ("sendMessage", "editMessageText") and not shows_something(arguments["text"]):
        raise bad("message text is empty")
    text = arguments.get("text") or arguments.get("caption") or ""
    check_entities(text, arguments.get("entities") or arguments.get("caption_entities") or [])
    media = arguments.get("media")
    if media:
        if units(media.get("caption", "")) > CAPTION:
            raise bad("message caption is too long")
        check_entities(media.get("caption", ""), media.get("caption_entities", []))


def check_entities(text: str, entities: list[dict[str, Any]]) -> None:
    """Every stretch lies inside the text and starts and ends between characters."""
    encoded = text.encode("utf-16-le")
    for entity in entities:
        start, end = entity["offset"], entity["offset"] + entity["length"]
        if entity["length"] <= 0 or start < 0 or end * 2 > len(encoded):
            raise bad("can't parse entities: ENTITY_BOUNDS_INVALID")
        try:
            encoded[2 * start : 2 * end].decode("utf-16-le")
        except UnicodeDecodeError:
            raise bad("can't parse entities: inside a character") from None
