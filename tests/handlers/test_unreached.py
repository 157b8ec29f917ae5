"""Facilitators hear in one line of their morning who could be reached nowhere: once, and nothing when nobody is."""

import pytest

from bot.core.adapter import Envelope, Outcome, Unreachable
from bot.core.replies import Card
from tests.chat import Chat, Person, Screens
from tests.core.test_relay import Elsewhere, rebuilt, says, with_two_accounts

HELP = "They may have blocked me or left the app; a word from you may help."


@pytest.fixture
def mirela(chat: Chat) -> Person:
    return chat.joins("Mirela", role="facilitator")


def block(chat: Chat, *names: str) -> None:
    """These people cannot be reached any more; all others can."""
    gone = {f"dm:{name}" for name in names}

    def outcome(envelope: Envelope) -> Outcome | None:
        return Unreachable("blocked") if envelope.address.conversation in gone else None

    chat.screens.outcome = outcome


def write(chat: Chat, *people: Person) -> None:
    for person in people:
        says(chat, person, Card("Please read this."))
    chat.settles()


def become(chat: Chat, who: Person, state: str) -> None:
    number = who.member
    assert number is not None
    chat.store.now(lambda unit: unit.members.change(number, state=state))


def told(who: Person) -> list[str]:
    return [text for text in who.sees() if "could not be reached" in text or HELP in text]


def test_facilitators_hear_of_two_in_one_line_once(chat: Chat, mirela: Person) -> None:
    other = chat.joins("Nergui", role="facilitator", time_zone="Asia/Ulaanbaatar")
    bat, sari, chai = (chat.joins(name) for name in ("Bat", "Sari", "Chai"))
    block(chat, "Bat", "Sari")
    write(chat, bat, sari, chai, bat)
    assert told(mirela) == []
    chat.passes(hours=23)
    for facilitator in (mirela, other):
        assert told(facilitator) == [f"2 people could not be reached since yesterday: Bat and Sari. {HELP}"]
    for _ in range(3):  # they stay away, and are not told of again
        write(chat, bat, sari)
        chat.passes(days=1)
    assert len(told(mirela)) == len(told(other)) == 1


def test_who_was_back_is_told_of_again(chat: Chat, mirela: Person) -> None:
    bat = chat.joins("Bat")
    block(chat, "Bat")
    write(chat, bat)
    chat.passes(days=1)
    assert told(mirela) == [f"Bat could not be reached since yesterday. {HELP}"]
    block(chat)
    bat.says("menu")
    block(chat, "Bat")
    write(chat, bat)
    chat.passes(days=1)
    assert len(told(mirela)) == 2


def test_nothing_is_said_of_who_is_back_or_left_or_is_locked(chat: Chat, mirela: Person) -> None:
    bat, sari, chai = (chat.joins(name) for name in ("Bat", "Sari", "Chai"))
    block(chat, "Bat", "Sari", "Chai")
    write(chat, bat, sari, chai)
    block(chat)
    bat.says("menu")
    for person, state in ((sari, "left"), (chai, "locked")):
        become(chat, person, state)
    chat.passes(days=2)
    assert told(mirela) == []


def test_who_is_reached_in_the_other_app_is_not_missed(chat: Chat, mirela: Person) -> None:
    other = Screens(Elsewhere())
    rebuilt(chat, other)
    sari = with_two_accounts(chat, "Sari", other)
    chat.screens.outcome = lambda envelope: Unreachable("blocked") if "Sari" in envelope.address.conversation else None
    other.outcome = lambda envelope: None
    write(chat, sari)
    chat.passes(days=1)
    assert told(mirela) == []
    other.outcome = chat.screens.outcome
    write(chat, sari)
    chat.passes(days=1)
    assert told(mirela) == [f"Sari could not be reached since yesterday. {HELP}"]


def test_many_are_ten_names_and_a_number(chat: Chat, mirela: Person) -> None:
    many = [chat.joins(f"Fellow{n:02}") for n in range(13)]
    block(chat, *(person.name for person in many))
    write(chat, *many)
    chat.passes(days=1)
    (said,) = told(mirela)
    assert said.startswith("13 people could not be reached since yesterday: Fellow00, Fellow01,")
    assert "Fellow09, and 3 others. They may" in said
