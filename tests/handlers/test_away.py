"""Time away: not found, not asked, back by itself in the morning, and dates as people type them."""

import pytest

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
    sari.presses("Another day")
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
