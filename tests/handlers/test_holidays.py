"""Holidays, as facilitators correct them: nobody of the country is asked on one, and the next card says why."""

import pytest

from tests.chat import Chat, Person
from tests.handlers.test_answering import asks, to_monday


@pytest.fixture
def mirela(chat: Chat) -> Person:
    """Monday 23 November 2026, 10:00 in Jakarta; a question every Monday."""
    mirela = chat.joins("Mirela", role="facilitator")
    asks(mirela, "How is your energy?", "1 to 5")
    mirela.says("manage")
    mirela.presses("Check-ins")
    mirela.presses("Holidays")
    return mirela


def test_a_day_that_was_announced_is_skipped_and_said_in_its_country_alone(chat: Chat, mirela: Person) -> None:
    sari, bat = chat.joins("Sari"), chat.joins("Bat", country="MN")
    mirela.presses("Add a holiday")
    mirela.says("Atlantis")
    assert "I did not find that country." in mirela.last
    mirela.says("Indonesia")
    mirela.says("30 November")
    mirela.says("Election day")
    assert mirela.last == (
        "From now on Mon 30 Nov is a holiday in Indonesia: Election day. Nobody there is asked on that day."
    )
    mirela.presses("Holidays")
    assert "Mon 30 Nov, Indonesia: Election day" in mirela.last
    to_monday(chat)
    assert sari.sees() == []
    assert bat.last.startswith("How is your energy?")
    chat.passes(days=7)
    assert sari.last.startswith("On Mon 30 Nov I did not ask: Election day.\n\nHow is your energy?")


def test_a_day_that_is_none_leaves_the_list_of_its_country_alone_and_undo_brings_it_back(mirela: Person) -> None:
    assert "Fri 25 Dec, Indonesia: Christmas" in mirela.last
    mirela.presses("Fri 25 Dec, Indonesia")
    mirela.presses("This is no holiday")
    assert mirela.last == "From now on Fri 25 Dec is no holiday in Indonesia: questions come as on any day."
    mirela.presses("Holidays")
    assert "Fri 25 Dec, Indonesia" not in mirela.last
    assert "Fri 25 Dec, Philippines" in mirela.last


def test_undo_brings_back_what_it_was(mirela: Person) -> None:
    mirela.presses("Fri 25 Dec, Indonesia")
    mirela.presses("This is no holiday")
    mirela.presses("Undo")
    assert mirela.last.startswith("As it was before.\nFri 25 Dec, Indonesia: Christmas")
    mirela.presses("Holidays")
    assert "Fri 25 Dec, Indonesia: Christmas" in mirela.last
