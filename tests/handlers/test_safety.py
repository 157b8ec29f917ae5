"""`safe` and the emergency words: what happens, what nobody sees, and what is not kept."""

import pytest

from bot.core.ids import decode
from storage import Store
from tests.adapters.telegram_platform import OnTelegram
from tests.chat import Chat, Person


@pytest.fixture
def mirela(chat: Chat) -> Person:
    """The facilitator."""
    return chat.joins("Mirela", role="facilitator")


@pytest.fixture
def sari(chat: Chat, mirela: Person) -> Person:
    """A fellow who trusts Mirela."""
    return chat.joins("Sari", topics=["beneficial-ownership"])


def test_safe_answers_ok_and_nothing_else(sari: Person) -> None:
    sari.says("safe")
    assert sari.sees() == ["OK."]
    assert sari.buttons() == []


def test_safe_takes_what_was_said_off_every_screen_of_that_person(chat: Chat, sari: Person) -> None:
    bat = chat.joins("Bat", topics=["beneficial-ownership"])
    sari.says("beneficial ownership")
    sari.says("me")
    bat.says("me")
    sari.says("safe")
    assert [shown.text for shown in chat.screens.seen[sari.address.conversation]] == ["OK."]
    assert len(bat.sees()) == 1


def test_what_telegram_no_longer_lets_a_bot_delete_is_not_tried(store: Store) -> None:
    chat = Chat(store, OnTelegram())
    chat.joins("Mirela", role="facilitator")
    sari = chat.joins("Sari")
    sari.says("me")
    chat.clock.passes(hours=49)
    sari.says("help")
    sari.says("safe")
    assert len(sari.sees()) == 2
    assert sari.sees()[0].startswith("You: Sari")
    assert sari.sees()[1] == "OK."


def test_a_facilitator_who_locks_somebody_clears_their_screen(chat: Chat, sari: Person, mirela: Person) -> None:
    sari.says("me")
    mirela.says("manage")
    for label in ("People", "List", "Sari", "Lock now", "Yes, lock"):
        mirela.presses(label)
    assert sari.sees() == []


@pytest.mark.parametrize("word", ["safe", "aman", "аюулгүй", "ligtas", "ปลอดภัย", "/safe"])
def test_safe_hides_locks_and_tells_one_facilitator(chat: Chat, sari: Person, mirela: Person, word: str) -> None:
    bat = chat.joins("Bat")
    haruto = chat.joins("Haruto", role="facilitator")
    sari.says(word)
    bat.says("beneficial ownership")
    assert "Sari" not in bat.last
    assert "Sari typed safe" in mirela.last
    assert haruto.sees() == []
    sari.says("me")
    assert sari.last.startswith("Hello. This bot is for invited members.")


def test_safe_in_the_middle_of_a_question_wipes_what_was_said(chat: Chat, sari: Person) -> None:
    sari.says("me")
    sari.presses("Change")
    sari.presses("Name")
    sari.says("safe")
    assert sari.last == "OK."
    rows = chat.store.now(lambda unit: unit.privacy.own_data(sari.member or 0))
    assert "dialog" not in rows
    assert "timer" not in rows
    keys = [decode(ref) for ref in chat.screens.by_ref]
    sent = chat.store.now(lambda unit: [unit.outbox.by_key(key) for key in keys if key])
    kept = [row.body["text"] for row in sent if row is not None and row.member_id == sari.member and row.body]
    assert kept == ["OK."]


def test_safe_takes_back_requests_without_a_trace_of_the_name(chat: Chat, sari: Person) -> None:
    bat = chat.joins("Bat", topics=["beneficial-ownership"])
    sari.says("beneficial ownership")
    sari.presses("Meet Bat")
    sari.presses(sari.buttons()[0])
    assert "Sari" in bat.last
    sari.says("safe")
    assert "Sari" not in bat.last


def test_a_declined_asker_learns_nothing_when_the_other_is_safe(chat: Chat, sari: Person) -> None:
    bat = chat.joins("Bat", topics=["beneficial-ownership"])
    bat.says("beneficial ownership")
    bat.presses("Meet Sari")
    bat.presses(bat.buttons()[0])
    before = bat.sees()
    sari.says("safe")
    assert bat.sees() == before


def test_a_new_link_opens_a_locked_account_still_hidden(chat: Chat, sari: Person, mirela: Person) -> None:
    sari.says("safe")
    mirela.says("manage")
    mirela.presses("People")
    mirela.presses("List")
    assert "Sari (Indonesia): locked" in mirela.last
    mirela.presses("Sari")
    mirela.presses("New link for them")
    code = mirela.last.partition("/start ")[2].split()[0]
    sari.says(f"/start {code}")
    assert "Welcome back" in sari.last
    bat = chat.joins("Bat")
    bat.says("beneficial ownership")
    assert "Sari" not in bat.last


@pytest.mark.parametrize("words", ["I am in danger", "help me", "saya dalam bahaya", "ช่วยด้วย"])
def test_emergency_words_leave_any_step_and_nobody_is_told(
    chat: Chat, sari: Person, mirela: Person, words: str
) -> None:
    sari.says("me")
    sari.presses("Change")
    sari.presses("Name")
    sari.says(words)
    assert "Call Mirela: 000" in sari.last
    assert "call your local emergency number" in sari.last
    assert mirela.sees() == []
    sari.says("me")
    assert "You: Sari" in sari.last


def test_a_facilitator_is_told_only_with_a_press(sari: Person, mirela: Person) -> None:
    sari.says("I am in danger")
    sari.presses("Tell a facilitator")
    assert "Sari wrote that they are in danger" in mirela.last
    assert "Mirela is told now" in sari.last
    mirela.presses("Reply")
    mirela.says("I am calling you")
    assert "I am calling you" in sari.last


def test_without_a_facilitator_there_are_still_contacts(chat: Chat) -> None:
    alone = chat.joins("Alone")
    alone.says("I am in danger")
    assert "Call Mirela: 000" in alone.last
    assert alone.buttons() == []
