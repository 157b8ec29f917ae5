"""Sending over HTTP to the local server: what is seen, and what every failure is taken for."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
import pytest

from bot.adapters.telegram import TelegramAdapter
from bot.core.adapter import Envelope, NotSent, Outcome, RateLimited, Rejected, Sent, Unknown, Unreachable
from bot.core.events import Address
from bot.core.ids import SeededIds, encode
from bot.core.replies import Content, Pressable
from tests.adapters.telegram_faults import Fault
from tests.adapters.telegram_server import TelegramServer

TOKEN = "4839574812:AAE-local-token-of-no-bot-0123456789"
SARI = Address("telegram", "4839574812", "dm:42")
KEY = encode(bytes(range(16)))
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
HELLO = Envelope(key=KEY, address=SARI, content=Content("Hello", "Kawan", buttons=(Pressable("Meet", "meet", "7"),)))

Play = Callable[[TelegramServer, TelegramAdapter], Awaitable[None]]


@asynccontextmanager
async def connected(
    *, limits: bool = False, timeout: float = 0.4
) -> AsyncIterator[tuple[TelegramServer, TelegramAdapter]]:
    async with TelegramServer(TOKEN, limits=limits).running() as server, aiohttp.ClientSession() as session:
        yield server, adapter_for(server.url, session, timeout=timeout)


def adapter_for(
    url: str, session: aiohttp.ClientSession, *, timeout: float = 0.4, proxy: str | None = None
) -> TelegramAdapter:
    return TelegramAdapter(
        TOKEN,
        session=session,
        api_url=url,
        timeout=timeout,
        proxy=proxy,
        ids=SeededIds(1),
        long_poll=1,
        first_wait=0.01,
    )


def plays(play: Play, *, limits: bool = False) -> None:
    async def go() -> None:
        async with connected(limits=limits) as (server, adapter):
            await play(server, adapter)

    asyncio.run(go())


def test_a_card_is_seen_with_its_title_fields_and_buttons() -> None:
    async def play(server: TelegramServer, adapter: TelegramAdapter) -> None:
        content = replace(HELLO.content, fields=(("Country", "Mongolia 🇲🇳"),))
        assert await adapter.send(replace(HELLO, content=content)) == Sent("1")
        (message,) = server.screens[42]
        assert message.text == "Kawan\nHello\nCountry: Mongolia 🇲🇳"
        assert message.bold == ["Kawan", "Country:"]
        assert message.buttons == [("Meet", f"{KEY}.0")]
        assert server.called("sendMessage")[0].arguments["link_preview_options"] == {"is_disabled": True}
        assert "parse_mode" not in server.called("sendMessage")[0].arguments

    plays(play)


def test_an_edit_changes_the_message_and_an_equal_one_is_success() -> None:
    async def play(server: TelegramServer, adapter: TelegramAdapter) -> None:
        await adapter.send(HELLO)
        change = Envelope(key=KEY, address=SARI, content=Content("Bye"), edits="1")
        assert await adapter.send(change) == Sent("1")
        assert await adapter.send(change) == Sent("1")
        (message,) = server.screens[42]
        assert (message.text, message.buttons, message.edits) == ("Bye", [], 1)

    plays(play)


def test_a_picture_a_file_and_their_captions() -> None:
    async def play(server: TelegramServer, adapter: TelegramAdapter) -> None:
        picture = replace(HELLO, files=(("chart.png", "image/png", PNG),))
        paper = replace(HELLO, files=(('../a"b\n.ics', "text/calendar", b"BEGIN:VCALENDAR"),), content=Content(""))
        assert await adapter.send(picture) == Sent("1")
        assert await adapter.send(paper) == Sent("2")
        first, second = server.screens[42]
        assert (first.kind, first.text, first.file) == ("photo", "Kawan\nHello", ("chart.png", PNG))
        assert (second.kind, second.text, second.file) == ("document", "", ("_a_b .ics", b"BEGIN:VCALENDAR"))
        assert await adapter.send(replace(HELLO, edits="1", content=Content("Now so"))) == Sent("1")
        assert (first.text, first.kind) == ("Now so", "photo")

    plays(play)


def test_a_text_can_become_a_file() -> None:
    async def play(server: TelegramServer, adapter: TelegramAdapter) -> None:
        await adapter.send(HELLO)
        change = replace(HELLO, edits="1", files=(("my-data.json", "application/json", b"{}"),))
        assert await adapter.send(change) == Sent("1")
        (message,) = server.screens[42]
        assert (message.kind, message.file, message.text) == ("document", ("my-data.json", b"{}"), "Kawan\nHello")

    plays(play)


def test_a_message_is_removed_and_removing_it_again_is_success() -> None:
    async def play(server: TelegramServer, adapter: TelegramAdapter) -> None:
        await adapter.send(HELLO)
        gone = Envelope(key=KEY, address=SARI, content=Content(""), deletes="1")
        assert await adapter.send(gone) == Sent("1")
        assert await adapter.send(gone) == Sent("1")
        assert server.screens[42] == []

    plays(play)


@pytest.mark.parametrize(
    "envelope",
    [
        replace(HELLO, address=Address("telegram", "4839574812", "group:42,43")),
        replace(HELLO, address=Address("telegram", "4839574812", "dm:Sari")),
        replace(HELLO, edits="seven"),
        replace(HELLO, files=(("a", "b", b"c"), ("d", "e", b"f"))),
        replace(HELLO, files=(("a", "b", b""),)),
    ],
)
def test_what_can_never_be_sent_is_rejected_without_a_call(envelope: Envelope) -> None:
    async def play(server: TelegramServer, adapter: TelegramAdapter) -> None:
        assert isinstance(await adapter.send(envelope), Rejected)
        assert server.calls == []

    plays(play)


def refusal(status: int, description: str) -> Fault:
    body = f'{{"ok":false,"error_code":{status},"description":"{description}"}}'
    return Fault("answer", status=status, body=body)


RETRY = '{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 7","parameters":{"retry_after":7}}'
HTML = "<html><body>Bad gateway</body></html>"
FAULTS: dict[str, tuple[Fault, Outcome | type[Outcome]]] = {
    "accepted, then cut": (Fault("cut", accepted=True), Unknown),
    "accepted, then reset": (Fault("reset", accepted=True), Unknown),
    "accepted, then too slow": (Fault("slow", accepted=True, seconds=1.0), Unknown),
    "accepted, then half an answer": (Fault("half", accepted=True), Unknown),
    "accepted, then HTML with 200": (Fault("answer", accepted=True, body=HTML), Unknown),
    "accepted, then 502": (Fault("answer", accepted=True, status=502, body=HTML), Unknown),
    "cut before": (Fault("cut"), Unknown),
    "reset before": (Fault("reset"), Unknown),
    "500 in JSON": (refusal(500, "Internal Server Error"), Unknown),
    "503": (Fault("answer", status=503, body=""), Unknown),
    "504 in HTML": (Fault("answer", status=504, body=HTML), Unknown),
    "empty with 200": (Fault("answer"), Unknown),
    "a list with 200": (Fault("answer", body="[1]"), Unknown),
    "200 without a result": (Fault("answer", body='{"ok":true}'), Unknown),
    "200 with a result of a strange shape": (Fault("answer", body='{"ok":true,"result":{"a":1}}'), Unknown),
    "200 with endless brackets": (Fault("answer", body="[" * 100_000), Unknown),
    "redirected elsewhere": (Fault("answer", status=302, headers={"Location": "http://127.0.0.1:9/"}), Unknown),
    "a filter's page with 403": (Fault("answer", status=403, body=HTML), Unknown),
    "a filter's JSON with 403": (Fault("answer", status=403, body='{"error":"blocked"}'), Unknown),
    "429": (Fault("answer", status=429, body=RETRY), RateLimited(7)),
    "429 in HTML with a header": (Fault("answer", status=429, body=HTML, headers={"Retry-After": "3"}), RateLimited(3)),
    "429 that says nothing": (Fault("answer", status=429, body="x"), RateLimited(5)),
    "blocked": (refusal(403, "Forbidden: bot was blocked by the user"), Unreachable),
    "deactivated": (refusal(403, "Forbidden: user is deactivated"), Unreachable),
    "never started": (refusal(403, "Forbidden: bot can't initiate conversation with a user"), Unreachable),
    "no such chat": (refusal(400, "Bad Request: chat not found"), Unreachable),
    "no such peer": (refusal(400, "Bad Request: PEER_ID_INVALID"), Unreachable),
    "too long": (refusal(400, "Bad Request: message is too long"), Rejected),
    "a button's data": (refusal(400, "Bad Request: BUTTON_DATA_INVALID"), Rejected),
    "too large": (Fault("answer", status=413, body=HTML), Rejected),
}


@pytest.mark.parametrize("name", FAULTS)
def test_every_failure_is_taken_for_what_it_proves_and_called_once(name: str) -> None:
    fault, outcome = FAULTS[name]

    async def play(server: TelegramServer, adapter: TelegramAdapter) -> None:
        await adapter.send(HELLO)  # so that the connection is an old one, which a client might try again
        server.fails("sendMessage", fault)
        got = await adapter.send(HELLO)
        assert got == outcome if not isinstance(outcome, type) else isinstance(got, outcome)
        assert TOKEN[12:] not in repr(got)
        await asyncio.sleep(0.05)
        assert len(server.called("sendMessage")) == 2
        assert len(server.screens[42]) == 1 + fault.accepted

    plays(play)


@pytest.mark.parametrize(
    "url",
    [
        "http://no-such-host.invalid",
        "http://127.0.0.1:1",
        "https://127.0.0.1:{port}",  # TLS to a server that speaks none
        "http://127.0.0.1:99999",
        "nonsense",
    ],
)
def test_what_never_left_this_machine_is_not_sent(url: str) -> None:
    async def play(server: TelegramServer, adapter: TelegramAdapter) -> None:
        async with aiohttp.ClientSession() as session:
            away = adapter_for(url.format(port=server.url.rpartition(":")[2]), session)
            outcome = await away.send(HELLO)
            assert isinstance(outcome, NotSent), outcome
            assert TOKEN not in repr(outcome)
        assert server.calls == []

    plays(play)


def test_a_proxy_that_is_away_and_a_closed_session_prove_that_nothing_left() -> None:
    async def play(server: TelegramServer, adapter: TelegramAdapter) -> None:
        async with aiohttp.ClientSession() as session:
            behind = adapter_for(server.url, session, proxy="http://127.0.0.1:1")
            assert isinstance(await behind.send(HELLO), NotSent)
        assert isinstance(await adapter_for(server.url, session).send(HELLO), NotSent)

    plays(play)


def test_a_full_pool_proves_that_nothing_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.adapters.telegram.transport.CONNECT_TIMEOUT", 0.2)

    async def play(server: TelegramServer, adapter: TelegramAdapter) -> None:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
            one = adapter_for(server.url, session, timeout=2)
            server.fails("sendMessage", Fault("slow", accepted=True, seconds=0.7))
            first = asyncio.create_task(one.send(HELLO))
            await asyncio.sleep(0.1)
            assert isinstance(await one.send(HELLO), NotSent)
            assert isinstance(await first, Sent | Unknown)

    plays(play)


def test_after_a_refused_token_nothing_more_is_called() -> None:
    async def play(server: TelegramServer, adapter: TelegramAdapter) -> None:
        server.accepts_token = False
        outcomes = [await adapter.send(HELLO) for _ in range(4)]
        assert all(isinstance(outcome, RateLimited) for outcome in outcomes)
        assert len(server.calls) == 1
        assert adapter.trouble is not None
        assert "token" in adapter.trouble

    plays(play)


def test_a_refusal_of_entities_falls_back_to_plain_text_once() -> None:
    async def play(server: TelegramServer, adapter: TelegramAdapter) -> None:
        server.fails("sendMessage", refusal(400, "Bad Request: can't parse entities: out of luck"))
        assert await adapter.send(HELLO) == Sent("1")
        assert [message.bold for message in server.screens[42]] == [[]]

    plays(play)


def test_the_server_limits_a_chat_and_says_when_to_come_again() -> None:
    async def play(server: TelegramServer, adapter: TelegramAdapter) -> None:
        assert isinstance(await adapter.send(HELLO), Sent)
        assert await adapter.send(HELLO) == RateLimited(1)
        others = [replace(HELLO, address=Address("telegram", "4839574812", f"dm:{n}")) for n in range(100, 140)]
        outcomes = await asyncio.gather(*(adapter.send(other) for other in others))
        assert sum(isinstance(outcome, Sent) for outcome in outcomes) == 29

    plays(play, limits=True)


def test_a_blocked_person_is_unreachable_and_reachable_after_unblocking() -> None:
    async def play(server: TelegramServer, adapter: TelegramAdapter) -> None:
        sari = server.person(42)
        sari.blocks()
        assert isinstance(await adapter.send(HELLO), Unreachable)
        sari.blocks("member")
        assert isinstance(await adapter.send(HELLO), Sent)

    plays(play)
