"""Calendar files: read back by the library as a calendar reads them, whatever people write into a title."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from bot.core.calendar import Entry, calendar
from bot.core.cleaning import clean_text

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def test_a_day_takes_the_whole_day_and_keeps_nobody_busy() -> None:
    file = calendar("Reform Asia", [Entry("milestone-7", "Checklist, draft; v2", date(2026, 12, 7))], NOW)
    (event,) = Calendar.from_ical(file).events
    assert (str(event["summary"]), event.start, event.end) == (
        "Checklist, draft; v2", date(2026, 12, 7), date(2026, 12, 8),
    )  # fmt: skip
    assert (str(event["uid"]), str(event["transp"])) == ("milestone-7@kawan", "TRANSPARENT")
    assert b"DTSTART;VALUE=DATE:20261207\r\n" in file


def test_a_meeting_is_at_one_moment_wherever_it_is_read() -> None:
    begins = datetime(2026, 12, 7, 9, 0, tzinfo=ZoneInfo("Asia/Jakarta"))
    (event,) = Calendar.from_ical(calendar("x", [Entry("s-1", "Session", begins, minutes=45)], NOW)).events
    assert event.start == begins
    assert event.duration == timedelta(minutes=45)
    assert isinstance(event.start, datetime)
    assert event.start.tzinfo is not None


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        calendar("x", [Entry("s-1", "Session", datetime(2026, 12, 7, 9, 0))], NOW)  # noqa: DTZ001


@given(st.text(max_size=300).map(clean_text))
def test_any_text_stays_one_title_and_no_line_is_too_long(title: str) -> None:
    file = calendar(title or "x", [Entry("m-1", title, date(2026, 12, 7), notes=title)], NOW)
    (event,) = Calendar.from_ical(file).events
    assert str(event["summary"]) == title
    assert all(len(line) <= 75 for line in file.split(b"\r\n"))
    assert file.count(b"BEGIN:VEVENT") == 1 or "BEGIN:VEVENT" in title


def test_sent_again_later_it_is_the_same_entry_and_newer() -> None:
    def made(now: datetime) -> tuple[str, int]:
        (event,) = Calendar.from_ical(calendar("x", [Entry("m-1", "a", date(2026, 12, 7))], now)).events
        return str(event["uid"]), event.sequence

    first, second = made(NOW), made(NOW + timedelta(minutes=1))
    assert first[0] == second[0]
    assert first[1] < second[1]
