"""What people do on Slack arrives once, is acknowledged only after our commit, and is answered in the right place."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

import pytest

from bot.adapters.slack import SlackAdapter, inbound
from bot.core.adapter import Ack, Page, PageField
from bot.core.events import Command, Message, Opened, Press, Submit
from bot.core.ids import button_handle
from tests.adapters.slack_bot import KEY, Receiver, listening, to
from tests.adapters.slack_people import SlackPerson, payload
from tests.adapters.slack_server import Fault, SlackServer

Scene = Callable[[SlackServer, Receiver, SlackPerson, SlackAdapter], Awaitable[None]]
Mode = Literal["socket", "http"]
both = pytest.mark.parametrize("mode", ["socket", "http"])
HANDLE = button_handle(KEY, 0)
PAGE = Page(
    dialog=7, version=2, title="About you", submit="Send", cancel="Cancel", held=42,
    fields=(
        PageField("name", "What shall others call you?", "text", value="Sari"),
        PageField("coalitions", "Whose support?", "many", (("citizens", "Citizens"), ("donors", "Donors"))),
    ),
)  # fmt: skip


def played(mode: Mode, scene: Scene, *, deadline: float = 3.0) -> None:
    async def go() -> None:
        receiver = Receiver()
        async with (
            SlackServer(deadline=deadline) as server,
            listening(server, receiver, mode, receiver.open) as adapter,
        ):
            await scene(server, receiver, SlackPerson(server, "U0SARI"), adapter)
            assert server.problems == []

    asyncio.run(go())


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.01)


@both
def test_words_arrive_once_and_are_acknowledged(mode: Mode) -> None:
    async def scene(server: SlackServer, receiver: Receiver, sari: SlackPerson, adapter: SlackAdapter) -> None:
        delivery = await sari.says("legal <drafting> & courts")
        assert [status for _, status, _ in delivery.answers] == [200]
        (event,) = receiver.events
        assert isinstance(event, Message)
        assert event.text == "legal <drafting> & courts"
        assert event.address.conversation == "dm:U0SARI"

    played(mode, scene)


@both
def test_nothing_is_acknowledged_before_the_commit(mode: Mode) -> None:
    async def scene(server: SlackServer, receiver: Receiver, sari: SlackPerson, adapter: SlackAdapter) -> None:
        receiver.takes = 0.5
        for delivery in (await sari.says("hello"), await sari.kawan("allies"), await sari.presses_handle(HANDLE)):
            assert delivery.acknowledged
            assert delivery.answers[0][0] >= 0.5

    played(mode, scene)


@both
def test_a_failed_commit_is_not_acknowledged_and_the_event_comes_again(mode: Mode) -> None:
    async def scene(server: SlackServer, receiver: Receiver, sari: SlackPerson, adapter: SlackAdapter) -> None:
        receiver.failures = 2
        delivery = await sari.says("hello")
        refused = 503 if mode == "http" else None
        assert [status for _, status, _ in delivery.answers] == [refused, refused, 200]
        assert [event.id for event in receiver.events] == [delivery.payload["event_id"]]
        receiver.failures = 1
        assert not (await sari.kawan("allies")).acknowledged
        receiver.failures = 1
        assert not (await sari.presses_handle(HANDLE)).acknowledged

    played(mode, scene, deadline=0.4)


@both
def test_a_commit_that_takes_too_long_is_not_acknowledged_and_not_broken_off(
    mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbound, "IN_TIME", 0.2)

    async def scene(server: SlackServer, receiver: Receiver, sari: SlackPerson, adapter: SlackAdapter) -> None:
        receiver.takes = 0.4
        server.repeats = 0
        assert not (await sari.says("hello")).acknowledged
        await until(lambda: receiver.events)

    played(mode, scene, deadline=0.6)


@both
def test_kawan_in_a_channel_is_answered_to_the_person_alone(mode: Mode) -> None:
    async def scene(server: SlackServer, receiver: Receiver, sari: SlackPerson, adapter: SlackAdapter) -> None:
        receiver.answer = lambda event: Ack(note="I answered you in our <direct> chat.")
        delivery = await sari.kawan("find legal drafting")
        (event,) = receiver.events
        assert isinstance(event, Command)
        assert (event.name, event.text, event.address.conversation) == ("", "find legal drafting", "channel:C0GENERAL")
        assert delivery.answer["response_type"] == "ephemeral"
        assert delivery.answer["text"] == "I answered you in our &lt;direct\u2060&gt; chat."
        assert delivery.answer["blocks"][0]["text"]["type"] == "plain_text"
        assert server.calls_of("chat.postMessage") == []

    played(mode, scene)


@both
def test_kawan_in_our_direct_chat_is_private_once_the_chat_is_known(mode: Mode) -> None:
    async def scene(server: SlackServer, receiver: Receiver, sari: SlackPerson, adapter: SlackAdapter) -> None:
        await sari.says("hello")
        delivery = await sari.kawan("allies", sari.channel)
        assert isinstance(receiver.events[-1], Command)
        assert receiver.events[-1].address.is_private
        assert delivery.answer is None

    played(mode, scene)


@both
def test_a_press_is_always_acknowledged_and_its_toast_seen_by_the_presser_alone(mode: Mode) -> None:
    async def scene(server: SlackServer, receiver: Receiver, sari: SlackPerson, adapter: SlackAdapter) -> None:
        await adapter.send(to("dm:U0SARI", buttons=("Meet Bat",)))
        delivery = await sari.presses("Meet Bat")
        assert delivery.acknowledged
        assert not delivery.answer
        (event,) = receiver.events
        assert isinstance(event, Press)
        assert event.handle == HANDLE
        receiver.answer = lambda event: Ack(toast="Already saved. Nothing changed.")
        assert (await sari.presses("Meet Bat")).acknowledged
        await until(lambda: server.remarks["U0SARI"])
        assert server.remarks["U0SARI"][0]["text"] == "Already saved. Nothing changed."

    played(mode, scene)


@both
def test_a_toast_is_sent_to_no_address_but_slacks(mode: Mode) -> None:
    async def scene(server: SlackServer, receiver: Receiver, sari: SlackPerson, adapter: SlackAdapter) -> None:
        receiver.answer = lambda event: Ack(toast="This button is not for you.")
        body = payload("block_actions") | {
            "response_url": server.response_url("U0SARI").replace("127.0.0.1", "localhost")
        }
        assert (await server.deliver("interactive", body)).acknowledged
        await asyncio.sleep(0.2)
        assert server.remarks["U0SARI"] == []

    played(mode, scene)


@both
def test_a_toast_on_the_home_is_a_small_modal(mode: Mode) -> None:
    async def scene(server: SlackServer, receiver: Receiver, sari: SlackPerson, adapter: SlackAdapter) -> None:
        receiver.answer = lambda event: Ack(toast="That button no longer works.")
        assert (await sari.presses_at_home(HANDLE)).acknowledged
        await until(lambda: "U0SARI" in server.views)
        assert server.views["U0SARI"]["blocks"][0]["text"]["text"] == "That button no longer works."

    played(mode, scene)


@both
def test_a_form_opens_as_a_modal_cancels_its_held_question_and_comes_back(mode: Mode) -> None:
    async def scene(server: SlackServer, receiver: Receiver, sari: SlackPerson, adapter: SlackAdapter) -> None:
        receiver.answer = lambda event: Ack(open=PAGE) if isinstance(event, Press) else Ack()
        assert (await sari.presses_handle(HANDLE)).acknowledged
        await until(lambda: receiver.opened)
        assert receiver.opened == [42]
        delivery = await sari.submits(name="Sari & co", coalitions="citizens,donors")
        event = receiver.events[-1]
        assert isinstance(event, Submit)
        assert (event.dialog, event.version) == (7, 2)
        assert event.answers == {"name": "Sari & co", "coalitions": "citizens,donors"}
        assert delivery.acknowledged
        assert "U0SARI" not in server.views

    played(mode, scene)


@both
@pytest.mark.parametrize(
    "fault", [Fault("error", body="expired_trigger_id"), Fault("cut"), Fault("status", body="<html>")]
)
def test_a_modal_that_does_not_open_leaves_the_held_question(mode: Mode, fault: Fault) -> None:
    async def scene(server: SlackServer, receiver: Receiver, sari: SlackPerson, adapter: SlackAdapter) -> None:
        receiver.answer = lambda event: Ack(open=PAGE)
        server.faults["views.open"].append(fault)
        assert (await sari.presses_handle(HANDLE)).acknowledged
        await until(lambda: not server.faults["views.open"])
        await asyncio.sleep(0.1)
        assert receiver.opened == []

    played(mode, scene)


@both
def test_problems_of_a_form_stand_at_their_fields_and_a_closed_question_says_so(mode: Mode) -> None:
    async def scene(server: SlackServer, receiver: Receiver, sari: SlackPerson, adapter: SlackAdapter) -> None:
        receiver.answer = lambda event: Ack(open=PAGE)
        await sari.presses_handle(HANDLE)
        await until(lambda: "U0SARI" in server.views)
        receiver.answer = lambda event: Ack(problems={"name": "Please give a name.", "elsewhere": "And this."})
        delivery = await sari.submits(name="")
        assert delivery.answer == {"response_action": "errors", "errors": {"name": "And this."}}
        receiver.answer = lambda event: Ack(toast="That question is closed. Nothing changed.")
        delivery = await sari.submits(name="Sari")
        assert delivery.answer["response_action"] == "update"
        assert delivery.answer["view"]["blocks"][0]["text"]["text"] == "That question is closed. Nothing changed."

    played(mode, scene)


@both
def test_the_home_is_told_of(mode: Mode) -> None:
    async def scene(server: SlackServer, receiver: Receiver, sari: SlackPerson, adapter: SlackAdapter) -> None:
        assert (await sari.opens_home()).acknowledged
        assert [type(event) for event in receiver.events] == [Opened]

    played(mode, scene)


@both
@pytest.mark.parametrize(
    "name",
    ["unknown_event", "app_rate_limited", "shortcut", "view_closed", "message_own", "message_bot", "block_actions_link",
     "message_other_workspace", "tokens_revoked_of_a_person"],
)  # fmt: skip
def test_what_nobody_asked_for_is_acknowledged_and_not_acted_on(mode: Mode, name: str) -> None:
    async def scene(server: SlackServer, receiver: Receiver, sari: SlackPerson, adapter: SlackAdapter) -> None:
        body = payload(name)
        interactive = body["type"] in ("shortcut", "view_closed", "block_actions")
        assert (await server.deliver("interactive" if interactive else "events_api", body)).acknowledged
        assert receiver.events == []
        assert sum(adapter.inbound.counted.values()) == 1 or name == "message_own"  # Bolt drops our own

    played(mode, scene)


def test_every_delivery_of_an_event_has_the_same_id() -> None:
    async def scene(server: SlackServer, receiver: Receiver, sari: SlackPerson, adapter: SlackAdapter) -> None:
        for _ in range(3):
            assert (await sari.sends(payload("message_im"))).acknowledged
        assert {event.id for event in receiver.events} == {"Ev0MESSAGE"}

    played("socket", scene)


def test_both_connections_come_back_when_slack_asks_or_hangs_up() -> None:
    async def scene(server: SlackServer, receiver: Receiver, sari: SlackPerson, adapter: SlackAdapter) -> None:
        first = set(server.sockets)
        assert len(first) == 2
        await server.refresh_connections()
        await until(lambda: len(server.sockets) == 2 and not first & set(server.sockets))
        assert (await sari.says("still here")).acknowledged
        second = set(server.sockets)
        for socket in second:
            await socket.close()
        await until(lambda: len(server.sockets) == 2 and not second & set(server.sockets))
        assert (await sari.says("and here")).acknowledged

    played("socket", scene)


def test_an_address_that_does_not_work_is_not_tried_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.adapters.slack.connection.PING", 0.2)

    async def go() -> None:
        async with SlackServer() as server:
            dead = '{"ok": true, "url": "ws://127.0.0.1:9/link?ticket=x"}'
            server.faults["apps.connections.open"] += [Fault("status", body=dead), Fault("status", status=500)] * 2
            async with listening(server, Receiver()):
                assert len(server.sockets) == 2

    asyncio.run(go())


@both
def test_stopping_finishes_and_acknowledges_what_is_in_hand(mode: Mode) -> None:
    async def go() -> None:
        receiver = Receiver()
        receiver.takes = 0.4
        async with SlackServer(deadline=2) as server:
            sari = SlackPerson(server, "U0SARI")
            async with listening(server, receiver, mode):
                saying = asyncio.create_task(sari.says("hello"))
                await asyncio.sleep(0.2)
            if mode == "socket":  # on HTTP the web server, not the adapter, waits for the answer to leave
                assert (await saying).acknowledged
            assert len(receiver.events) == 1
            saying.cancel()

    asyncio.run(go())


def test_fifty_at_once_are_each_acted_on_once() -> None:
    async def scene(server: SlackServer, receiver: Receiver, sari: SlackPerson, adapter: SlackAdapter) -> None:
        receiver.takes = 0.05
        people = [SlackPerson(server, f"U0P{n}") for n in range(50)]
        deliveries = await asyncio.gather(*(person.says("hello") for person in people))
        assert all(len(delivery.answers) == 1 and delivery.acknowledged for delivery in deliveries)
        assert len({event.id for event in receiver.events}) == 50 == len(receiver.events)

    played("http", scene)


CANARY = "kanariumvulgare"
FRAMES = {
    "no JSON": f"{{nonsense of {CANARY}",
    "no object": f'["{CANARY}"]',
    "empty": "",
    "deep": '{"a":' + "[" * 100_000,
    "a payload that is none": f'{{"type": "events_api", "envelope_id": "1", "payload": ["{CANARY}"]}}',
}


@pytest.mark.parametrize("frame", FRAMES)
def test_a_frame_that_is_none_is_one_line_and_the_next_is_heard(frame: str, caplog: pytest.LogCaptureFixture) -> None:
    async def scene(server: SlackServer, receiver: Receiver, sari: SlackPerson, adapter: SlackAdapter) -> None:
        for socket in list(server.sockets):
            await socket.send_str(FRAMES[frame])
        assert (await sari.says("still here")).acknowledged
        assert (await sari.says("and here")).acknowledged
        assert [event.text for event in receiver.events if isinstance(event, Message)] == ["still here", "and here"]

    played("socket", scene)
    assert [record.getMessage() for record in caplog.records if record.exc_info or CANARY in record.getMessage()] == []
