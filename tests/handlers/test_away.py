"""Time away: not found, not asked, back by itself in the morning, and dates as people type them."""

import pytest

from bot.domain.profiles import Preset
from tests.chat import Chat, Person


@pytest.fixture
def sari(chat: Chat) -> Person:
    """Sari, in Jakarta; it is Monday, 23 November 2026, 10:00 there."""
    return chat.joins("Sari", topics=["beneficial-ownership"])


@pytest.mark.parametrize(
    ("language", "typed", "day"),
    [
        ("en", "away until 7 Dec", "Mon 7 Dec, 09:00"),
        ("en", "stop until December 7", "Mon 7 Dec, 09:00"),
        ("en", "away 2026-12-07", "Mon 7 Dec, 09:00"),
        ("en", "away until tomorrow", "Tue 24 Nov, 09:00"),
        ("en", "away until Friday", "Fri 27 Nov, 09:00"),
        ("id", "cuti sampai 7 Desember", "7 Des"),
        ("mn", "эзгүй 12-р сарын 7 хүртэл", "Да 7 12-р сар, 09:00"),
        ("fil", "nakabakasyon hanggang 7 Disyembre", "7"),
        ("th", "ไม่อยู่ ถึง 7 ธันวาคม 2569", "7 ธ.ค."),
    ],
)
def test_a_date_is_understood_as_it_is_typed(chat: Chat, language: str, typed: str, day: str) -> None:
    sari = chat.joins("Sari", language=language)
    sari.says(typed)
    assert day in sari.last
    until = chat.store.now(lambda unit: unit.members.recall(sari.member or 0))
    assert until is not None
    assert until.state == "paused"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("30 February", "That date does not exist. Please use a date in the next two years, like 2026-12-07."),
        ("0000-01-01", "That date does not exist."),
        ("9999-01-01", "That date is too far away. Please use a date in the next two years, like 2026-12-07."),
        ("2026-11-23", "That day is over, or today."),
        ("banana", "I did not understand that date."),
    ],
)
def test_a_date_that_cannot_be_says_what_to_do(sari: Person, typed: str, said: str) -> None:
    sari.says(f"away until {typed}")
    assert said in sari.last
    sari.says(typed)
    assert said in sari.last


def test_who_is_away_is_not_found_and_comes_back_in_the_morning(chat: Chat, sari: Person) -> None:
    bat = chat.joins("Bat")
    sari.says("stop")
    sari.presses("1 week")
    assert "You are away until Mon 30 Nov, 09:00." in sari.last
    bat.says("beneficial ownership")
    assert "Sari" not in bat.last
    chat.passes(days=6, hours=22, minutes=59)
    assert "Your time away ends today" not in sari.last
    chat.passes(minutes=1)
    assert "Your time away ends today" in sari.last
    bat.says("beneficial ownership")
    assert "Sari" in bat.last


@pytest.mark.parametrize("way", ["undo", "button"])
def test_one_can_come_back_sooner(chat: Chat, sari: Person, way: str) -> None:
    bat = chat.joins("Bat")
    sari.says("away")
    sari.presses("Until I come back")
    assert "until you come back" in sari.last
    if way == "undo":
        sari.says("undo")
    else:
        sari.presses("I am back")
    assert "Welcome back." in sari.last
    bat.says("beneficial ownership")
    assert "Sari" in bat.last


def test_a_second_date_replaces_the_first(chat: Chat, sari: Person) -> None:
    sari.says("away until 1 Dec")
    sari.says("away until 7 Dec")
    chat.passes(days=9)
    assert "Your time away ends today" not in sari.last
    chat.passes(days=6)
    assert "Your time away ends today" in sari.last


@pytest.mark.parametrize(
    ("language", "typed", "said"),
    [
        ("en", "until next monday", "Mon 30 Nov, 09:00"),
        ("en", "7 Dec", "Mon 7 Dec, 09:00"),
        ("en", "away until 7 Dec", "Mon 7 Dec, 09:00"),
        ("en", "2 weeks", "Mon 7 Dec, 09:00"),
        ("en", "until I come back", "until you come back"),
        ("id", "sampai senin", "30 Nov"),
    ],
)
def test_the_card_takes_a_date_that_is_only_typed(chat: Chat, language: str, typed: str, said: str) -> None:
    sari = chat.joins("Sari", language=language)
    sari.says("stop")
    sari.says(typed)
    assert said in sari.last
    until = chat.store.now(lambda unit: unit.members.recall(sari.member or 0))
    assert until is not None
    assert until.state == "paused"


def test_stop_stops_at_once_and_only_then_asks_until_when(chat: Chat, sari: Person) -> None:
    bat = chat.joins("Bat")
    sari.says("stop")
    assert sari.last.startswith("You are away until you come back.")
    assert "Until when shall I leave you in peace?" in sari.last
    assert len(sari.sees()) == 1
    bat.says("beneficial ownership")
    assert "Sari" not in bat.last


def test_cancel_after_stop_says_that_one_stays_away(chat: Chat, sari: Person) -> None:
    bat = chat.joins("Bat")
    sari.says("stop")
    sari.says("cancel")
    assert sari.last == "You stay away until you come back. Press the button then, or type undo."
    bat.says("beneficial ownership")
    assert "Sari" not in bat.last
    sari.says("away until 7 Dec")
    sari.presses("Another day")
    sari.presses("Cancel")
    assert sari.last == "You stay away until Mon 7 Dec, 09:00."
    sari.presses("I am back")
    assert "Welcome back." in sari.last


def test_cancel_at_the_card_changes_nothing_and_the_next_words_are_a_search(chat: Chat, sari: Person) -> None:
    chat.joins("Bat", country="MN", offers=["open-data"])
    sari.says("away")
    sari.says("cancel")
    assert sari.last == "Cancelled. Nothing was changed."
    sari.says("open data")
    assert "Bat (Mongolia)" in sari.last


def test_who_is_away_says_that_they_are_back(chat: Chat, sari: Person) -> None:
    sari.says("away until 7 Dec")
    sari.says("I am back")
    assert "Welcome back. From now on you are found" in sari.last
    sari.says("I'm back")
    assert sari.last == "You are not away. Nothing changed."


def test_who_is_away_presses_back_at_the_card(sari: Person) -> None:
    sari.says("away until 7 Dec")
    sari.says("stop")
    sari.presses("I am back")
    assert "Welcome back." in sari.last


@pytest.mark.parametrize("way", ["morning", "word", "leave"])
def test_who_is_hidden_stays_hidden_after_a_time_away(chat: Chat, way: str) -> None:
    lotus = chat.joins("Lotus", preset=Preset.HIDDEN)
    if way == "leave":
        lotus.says("leave")
        lotus.presses("Yes, leave")
        lotus.says("undo")
    else:
        lotus.says("away until tomorrow")
        if way == "word":
            lotus.says("I am back")
        else:
            chat.passes(days=1)
    assert "You stay hidden, as you chose." in lotus.last
    assert "found and introduced" not in lotus.last
    assert "seen as before" not in lotus.last


def test_who_did_not_agree_to_introductions_is_told_so_and_can_change_it(chat: Chat) -> None:
    sari = chat.joins("Sari", purposes=("profile", "storage"), topics=["beneficial-ownership"])
    bat = chat.joins("Bat")
    sari.says("away until tomorrow")
    chat.passes(days=1)
    assert "Nobody finds you: you did not agree to introductions." in sari.last
    sari.presses("Agree: Introductions")
    bat.says("beneficial ownership")
    assert "Sari" in bat.last


def test_the_word_that_ends_the_time_away_is_no_name(chat: Chat) -> None:
    mirela = chat.joins("Mirela", role="facilitator")
    for said in ("people", "Invite", "stop", "cancel", "undo"):
        mirela.says(said)
    assert mirela.sees()[-2].startswith("Welcome back.")
    assert mirela.last.startswith("Now back to the earlier question.\n1 of 4. Whom do you invite?")


@pytest.mark.parametrize("plea", ["stop please", "Stop now !!", "stop 🙏", "leave me alone please", "berhenti dulu ya"])
def test_a_plea_to_stop_is_heard_at_once_whatever_stands_behind_it(chat: Chat, sari: Person, plea: str) -> None:
    sari.says(plea)
    assert sari.last.startswith("You are away until you come back.")


@pytest.mark.parametrize("begins", ["stop", "new project"])
def test_who_is_back_is_not_asked_until_when_they_are_away(chat: Chat, sari: Person, begins: str) -> None:
    sari.says(begins)
    asked = sari.last
    for said in ("stop", "undo"):
        sari.says(said)
    if begins == "stop":
        assert sari.last.startswith("Welcome back.")
        sari.says("open data")
        assert sari.last.startswith("I read: Open government data.")
    else:
        assert sari.sees()[-2].startswith("Welcome back.")
        assert sari.last == f"Now back to the earlier question.\n{asked}"
