"""Structured logs to standard error: events and ids, never names, texts or secrets.

Everything, also what libraries log and what exceptions say, passes one redacting step last.
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Literal, TextIO, cast

import structlog

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]

# At lower levels these write requests, with addresses and texts in them.
TALKATIVE = (
    "aiohttp",
    "alembic",
    "apscheduler",
    "asyncio",
    "httpcore",
    "httpx",
    "slack_bolt",
    "slack_sdk",
    "sqlalchemy",
    "telegram",
)

REDACTED = "[redacted]"
SECRET_NAMES = r"(?:password|passwd|\w*token|\w*secret|authorization|api_key)"
SECRETS = (
    re.compile(r"()\bx(?:ox[a-z]|app)-[\w-]+"),  # Slack
    re.compile(r"()(?<!\d)\d{6,}:[\w-]{30,}"),  # Telegram
    re.compile(r"(/bot)[^/\s\"']+(?=/)"),  # an address of Telegram's
    re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s/:@\"']*:)[^\s/\"']+(?=@)", re.IGNORECASE),  # user:password@host
    re.compile(rf"(\b{SECRET_NAMES}\\?[\"']?\s*[=:]\s*\\?[\"']?(?:Bearer |Basic )?)[^\s\"'\\,;&)}}\]]+", re.IGNORECASE),
)
SECRET_NAME = re.compile(SECRET_NAMES, re.IGNORECASE)


def configure(level: Level = "INFO", *, stream: TextIO | None = None, as_json: bool | None = None) -> None:
    """Send every log of this process to `stream` (standard error), as JSON unless a person watches in a terminal."""
    stream = stream or sys.stderr
    as_json = not stream.isatty() if as_json is None else as_json
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(shared, as_json))
    root = logging.getLogger()
    for old in root.handlers[:]:
        if isinstance(old.formatter, structlog.stdlib.ProcessorFormatter):
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger; call it with an event and ids: `log.info("introduction_sent", introduction=7)`."""
    return cast(structlog.stdlib.BoundLogger, structlog.get_logger(name))


def redact(text: str) -> str:
    """The text without tokens, passwords and secret addresses."""
    for pattern in SECRETS:
        text = pattern.sub(rf"\1{REDACTED}", text)
    return text


def _redacted(value: object) -> object:
    """The same for whatever an event carries, as plain data that a renderer cannot unfold again."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {
            str(name): REDACTED if SECRET_NAME.fullmatch(str(name)) else _redacted(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted(inner) for inner in value]
    return redact(value if isinstance(value, str) else repr(value))


def _redact_event(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return cast(MutableMapping[str, Any], _redacted(event))


def _formatter(shared: list[structlog.typing.Processor], as_json: bool) -> logging.Formatter:
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _redact_event, renderer],
    )
