"""The bad inputs of everyday life, and the reply that helps: plain words, what to do next, nothing lost."""

import pytest

from bot.core.events import Unreadable
from tests.chat import Chat

MANY = "x" * 20_000


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("", "I got an empty message. Just write what you are looking for, or type help."),
        ("  \u200b\u2060 ", "I got an empty message. Just write what you are looking for, or type help."),
        (MANY, "That is longer than I can keep (4,000 characters). Nothing was saved yet."),
        ("%", "No one found."),
        ("%%%", "No one found."),
        ("' OR 1=1", "No one found."),
        ("/broadcast hello", "Only facilitators can send to the cohort. To reach them, type help."),
        ("/serach", "I do not know serach."),
        ("/halp", "Did you mean help?"),
        ("{name} {topic}", "No one found."),
        ("\ud800 lone", "No one found."),
        ("a\0b", "No one found."),
        ("9" * 5000, "That is longer than I can keep"),
        ("https://evil.example/|click", "No one found."),
    ],
)
def test_a_strange_message_gets_a_sentence_that_says_what_to_do(chat: Chat, typed: str, answer: str) -> None:
    sari = chat.joins("Sari")
    sari.says(typed)
    assert answer in sari.last
    assert len(sari.sees()) == 1


def test_what_is_not_text_is_never_read(chat: Chat) -> None:
    sari = chat.joins("Sari")
    chat.happens(Unreadable(id="photo", sender=sari.sender, address=sari.address, kind="photo"))
    assert sari.last == "I can only read text. Nothing was stored. Please type your answer."


@pytest.mark.parametrize("typed", ["I am in danger", "i am in danger.", "help me", "Saya dalam bahaya", "tolong saya"])
def test_somebody_in_danger_gets_human_contacts_in_any_step(chat: Chat, typed: str) -> None:
    sari = chat.newcomer("Sari")
    sari.says(f"/start {chat.invites()}")
    sari.presses("English")
    sari.presses("Agree")
    sari.says(typed)
    assert "Call Mirela: 000" in sari.last
    assert "accessnow" in sari.last


def test_help_as_a_part_of_a_sentence_is_a_search(chat: Chat) -> None:
    sari = chat.joins("Sari")
    chat.joins("Bat", offers=["beneficial-ownership"])
    sari.says("help me find beneficial ownership people")
    assert "Bat" in sari.last


@pytest.mark.parametrize("typed", ["me and my team need beneficial ownership", "safe use of beneficial ownership data"])
def test_a_sentence_that_begins_like_a_word_is_a_search(chat: Chat, typed: str) -> None:
    sari = chat.joins("Sari")
    chat.joins("Bat", offers=["beneficial-ownership"])
    sari.says(typed)
    assert "Bat" in sari.last


def test_a_button_pressed_twice_changes_nothing_twice(chat: Chat) -> None:
    sari, bat = chat.joins("Sari"), chat.joins("Bat", offers=["beneficial-ownership"])
    sari.says("beneficial ownership")
    sari.presses("Meet Bat")
    sari.presses("Send")
    handle = bat.handle_of("Yes")
    first = chat.happens(chat.platform.presses(chat.count(), bat, handle))
    again = chat.happens(chat.platform.presses(chat.count(), bat, handle))
    assert first.toast is None
    assert again.toast == "Already saved. Nothing changed."
    assert sum("are in touch now" in text for text in sari.sees()) == 1


def test_a_button_of_an_earlier_question_brings_the_present_one(chat: Chat) -> None:
    sari = chat.newcomer("Sari")
    sari.says(f"/start {chat.invites()}")
    sari.presses("English")
    sari.presses("Agree")
    earlier = sari.screen[-1].buttons[0][1]
    sari.says("Sari")
    sari.presses("Neither")
    chat.happens(chat.platform.presses(chat.count(), sari, earlier))
    assert "That was an earlier question." in sari.last
    assert "Whose support does your reform need?" in sari.last


def test_text_where_a_button_was_expected_is_taken_if_it_matches(chat: Chat) -> None:
    sari = chat.newcomer("Sari")
    sari.says(f"/start {chat.invites()}")
    sari.presses("English")
    sari.presses("Agree")
    sari.says("Sari")
    sari.says("perhaps a buyer or so")
    assert "Please press one of the buttons" in sari.last
    sari.says("BUYER")
    assert "Whose support" in sari.last
    sari.says("citizens, private sector")
    assert "What help would move you most?" in sari.last
