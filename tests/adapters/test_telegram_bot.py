"""The whole bot on Telegram, over HTTP with the local server: a link, a consent, four questions, a person."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import pytest

from bot.adapters.telegram import TelegramAdapter
from bot.app import build
from bot.content import load
from bot.core.clock import SystemClock
from bot.core.events import Event
from bot.core.ids import RandomIds, code_hash
from bot.core.programme import Programme
from storage import Store, UnitOfWork
from tests.adapters.telegram_people import Person
from tests.adapters.telegram_platform import OnTelegram
from tests.adapters.telegram_server import TelegramServer
from tests.chat import Chat

TOKEN = "4839574812:AAE-local-token-of-no-bot-0123456789"
LEGS = ["sqlite"]


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


@asynccontextmanager
async def at_work(store: Store) -> AsyncIterator[TelegramServer]:
    """The bot, running against the local server."""
    content = load()
    programme = Programme(
        content=content, understanding=content.understanding(), name="Reform Asia", operator="Reform Trust",
        operator_contact="help@reform.example", host_country="SG", emergency_contacts="Call Mirela: 000",
    )  # fmt: skip
    async with TelegramServer(TOKEN).running() as server, aiohttp.ClientSession() as session:
        adapter = TelegramAdapter(TOKEN, session=session, api_url=server.url, long_poll=2, first_wait=0.01)
        running = asyncio.create_task(build(store, programme, [adapter], a_minute=None).run())
        try:
            yield server
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
        assert server.refused == 0
        assert adapter.trouble is None


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.01)


async def sees(person: Person, text: str) -> None:
    """Wait until it stands in the newest message or in a changed one."""
    try:
        await until(lambda: any(text in message.text for message in person.screen))
    except TimeoutError:
        raise AssertionError(f"{text!r} is not in {[message.text for message in person.screen]}") from None


async def presses(person: Person, label: str) -> None:
    """Press, and wait until the press is answered."""
    query = person.presses(label)
    await until(lambda: query in person.server.toasts)


@pytest.mark.parametrize("threaded_store", LEGS, indirect=True)
def test_a_link_lets_a_person_in_and_a_repeated_start_goes_on(threaded_store: Store) -> None:
    code = invited(threaded_store)

    async def go() -> None:
        async with at_work(threaded_store) as server:
            sari, thief = server.person(42, "Sari", "en"), server.person(43, "Thief", "en")
            sari.says(f"/start {code}")
            await sees(sari, "invitation")
            before = len(sari.screen)
            await presses(sari, "English")
            await sees(sari, "Until you agree")
            await presses(sari, "Agree")
            await sees(sari, "1 of 4")
            thief.says(f"/start {code}")
            await sees(thief, "does not work")
            assert len(sari.screen) >= before
            assert threaded_store.now(lambda unit: unit.members.recognise("telegram", "4839574812", "42")) is not None
            assert threaded_store.now(lambda unit: unit.members.recognise("telegram", "4839574812", "43")) is None

    asyncio.run(go())


@pytest.mark.parametrize("threaded_store", LEGS, indirect=True)
def test_forged_and_foreign_buttons_are_answered_and_change_nothing(threaded_store: Store) -> None:
    code = invited(threaded_store)

    async def go() -> None:
        async with at_work(threaded_store) as server:
            sari, thief = server.person(42, "Sari", "en"), server.person(43, "Thief", "en")
            sari.says(f"/start {code}")
            await sees(sari, "invitation")
            stolen = sari.screen[0].buttons[0][1]
            for person, data in ((thief, stolen), (sari, "x"), (sari, stolen[:-1] + "99"), (sari, "\ud800.1")):
                query = person.presses_data(data)
                await until(lambda query=query: query in server.toasts)  # type: ignore[misc]
            assert len(sari.screen) == 1
            assert sari.screen[0].edits == 0

    asyncio.run(go())


@pytest.mark.parametrize("store", LEGS, indirect=True)
def test_a_conversation_runs_through_parse_and_render(store: Store) -> None:
    chat = Chat(store, OnTelegram())
    code = chat.invites()
    sari = chat.newcomer("Sari")
    sari.says(f"/start {code}")
    assert "invitation" in sari.last
    sari.presses("English")
    sari.presses("Agree")
    assert "1 of 4" in sari.last


def test_the_platform_of_the_conversations_hands_over_what_parse_made(store: Store) -> None:
    chat = Chat(store, OnTelegram())
    event: Event = chat.platform.says(7, chat.newcomer("Sari"), "/find@kawan_bot legal drafting")
    assert (event.id, getattr(event, "name", None), getattr(event, "text", None)) == ("7", "find", "legal drafting")
