"""Every error name and every fault of the network becomes the outcome that the relay may act on."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.adapters.slack import outcomes, outgoing
from bot.adapters.slack.outcomes import of_error, outcome_of
from bot.core.adapter import NotSent, Outcome, RateLimited, Rejected, Sent, Unknown, Unreachable
from tests.adapters import slack_bot
from tests.adapters.slack_bot import at_slack, to
from tests.adapters.slack_server import Fault, SlackServer

NAMES: dict[str, type[Outcome]] = {
    **dict.fromkeys(
        ("account_inactive", "cannot_dm_bot", "channel_not_found", "invalid_user_combination", "is_archived", "is_bot",
         "is_inactive", "not_in_channel", "user_disabled", "user_is_blocked", "user_not_found", "user_not_visible",
         "users_not_found"),
        Unreachable,
    ),
    **dict.fromkeys(
        ("app_uninstalled", "invalid_auth", "not_allowed_token_type", "not_authed", "org_login_required",
         "team_access_not_granted", "team_added_to_org", "token_expired", "token_revoked",
         "two_factor_setup_required"),
        NotSent,
    ),
    **dict.fromkeys(("fatal_error", "internal_error", "request_timeout", "service_unavailable"), Unknown),
    **dict.fromkeys(("ratelimited", "rate_limited"), RateLimited),
    **dict.fromkeys(
        ("cant_update_message", "edit_window_closed", "invalid_arguments", "invalid_blocks", "invalid_metadata_format",
         "message_limit_exceeded", "message_not_found", "messages_tab_disabled", "metadata_too_large",
         "missing_scope", "msg_blocks_too_long", "msg_too_long", "no_permission", "no_text", "restricted_action",
         "an_error_of_next_year"),
        Rejected,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_error_name_has_its_outcome(name: str) -> None:
    assert type(of_error(name)) is NAMES[name]


def test_every_name_in_the_code_is_tested() -> None:
    known = outcomes.CLOSING | outcomes.LATER | outcomes.GONE | outcomes.DOUBTFUL | outcomes.LIMITED
    assert known <= NAMES.keys()


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("0", 0.0), ("-1", 0.0), ("soon", 30.0), ("999999", 3600.0)]
)
def test_a_rate_limit_says_how_long(header: str, seconds: float) -> None:
    answer = AsyncSlackResponse(
        client=None, http_verb="POST", api_url="", req_args={}, data={"ok": False, "error": "ratelimited"},
        headers={"Retry-After": header}, status_code=429,
    )  # fmt: skip
    refusal: SlackApiError = SlackApiError("", answer)  # type: ignore[no-untyped-call]
    assert outcome_of(refusal) == RateLimited(seconds)


# What the local server does with `chat.postMessage`, the outcome, and whether the message stands on the screen.
OK = '{"ok": true, "ts": "1.1", "channel": "D0"}'
HTML = "<html>Sign in to the network</html>"
LIMIT = {"Retry-After": "3"}
SERVED: list[tuple[str, Fault, Outcome | type[Outcome], bool]] = [
    ("cut before it was read", Fault("cut"), Unknown, False),
    ("accepted, then cut", Fault("cut", after=True), Unknown, True),
    ("accepted, then cut within the answer", Fault("half", after=True), Unknown, True),
    ("accepted, then too slow", Fault("slow", after=True, seconds=1.0), Unknown, True),
    ("too slow before it was read", Fault("slow", seconds=1.0), Unknown, False),
    ("429 with its time", Fault("error", body="ratelimited", status=429, headers=LIMIT), RateLimited(3.0), False),
    ("429 in HTML", Fault("status", body=HTML, status=429, headers=LIMIT), RateLimited(3.0), False),
    ("rate limited with 200", Fault("error", body="ratelimited", headers=LIMIT), RateLimited(3.0), False),
    ("500 without a body", Fault("status", status=500), Unknown, False),
    ("500 in JSON", Fault("error", body="internal_error", status=500), Unknown, False),
    ("502 in HTML", Fault("status", body=HTML, status=502), Unknown, False),
    ("503 after acceptance", Fault("status", after=True, body=HTML, status=503), Unknown, True),
    ("504 in HTML", Fault("status", body=HTML, status=504), Unknown, False),
    ("HTML with 200", Fault("status", body=HTML), Unknown, False),
    ("HTML with 200 after acceptance", Fault("status", after=True, body=HTML), Unknown, True),
    ("HTML with 403", Fault("status", body=HTML, status=403), Unknown, False),
    ("broken JSON with 200", Fault("status", body='{"ok": tr'), Unknown, False),
    ("a list with 200", Fault("status", body="[]"), Unknown, False),
    ("nothing with 200", Fault("status", body=""), Unknown, False),
    ("ok without a reference", Fault("status", body='{"ok": true}'), Unknown, False),
    ("internal_error with 200", Fault("error", body="internal_error"), Unknown, False),
    ("fatal_error after acceptance", Fault("error", after=True, body="fatal_error"), Unknown, True),
    ("a definite error with 400", Fault("error", body="invalid_blocks", status=400), Rejected("invalid_blocks"), False),
    ("a definite error with 200", Fault("error", body="msg_too_long"), Rejected("msg_too_long"), False),
    ("the person is gone", Fault("error", body="channel_not_found"), Unreachable("channel_not_found"), False),
    ("the token is revoked", Fault("error", body="token_revoked"), NotSent("token_revoked"), False),
    ("a redirect", Fault("status", status=302), Unknown, False),
    ("all well", Fault("status", body=OK), Sent("D0/1.1"), False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "outcome", "arrived"), [case[1:] for case in SERVED], ids=[case[0] for case in SERVED]
)
def test_every_fault_of_the_server_has_its_outcome(
    fault: Fault, outcome: Outcome | type[Outcome], arrived: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault.seconds:
        monkeypatch.setattr(outgoing, "CALL", 0.4)

    async def go() -> None:
        async with SlackServer() as server, at_slack(server) as adapter:
            server.faults["chat.postMessage"].append(fault)
            found = await adapter.send(to("dm:U0SARI"))
            assert found == outcome if not isinstance(outcome, type) else type(found) is outcome
            assert len(server.screen("U0SARI")) == arrived
            assert len(server.calls_of("chat.postMessage")) <= 1
            assert server.problems == []

    asyncio.run(go())


@contextlib.asynccontextmanager
async def _listener(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def _hangs_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


@contextlib.asynccontextmanager
async def _refused() -> AsyncIterator[str]:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{unused.getsockname()[1]}/api/"


@contextlib.asynccontextmanager
async def _no_such_name() -> AsyncIterator[str]:
    yield "http://slack.invalid/api/"


@contextlib.asynccontextmanager
async def _no_tls() -> AsyncIterator[str]:
    async with _listener(_hangs_up) as port:
        yield f"https://127.0.0.1:{port}/api/"


@contextlib.asynccontextmanager
async def _foreign_certificate() -> AsyncIterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).parent / "nobody_signed_this.pem")
    async with await asyncio.start_server(_hangs_up, "127.0.0.1", 0, ssl=context) as server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/"


@contextlib.asynccontextmanager
async def _silent_at_connecting() -> AsyncIterator[str]:
    """Accepts nothing more: connecting hangs, since the queue of the listener is full."""
    with socket.socket() as listener, contextlib.ExitStack() as fillers:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = fillers.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        await asyncio.sleep(0.05)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/api/"


NEVER_LEFT = {
    "the connection is refused": _refused,
    "no such name": _no_such_name,
    "the server hangs up in the TLS handshake": _no_tls,
    "a certificate that nobody signed": _foreign_certificate,
    "connecting hangs": _silent_at_connecting,
}


@pytest.mark.parametrize("where", NEVER_LEFT.values(), ids=NEVER_LEFT.keys())
def test_what_never_left_is_not_sent(
    where: Callable[[], contextlib.AbstractAsyncContextManager[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slack_bot, "TIMEOUT", aiohttp.ClientTimeout(total=2, sock_connect=0.5))

    async def go() -> None:
        async with SlackServer() as server, where() as api_url, at_slack(server, api_url=api_url) as adapter:
            change = replace(to("dm:U0SARI"), edits="D0/1.1")  # its first call is one that is seen
            assert isinstance(await adapter.send(change), NotSent)

    asyncio.run(go())


def test_a_proxy_that_refuses_sends_nothing() -> None:
    async def go() -> None:
        async def refuses(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            writer.close()

        async with (
            SlackServer() as server,
            _listener(refuses) as port,
            at_slack(server, api_url="https://slack.invalid/api/") as adapter,
        ):
            adapter.client.proxy = f"http://127.0.0.1:{port}"
            change = replace(to("dm:U0SARI"), edits="D0/1.1")
            assert isinstance(await adapter.send(change), NotSent)

    asyncio.run(go())


@pytest.mark.parametrize(
    "fault", [Fault("cut", after=True), Fault("status", body=HTML), Fault("error", body="fatal_error")]
)
def test_a_doubt_about_opening_a_chat_is_no_doubt_about_the_message(fault: Fault) -> None:
    async def go() -> None:
        async with SlackServer() as server, at_slack(server) as adapter:
            server.faults["conversations.open"].append(fault)
            assert isinstance(await adapter.send(to("dm:U0SARI")), NotSent)
            assert server.calls_of("chat.postMessage") == []
            assert isinstance(await adapter.send(to("dm:U0SARI")), Sent)

    asyncio.run(go())
