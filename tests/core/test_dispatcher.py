"""The one path of an event: repeats, failures, roles, words, forms that survive a restart."""

import re

import pytest

from bot.app import build
from bot.core.context import Context
from bot.core.events import Address, Command, Message, Press
from bot.core.replies import Reply
from bot.core.router import Route
from tests.chat import Chat


def test_the_same_event_five_times_has_one_effect(chat: Chat) -> None:
    sari = chat.joins("Sari")
    event = Message(id="once", sender=sari.sender, address=sari.address, text="help")
    for _ in range(5):
        chat.happens(event)
    assert len(sari.sees()) == 1


def test_a_repeated_press_gets_the_same_ack(chat: Chat) -> None:
    sari, bat = chat.joins("Sari"), chat.joins("Bat")
    sari.says("help")
    handle = sari.screen[-1].buttons[0][1]
    event = Press(id="p", sender=bat.sender, address=bat.address, handle=handle)
    first, second = chat.happens(event), chat.happens(event)
    assert first.toast == "This button is not for you."
    assert second == first
    assert bat.sees() == []


def test_a_forged_button_does_nothing_and_says_so(chat: Chat) -> None:
    sari = chat.joins("Sari")
    for handle in ("", "x", "AAAAAAAAAAAAAAAAAAAAAA.0", "AAAAAAAAAAAAAAAAAAAAAA.99", "💥.1", "a" * 500):
        event = Press(id=f"forged {handle}", sender=sari.sender, address=sari.address, handle=handle)
        assert chat.happens(event).toast == "That button no longer works. Type help."
    assert sari.sees() == []


def test_a_failing_handler_apologises_with_a_number_and_blocks_nothing(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(ctx: Context) -> Reply:
        ctx.store.members.change(ctx.me.id, language="id")
        ctx.send(ctx.me.id, "never said")
        raise RuntimeError("secret words")

    sari = chat.joins("Sari")
    monkeypatch.setitem(chat.kawan.engine.router.words, "help", Route(name="help", handler=fails))
    sari.says("help")
    assert re.search(r"Something went wrong on my side.*[0-9a-f]{8}\.", sari.last, re.DOTALL)
    assert "secret" not in "".join(sari.sees())
    assert "never said" not in "".join(sari.sees())
    member = sari.member
    assert member is not None
    found = chat.store.now(lambda unit: unit.members.recall(member))
    assert found is not None
    assert found.language == "en"
    monkeypatch.undo()
    sari.says("help")
    assert "Something went wrong" not in sari.last


def test_a_failed_event_that_comes_again_is_not_tried_again(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def fails(ctx: Context) -> Reply:
        tried.append(1)
        raise RuntimeError

    sari = chat.joins("Sari")
    monkeypatch.setitem(chat.kawan.engine.router.words, "help", Route(name="help", handler=fails))
    for _ in range(3):
        chat.happens(Message(id="poison", sender=sari.sender, address=sari.address, text="help"))
    assert tried == [1]
    assert len(sari.sees()) == 1


def test_a_facilitators_word_is_refused_to_fellows_and_given_to_facilitators(chat: Chat) -> None:
    fellow, facilitator = chat.joins("Sari"), chat.joins("Mirela", role="facilitator")
    fellow.says("manage")
    assert fellow.last == "Only facilitators can do this. To reach them, type help."
    facilitator.says("manage")
    assert "Only facilitators" not in facilitator.last


@pytest.mark.parametrize("typed", ["help", "/help", "HELP", "Bantuan", "/bantuan", "/help@kawan_bot"])
def test_words_are_understood_in_every_language_with_and_without_a_slash(chat: Chat, typed: str) -> None:
    sari = chat.joins("Sari")
    sari.says(typed)
    assert "find" in sari.last


def test_an_unknown_slash_word_gets_a_near_one(chat: Chat) -> None:
    sari = chat.joins("Sari")
    sari.says("/alies")
    assert sari.last == "I do not know alies. Did you mean allies? Type help for the list."
    sari.says("/xyzzy")
    assert "I do not know xyzzy." in sari.last


def test_a_question_survives_a_restart(chat: Chat) -> None:
    sari = chat.newcomer("Sari")
    sari.says(f"/start {chat.invites()}")
    sari.presses("English")
    sari.presses("Agree")
    chat.kawan = build(chat.store, chat.programme, [chat.screens], clock=chat.clock, ids=chat.ids, a_minute=None)
    sari.says("Sari")
    assert "2 of" in sari.last


def test_more_than_twenty_a_minute_get_one_notice_then_silence(chat: Chat) -> None:
    chat.kawan = build(chat.store, chat.programme, [chat.screens], clock=chat.clock, ids=chat.ids, a_minute=20)
    sari = chat.joins("Sari")
    for _ in range(30):
        sari.says("help")
    assert len(sari.sees()) == 21
    assert sari.last == "That is a lot at once. Please wait a minute, then go on."
    chat.passes(minutes=2)
    sari.says("help")
    assert len(sari.sees()) == 22


def test_a_clock_that_is_put_back_does_not_make_anybody_wait(chat: Chat) -> None:
    chat.kawan = build(chat.store, chat.programme, [chat.screens], clock=chat.clock, ids=chat.ids, a_minute=20)
    sari = chat.joins("Sari")
    for _ in range(15):
        sari.says("help")
    chat.passes(hours=-1)
    for _ in range(15):
        sari.says("help")
    assert len(sari.sees()) == 30


def test_events_before_a_delivery_are_delivered_in_order(chat: Chat) -> None:
    sari = chat.joins("Sari")
    for n, text in enumerate(["what OCDS", "help", "me"]):
        chat.happens(Message(id=f"o{n}", sender=sari.sender, address=sari.address, text=text), settle=False)
    chat.settles()
    assert len(sari.sees()) == 3
    assert "data format" in sari.sees()[0]


def test_a_word_said_in_a_channel_is_answered_in_the_direct_chat(chat: Chat) -> None:
    sari = chat.joins("Sari")
    channel = Address("console", "test", "channel:C1")
    ack = chat.happens(Command(id="c", sender=sari.sender, address=channel, name="help"))
    assert ack.note == "I answered you in our direct chat."
    assert len(sari.sees()) == 1
    assert "channel:C1" not in chat.screens.seen
    forged = chat.happens(Press(id="p", sender=sari.sender, address=channel, handle="AAAAAAAAAAAAAAAAAAAAAA.0"))
    assert (forged.toast, forged.note) == ("That button no longer works. Type help.", None)
    assert len(sari.sees()) == 1


def test_a_buttons_label_can_be_typed_instead_of_pressed(chat: Chat) -> None:
    sari = chat.joins("Sari")
    sari.says("me")
    sari.says("who sees me")
    assert "Who sees me" not in sari.last or "Careful" in "".join([sari.last, *sari.buttons()])
    assert "No one found." not in sari.last


def test_one_command_for_all_words_takes_a_word_or_a_search(chat: Chat) -> None:
    sari = chat.joins("Sari")
    chat.joins("Bat", offers=["beneficial-ownership"])
    for number, text in enumerate(("beneficial ownership", "find beneficial ownership")):
        chat.happens(Command(id=f"k{number}", sender=sari.sender, address=sari.address, name="", text=text))
        assert "Bat" in sari.last
    chat.happens(Command(id="typo", sender=sari.sender, address=sari.address, name="", text="alies"))
    assert "Did you mean allies" in sari.last
