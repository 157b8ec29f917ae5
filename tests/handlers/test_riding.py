"""What waits rides on the weekly card: after the main parts, two at most, each once, and never reminded of."""

from datetime import date

import pytest

from tests.chat import Chat, Person
from tests.core.test_scheduler import moves
from tests.handlers.test_answering import asks, to_monday
from tests.handlers.test_projects import has


@pytest.fixture
def sari(chat: Chat) -> Person:
    return chat.joins("Sari")


def plans(sari: Person, *steps: str, day: str = "27 November") -> None:
    """A project with steps that are due on a Friday."""
    sari.says("/project Open clinics")
    sari.presses("Another step")
    for n, step in enumerate(steps):
        if n:
            sari.presses("Milestones and dates")
            sari.presses("Add a milestone")
        sari.says(step)
        sari.says(day)


def test_three_that_are_overdue_are_asked_about_two_this_week_and_one_the_next(chat: Chat, sari: Person) -> None:
    plans(sari, "First", "Second", "Third")
    before = len(sari.sees())
    to_monday(chat)
    assert len(sari.sees()) == before + 1
    assert "“First” was due on Fri 27 Nov." in sari.last
    sari.presses("It is done")
    assert sari.last.startswith("“First” is done: your project says so now.\n\n“Second” was due")
    sari.presses("It needs more time")
    assert "By when? Write a date" in sari.last
    assert "Thank you." in sari.sees()[-2]
    sari.says("18 December")
    assert "“Second” is due on Fri 18 Dec from now on." in sari.last
    chat.passes(days=7)
    assert "“Third” was due on Fri 27 Nov." in sari.last
    sari.presses("Drop it")
    assert "Dropped: “Third”." in sari.last
    seen = len(sari.sees())
    chat.passes(days=13)
    assert len(sari.sees()) == seen
    chat.passes(days=1)
    assert "“Second” was due on Fri 18 Dec." in sari.last


def test_it_comes_after_the_question_in_the_same_message(chat: Chat, sari: Person) -> None:
    mirela = chat.joins("Mirela", role="facilitator")
    asks(mirela, "How is your energy?", "1 to 5")
    chat.joins("Bat", country="MN", offers=["open-data"])
    sari.says("ask how do others publish open data")
    sari.presses("Send")
    seen = len(sari.sees())
    to_monday(chat)
    assert len(sari.sees()) == seen + 1
    assert sari.last == "How is your energy?\n\nThe facilitators read this."
    sari.presses("4")
    sari.presses("That is all")
    assert "1 were asked, 0 answered or offered help.\nDid it move?" in sari.last
    sari.presses("Solved")
    assert sari.last.startswith("Good to hear. The question is closed.\n\nThank you. That is all for this time.")


def test_what_rides_is_not_reminded_of_and_is_no_silence(chat: Chat, sari: Person) -> None:
    mirela = chat.joins("Mirela", role="facilitator")
    asks(mirela, "How is your energy?", "1 to 5")
    has(chat, sari, "Far", due=date(2027, 3, 1))
    chat.joins("Bat", country="MN", offers=["open-data"])
    sari.says("ask how do others publish open data")
    sari.presses("Send")
    to_monday(chat)
    sari.presses("4")
    sari.presses("That is all")
    seen = sari.sees()
    chat.passes(days=6)
    assert sari.sees() == seen
    chat.passes(days=1)
    assert sari.last == "How is your energy?\n\nThe facilitators read this."


def test_who_is_away_is_asked_on_the_first_monday_back(chat: Chat, sari: Person) -> None:
    plans(sari, "First")
    sari.says("away until 9 Dec")
    seen = len(sari.sees())
    to_monday(chat, 2)
    assert len(sari.sees()) == seen
    chat.passes(days=3)
    assert "was due on" not in sari.last
    chat.passes(days=4)
    assert "“First” was due on Fri 27 Nov." in sari.last


def test_who_refused_questions_still_hears_of_their_own_ask(chat: Chat) -> None:
    sari = chat.joins("Sari", purposes=("profile", "storage", "introductions"))
    chat.joins("Bat", country="MN", offers=["open-data"])
    has(chat, sari, "Governor", due=date(2026, 11, 27))
    sari.says("ask how do others publish open data")
    sari.presses("Send")
    to_monday(chat)
    assert "Did it move?" in sari.last
    sari.presses("Close the question")
    assert "Governor" not in sari.last


def test_who_moved_west_hears_it_on_the_monday_of_the_new_place(chat: Chat) -> None:
    tuul = chat.joins("Tuul", country="MN", time_zone="Asia/Ulaanbaatar")
    plans(tuul, "First")
    moves(chat, tuul, "Europe/Kyiv")
    to_monday(chat)  # 09:00 in Jakarta, 04:00 in Kyiv
    assert "was due on" not in tuul.last
    chat.passes(hours=4, minutes=59)
    assert "was due on" not in tuul.last
    chat.passes(minutes=1)
    assert "“First” was due on Fri 27 Nov." in tuul.last
