"""How calls travel: python-telegram-bot's requests over the shared aiohttp session, and what each failure proves."""

import json
from collections.abc import Mapping
from typing import Any

import aiohttp
from telegram.error import NetworkError, TelegramError
from telegram.request import BaseRequest, RequestData
from yarl import URL

from bot.core.adapter import NotSent, Outcome, RateLimited, Rejected, Unknown, Unreachable
from bot.core.log import redact

CONNECT_TIMEOUT = 5.0  # seconds; also for a free connection of the pool
READ_TIMEOUT = 10.0
UPLOAD_TIMEOUT = 30.0  # on top, for files
DEFAULT_RETRY_AFTER = 5.0  # when a 429 does not say
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

# Raised before the first byte of a request leaves: no address, no connection, no TLS, no way through the proxy.
NOTHING_LEFT = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientSSLError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ServerFingerprintMismatch,
    aiohttp.InvalidURL,
)

# 400 with one of these is about the person, not about the message (tdlib's telegram-bot-api, Client.cpp).
GONE = (
    "chat not found",
    "user not found",
    "user is deactivated",
    "bot was blocked",
    "peer_id_invalid",
    "input_user_deactivated",
    "chat_write_forbidden",
    "user_is_blocked",
    "chat_restricted",
)


class NothingSent(NetworkError):
    """The request did not leave this machine."""


class Lost(NetworkError):
    """The request left, and no answer that can be trusted came back."""


class Refusal(TelegramError):
    """Telegram answered no. `retry_after` in seconds, for 429."""

    def __init__(self, status: int, description: str, retry_after: float = DEFAULT_RETRY_AFTER) -> None:
        super().__init__(description or f"HTTP {status}")
        self.status = status
        self.description = description
        self.retry_after = retry_after

    def says(self, *words: str) -> bool:
        """Does the description contain one of these?"""
        description = self.description.casefold()
        return any(word in description for word in words)

    @property
    def is_for_token(self) -> bool:
        """The token is not, or no longer, a bot's."""
        return self.status == 401


class SessionRequest(BaseRequest):
    """Sends each request exactly once. The session belongs to whoever gave it."""

    __slots__ = ("_proxy", "_read_timeout", "_session")

    def __init__(
        self, session: aiohttp.ClientSession, *, proxy: str | None = None, read_timeout: float = READ_TIMEOUT
    ) -> None:
        self._session = session
        self._proxy = proxy or None
        self._read_timeout = read_timeout

    @property
    def read_timeout(self) -> float:
        return self._read_timeout

    async def initialize(self) -> None:
        """Nothing to do: the session is open."""

    async def shutdown(self) -> None:
        """Nothing to do: the session is closed by its owner."""

    @staticmethod
    def parse_json_payload(payload: bytes) -> Any:
        """The answer as data. The library's own method writes the whole answer into the log when it is no JSON."""
        try:
            return json.loads(payload.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            raise Lost("an answer that is not JSON") from None

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Status and body of a 2xx answer. Raises NothingSent, Lost or Refusal; never with an address in it."""
        body, uploads = _body(request_data)
        read = read_timeout if isinstance(read_timeout, int | float) else self._read_timeout
        return await self._exchange(method, url, body, read, UPLOAD_TIMEOUT if uploads else 0.0)

    async def ask(self, url: str, arguments: Mapping[str, object], read_timeout: float) -> object:
        """The `result` of a call as plain data: the library drops a whole batch of updates for one strange one.

        Text goes as it is, everything else as JSON, which is how the library does it, too.
        """
        given = {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in arguments.items()
            if value is not None
        }
        # Four times as fast as the standard library's, which takes longer over a long text than sending it does.
        body = URL.build(query=given).raw_query_string
        _, payload = await self._exchange("POST", url, body.encode("ascii"), read_timeout)
        answer = self.parse_json_payload(payload)
        if not isinstance(answer, Mapping) or "result" not in answer:
            raise Lost("an answer without a result")
        return answer["result"]

    async def _exchange(
        self, method: str, url: str, body: bytes | aiohttp.FormData | None, read: float, more: float = 0.0
    ) -> tuple[int, bytes]:
        timeout = aiohttp.ClientTimeout(
            total=CONNECT_TIMEOUT + read + more, connect=CONNECT_TIMEOUT, sock_connect=CONNECT_TIMEOUT, sock_read=read
        )
        headers = FORM if isinstance(body, bytes) else None
        if self._session.closed:
            raise NothingSent("the session is closed")
        try:
            async with self._session.request(
                method, url, data=body, headers=headers, timeout=timeout, proxy=self._proxy, allow_redirects=False
            ) as response:
                payload = await response.read()
                status, wait = response.status, response.headers.get("Retry-After", "")
        except NOTHING_LEFT as error:
            raise NothingSent(type(error).__name__) from None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise Lost(type(error).__name__) from None
        if 200 <= status <= 299:
            return status, payload
        raise _refused(status, payload, wait)


def _body(data: RequestData | None) -> tuple[bytes | aiohttp.FormData | None, bool]:
    if data is None:
        return None, False
    try:
        if not data.contains_files:
            return data.url_encoded_parameters().encode("ascii"), False
        form = aiohttp.FormData(quote_fields=False)  # names of files as they are, in UTF-8
        for name, value in data.json_parameters.items():
            form.add_field(name, value)
        for name, (filename, content, media_type) in data.multipart_data.items():
            form.add_field(name, content, filename=filename, content_type=media_type)
        return form, True
    except ValueError:  # UnicodeEncodeError: it can never leave
        raise Refusal(400, "cannot be encoded") from None


def _refused(status: int, payload: bytes, header: str) -> TelegramError:
    """What an answer other than 2xx means. Only Telegram's own JSON is believed about a person or a token."""
    try:
        answer = json.loads(payload)
    except (ValueError, RecursionError):
        answer = None
    theirs = isinstance(answer, Mapping) and answer.get("ok") is False
    parameters = answer.get("parameters") if isinstance(answer, Mapping) else None
    if status == 429:
        said = parameters.get("retry_after") if isinstance(parameters, Mapping) else header
        return Refusal(429, "Too Many Requests", _seconds(said))
    if status == 413:
        return Refusal(413, "Request Entity Too Large")
    if theirs and 400 <= status <= 499:
        assert isinstance(answer, Mapping)
        return Refusal(status, str(answer.get("description") or "")[:200])
    return Lost(f"HTTP {status}")


def _seconds(said: object) -> float:
    try:
        seconds = float(str(said))
    except ValueError:
        return DEFAULT_RETRY_AFTER
    return min(max(seconds, 0.0), 86_400.0) if seconds == seconds else DEFAULT_RETRY_AFTER


def outcome_of(error: Exception) -> Outcome:
    """What became of a message whose call raised this."""
    match error:
        case NothingSent():
            return NotSent(error.message)
        case Refusal(status=429):
            return RateLimited(error.retry_after)
        case Refusal(status=403):
            return Unreachable(redact(error.description))
        case Refusal() if error.says(*GONE):
            return Unreachable(redact(error.description))
        case Refusal():
            return Rejected(redact(error.description) or f"HTTP {error.status}")
        case Lost():
            return Unknown(error.message)
        case _:  # an answer of a shape that the library cannot read: it was accepted, perhaps
            return Unknown(type(error).__name__)
