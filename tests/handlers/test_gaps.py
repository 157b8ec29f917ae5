"""What is missing in a profile rides on the weekly card: later, one thing at a time, each once, and never alone."""

import pytest

from tests.chat import Chat, Person
from tests.handlers.test_answering import asks, to_monday

HEAD = "One thing is missing in your profile. I ask about it only once."
END = "Thank you. That is all for this time."


@pytest.fixture
def sari(chat: Chat) -> Person:
    """Somebody whose profile lacks topics, a sector and an organisation, with a question every Monday."""
    sari = chat.joins("Sari", needs=["open-data"], offers=["open-data"])
    asks(chat.joins("Mirela", role="facilitator"), "How is your energy?", "1 to 5")
    return sari


def answers(sari: Person) -> None:
    sari.presses("4")
    sari.presses("That is all")


def test_it_comes_after_the_question_from_the_third_week_on_each_thing_once(chat: Chat, sari: Person) -> None:
    to_monday(chat)
    answers(sari)
    assert END in sari.last
    chat.passes(days=7)
    chat.passes(days=7)
    answers(sari)
    assert f"{HEAD}\nIt names no topic." in sari.last
    assert "Others see it only as far as you let them." in sari.last
    sari.presses("Not now")
    assert "Should you want to tell it one day: me, then Change." in sari.last
    assert END in sari.last
    chat.passes(days=7)
    answers(sari)
    assert "for whom you work" in sari.last  # and never answered
    chat.passes(days=7)
    answers(sari)
    assert "which organisation you work for" in sari.last
    chat.passes(days=7)
    answers(sari)
    assert END in sari.last


def test_one_press_asks_for_it_below_and_the_answer_is_kept(chat: Chat, sari: Person) -> None:
    to_monday(chat, 3)
    answers(sari)
    sari.presses("Fill it in")
    assert "What do you work on?" in sari.last
    assert f"It goes on below.\n\n{END}" in sari.sees()[-2]
    sari.says("beneficial ownership")
    sari.presses("Right")
    assert "Your topics from now on: Beneficial ownership" in sari.last


def test_what_is_filled_in_meanwhile_is_not_asked_about(chat: Chat, sari: Person) -> None:
    to_monday(chat, 3)
    sari.says("change")
    sari.presses("Topics")
    sari.says("beneficial ownership")
    sari.presses("Right")
    answers(sari)
    assert END in sari.last
    chat.passes(days=7)
    answers(sari)
    assert "for whom you work" in sari.last


def test_two_parts_ride_at_most_and_what_is_missing_waits_for_room(chat: Chat, sari: Person) -> None:
    sari.says("/project Open clinics")
    sari.presses("Another step")
    for step in ("First", "Second", "Third"):
        if step != "First":
            sari.presses("Milestones and dates")
            sari.presses("Add a milestone")
        sari.says(step)
        sari.says("11 December")
    sari.says("away until 12 Dec")  # so that no card asks about them before their day
    to_monday(chat, 3)
    riding = []
    answers(sari)
    while END not in sari.last:
        riding.append(sari.last)
        sari.presses(next(label for label in ("Leave it as it is", "Not now", "Skip") if label in sari.buttons()))
    assert len(riding) == 2
    assert all("was due on Fri 11 Dec" in text for text in riding)
    chat.passes(days=7)
    answers(sari)
    assert "“Third” was due on Fri 11 Dec" in sari.last
    sari.presses("Leave it as it is")
    assert HEAD in sari.last


def test_who_did_not_agree_to_questions_is_not_asked_for_anything(chat: Chat) -> None:
    sari = chat.joins("Sari", purposes=("profile", "storage", "introductions"))
    asks(chat.joins("Mirela", role="facilitator"), "How is your energy?", "1 to 5")
    chat.joins("Bat", country="MN", offers=["open-data"])
    chat.passes(days=14)
    sari.says("ask how do others publish open data")
    sari.presses("Send")
    chat.passes(days=7)
    assert "Did it move?" in sari.last
    sari.presses("Close the question")
    assert HEAD not in sari.last
