"""Listening against the local server: nothing is confirmed before it is committed, and every press is answered."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import pytest
import structlog
from aiohttp import web

from bot.adapters.telegram import Menu, TelegramAdapter, webhook
from bot.adapters.telegram.webhook import LARGEST_BODY
from bot.core.adapter import Ack, Envelope, MenuFor
from bot.core.events import Address, Command, Event, Message, Press, Reachable, Unreadable
from bot.core.ids import SeededIds, encode
from bot.core.log import configure
from bot.core.replies import Content, Pressable
from storage import Busy
from tests.adapters.telegram_faults import Fault
from tests.adapters.telegram_server import TelegramServer

TOKEN = "4839574812:AAE-local-token-of-no-bot-0123456789"
GROUP = -1001
SECRET = "s3cret_of-the-webhook"
KEY = encode(bytes(range(16)))
MENU = Menu(
    everyone={"en": [("find", "Find allies"), ("help", "Help")], "fil": [("find", "Hanapin")]},
    facilitator={"en": [("find", "Find allies"), ("manage", "Manage")]},
    description={"en": "I help reformers find allies."},
    short_description={"en": "Find allies.", "th": "หาพันธมิตร"},
    group_line="I only work in private chats.",
)


class Core:
    """Stands where the dispatcher stands: keeps what it was given, and fails as it is told."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.repeats = 0
        self.ack = Ack()
        self.fails: list[BaseException] = []
        self.poison: str | None = None
        self.takes = 0.0

    async def receive(self, event: Event) -> Ack:
        await asyncio.sleep(self.takes)
        if self.fails:
            raise self.fails.pop(0)
        if isinstance(event, Message) and event.text == self.poison:
            raise ZeroDivisionError
        if any(event.id == old.id for old in self.events):
            self.repeats += 1
        else:
            self.events.append(event)
        return self.ack

    @property
    def texts(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Message)]


Play = Callable[[TelegramServer, TelegramAdapter, Core], Awaitable[None]]


async def until(true: Callable[[], bool], seconds: float = 3.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


def new_adapter(server: TelegramServer, session: aiohttp.ClientSession, **more: Any) -> TelegramAdapter:
    return TelegramAdapter(
        TOKEN,
        session=session,
        api_url=server.url,
        menu=MENU,
        ids=SeededIds(1),
        **{"long_poll": 2, "first_wait": 0.01, **more},
    )


@asynccontextmanager
async def listening(server: TelegramServer, core: Core, **more: Any) -> AsyncIterator[TelegramAdapter]:
    async with aiohttp.ClientSession() as session:
        adapter = new_adapter(server, session, **more)
        running = asyncio.create_task(adapter.run(core.receive))
        try:
            yield adapter
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


def plays(play: Play, **more: Any) -> None:
    async def go() -> None:
        core = Core()
        async with TelegramServer(TOKEN).running() as server, listening(server, core, **more) as adapter:
            await play(server, adapter, core)
            assert server.refused == 0, [call for call in server.calls if not call.done]

    asyncio.run(go())


def test_what_people_do_arrives_in_order_and_is_confirmed_afterwards() -> None:
    async def play(server: TelegramServer, adapter: TelegramAdapter, core: Core) -> None:
        sari = server.person(42)
        sari.says("/start Zm9v")
        for n in range(120):
            sari.says(str(n))
        sari.sends(voice={"file_id": "x", "file_unique_id": "x", "duration": 1})
        sari.blocks()
        await until(lambda: not server.unconfirmed)
        assert isinstance(core.events[0], Command)
        assert core.texts == [str(n) for n in range(120)]
        assert isinstance(core.events[-2], Unreadable)
        assert isinstance(core.events[-1], Reachable)
        assert core.repeats == 0
        assert (adapter.username, adapter.lane, adapter.trouble) == ("kawan_test_bot", "telegram:4839574812", None)
        assert "getFile" not in {call.method for call in server.calls}

    plays(play)


def test_a_busy_database_confirms_nothing_and_is_asked_again() -> None:
    async def play(server: TelegramServer, adapter: TelegramAdapter, core: Core) -> None:
        core.fails = [Busy("full"), OSError("disk"), Busy("full")]
        sari = server.person(42)
        for text in "abc":
            sari.says(text)
        await until(lambda: not server.unconfirmed)
        assert sorted(core.texts) == ["a", "b", "c"]

    plays(play)


def test_an_update_that_is_not_confirmed_comes_again_after_a_kill() -> None:
    async def go() -> None:
        async with TelegramServer(TOKEN).running() as server:
            first = Core()
            first.takes = 60
            sari = server.person(42)
            async with aiohttp.ClientSession() as session:
                killed = asyncio.create_task(new_adapter(server, session).run(first.receive))
                sari.says("hello")
                await until(lambda: any(call.done for call in server.called("getUpdates")))
                for task in asyncio.all_tasks() - {asyncio.current_task()}:
                    if task is killed or "take" in repr(task.get_coro()):
                        task.cancel()
            second = Core()
            async with listening(server, second):
                await until(lambda: second.texts == ["hello"])

    asyncio.run(go())


def test_a_stop_finishes_the_batch_in_hand() -> None:
    async def go() -> None:
        async with TelegramServer(TOKEN).running() as server:
            core = Core()
            core.takes = 0.3
            async with listening(server, core):
                server.person(42).says("hello")
                await until(lambda: any(call.done for call in server.called("getUpdates")))
                await asyncio.sleep(0.05)
                assert core.texts == []
            assert core.texts == ["hello"]

    asyncio.run(go())


def test_an_update_that_cannot_be_understood_blocks_nobody_and_is_counted() -> None:
    async def play(server: TelegramServer, adapter: TelegramAdapter, core: Core) -> None:
        sari = server.person(42)
        server.happens(message={"chat": 5})
        server.happens(callback_query={"id": "q-broken", "from": 7})
        sari.says("hello")
        await until(lambda: not server.unconfirmed and "q-broken" in server.toasts)
        assert core.texts == ["hello"]
        assert adapter.counts == {"unparsed": 2, "taken": 1}

    plays(play)


def test_an_update_that_always_fails_is_given_up_while_others_go_on() -> None:
    async def play(server: TelegramServer, adapter: TelegramAdapter, core: Core) -> None:
        core.poison = "poison"
        sari = server.person(42)
        sari.says("poison")
        sari.says("hello")
        await until(lambda: not server.unconfirmed, 20)
        assert core.texts == ["hello"]

    plays(play)


def test_numbers_that_start_again_lower_after_a_quiet_week_are_taken() -> None:
    async def play(server: TelegramServer, adapter: TelegramAdapter, core: Core) -> None:
        sari = server.person(42)
        server.goes_on_at(900)
        sari.says("before")
        await until(lambda: not server.unconfirmed)
        server.goes_on_at(17)
        sari.says("after")
        sari.says("and so on")
        await until(lambda: not server.unconfirmed)
        assert core.texts == ["before", "after", "and so on"]
        assert core.repeats == 0

    plays(play)


def test_every_press_is_answered_with_what_the_core_says() -> None:
    async def play(server: TelegramServer, adapter: TelegramAdapter, core: Core) -> None:
        sari = server.person(42)
        here = Address("telegram", "4839574812", "dm:42")
        await adapter.send(Envelope(key=KEY, address=here, content=Content("?", buttons=(Pressable("Yes", "y"),))))
        core.ack = Ack(toast="Already saved. Nothing changed." * 20)
        first = sari.presses("Yes")
        await until(lambda: first in server.toasts)
        core.ack = Ack()
        second = sari.presses_data("forged")
        await until(lambda: second in server.toasts)
        assert [event.handle for event in core.events if isinstance(event, Press)] == [f"{KEY}.0", "forged"]
        assert len(server.toasts[first] or "") == 200
        assert server.toasts[second] is None

    plays(play)


def test_a_press_that_is_too_old_to_answer_is_no_error() -> None:
    async def play(server: TelegramServer, adapter: TelegramAdapter, core: Core) -> None:
        server.fails("answerCallbackQuery", Fault("answer", status=400, body=TOO_OLD), Fault("cut"))
        for _ in range(3):
            server.person(42).presses_data("x")
        await until(lambda: len(server.called("answerCallbackQuery")) == 3)
        await until(lambda: not server.unconfirmed)
        assert len(core.events) == 3

    plays(play)


TOO_OLD = '{"ok":false,"error_code":400,"description":"Bad Request: query is too old and response timeout expired"}'


def test_the_network_away_is_survived_with_waits() -> None:
    async def play(server: TelegramServer, adapter: TelegramAdapter, core: Core) -> None:
        html = Fault("answer", body="<html>")
        server.fails("getUpdates", Fault("cut"), html, Fault("answer", status=502), Fault("half"), Fault("reset"))
        server.person(42).says("hello")
        await until(lambda: core.texts == ["hello"])

    plays(play)


def test_telegram_away_at_the_start_is_waited_for() -> None:
    async def go() -> None:
        core = Core()
        async with TelegramServer(TOKEN).running() as server:
            server.fails("getMe", Fault("cut"), Fault("answer", status=500))
            server.fails("deleteWebhook", Fault("reset"))
            async with listening(server, core):
                server.person(42).says("hello")
                await until(lambda: core.texts == ["hello"])

    asyncio.run(go())


def test_a_server_that_says_little_of_the_bot_is_good_enough() -> None:
    async def go() -> None:
        core = Core()
        async with TelegramServer(TOKEN).running() as server:
            server.fails("getMe", Fault("answer", body='{"ok": true, "result": {"id": 1, "username": "little_bot"}}'))
            async with listening(server, core) as adapter:
                server.person(42).says("hello")
                await until(lambda: core.texts == ["hello"])
                assert adapter.username == "little_bot"

    asyncio.run(go())


def test_two_pollers_the_first_stops_with_one_clear_line() -> None:
    async def play(server: TelegramServer, adapter: TelegramAdapter, core: Core) -> None:
        await until(lambda: bool(server.called("getUpdates")))
        with structlog.testing.capture_logs() as logs:
            async with listening(server, Core()) as second:
                await until(lambda: adapter.trouble is not None)
                asked = len(server.called("getUpdates"))
                await asyncio.sleep(0.3)
                assert len(server.called("getUpdates")) == asked
                assert second.trouble is None
        errors = [line for line in logs if line["log_level"] == "error"]
        assert [line["reason"] for line in errors] == [adapter.trouble]
        assert "another program" in (adapter.trouble or "")
        assert not adapter.is_listening
        here = Address("telegram", "4839574812", "dm:42")
        await adapter.send(Envelope(key=KEY, address=here, content=Content("still sent")))
        assert server.screens[42][-1].text == "still sent"

    plays(play)


@pytest.mark.parametrize("late", [False, True])
def test_a_refused_token_ends_listening_and_sending(late: bool) -> None:
    async def go() -> None:
        core = Core()
        async with TelegramServer(TOKEN).running() as server, aiohttp.ClientSession() as session:
            server.accepts_token = late
            adapter = new_adapter(server, session)
            running = asyncio.create_task(adapter.run(core.receive))
            if late:
                await until(lambda: bool(server.called("setMyShortDescription")))
                await asyncio.sleep(0.05)
                server.accepts_token = False
                server.person(42).says("wakes the long poll up")
            before = len(server.calls)
            await asyncio.wait_for(running, 5)
            assert adapter.trouble is not None
            here = Address("telegram", "4839574812", "dm:42")
            for _ in range(5):
                await adapter.send(Envelope(key=KEY, address=here, content=Content("x")))
            assert len(server.calls) - before <= 3

    asyncio.run(go())


def test_menus_are_set_by_language_and_role() -> None:
    async def play(server: TelegramServer, adapter: TelegramAdapter, core: Core) -> None:
        await until(lambda: ("short_description", "th") in server.descriptions)
        sari = server.person(42)
        core.ack = Ack(menu=MenuFor("en", facilitator=False))
        sari.says("hello")
        await until(lambda: len(core.events) == 1)
        core.ack = Ack(menu=MenuFor("th", facilitator=True))
        sari.says("from now on a facilitator")
        sari.says("whose menu is not set again")
        await until(lambda: ("chat42", "") in server.commands)
        names = {scope: [one["command"] for one in commands] for scope, commands in server.commands.items()}
        assert names == {
            ("all_private_chats", ""): ["find", "help"],
            ("all_private_chats", "tl"): ["find"],
            ("chat42", ""): ["find", "manage"],
        }
        core.ack = Ack(menu=MenuFor("fil", facilitator=False))
        sari.says("from now on a fellow, in another language than the app's")
        await until(lambda: [one["command"] for one in server.commands["chat42", ""]] == ["find"])
        chats = [call for call in server.called("setMyCommands") if call.arguments["scope"]["type"] == "chat"]
        assert len(chats) == 2
        assert server.descriptions["description", ""] == "I help reformers find allies."

    plays(play)


def test_a_menu_that_could_not_be_set_is_set_with_the_next_event() -> None:
    async def play(server: TelegramServer, adapter: TelegramAdapter, core: Core) -> None:
        await until(lambda: ("short_description", "th") in server.descriptions)
        server.fails("setMyCommands", Fault("cut"))
        core.ack = Ack(menu=MenuFor("en", facilitator=True))
        sari = server.person(42)
        sari.says("hello")
        await until(lambda: any(call.arguments.get("scope", {}).get("chat_id") == 42 for call in server.calls))
        await asyncio.sleep(0.05)
        assert ("chat42", "") not in server.commands
        sari.says("hello again")
        await until(lambda: ("chat42", "") in server.commands)

    plays(play)


def test_a_menu_takes_only_commands_that_telegram_takes() -> None:
    with pytest.raises(ValueError, match="cari kawan"):
        Menu(everyone={"id": [("cari kawan", "x")]})


def test_a_group_is_left_after_one_line_and_a_channel_without() -> None:
    async def play(server: TelegramServer, adapter: TelegramAdapter, core: Core) -> None:
        sari = server.person(42)
        chat = {"id": GROUP, "type": "supergroup", "title": "Reform"}
        for _ in range(2):
            server.happens(message={"message_id": 5, "from": sari.user, "chat": chat, "date": 1, "text": "/find x"})
        status = {"user": {"id": 1, "is_bot": True, "first_name": "K"}, "status": "administrator"}
        server.happens(
            my_chat_member={
                "chat": {"id": GROUP - 1, "type": "channel"}, "from": sari.user, "date": 1, "old_chat_member": status,
                "new_chat_member": status,
            }
        )  # fmt: skip
        await until(lambda: len(server.left) == 2)
        assert set(server.left) == {GROUP, GROUP - 1}
        assert [message.text for message in server.screens[GROUP]] == ["I only work in private chats."]
        assert core.events == []
        assert not server.screens[GROUP - 1]
        server.happens(
            my_chat_member={
                "chat": chat, "from": sari.user, "date": 2, "old_chat_member": status, "new_chat_member": status
            }
        )  # fmt: skip
        await until(lambda: len(server.left) == 3)  # somebody put it there again
        assert len(server.screens[GROUP]) == 1

    plays(play)


def test_a_server_that_does_not_wait_is_not_asked_without_a_pause() -> None:
    async def play(server: TelegramServer, adapter: TelegramAdapter, core: Core) -> None:
        before = len(server.called("getUpdates"))
        await asyncio.sleep(0.5)
        assert len(server.called("getUpdates")) - before <= 6

    plays(play, long_poll=0)


# -- webhook


@asynccontextmanager
async def hooked(core: Core) -> AsyncIterator[tuple[TelegramServer, TelegramAdapter, str]]:
    """A server, an adapter in webhook mode, and the address under which this machine serves it."""
    async with TelegramServer(TOKEN).running() as server, aiohttp.ClientSession() as session:
        app = web.Application()
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        placeholder = new_adapter(server, session, mode="webhook", webhook_url="http://x/tg/in", webhook_secret=SECRET)
        app.add_routes(placeholder.routes())
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = "http://{}:{}/tg/in".format(*runner.addresses[0][:2])
        placeholder._webhook_url = url  # the port is known only now
        running = asyncio.create_task(placeholder.run(core.receive))
        await until(lambda: server.webhook is not None)
        try:
            yield server, placeholder, url
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
            await runner.cleanup()


def test_a_webhook_delivers_once_though_the_first_commits_fail() -> None:
    async def go() -> None:
        core = Core()
        core.fails = [Busy("full"), ZeroDivisionError()]
        async with hooked(core) as (server, _, _):
            query = server.person(42).presses_data("x")
            server.person(43).says("hello")
            await until(lambda: len(core.events) == 2 and query in server.toasts)
            assert core.repeats == 0
            assert server.called("getUpdates") == []
            assert server.called("setWebhook")[0].arguments["secret_token"] == SECRET

    asyncio.run(go())


def test_a_commit_that_takes_too_long_is_refused_not_broken_off_and_acted_on_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(webhook, "IN_TIME", 0.1)

    async def go() -> None:
        core = Core()
        core.takes = 0.3
        async with hooked(core) as (server, _, url), aiohttp.ClientSession() as session:
            update = {"update_id": 900, "message": {
                "message_id": 1, "date": 1_790_000_000, "from": server.person(42).user, "chat": server.person(42).chat,
                "text": "hello",
            }}  # fmt: skip
            async with session.post(url, json=update, headers={webhook.SECRET_HEADER: SECRET}) as late:
                assert late.status == 503
            await until(lambda: core.texts == ["hello"])
            core.takes = 0.0
            async with session.post(url, json=update, headers={webhook.SECRET_HEADER: SECRET}) as again:
                assert again.status == 200
            assert (core.texts, core.repeats) == (["hello"], 1)

    asyncio.run(go())


@pytest.mark.parametrize(
    ("secret", "body", "status"),
    [
        (SECRET, b'{"update_id": 1}', 200),
        (SECRET, b'{"message": "strange"}', 200),
        (SECRET, b"{oops", 400),
        (SECRET, b"[" * 100_000, 400),
        (SECRET, b" " * (LARGEST_BODY + 1), 413),
        (SECRET + "x", b'{"update_id": 1}', 403),
        (SECRET[:-1], b'{"update_id": 1}', 403),
        ("", b'{"update_id": 1}', 403),
        ("säcret", b'{"update_id": 1}', 403),
        (None, b"{oops", 403),
    ],
)
def test_the_webhook_takes_only_what_telegram_sends(secret: str | None, body: bytes, status: int) -> None:
    async def go() -> None:
        core = Core()
        async with hooked(core) as (_, _, url), aiohttp.ClientSession() as session:
            headers = {} if secret is None else {"X-Telegram-Bot-Api-Secret-Token": secret}
            async with session.post(url, data=body, headers=headers) as response:
                assert response.status == status
            assert core.events == []

    asyncio.run(go())


def test_a_large_body_without_a_length_is_refused_too() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(70):
            yield b" " * 4096

    async def go() -> None:
        headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
        async with hooked(Core()) as (_, _, url), aiohttp.ClientSession(headers=headers) as session:
            response = await session.post(url, data=chunks())
            assert response.status == 413
            response.release()

    asyncio.run(go())


@pytest.mark.parametrize("secret", ["", "has space", "x" * 257, "ümlaut"])
def test_a_webhook_without_a_proper_secret_is_refused(secret: str) -> None:
    async def go() -> None:
        async with aiohttp.ClientSession() as session:
            with pytest.raises(ValueError, match="secret"):
                TelegramAdapter(
                    TOKEN, session=session, mode="webhook", webhook_url="https://x/y", webhook_secret=secret
                )

    asyncio.run(go())


def test_neither_token_nor_text_nor_name_is_in_any_log(
    capsys: pytest.CaptureFixture[str], logs_as_before: None
) -> None:
    async def play(server: TelegramServer, adapter: TelegramAdapter, core: Core) -> None:
        core.fails = [Busy("full")]
        server.fails("getUpdates", Fault("cut"), Fault("answer", body="<html>canary-body"))
        server.person(42, "canary-name").says("canary-text")
        server.happens(message={"text": "canary-broken"})
        here = Address("telegram", "4839574812", "dm:42")
        for fault in (Fault("cut"), Fault("answer", body="canary-body"), Fault("answer", status=500, body="canary")):
            server.fails("sendMessage", fault)
            await adapter.send(Envelope(key=KEY, address=here, content=Content("canary-sent")))
        await until(lambda: bool(core.events))

    configure("DEBUG")
    plays(play)
    written = capsys.readouterr()
    assert "update not understood" in written.err + written.out
    for secret in (TOKEN, TOKEN[12:], "canary"):
        assert secret not in written.err + written.out
