"""Sessions: everybody's own time and language, a calendar file, I come or I cannot, one reminder, who comes."""

import pytest

from bot.core.adapter import Rejected
from tests.chat import Chat, Person
from tests.handlers.test_messages import newest, sends


def invites(who: Person, when: str = "7 Dec 14:30") -> None:
    """A facilitator invites everybody to a session."""
    who.says("message")
    who.presses("Invite to a session")
    who.says("Working with councils")
    who.says(when)
    who.presses("60 minutes")
    who.says("https://meet.example/room")
    who.presses("Everybody")
    who.presses("Send to")
    who.chat.passes(minutes=11)
    who.chat.passes(minutes=1)


def test_everybody_reads_their_own_time(chat: Chat) -> None:
    mirela = chat.joins("Mirela", role="facilitator")
    sari, bat = chat.joins("Sari"), chat.joins("Bat", time_zone="Asia/Ulaanbaatar")
    invites(mirela)
    assert "When: Mon 7 Dec, 14:30 to 15:30, your time" in sari.last
    assert "When: Mon 7 Dec, 15:30 to 16:30, your time" in bat.last
    assert "Where: https://meet.example/room" in bat.last
    assert bat.buttons() == ["I come", "I cannot", "Calendar file"]


def test_the_calendar_file_has_the_moment(chat: Chat) -> None:
    mirela, sari = chat.joins("Mirela", role="facilitator"), chat.joins("Sari")
    invites(mirela)
    sari.presses("Calendar file")
    name, media_type, made = chat.screens.files[-1]
    assert (name, media_type) == ("session.ics", "text/calendar")
    lines = made.decode().splitlines()
    assert "SUMMARY:Working with councils" in lines
    assert {"DTSTART:20261207T073000Z", "DTEND:20261207T083000Z"} <= set(lines)


def test_who_comes_is_listed_and_reminded_once_the_day_before(chat: Chat) -> None:
    mirela = chat.joins("Mirela", role="facilitator")
    sari, bat, pilo = chat.joins("Sari"), chat.joins("Bat"), chat.joins("Pilo")
    invites(mirela, "8 Dec 14:30")
    sari.presses("I come")
    assert "Your answer: I come" in sari.last
    bat.presses("I cannot")
    mirela.presses("Results")
    assert "I come: 1 (50 %)" in newest(mirela)
    mirela.presses("Who comes")
    assert "Sari" in mirela.last
    assert "Bat" not in mirela.last
    before = [len(who.sees()) for who in (sari, bat, pilo)]
    chat.passes(days=14, hours=4, minutes=40)  # Mon 7 Dec, 14:52
    got = [len(who.sees()) - seen for who, seen in zip((sari, bat, pilo), before, strict=True)]
    assert got == [1, 0, 1]
    assert "A reminder:" in sari.last
    pilo.presses("I come")
    mirela.presses("Results")
    assert "I come: 2" in newest(mirela)
    chat.passes(days=2)
    assert len(pilo.sees()) == before[2] + 1


def test_no_reminder_of_a_session_that_was_withdrawn(chat: Chat) -> None:
    mirela, sari = chat.joins("Mirela", role="facilitator"), chat.joins("Sari")
    invites(mirela, "8 Dec 14:30")
    mirela.presses("Withdraw")
    mirela.presses("Yes, withdraw")
    before = len(sari.sees())
    chat.passes(days=15)
    assert len(sari.sees()) == before


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("7 Dec 2:30 pm", "Mon 7 Dec, 14:30"),
        ("2.30 PM 7 Dec", "Mon 7 Dec, 14:30"),
        ("7 Dec 2 p.m.", "Mon 7 Dec, 14:00"),
        ("Dec 7, 2026, 12:15 a.m.", "Mon 7 Dec, 00:15"),
        ("7.12. 14:30", "Mon 7 Dec, 14:30"),
        ("7.12 14:30", "Mon 7 Dec, 14:30"),
    ],
)
def test_moments_are_read_as_people_write_them(chat: Chat, typed: str, shown: str) -> None:
    mirela = chat.joins("Mirela", role="facilitator")
    chat.joins("Sari")
    mirela.says("message")
    mirela.presses("Invite to a session")
    mirela.says("Working with councils")
    mirela.says(typed)
    mirela.presses("60 minutes")
    mirela.says("skip")
    mirela.presses("Everybody")
    assert f"When: {shown} to" in mirela.sees()[-2]


def test_an_invitation_that_would_leave_after_the_session_began_is_not_sent(chat: Chat) -> None:
    mirela, sari = chat.joins("Mirela", role="facilitator"), chat.joins("Sari")
    mirela.says("message")
    mirela.presses("Invite to a session")
    mirela.says("Working with councils")
    mirela.says("today 10:05")
    mirela.presses("60 minutes")
    mirela.says("skip")
    mirela.presses("Everybody")
    mirela.presses("Send to")
    assert mirela.last.startswith("It would leave at 10:10, after the session began.")
    mirela.presses("Change")
    mirela.presses("When it is")
    mirela.says("today 14:00")
    mirela.presses("60 minutes")
    mirela.presses("Send to")
    chat.passes(minutes=11)
    chat.passes(minutes=1)
    assert "14:00" in sari.last


def test_nobody_is_invited_once_more_when_the_session_has_begun(chat: Chat) -> None:
    mirela, sari = chat.joins("Mirela", role="facilitator"), chat.joins("Sari")
    chat.screens.outcome = lambda envelope: Rejected("no") if envelope.address == sari.address else None
    invites(mirela, "today 14:00")
    chat.screens.outcome = lambda envelope: None
    chat.passes(hours=5)
    mirela.presses("Send again (1)")
    assert mirela.last == "The session has begun already. Nothing was sent."
    assert sari.sees() == []


def test_who_would_get_an_invitation_only_after_the_session_is_named_before(chat: Chat) -> None:
    mirela = chat.joins("Mirela", role="facilitator")
    chat.joins("Sari")
    for text in ("One", "Two", "Three"):
        sends(mirela, text)
    mirela.says("message")
    mirela.presses("Invite to a session")
    mirela.says("Working with councils")
    mirela.says("27 Nov 14:30")
    mirela.presses("60 minutes")
    mirela.says("skip")
    mirela.presses("Everybody")
    assert "1 person already has 3 this week, and does not get it: Monday is after the session." in mirela.last
