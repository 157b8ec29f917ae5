"""Discreet: what stands on a lock screen, on the platforms' own ways of showing a message."""

import pytest

from bot.adapters.slack.render import message
from bot.adapters.telegram.render import render
from bot.core.adapter import Envelope, Outcome
from bot.core.replies import Content, Pressable
from storage import Store
from tests.adapters.slack_platform import Slack
from tests.chat import Chat, Person

KEY = "A" * 22


@pytest.fixture
def chat(store: Store) -> Chat:
    return Chat(store, Slack())


def notified(chat: Chat) -> list[str]:
    """What notifications say from now on."""
    found: list[str] = []

    def note(envelope: Envelope) -> Outcome | None:
        found.append(str(message(envelope.content, envelope.key)["text"]))
        return None

    chat.screens.outcome = note
    return found


def asked(chat: Chat, sari: Person) -> None:
    """Somebody asks to meet Sari."""
    bat = chat.joins("Bat", country="MN")
    bat.says("beneficial ownership")
    bat.presses("Meet Sari")
    bat.presses("Send")


def test_who_is_discreet_is_told_only_that_there_is_a_message(chat: Chat) -> None:
    sari = chat.joins("Sari", offers=["beneficial-ownership"])
    sari.says("me")
    sari.presses("Who sees me")
    sari.presses("Lock screen")
    assert sari.last == "Notifications show the beginning of a message, names and topics too."
    sari.presses("Be discreet")
    assert sari.last.endswith("From now on.")
    told = notified(chat)
    asked(chat, sari)
    assert "Bat (Mongolia) would like to meet you." in sari.last
    assert told.count("You have a message.") == 1
    sari.says("who knows about beneficial ownership")
    assert told[-1] == "You have a message."
    sari.says("me")
    sari.presses("Who sees me")
    sari.presses("Lock screen")
    sari.presses("Show the words")
    sari.says("help")
    assert told[-1] != "You have a message."


def test_nobody_is_discreet_by_default(chat: Chat) -> None:
    sari = chat.joins("Sari", offers=["beneficial-ownership"])
    told = notified(chat)
    asked(chat, sari)
    assert any("Bat" in text for text in told)


def test_on_telegram_the_words_are_hidden_until_they_are_tapped() -> None:
    content = Content("Bat would like to meet you.", title="A request", preview="You have a message.")
    shown = render(content, KEY)
    assert shown.text == "You have a message.\n\nA request\nBat would like to meet you."
    hidden = [(one["offset"], one["length"]) for one in shown.entities if one["type"] == "spoiler"]
    assert hidden == [(21, len(shown.text) - 21)]
    bold = next(one for one in shown.entities if one["type"] == "bold")
    assert shown.text[bold["offset"] : bold["offset"] + bold["length"]] == "A request"


@pytest.mark.parametrize("length", [10, 4_080, 4_096, 9_000])
def test_every_part_of_a_long_text_is_hidden(length: int) -> None:
    from bot.adapters.telegram.render import parts

    content = Content("x" * length, buttons=(Pressable("Yes", "a"),), preview="You have a message.")
    for part in parts(content):
        shown = render(part, KEY)
        assert len(shown.text) <= 4_096
        hidden = next(one for one in shown.entities if one["type"] == "spoiler")
        assert "x" not in shown.text[: hidden["offset"]]
        assert hidden["offset"] + hidden["length"] == len(shown.text)
