"""What knocks at /slack/events: only what Slack signed just now, well-formed and of a sane size, gets in."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import aiohttp
import pytest

from bot.adapters.slack.guard import LARGEST_BODY
from tests.adapters.slack_bot import Receiver, listening
from tests.adapters.slack_people import payload
from tests.adapters.slack_server import SlackServer, signed

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
CANARY = "canary-in-the-body"
Knock = Callable[[bytes, Mapping[str, str]], Awaitable[tuple[int, str]]]


def played(scene: Callable[[Knock, Receiver], Awaitable[None]]) -> None:
    async def go() -> None:
        receiver = Receiver()
        async with SlackServer() as server, listening(server, receiver, "http"), aiohttp.ClientSession() as session:

            async def knock(body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
                async with session.post(server.events_url, data=body, headers=headers) as answer:
                    return answer.status, await answer.text()

            await scene(knock, receiver)

    asyncio.run(go())


def body_of(text: str = "hello") -> bytes:
    body = payload("message_im")
    body["event"]["text"] = text
    return json.dumps(body).encode()


@pytest.mark.parametrize(
    "broken",
    [
        {"X-Slack-Signature": "v0=" + "0" * 64},
        {"X-Slack-Signature": "v0=" + "0" * 63},
        {"X-Slack-Signature": ""},
        {"X-Slack-Signature": "v1=" + "0" * 64},
        {"X-Slack-Signature": "v0=" + "٣" * 64},
        {"X-Slack-Signature": "sÿgnature"},
        {"X-Slack-Request-Timestamp": "now"},
        {"X-Slack-Request-Timestamp": "٣٣٣"},
        {"X-Slack-Request-Timestamp": "-1"},
        {"X-Slack-Request-Timestamp": "1e9"},
        {"X-Slack-Request-Timestamp": "9" * 400},
        {"X-Slack-Request-Timestamp": ""},
    ],
)
def test_a_broken_header_is_refused_without_a_word(broken: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    async def scene(knock: Knock, receiver: Receiver) -> None:
        with caplog.at_level(logging.DEBUG):
            body = body_of(CANARY)
            assert await knock(body, {**JSON, **signed(body), **broken}) == (401, "")
        assert receiver.events == []
        assert CANARY not in caplog.text

    played(scene)


def test_a_signature_counts_for_five_minutes_and_for_its_own_bytes_and_secret_only() -> None:
    async def scene(knock: Knock, receiver: Receiver) -> None:
        body, now = body_of(), time.time()
        assert (await knock(body, {**JSON, **signed(body, at=now - 295)}))[0] == 200
        for headers in (signed(body, at=now - 310), signed(body, at=now + 310), signed(body, secret="other")):
            assert await knock(body, {**JSON, **headers}) == (401, "")
        assert await knock(body + b" ", {**JSON, **signed(body)}) == (401, "")
        assert await knock(body, JSON) == (401, "")
        assert len(receiver.events) == 1

    played(scene)


def test_two_signatures_are_none() -> None:
    async def go() -> None:
        receiver = Receiver()
        async with SlackServer() as server, listening(server, receiver, "http"), aiohttp.ClientSession() as session:
            body = body_of()
            headers = [*JSON.items(), *signed(body).items(), ("X-Slack-Signature", "v0=" + "0" * 64)]
            async with session.post(server.events_url, data=body, headers=headers) as answer:
                assert answer.status == 401

    asyncio.run(go())


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"{oops", JSON),
        (b"[1]", JSON),
        (b"[" * 100_000, JSON),
        (b'{"a":' * 40 + b"1" + b"}" * 40, JSON),
        (b"null", JSON),
        (b'"text"', JSON),
        (b"", JSON),
        (b"\xff\xfe{}", JSON),
        (b"payload={oops", FORM),
        (b"payload=[1]", FORM),
        (b"payload=" + b"[" * 50_000, FORM),
        (b"no form", FORM),
        (b"payload=%7B%22a%22:" * 1, FORM),
        (b"hello", {"Content-Type": "text/plain"}),
    ],
)
def test_signed_nonsense_is_a_bad_request_and_unsigned_nonsense_a_stranger(
    body: bytes, headers: dict[str, str]
) -> None:
    async def scene(knock: Knock, receiver: Receiver) -> None:
        assert await knock(body, {**headers, **signed(body)}) == (400, "")
        assert await knock(body, headers) == (401, "")
        assert receiver.events == []

    played(scene)


def test_a_body_that_is_too_large_is_not_read_to_its_end() -> None:
    async def go() -> None:
        receiver = Receiver()
        async with SlackServer() as server, listening(server, receiver, "http"):
            host, port = server.events_url.removeprefix("http://").split("/")[0].split(":")
            for headers, status in ((signed(b"x"), b"413"), ({}, b"401")):
                reader, writer = await asyncio.open_connection(host, int(port))
                lines = {"Host": host, "Content-Length": "5000000", **JSON, **headers}
                head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
                writer.write(f"POST /slack/events HTTP/1.1\r\n{head}\r\n".encode() + b"x" * 1000)  # and no more
                async with asyncio.timeout(2):
                    assert (await reader.readline()).split()[1] == status
                writer.close()

    asyncio.run(go())


def test_the_largest_body_gets_in_and_one_more_byte_in_pieces_does_not() -> None:
    async def scene(knock: Knock, receiver: Receiver) -> None:
        body = body_of()
        body = body[:-1] + b" " * (LARGEST_BODY - len(body)) + b"}"
        assert (await knock(body, {**JSON, **signed(body)}))[0] == 200

    played(scene)

    async def go() -> None:
        async with SlackServer() as server, listening(server, Receiver(), "http"), aiohttp.ClientSession() as session:

            async def pieces() -> AsyncIterator[bytes]:
                for _ in range(LARGEST_BODY // 4096 + 1):
                    yield b"x" * 4096

            async with session.post(server.events_url, data=pieces(), headers={**JSON, **signed(b"")}) as answer:
                assert answer.status == 413

    asyncio.run(go())


def test_slacks_first_question_is_answered() -> None:
    async def scene(knock: Knock, receiver: Receiver) -> None:
        body = json.dumps(payload("url_verification")).encode()
        status, answer = await knock(body, {**JSON, **signed(body)})
        assert (status, payload("url_verification")["challenge"] in answer) == (200, True)

    played(scene)


def test_a_replay_is_answered_alike_and_is_the_same_event() -> None:
    async def scene(knock: Knock, receiver: Receiver) -> None:
        body = body_of()
        headers = {**JSON, **signed(body)}
        assert await knock(body, headers) == await knock(body, headers) == (200, "")
        assert len({event.id for event in receiver.events}) == 1

    played(scene)
