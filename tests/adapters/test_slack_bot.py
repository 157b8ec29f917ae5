"""The whole bot on Slack, over Socket Mode and HTTP with the local server: an invitation, a consent, a question."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Literal

import pytest

from bot.app import Kawan, build
from bot.content import load
from bot.core.adapter import Ack
from bot.core.clock import SystemClock
from bot.core.events import Command, Event
from bot.core.ids import RandomIds, code_hash
from bot.core.programme import Programme
from storage import Store, UnitOfWork
from tests.adapters.slack_bot import listening
from tests.adapters.slack_people import SlackPerson
from tests.adapters.slack_platform import Slack
from tests.adapters.slack_server import TEAM, SlackServer
from tests.chat import Chat

Mode = Literal["socket", "http"]
both = pytest.mark.parametrize("mode", ["socket", "http"])
on_sqlite = pytest.mark.parametrize("threaded_store", ["sqlite"], indirect=True)


def invited(store: Store) -> str:
    """A cohort with one open invitation; returns its code."""
    code, now = RandomIds().code(), SystemClock().now()

    def job(unit: UnitOfWork) -> None:
        cohort = unit.members.add_cohort("test", "Reform Asia", "en", "Asia/Bangkok")
        unit.invites.add(
            cohort, code_hash(code), "fellow", now, now + timedelta(days=14), prefilled={}, invited_by=None
        )

    store.now(job)
    return code


@contextlib.asynccontextmanager
async def at_work(store: Store, mode: Mode, pause: float = 0) -> AsyncIterator[SlackServer]:
    """The bot, running against the local server."""
    content = load()
    programme = Programme(
        content=content, understanding=content.understanding(), name="Reform Asia", operator="Reform Trust",
        operator_contact="help@reform.example", host_country="SG", emergency_contacts="Call Mirela: 000",
    )  # fmt: skip
    working: list[Kawan] = []

    async def receive(event: Event) -> Ack:
        return await working[0].dispatcher.receive(event)

    async with SlackServer(pause=pause) as server, listening(server, receive, mode) as adapter:
        kawan = build(store, programme, [adapter], a_minute=None)
        working.append(kawan)
        delivering = asyncio.create_task(kawan.relays[0].run())
        try:
            yield server
        finally:
            delivering.cancel()
            await asyncio.gather(delivering, return_exceptions=True)
        assert server.problems == []


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(8):
        while not holds():
            await asyncio.sleep(0.01)


async def sees(person: SlackPerson, text: str) -> None:
    """Wait until it stands on the screen."""
    try:
        await until(lambda: any(text in shown.text for shown in person.screen))
    except TimeoutError:
        raise AssertionError(f"{text!r} is not in {[shown.text for shown in person.screen]}") from None


@both
@on_sqlite
def test_an_invitation_lets_a_person_in_and_nobody_else(threaded_store: Store, mode: Mode) -> None:
    code = invited(threaded_store)

    async def go() -> None:
        async with at_work(threaded_store, mode) as server:
            sari, thief = SlackPerson(server, "U0SARI"), SlackPerson(server, "U0THIEF")
            await sari.says(f"join {code}")
            await sees(sari, "invitation")
            await sari.presses("English")
            await sees(sari, "Until you agree")
            await sari.presses("Agree")
            await sees(sari, "1 of 4")
            await thief.says(f"join {code}")
            await sees(thief, "does not work")
            stolen = sari.screen[0].buttons[0]["value"] if sari.screen[0].buttons else "x"
            before = len(sari.screen)
            for handle in (stolen, "x", "AAAAAAAAAAAAAAAAAAAAAA.0", "A" * 60):
                assert (await thief.presses_handle(handle)).acknowledged
            assert len(sari.screen) == before
            assert threaded_store.now(lambda unit: unit.members.recognise("slack", TEAM, "U0SARI")) is not None
            assert threaded_store.now(lambda unit: unit.members.recognise("slack", TEAM, "U0THIEF")) is None

    asyncio.run(go())


@on_sqlite
def test_an_outsider_in_a_channel_is_answered_to_them_alone(threaded_store: Store) -> None:
    invited(threaded_store)

    async def go() -> None:
        async with at_work(threaded_store, "socket") as server:
            delivery = await SlackPerson(server, "U0NOBODY").kawan("find somebody")
            assert delivery.answer["response_type"] == "ephemeral"
            assert "invit" in delivery.answer["text"]
            assert server.calls_of("chat.postMessage") == []

    asyncio.run(go())


@both
@on_sqlite
def test_a_repeated_delivery_is_acted_on_once(threaded_store: Store, mode: Mode) -> None:
    code = invited(threaded_store)

    async def go() -> None:
        async with at_work(threaded_store, mode) as server:
            sari = SlackPerson(server, "U0SARI")
            first = await sari.says(f"join {code}")
            for _ in range(3):
                assert (await sari.sends(first.payload)).acknowledged
            await sees(sari, "invitation")
            await asyncio.sleep(0.2)
            assert len(sari.screen) == 1

    asyncio.run(go())


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_conversation_runs_through_parse_and_render(store: Store) -> None:
    chat = Chat(store, Slack())
    sari = chat.joins("Sari", needs=["beneficial-ownership"])
    chat.joins("Bat", country="MN", offers=["beneficial-ownership"])
    sari.says("beneficial ownership mongolia")
    assert "Bat" in sari.last
    sari.presses("Meet Bat")
    assert sari.screen[-1].changed


def test_the_platform_of_the_conversations_hands_over_what_parse_made(store: Store) -> None:
    chat = Chat(store, Slack())
    event = chat.platform.says(7, chat.newcomer("Sari"), "/find legal <drafting>")
    assert isinstance(event, Command)
    assert (event.id, event.name, event.text) == ("7.1.command", "", "find legal <drafting>")
