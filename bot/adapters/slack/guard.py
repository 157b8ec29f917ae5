"""The guard in front of HTTP: size, headers, time and signature are checked before anything is parsed."""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

LARGEST_BODY = 256 * 1024
DEEPEST = 32
REPLAY_WINDOW = 300  # seconds; https://docs.slack.dev/authentication/verifying-requests-from-slack
SIGNATURE = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)
TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
FORM = "application/x-www-form-urlencoded"


class Refused(Exception):
    """A request that is answered with `status` and an empty body."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


async def checked_body(request: web.Request, secret: str, now: datetime) -> str:
    """The body of a request that Slack signed within the last five minutes, well-formed; else raises Refused."""
    timestamp, signature = _headers(request, now)
    raw = await _read(request)
    signed = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + raw, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(f"v0={signed}".encode(), signature.encode()):
        raise Refused(401)
    return _well_formed(raw, request.content_type)


def _headers(request: web.Request, now: datetime) -> tuple[str, str]:
    timestamps = request.headers.getall("X-Slack-Request-Timestamp", [])
    signatures = request.headers.getall("X-Slack-Signature", [])
    if len(timestamps) != 1 or len(signatures) != 1:
        raise Refused(401)
    if not TIMESTAMP.fullmatch(timestamps[0]) or not SIGNATURE.fullmatch(signatures[0]):
        raise Refused(401)
    if abs(now.timestamp() - int(timestamps[0])) > REPLAY_WINDOW:
        raise Refused(401)
    return timestamps[0], signatures[0]


async def _read(request: web.Request) -> bytes:
    """The raw body; one that is too large is never read to its end."""
    if (request.content_length or 0) > LARGEST_BODY:
        raise Refused(413)
    raw = bytearray()
    async for chunk in request.content.iter_any():
        raw += chunk
        if len(raw) > LARGEST_BODY:
            raise Refused(413)
    return bytes(raw)


def _well_formed(raw: bytes, content_type: str) -> str:
    try:
        text = raw.decode()
        found: Any = json.loads(text) if content_type != FORM else _of_form(text)
    except (ValueError, RecursionError):
        raise Refused(400) from None
    if not isinstance(found, Mapping) or _too_deep(found):
        raise Refused(400)
    return text


def _of_form(text: str) -> Any:
    fields = dict(parse_qsl(text, keep_blank_values=True, strict_parsing=True))
    return json.loads(fields["payload"]) if "payload" in fields else fields


def _too_deep(found: Any) -> bool:
    level = [found]
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, Mapping) else outer)
            if isinstance(inner, Mapping | list)
        ]
        if not level:
            return False
    return True
