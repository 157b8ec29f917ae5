"""When a programme may write to somebody: their hours, their weekends, their clock changes, their next card."""

from datetime import UTC, datetime, time

import pytest

from bot.domain.hours import USUAL, Hours, next_allowed, next_card, read_hours, week_began


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "zone", "allowed"),
    [
        ("2026-11-23T03:00", "Asia/Jakarta", "2026-11-23T03:00"),  # Monday 10:00
        ("2026-11-23T13:00", "Asia/Jakarta", "2026-11-24T01:00"),  # Monday 20:00: Tuesday 08:00
        ("2026-11-23T12:59", "Asia/Jakarta", "2026-11-23T12:59"),
        ("2026-11-27T14:00", "Asia/Jakarta", "2026-11-30T01:00"),  # Friday night: Monday
        ("2026-11-28T03:00", "Asia/Jakarta", "2026-11-30T01:00"),  # Saturday noon: Monday
        ("2027-03-26T22:00", "Europe/Kyiv", "2027-03-29T05:00"),  # the clocks change on the Sunday between
        ("2026-11-23T13:00", "Nowhere/Else", "2026-11-23T13:00"),  # a zone that this machine does not know is UTC
    ],
)
def test_the_next_moment_at_which_somebody_may_be_written_to(now: str, zone: str, allowed: str) -> None:
    assert next_allowed(USUAL, utc(now), zone) == utc(allowed)


def test_hours_may_pass_midnight_and_may_be_all_day() -> None:
    night = Hours(time(18), time(2), frozenset(range(1, 8)))
    assert next_allowed(night, utc("2026-11-23T01:00"), "UTC") == utc("2026-11-23T01:00")
    assert next_allowed(night, utc("2026-11-23T02:00"), "UTC") == utc("2026-11-23T18:00")
    always = read_hours("00:00-00:00 1234567")
    assert next_allowed(always, utc("2026-11-28T23:59"), "UTC") == utc("2026-11-28T23:59")


def test_hours_are_read_as_they_were_written_and_else_are_the_programmes() -> None:
    own = Hours(time(9, 30), time(21), frozenset({1, 2, 6}))
    assert own.written() == "09:30-21:00 126"
    assert read_hours(own.written()) == own
    for text in (None, "", "nonsense", "25:00-26:00 1"):
        assert read_hours(text) == USUAL


def test_the_card_is_on_monday_at_nine_of_ones_own_time() -> None:
    assert next_card(utc("2026-11-23T01:59"), "Asia/Jakarta") == utc("2026-11-23T02:00")
    assert next_card(utc("2026-11-23T02:00"), "Asia/Jakarta") == utc("2026-11-30T02:00")
    assert week_began(utc("2026-11-29T16:59"), "Asia/Jakarta") == utc("2026-11-22T17:00")
    assert week_began(utc("2026-11-29T17:00"), "Asia/Jakarta") == utc("2026-11-29T17:00")
