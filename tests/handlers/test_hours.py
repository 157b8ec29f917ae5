"""My own hours and days: what the bot begins waits for them, and the usual ones are one press away."""

import pytest

from tests.chat import Chat, Person
from tests.handlers.test_answering import asks, to_monday


@pytest.fixture
def sari(chat: Chat) -> Person:
    """Sari, in Jakarta; it is Monday, 23 November 2026, 10:00 there."""
    sari = chat.joins("Sari")
    sari.says("me")
    sari.presses("Hours and away")
    return sari


def test_questions_wait_for_my_own_hours_and_days(chat: Chat, sari: Person) -> None:
    asks(chat.joins("Mirela", role="facilitator"), "How is your energy?", "1 to 5")
    assert sari.last.startswith(
        "I write to you from 08:00 to 20:00, Monday, Tuesday, Wednesday, Thursday, and Friday; Jakarta time."
    )
    sari.presses("Other hours")
    sari.says("10:30")
    sari.presses("18:00")
    assert "From now on I write to you from 10:30 to 18:00" in sari.last
    sari.presses("Other days")
    sari.presses("✓ Monday")
    sari.presses("Saturday")
    sari.presses("Done")
    assert "Tuesday, Wednesday, Thursday, Friday, and Saturday" in sari.last
    seen = len(sari.sees())
    to_monday(chat)
    chat.passes(hours=25, minutes=29)
    assert len(sari.sees()) == seen
    chat.passes(minutes=1)  # Tuesday, 10:30
    assert sari.last == "How is your energy?\n\nThe facilitators read this."


def test_the_usual_hours_come_back_and_a_change_is_undone(sari: Person) -> None:
    sari.presses("Other hours")
    sari.presses("09:00")
    sari.says("8:30")
    assert "Please choose a time that is later than 09:00." in sari.last
    sari.says("25:00")
    assert "Please give the time as 09:00 (24 hours)." in sari.last
    sari.presses("17:00")
    assert "from 09:00 to 17:00" in sari.last
    sari.presses("Undo")
    assert "from 08:00 to 20:00" in sari.last
    sari.presses("Undo")
    assert "from 09:00 to 17:00" in sari.last
    sari.presses("The usual hours")
    assert "from 08:00 to 20:00" in sari.last
    sari.presses("Away")
    assert "Until when shall I leave you in peace?" in sari.last
