"""The page beside the chat, on Slack's own way of showing it: what stands there, for whom, and what its buttons do."""

from dataclasses import replace
from functools import partial

import pytest

from bot.core.adapter import Ack
from bot.core.events import Address, Opened
from storage import Store, UnitOfWork
from tests.adapters.slack_platform import Slack
from tests.chat import Chat, Person, Shown


@pytest.fixture
def chat(store: Store) -> Chat:
    return Chat(store, Slack())


def opens(who: Person) -> Ack:
    """Look at the page."""
    at = replace(who.address, conversation=home(who))
    return who.chat.happens(Opened(id=f"h{who.chat.count()}", sender=who.sender, address=at))


def home(who: Person) -> str:
    return f"home:{who.name}"


def pages(who: Person) -> list[Shown]:
    """Every page that was shown to somebody, the newest last."""
    return who.chat.screens.seen.get(home(who), [])


def presses(who: Person, label: str) -> Ack:
    """Press a button on the page."""
    handle = next(handle for shown, handle in pages(who)[-1].buttons if shown.startswith(label))
    return who.chat.happens(who.platform.presses(who.chat.count(), who, handle))


def named(cohort: int, number: int, title: str, unit: UnitOfWork) -> None:
    unit.projects.write(cohort, number, title=title)


def test_it_shows_gaps_first_then_allies_project_requests_and_dates(chat: Chat) -> None:
    sari, bat, tuya = chat.joins("Sari", coalitions=["citizens"]), chat.joins("Bat", country="MN"), chat.joins("Tuya")
    one, other = sari.member, bat.member
    assert one is not None
    assert other is not None
    chat.store.now(lambda unit: unit.introductions.befriend(chat.cohort, one, other, chat.clock.now(), None))
    chat.store.now(lambda unit: unit.projects.write(chat.cohort, one, title="Open contracts in Jakarta"))
    tuya.says("citizens")
    tuya.presses("Meet Sari")
    tuya.presses("Send")
    opens(sari)
    shown = pages(sari)[-1].text
    assert shown.startswith("Reform Asia\nHello Sari.")
    assert "Citizens: Bat (Mongolia)" in shown
    assert shown.index("nobody yet") < shown.index("Bat (Mongolia)")
    assert shown.count("nobody yet") == 4
    assert "Project: Open contracts in Jakarta" in shown
    assert "Requests to meet: 0 from you, 1 for you" in shown
    assert "Next: Mon 30 Nov: a request to meet closes" in shown
    labels = [label for label, _ in pages(sari)[-1].buttons]
    assert labels[-5:] == ["My allies", "Requests", "Project", "Me", "Help"]
    assert len([label for label in labels if label.startswith("Find: ")]) == 4


def test_what_is_pressed_there_is_answered_in_the_chat(chat: Chat) -> None:
    sari = chat.joins("Sari")
    opens(sari)
    before = pages(sari)[-1].text
    assert presses(sari, "Me").note == "I answered you in our direct chat."
    assert sari.last.startswith("You: Sari")
    assert (len(pages(sari)), pages(sari)[-1].text) == (1, before)


def test_opening_it_again_changes_nothing_until_there_is_something_new(chat: Chat) -> None:
    sari = chat.joins("Sari")
    for _ in range(3):
        opens(sari)
    assert len(pages(sari)) == 1
    number = sari.member
    assert number is not None
    chat.store.now(lambda unit: unit.projects.write(chat.cohort, number, title="Open contracts"))
    opens(sari)
    assert len(pages(sari)) == 2
    assert "Open contracts" in pages(sari)[-1].text


def test_pages_that_wait_give_way_to_the_newest(chat: Chat) -> None:
    sari = chat.joins("Sari")
    number = sari.member
    assert number is not None
    for title in ("One", "Two", "Three"):
        chat.store.now(partial(named, chat.cohort, number, title))
        at = replace(sari.address, conversation=home(sari))
        chat.happens(Opened(id=f"w{title}", sender=sari.sender, address=at), settle=False)
    chat.settles()
    assert len(pages(sari)) == 1
    assert "Project: Three" in pages(sari)[-1].text


def test_a_page_does_not_stand_between_a_question_and_its_typed_answer(chat: Chat) -> None:
    sari = chat.joins("Sari")
    sari.says("me")
    opens(sari)
    sari.says("Who sees me")
    assert sari.last.startswith("Now:")


def test_nobody_elses_page_can_be_pressed(chat: Chat) -> None:
    sari, bat = chat.joins("Sari"), chat.joins("Bat")
    opens(sari)
    handle = pages(sari)[-1].buttons[-1][1]
    ack = chat.happens(bat.platform.presses(chat.count(), bat, handle))
    assert ack.toast == "This button is not for you."
    assert bat.sees() == []


def test_somebody_who_is_no_member_sees_the_neutral_line_and_gets_no_message(chat: Chat) -> None:
    nobody = chat.newcomer("Nobody")
    opens(nobody)
    assert pages(nobody)[-1].text.startswith("Hello. This bot is for invited members.")
    assert pages(nobody)[-1].buttons == []
    assert nobody.sees() == []


def test_somebody_on_the_way_in_is_led_back_to_the_chat(chat: Chat) -> None:
    sari = chat.newcomer("Sari")
    sari.says(f"start {chat.invites()}")
    opens(sari)
    assert "It goes on in our chat" in pages(sari)[-1].text
    presses(sari, "Go on")
    assert "invitation" in sari.last


def test_a_facilitators_page_leads_to_the_people(chat: Chat) -> None:
    mirela = chat.joins("Mirela", role="facilitator")
    opens(mirela)
    assert "nobody yet" not in pages(mirela)[-1].text
    presses(mirela, "People")
    assert mirela.last.startswith("People of Reform Asia")


def test_an_ally_who_hides_before_it_leaves_is_not_named(chat: Chat) -> None:
    sari, bat = chat.joins("Sari"), chat.joins("Bat")
    one, other = sari.member, bat.member
    assert one is not None
    assert other is not None
    chat.store.now(lambda unit: unit.introductions.befriend(chat.cohort, one, other, chat.clock.now(), None))
    at = Address(sari.address.platform, sari.address.installation, home(sari))
    chat.happens(Opened(id="h", sender=sari.sender, address=at), settle=False)
    chat.happens(bat.platform.says(chat.count(), bat, "safe"))
    assert not any("Bat" in shown.text for shown in pages(sari))


def test_safe_leaves_a_page_that_says_nothing(chat: Chat) -> None:
    sari, mirela = chat.joins("Sari"), chat.joins("Mirela", role="facilitator")
    opens(sari)
    sari.says("safe")
    assert pages(sari)[-1].text.startswith("Hello. This bot is for invited members.")
    assert pages(sari)[-1].buttons == []
    assert pages(mirela) == []
