"""Did you talk? Yes, not yet, no and why; it counts when both say yes, and neither learns what the other said."""

import json

import pytest
import sqlalchemy as sa

from storage import UnitOfWork
from storage.outbox import outbox_about
from tests.chat import Chat, Person


@pytest.fixture
def pair(chat: Chat) -> tuple[Person, Person]:
    """Sari asked to meet Bat, and Bat said yes, on Monday 23 November."""
    sari, bat = chat.joins("Sari"), chat.joins("Bat", country="MN", offers=["open-data"], time_zone="Asia/Ulaanbaatar")
    sari.says("open data")
    sari.presses("Meet Bat")
    sari.presses("Send")
    bat.presses("Yes, put us in touch")
    return sari, bat


def connections(chat: Chat) -> int:
    return chat.store.now(lambda unit: unit.talks.connections(chat.cohort))


def test_it_is_asked_on_the_monday_after_five_days(chat: Chat, pair: tuple[Person, Person]) -> None:
    sari, bat = pair
    seen = len(sari.sees()), len(bat.sees())
    chat.passes(days=6, hours=21)
    assert (len(sari.sees()), len(bat.sees())) == seen
    chat.passes(hours=2)
    assert sari.last.startswith("Did you and Bat talk?")
    assert bat.last.startswith("Did you and Sari talk?")
    assert sari.buttons() == ["Yes", "Not yet", "No"]


def test_a_connection_counts_when_both_say_yes(chat: Chat, pair: tuple[Person, Person]) -> None:
    sari, bat = pair
    chat.passes(days=6, hours=23)
    sari.presses("Yes")
    sari.presses("5")
    assert sari.last.startswith("Kept. Thank you.")
    assert connections(chat) == 0
    bat.presses("Yes")
    assert connections(chat) == 1
    bat.presses("Skip")
    assert bat.last.startswith("Kept. Thank you.")


def test_not_yet_asks_once_more_and_then_leaves_it(chat: Chat, pair: tuple[Person, Person]) -> None:
    sari, _ = pair
    chat.passes(days=6, hours=23)
    sari.presses("Not yet")
    assert "I ask once more, not before Mon 7 Dec." in sari.last
    seen = len(sari.sees())
    chat.passes(days=13)
    assert len(sari.sees()) == seen
    chat.passes(days=1)
    assert sari.last.startswith("Did you and Bat talk?")
    sari.presses("Not yet")
    assert "I do not ask about it again." in sari.last
    seen = len(sari.sees())
    chat.passes(days=28)
    assert len(sari.sees()) == seen


def test_no_answer_from_them_brings_two_other_names_and_tells_nobody(chat: Chat, pair: tuple[Person, Person]) -> None:
    sari, bat = pair
    chat.joins("Oyu", country="MN", offers=["open-data"])
    chat.passes(days=6, hours=23)
    seen = bat.sees()
    sari.says("no")
    sari.presses("No answer from them")
    assert sari.last == "Perhaps one of these instead:"
    assert "Meet Oyu" in sari.buttons()
    assert bat.sees() == seen


def test_no_time_gives_both_five_more_days_once(chat: Chat, pair: tuple[Person, Person]) -> None:
    sari, bat = pair
    chat.passes(days=6, hours=23)
    sari.says("no")
    sari.presses("No time: five more days")
    assert "Five more days, until Sat 5 Dec. They know." in sari.last
    assert bat.last == "Sari had no time to talk so far, and would like five more days."
    chat.passes(days=7)
    assert sari.last.startswith("Did you and Bat talk?")
    sari.says("no")
    assert "No time: five more days" not in sari.buttons()


def test_a_change_of_mind_tells_nobody_and_keeps_the_way_back(chat: Chat, pair: tuple[Person, Person]) -> None:
    sari, bat = pair
    chat.passes(days=6, hours=23)
    seen = bat.sees()
    sari.says("no")
    sari.presses("I changed my mind")
    assert "Nobody is told, and I do not ask again." in sari.last
    assert bat.sees() == seen
    sari.says("allies")
    assert "Bat" in sari.last


def test_nobody_is_asked_about_somebody_who_hid_from_them(chat: Chat, pair: tuple[Person, Person]) -> None:
    sari, bat = pair
    chat.store.now(lambda unit: unit.profiles.keep_apart(chat.cohort, bat.member or 0, other=sari.member))
    seen = len(sari.sees())
    chat.passes(days=8)
    assert len(sari.sees()) == seen
    assert json.dumps(sari.sees()).count("Did you and") == 0


def test_the_question_names_the_other_so_it_does_not_leave_once_they_hide(
    chat: Chat, pair: tuple[Person, Person]
) -> None:
    sari, bat = pair
    chat.passes(days=6, hours=23)

    def named(unit: UnitOfWork) -> list[int]:
        row = unit.homes.last_said(sari.member or 0)
        assert row is not None
        told = sa.select(outbox_about.c.member_id).where(outbox_about.c.outbox_seq == row.seq)
        return list(unit.connection.scalars(told))

    assert sari.last.startswith("Did you and Bat talk?")
    assert chat.store.now(named) == [bat.member]
